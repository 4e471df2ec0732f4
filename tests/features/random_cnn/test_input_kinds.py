"""Types of X, and independence of features from other clips, threads and block sizes."""

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from skfewaudio import RandomCNNFeatures
from skfewaudio.exceptions import AudioLoadWarning
from skfewaudio.features import _random_cnn

SECOND = 12000
SPECTROGRAM, WAVEFORM = "single_layer", "sample_level"
of_either_kind = pytest.mark.parametrize("architecture", [SPECTROGRAM, WAVEFORM])
of_any_kind = pytest.mark.parametrize(
    "architecture",
    [
        *("single_layer", "small_filters", "musically_motivated"),
        *("sample_level", "frame_level", "frame_level_many_shapes"),
    ],
)


@of_either_kind
def test_array_list_and_paths_agree(architecture, clips, tmp_path, make):
    paths = [tmp_path / f"{index}.wav" for index in range(len(clips))]
    for path, clip in zip(paths, clips, strict=True):
        sf.write(path, clip, SECOND, subtype="FLOAT")
    features = make(architecture)
    expected = features.transform(clips)
    assert expected.dtype == np.float32
    np.testing.assert_allclose(features.transform(list(clips)), expected, atol=1e-6)
    np.testing.assert_allclose(features.transform(paths), expected, atol=1e-6)
    np.testing.assert_allclose(features.transform(pd.Series(map(str, paths))), expected, atol=1e-6)


@of_either_kind
def test_double_precision_input_gives_the_same_features(architecture, clips, make):
    features = make(architecture)
    np.testing.assert_array_equal(features.transform(clips.astype(np.float64)), features.transform(clips))


def test_list_may_contain_clips_of_different_lengths(clips, make):
    assert make().transform([clips[0], clips[1][:5000], clips[2][:100]]).shape == (3, 4)


@of_either_kind
def test_read_only_clips_are_accepted(architecture, clips, make):
    frozen = clips.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(make(architecture).transform(frozen), make(architecture).transform(clips))


def test_unreadable_file_is_replaced_by_silence_with_on_error_warn(clips, tmp_path, make):
    sf.write(tmp_path / "x.wav", clips[0], SECOND, subtype="FLOAT")
    with pytest.warns(AudioLoadWarning, match="nowhere"):
        result = make(WAVEFORM, on_error="warn").transform([tmp_path / "x.wav", "nowhere.wav"])
    np.testing.assert_array_equal(result[1], make(WAVEFORM).transform(np.zeros((1, SECOND)))[0])


@of_either_kind
def test_features_do_not_depend_on_other_clips_or_threads(architecture, noise, make, clips):
    clips = [noise(n, seed=n) for n in (1, 3000, SECOND, 2 * SECOND)]
    together = make(architecture, n_threads=3).transform(clips)
    for clip, row in zip(clips, together, strict=True):
        np.testing.assert_array_equal(make(architecture, n_threads=1).transform([clip])[0], row)


@of_either_kind
def test_features_do_not_depend_on_the_block_size(
    architecture, clips, monkeypatch, make, assert_features_close
):
    features = make(architecture, pooling=["mean", "max", "std", "positive"])
    expected = features.transform(clips)
    monkeypatch.setitem(_random_cnn.MAP_VALUES_AT_ONCE, "cpu", 500)
    assert_features_close(features.transform(clips), expected)


@pytest.mark.gpu
@of_any_kind
def test_gpu_equals_cpu(architecture, clips, assert_features_close):
    params = {"pooling": ["mean", "max", "std"], "n_filters": 16}
    ours = RandomCNNFeatures(architecture, device="cuda", **params).transform(clips)
    assert_features_close(
        ours, RandomCNNFeatures(architecture, device="cpu", **params).transform(clips), 1e-4
    )
