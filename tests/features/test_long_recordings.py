"""Long recordings are read in blocks, with the features of the whole."""

import numpy as np
import pytest
import soundfile as sf
import torch

from skfewaudio import MFCC, LogMel
from skfewaudio.audio.io import iter_clips
from skfewaudio.audio.streaming import LongRecording, is_long, resample_blocks
from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning
from skfewaudio.features._mel_spectrogram import mel_spectrogram_of_blocks, mel_spectrograms

RATE = 16000
SECONDS = 75


@pytest.fixture(scope="module")
def samples():
    return 0.1 * np.random.default_rng(0).standard_normal(SECONDS * RATE).astype(np.float32)


@pytest.fixture(scope="module")
def path(samples, tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "long.wav"
    sf.write(path, samples, RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("block", [100, 5000, 10**7])
def test_spectrogram_of_blocks_equals_that_of_the_whole(samples, pad_mode, center, block):
    whole = samples[:50001]
    params = LogMel(
        sample_rate=RATE, n_fft=1024, hop_length=300, pad_mode=pad_mode, center=center
    )._check_settings()
    blocks = (whole[first : first + block] for first in range(0, len(whole), block))
    found = mel_spectrogram_of_blocks(blocks, params, torch.device("cpu"))
    torch.testing.assert_close(
        found, mel_spectrograms([whole], params, torch.device("cpu"))[0], rtol=1e-5, atol=0
    )


@pytest.mark.parametrize("n_samples", [1, 10, 1023, 1024, 2049, 4000])
def test_short_clips_in_blocks_equal_the_whole(samples, n_samples):
    params = LogMel(sample_rate=RATE, n_fft=1024, hop_length=300)._check_settings()
    whole = samples[:n_samples]
    blocks = np.array_split(whole, min(7, n_samples))
    found = mel_spectrogram_of_blocks(blocks, params, torch.device("cpu"))
    torch.testing.assert_close(
        found, mel_spectrograms([whole], params, torch.device("cpu"))[0], rtol=1e-5, atol=0
    )


@pytest.mark.parametrize("new_rate", [8000, 11025, 44100])
def test_resampled_blocks_equal_the_resampled_whole(samples, path, new_rate):
    blocks = resample_blocks(iter(np.array_split(samples, 50)), RATE, new_rate)
    whole = next(iter_clips([(samples, RATE)], sample_rate=new_rate))
    np.testing.assert_allclose(np.concatenate(list(blocks)), whole, atol=1e-6)


@pytest.mark.parametrize("transformer", [LogMel(sample_rate=RATE), LogMel(sample_rate=12000), MFCC()])
def test_features_of_a_long_file_equal_those_of_its_samples(samples, path, transformer):
    whole = next(iter_clips([path], sample_rate=transformer.sample_rate))
    np.testing.assert_allclose(transformer.transform([path])[0], transformer.transform([whole])[0], atol=1e-3)


def test_long_and_short_files_keep_their_order(samples, path, tmp_path):
    sf.write(tmp_path / "short.wav", samples[:RATE], RATE, subtype="FLOAT")
    paths = [tmp_path / "short.wav", path, tmp_path / "short.wav", path]
    lengths = [clip.shape[1] for clip in LogMel(sample_rate=RATE).transform(paths)]
    assert lengths[0] == lengths[2] < lengths[1] == lengths[3]


def test_a_long_part_is_read_in_blocks(samples, path):
    found = LogMel(sample_rate=RATE).transform([(path, 5, 70)])[0]
    np.testing.assert_allclose(found, LogMel(sample_rate=RATE).transform([samples[5 * RATE : 70 * RATE]])[0])


@pytest.mark.parametrize(
    ("clip", "expected"), [((0, None), True), ((0, 61), True), ((0, 60), False), ((20, None), False)]
)
def test_the_length_of_the_part_counts(path, clip, expected):
    assert is_long((path, *clip), 60.0) is expected


def test_missing_files_are_not_long(tmp_path):
    assert not is_long(tmp_path / "nowhere.wav", 60.0)
    assert not is_long(np.zeros(10**7), 60.0)


def test_iter_clips_returns_long_recordings_if_asked(path):
    assert isinstance(next(iter_clips([path], sample_rate=None, long_seconds=60)), LongRecording)
    assert isinstance(next(iter_clips([path], sample_rate=None)), np.ndarray)


def test_a_truncated_long_file_is_refused_or_used_as_far_as_it_goes(path, tmp_path):
    cut = tmp_path / "cut.wav"
    cut.write_bytes(path.read_bytes()[: 4 * 70 * RATE])
    with pytest.raises(AudioLoadError, match="is truncated"):
        LogMel(sample_rate=RATE).transform([cut])
    with pytest.warns(AudioLoadWarning, match=r"the first 70\.00 s are used"):
        found = LogMel(sample_rate=RATE, allow_truncated=True).transform([cut])[0]
    assert found.shape[1] == 1 + 70 * RATE // 1024


def test_a_long_file_with_nan_is_refused(samples, tmp_path):
    bad = samples.copy()
    bad[-1] = np.nan
    sf.write(tmp_path / "bad.wav", bad, RATE, subtype="FLOAT")
    with pytest.raises(AudioLoadError, match="NaN"):
        LogMel(sample_rate=RATE).transform([tmp_path / "bad.wav"])


def test_a_long_file_that_cannot_be_read_is_replaced_by_silence(path, samples, tmp_path):
    cut = tmp_path / "cut.wav"
    cut.write_bytes(path.read_bytes()[: 4 * 70 * RATE])
    with pytest.warns(AudioLoadWarning, match="could not be read"):
        found = LogMel(sample_rate=RATE, on_error="warn").transform([cut, path])
    assert found[0].shape[1] == 1 + RATE // 1024
