"""Spectrograms in sections: the same frames as those of the whole recording."""

import numpy as np
import pytest
import soundfile

from skfewaudio.detection import _frames
from skfewaudio.detection._frames import FrameReader
from skfewaudio.exceptions import AudioLoadError
from skfewaudio.features import LogMel

RATE = 8000
PARAMS = {"sample_rate": RATE, "n_fft": 512, "hop_length": 200, "n_mels": 24, "n_threads": 1}


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).normal(0, 0.1, 30 * RATE).astype(np.float32)


@pytest.fixture(scope="module")
def path(noise, tmp_path_factory):
    name = str(tmp_path_factory.mktemp("frames") / "noise.wav")
    soundfile.write(name, noise, RATE, subtype="FLOAT")
    return name


def read(recording, logmel=None, **params):
    return list(FrameReader(logmel or LogMel(**PARAMS), core=4.0, margin=1.0, **params).read(recording))


@pytest.mark.parametrize("in_memory", [True, False])
def test_sections_hold_the_frames_of_the_whole_recording(noise, path, in_memory):
    whole = LogMel(**PARAMS).transform([noise])[0]
    sections = read((noise, RATE) if in_memory else path)
    ends = [0]
    for section in sections:
        expected = whole[:, section.first : section.first + section.frames.shape[1]]
        np.testing.assert_allclose(section.frames, expected, atol=1e-3)
        assert section.core[0] == ends[-1]
        ends.append(section.core[1])
    assert ends[-1] == whole.shape[1]
    assert len(sections) == 8


def test_part_is_read_in_sections_of_the_whole_file(path):
    whole = {section.core: section for section in read(path)}
    part = read((path, 9.0, 13.0))
    assert [section.core for section in part] == [(320, 480), (480, 640)]
    for section in part:
        # The first frames before a part begin in silence.
        np.testing.assert_allclose(section.frames[:, 2:], whole[section.core].frames[:, 2:], atol=1e-3)


@pytest.mark.parametrize("n_samples", [1, 100, 799, 800, 24000])
def test_short_sound_is_one_section(noise, n_samples):
    (section,) = read((noise[:n_samples], RATE))
    assert section.core == (0, 1 + n_samples // 200)
    assert section.frames.shape == (24, 1 + n_samples // 200)


def test_other_rates_are_resampled_with_the_same_times(noise, tmp_path):
    name = str(tmp_path / "other.wav")
    tone = np.zeros(2 * 6 * RATE, dtype=np.float32)
    tone[2 * 2 * RATE : 2 * 3 * RATE] = 0.5 * np.sin(np.arange(2 * RATE))
    soundfile.write(name, tone, 2 * RATE)
    frames = np.hstack([s.frames[:, s.core[0] - s.first : s.core[1] - s.first] for s in read(name)])
    loud = np.flatnonzero(frames.max(axis=0) > -20)
    assert loud[0] == pytest.approx(80, abs=2)
    assert loud[-1] == pytest.approx(120, abs=2)


def test_part_beyond_the_end_is_an_error_that_names_the_file(path):
    with pytest.raises(
        AudioLoadError, match=r"noise\.wav: ends at 30\.00 s, before the end of the part at 40"
    ):
        read((path, 25.0, 40.0))


def test_part_that_starts_after_the_end_is_an_error(path):
    with pytest.raises(AudioLoadError, match=r"noise\.wav: ends"):
        read((path, 50.0, 60.0))


def test_file_without_samples_is_an_error(tmp_path):
    name = str(tmp_path / "empty.wav")
    soundfile.write(name, np.zeros(0), RATE)
    with pytest.raises(AudioLoadError, match=r"empty\.wav"):
        read(name)


@pytest.mark.parametrize("n_at_once", [1, 7, 1000])
def test_frames_do_not_depend_on_how_many_are_computed_at_once(path, monkeypatch, n_at_once):
    expected = read(path)
    monkeypatch.setattr(_frames, "FRAMES_AT_ONCE", n_at_once)
    for section, whole in zip(read(path), expected, strict=True):
        assert (section.first, section.core) == (whole.first, whole.core)
        np.testing.assert_array_equal(section.frames, whole.frames)


def test_frames_between_which_samples_are_skipped(noise, monkeypatch):
    monkeypatch.setattr(_frames, "FRAMES_AT_ONCE", 16)
    logmel = LogMel(**PARAMS).set_params(n_fft=128)
    whole = logmel.transform([noise])[0]
    for section in read((noise, RATE), logmel):
        expected = whole[:, section.first : section.first + section.frames.shape[1]]
        np.testing.assert_allclose(section.frames, expected, atol=1e-3)


def test_each_frame_is_computed_once_from_few_samples(noise, monkeypatch):
    monkeypatch.setattr(_frames, "FRAMES_AT_ONCE", 16)
    numbers = []
    transform = LogMel.transform

    def count(self, clips):
        numbers.append(len(clips[0]))
        return transform(self, clips)

    monkeypatch.setattr(LogMel, "transform", count)
    n_frames = read((noise, RATE))[-1].core[1]
    assert max(numbers) < 512 + 2 * 16 * 200
    assert sum(1 + (n - 512) // 200 for n in numbers) == n_frames


def test_values_are_limited_to_a_range_below_the_loudest_of_a_section(noise):
    quiet_then_loud = np.concatenate([1e-9 * noise[:RATE], 100 * noise[:RATE]])
    (section,) = read((quiet_then_loud, RATE))
    assert section.frames.min() == pytest.approx(section.frames.max() - 100.0)
