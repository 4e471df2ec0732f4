"""Choice of a channel, and channels that cancel each other."""

import warnings

import numpy as np
import pytest
import soundfile as sf

from skfewaudio.audio import iter_clips, load_audio
from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning

RATE = 16000


@pytest.fixture(params=["wav", "flac"])
def stereo(request, tmp_path):
    """Path of a file whose second channel is the louder one, and its channels."""
    channels = np.random.default_rng(0).standard_normal((RATE, 2)) * [0.01, 0.2]
    path = tmp_path / f"stereo.{request.param}"
    sf.write(path, channels, RATE)
    return path, sf.read(path, dtype="float32")[0]


@pytest.mark.parametrize(
    ("channel", "index"), [("first", 0), ("loudest", 1), (0, 0), (1, 1), (np.int64(1), 1)]
)
def test_a_channel_can_be_chosen(stereo, channel, index):
    path, channels = stereo
    np.testing.assert_array_equal(load_audio(path, sample_rate=None, channel=channel), channels[:, index])


def test_the_loudest_channel_of_a_part_is_found_in_the_part(tmp_path):
    channels = np.zeros((2 * RATE, 2))
    channels[:RATE, 0], channels[RATE:, 1] = 0.5, 0.1
    sf.write(tmp_path / "x.wav", channels, RATE)
    found = load_audio((tmp_path / "x.wav", 1, 2), sample_rate=None, channel="loudest")
    np.testing.assert_allclose(found, 0.1, atol=1e-4)


def test_a_channel_that_is_not_there_is_named(stereo):
    with pytest.raises(AudioLoadError, match="has 2 channels, and channel=2 was requested"):
        load_audio(stereo[0], sample_rate=None, channel=2)


@pytest.mark.parametrize("channel", ["left", -1, 1.0, True, None])
def test_an_unknown_choice_is_refused(stereo, channel):
    with pytest.raises(ValueError, match="expected 'mean', 'first', 'loudest' or the index of a channel"):
        load_audio(stereo[0], sample_rate=None, channel=channel)


@pytest.mark.parametrize("scale", [-1.0, -0.9])
def test_inverted_channels_warn(tmp_path, scale):
    x = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    sf.write(tmp_path / "x.wav", np.c_[x, scale * x], RATE)
    with pytest.warns(AudioLoadWarning, match=r"x\.wav: loses (all|\d+ dB) of its power.*channel='first'"):
        load_audio(tmp_path / "x.wav", sample_rate=None)


def test_independent_channels_do_not_warn(tmp_path):
    sf.write(tmp_path / "x.wav", 0.1 * np.random.default_rng(0).standard_normal((RATE, 6)), RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_audio(tmp_path / "x.wav", sample_rate=None)


def test_iter_clips_warns_once_for_all_files(tmp_path):
    x = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    for name in "ab":
        sf.write(tmp_path / f"{name}.wav", np.c_[x, -x], RATE)
    with pytest.warns(AudioLoadWarning, match=r"2 recording\(s\) may not be read as intended") as caught:
        list(iter_clips([tmp_path / "a.wav", tmp_path / "b.wav"], sample_rate=None))
    assert len(caught) == 1
