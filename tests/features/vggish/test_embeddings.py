"""Embeddings: types of X, pooling, PCA, clip lengths and feature names."""

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import torch
from sklearn.utils.estimator_checks import check_estimator

from skfewaudio import VGGishEmbed
from skfewaudio.exceptions import AudioLoadWarning
from skfewaudio.features import _vggish
from skfewaudio.plugins import EMBEDDINGS

SECOND = 16000
pytestmark = pytest.mark.usefixtures("embedder")  # keeps the shared weights in memory


def test_array_list_and_paths_agree(embedder, tmp_path, noise):
    clips = np.stack([noise(SECOND, seed) for seed in range(3)])
    paths = [tmp_path / f"{index}.wav" for index in range(3)]
    for path, clip in zip(paths, clips, strict=True):
        sf.write(path, clip, SECOND, subtype="FLOAT")
    expected = embedder.transform(clips)
    assert expected.shape == (3, 128)
    assert expected.dtype == np.float32
    np.testing.assert_allclose(embedder.transform(list(clips)), expected, atol=1e-6)
    np.testing.assert_allclose(embedder.transform(paths), expected, atol=1e-6)
    np.testing.assert_allclose(embedder.transform(clips.astype(np.float64)), expected, atol=1e-6)


def test_embeddings_do_not_depend_on_other_clips_or_threads(weights, noise):
    clips = [noise(n, seed=n) for n in (1, SECOND, 3 * SECOND)]
    together = VGGishEmbed(weights, n_threads=3).transform(clips)
    for clip, row in zip(clips, together, strict=True):
        np.testing.assert_array_equal(VGGishEmbed(weights, n_threads=1).transform([clip])[0], row)


def test_without_pooling_clips_of_equal_length_give_an_array(weights, noise):
    result = VGGishEmbed(weights, pooling=None).transform(np.stack([noise(2 * SECOND)] * 2))
    assert result.shape == (2, 128, 2)


def test_without_pooling_clips_of_different_lengths_give_a_list(weights, noise):
    result = VGGishEmbed(weights, pooling=None).transform([noise(SECOND), noise(3 * SECOND)])
    assert [clip.shape for clip in result] == [(128, 1), (128, 3)]


@pytest.mark.parametrize(("pooling", "pool"), [("mean", np.mean), ("max", np.max)])
def test_pooling_is_over_patches(pooling, pool, weights, noise):
    clips = [noise(SECOND), noise(4 * SECOND)]
    patches = VGGishEmbed(weights, pooling=None).transform(clips)
    pooled = VGGishEmbed(weights, pooling=pooling).transform(clips)
    np.testing.assert_allclose(pooled, [pool(clip, axis=1) for clip in patches], atol=1e-5)


def test_relu_output_is_the_clipped_preactivation(weights, noise):
    clips = [noise(SECOND)]
    before = VGGishEmbed(weights, output="preactivation", pooling=None).transform(clips)
    assert before.min() < 0
    after = VGGishEmbed(weights, output="relu", pooling=None).transform(clips)
    np.testing.assert_array_equal(after, np.maximum(before, 0))


def test_pca_is_centred_projected_and_clipped(constant, pca_params, noise):
    embedding = np.linspace(-1, 5, 128)
    embed = VGGishEmbed(constant(embedding), pca_params=pca_params, output="pca")
    expected = np.clip(np.maximum(embedding, 0) - 1, -2, 2)[::-1]
    np.testing.assert_allclose(embed.transform([noise(SECOND)])[0], expected, atol=1e-5)


def test_uint8_output_spans_the_clipped_range(constant, pca_params, noise):
    path = constant(np.concatenate([[0, 0.5, 1, 3, 9], np.zeros(123)]))
    embed = VGGishEmbed(path, pca_params=pca_params, output="pca_uint8", pooling=None)
    result = embed.transform([noise(SECOND)])
    assert result.dtype == np.uint8
    assert result[0, ::-1, 0][:5].tolist() == [64, 96, 128, 255, 255]


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_uint8_output_with_pooling_is_refused(pooling, method, noise):
    embed = VGGishEmbed(output="pca_uint8", pooling=pooling)
    with pytest.raises(ValueError, match=rf"output='pca_uint8' with pooling='{pooling}'.*pooling=None, or"):
        getattr(embed, method)([noise(SECOND)])


