"""Events with the noise of their recordings."""

import numpy as np
import pytest
import soundfile
from sklearn.pipeline import make_pipeline

from skfewaudio import CalibratedRidgeClassifier, LogMel, SpectrogramStatistics
from skfewaudio.detection import EventDetector
from skfewaudio.detection import _scenes as scenes
from skfewaudio.detection._recorded_events import RecordedEvent, separate_noise, subtract_noise
from skfewaudio.detection._spectra import background_floor, excess

RATE = 16000


def noise(n_frames, seed=0, n_mels=8):
    power = np.random.default_rng(seed).gamma(4, 0.25, (n_mels, n_frames))
    return (10 * np.log10(power) - 30).astype(np.float32)


def test_noise_is_subtracted_and_the_sound_stays():
    frames = noise(50)
    frames[3, 20:30] = 0.0
    power = np.power(10, noise(400, 1) / 10).mean(axis=1)
    clean = subtract_noise(frames, power)
    np.testing.assert_allclose(clean[3, 20:30], 0.0, atol=0.1)
    assert np.median(clean[:3] - frames[:3]) == pytest.approx(-30)


def test_event_ends_where_only_noise_is_left():
    hum = np.full((8, 60), -30, dtype=np.float32)
    frames = hum.copy()
    frames[3, 20:30] = -10.0
    (event,) = separate_noise([frames], [hum, hum + 20, hum], np.array([[True, False, True]]))
    np.testing.assert_array_equal(event.recorded, frames[:, 20:30])
    assert event.clean.shape == (8, 10)
    assert event.own == (0, 2)


def test_event_without_background_of_its_recording_is_left_as_it_is():
    frames = noise(60)
    (event,) = separate_noise([frames], [noise(100, 1)], np.array([[False]]))
    np.testing.assert_array_equal(event.clean, frames)
    np.testing.assert_array_equal(event.recorded, frames)


def test_backgrounds_are_numbered_among_those_that_are_kept():
    event = RecordedEvent(noise(5), noise(5), own=(0, 3, 5))
    assert event.among(np.array([1, 3, 4, 5])).own == (1, 3)
    assert event.among(np.array([1, 2])).own == ()


def test_recorded_example_has_the_noise_of_its_recording_alone(monkeypatch):
    monkeypatch.setattr(scenes, "RECORDED_SHARE", 1.0)
    backgrounds = [noise(300, 1), noise(300, 2) + 20]
    event = RecordedEvent(noise(12, 3), noise(12, 3), own=(1,))
    grid = scenes.Grid(window=10, block=20, context=5)
    maker = scenes.SceneMaker([event], backgrounds, grid, np.random.default_rng(0))
    above, first = maker.place(0)
    floor = background_floor(backgrounds[1], block=20, context=scenes.MANY)
    np.testing.assert_array_equal(above[:, first : first + 12], excess(event.recorded, floor))
    others = np.delete(above, np.s_[first : first + 12], axis=1)
    assert all((excess(backgrounds[1], floor) == column[:, None]).all(axis=0).any() for column in others.T)


@pytest.mark.parametrize("form", ["parts", "groups"])
def test_length_of_events_is_measured_without_the_noise_of_their_recording(form, tmp_path):
    rng = np.random.default_rng(0)
    hum = np.sin(2 * np.pi * 2000 * np.arange(20 * RATE) / RATE)
    sound = 0.1 * hum + 1e-4 * rng.standard_normal(20 * RATE)
    seconds = np.arange(int(0.5 * RATE)) / RATE
    times = [2.0, 6.0, 10.0]
    for i, start in enumerate(times):
        first = int(start * RATE)
        sound[first : first + len(seconds)] += 0.4 * np.sin(2 * np.pi * (500 + 20 * i) * seconds)
    edges = [(start - 0.4, start + 0.9) for start in times] + [(3.0, 5.5), (7.0, 9.5)]
    path = str(tmp_path / "noisy.wav")
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    parts = [(path, *edge) for edge in edges]
    clips = [(sound[int(a * RATE) : int(b * RATE)].astype(np.float32), RATE) for a, b in edges]
    pipeline = make_pipeline(
        LogMel(sample_rate=RATE, n_fft=1024, hop_length=400, n_mels=32),
        SpectrogramStatistics(("bands",)),
        CalibratedRidgeClassifier(),
    )
    y = ["tone"] * 3 + ["background"] * 2
    X, groups = (parts, np.arange(5)) if form == "parts" else (clips, ["noisy"] * 5)
    detector = EventDetector(pipeline).fit(X, y, groups)
    np.testing.assert_allclose(detector.durations_[0, 1:], 0.5, atol=0.1)