def test_hop_frames_is_in_units_of_10_ms(weights, noise):
    two_seconds = [noise(2 * SECOND)]  # 198 frames
    n_patches = [
        VGGishEmbed(weights, pooling=None, hop_frames=hop).transform(two_seconds).shape[2]
        for hop in (96, 48, 102, 103)
    ]
    assert n_patches == [2, 3, 2, 1]


def test_short_clip_is_repeated_to_fill_a_patch():
    log_mel = torch.rand(64, 40)
    (patches,) = _vggish.iter_patches(log_mel, 96, n_at_once=16)
    np.testing.assert_array_equal(patches, np.tile(log_mel, 3)[None, None, :, :96])


def test_clip_of_one_sample_and_silence_have_finite_embeddings(embedder):
    clips = [np.zeros(1, dtype=np.float32), np.ones(1, dtype=np.float32), np.zeros(5 * SECOND)]
    result = embedder.transform(clips)
    assert np.isfinite(result).all()
    np.testing.assert_allclose(result[0], result[2], rtol=1e-4, atol=1e-5)  # silence of any length


def test_embeddings_do_not_depend_on_the_batch_size(weights, monkeypatch, noise, assert_embeddings_close):
    clips = [noise(5 * SECOND)]
    expected = VGGishEmbed(weights, pooling=None).transform(clips)
    monkeypatch.setitem(_vggish.PATCHES_AT_ONCE, "cpu", 2)
    assert_embeddings_close(VGGishEmbed(weights, pooling=None).transform(clips), expected)


def test_unreadable_file_is_replaced_by_silence_with_on_error_warn(weights, embedder, tmp_path, noise):
    sf.write(tmp_path / "x.wav", noise(SECOND), SECOND, subtype="FLOAT")
    with pytest.warns(AudioLoadWarning, match="nowhere"):
        result = VGGishEmbed(weights, on_error="warn").transform([tmp_path / "x.wav", "nowhere.wav"])
    np.testing.assert_array_equal(result[1], embedder.transform(np.zeros((1, SECOND)))[0])


def test_pandas_output_has_named_columns(weights, noise):
    frame = VGGishEmbed(weights).set_output(transform="pandas").fit_transform(np.stack([noise(SECOND)] * 2))
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == [f"vggish{index}" for index in range(128)]


def test_embeddings_of_patches_have_the_names_of_pooled_ones():
    names = VGGishEmbed(pooling=None).get_feature_names_out()
    assert names.tolist() == VGGishEmbed().get_feature_names_out().tolist()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"weights": 3}, "weights.*must be an instance of 'str'"),
        ({"output": "logits"}, "output.*must be a str among"),
        ({"pooling": "sum"}, "pooling.*must be a str among"),
        ({"hop_frames": 0}, "hop_frames.*must be an int"),
        ({"n_threads": 0}, "n_threads.*must be an int"),
        ({"on_error": "ignore"}, "on_error.*must be a str among"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_bad_parameters_are_refused(params, message, method, noise):
    with pytest.raises(ValueError, match=message):
        getattr(VGGishEmbed(**params), method)([noise(SECOND)])


def test_vggish_is_registered_as_embedding():
    assert EMBEDDINGS.get("vggish") is VGGishEmbed


@pytest.mark.parametrize(
    "pooling", [pytest.param("mean", marks=pytest.mark.slow), pytest.param(None, marks=pytest.mark.long)]
)
def test_scikit_learn_common_checks(pooling, weights):
    results = check_estimator(VGGishEmbed(weights, pooling=pooling), on_skip=None, on_fail=None)
    assert {result["check_name"] for result in results if result["status"] == "failed"} == set()
