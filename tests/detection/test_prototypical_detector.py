"""Prototypical networks on windows."""

import numpy as np
import pytest
import soundfile
from sklearn.base import clone

from skfewaudio import LogMel, PrototypicalClassifier
from skfewaudio.detection import PrototypicalDetector
from skfewaudio.detection._prototypical_detector import _find_runs

RATE = 8000
SOUNDS = {"low": 400.0, "high": 2500.0}


def tone(label, seconds=0.5):
    return 0.3 * np.sin(2 * np.pi * SOUNDS[label] * np.arange(round(seconds * RATE)) / RATE)


def noise(seconds, seed=0):
    return 0.01 * np.random.default_rng(seed).normal(size=round(seconds * RATE))


def place(seconds, *events):
    """Return noise with tones at times in seconds."""
    recording = noise(seconds, 7)
    for start, label in events:
        recording[round(start * RATE) : round(start * RATE) + RATE // 2] += tone(label)
    return recording


def training_clips(background="background"):
    events = [tone(label) + noise(0.5, seed) for seed in range(3) for label in SOUNDS]
    return events + [noise(2.0, 10 + seed) for seed in range(3)], [*SOUNDS] * 3 + [background] * 3


def make_detector(max_epochs=0, **options):
    classifier = PrototypicalClassifier(
        max_epochs=max_epochs, updates_per_epoch=5, device="cpu", random_state=0
    )
    features = LogMel(sample_rate=RATE, n_fft=512, hop_length=256, n_mels=32, top_db=None)
    return PrototypicalDetector(classifier, features=features, **options)


@pytest.fixture(scope="module")
def detector():
    return make_detector(max_epochs=5).fit(*training_clips())


def found_at(events):
    return list(zip(events["start"].round(), events["label"], strict=True))


def test_events_are_found_near_their_times(detector):
    events = detector.detect((place(12.0, (2.0, "low"), (6.0, "high"), (9.0, "low")), RATE))
    assert found_at(events) == [(2, "low"), (6, "high"), (9, "low")]
    np.testing.assert_allclose(events["start"], [2, 6, 9], atol=0.35)
    np.testing.assert_allclose(events["end"], [2.5, 6.5, 9.5], atol=0.35)
    assert events["probability"].between(0.5, 1).all()


def test_background_has_no_events(detector):
    assert detector.detect((noise(20.0, 5), RATE)).empty


def test_windows_are_as_long_as_the_events(detector):
    assert detector.window_ == pytest.approx(0.5, abs=0.05)
    assert make_detector(window=0.3).fit(*training_clips()).window_ == pytest.approx(0.3, abs=0.02)


def test_parts_of_files_have_the_times_of_the_file(detector, tmp_path):
    path = str(tmp_path / "a.wav")
    soundfile.write(path, place(12.0, (2.0, "low"), (9.0, "high")), RATE)
    events = detector.detect((path, 5.0, None))
    assert found_at(events) == [(9, "high")]
    assert events["path"].tolist() == [path]


def test_labels_of_background_are_one_class():
    X, y = training_clips()
    detector = make_detector(background_label=("rest", "noise")).fit(X, [*y[:6], "rest", "noise", "rest"])
    assert detector.classes_.tolist() == ["high", "low"]
    assert detector.pipeline_.classes_.tolist() == ["background", "high", "low"]


def test_higher_thresholds_find_fewer_events(detector):
    recording = (place(8.0, (2.0, "low")), RATE)
    assert len(detector.detect(recording, threshold=1.0)) <= len(detector.detect(recording)) == 1


def test_fit_changes_no_parameters():
    detector = make_detector()
    before = clone(detector).get_params()
    detector.fit(*training_clips())
    assert {name: str(value) for name, value in detector.get_params().items()} == {
        name: str(value) for name, value in before.items()
    }


@pytest.mark.parametrize(
    ("mask", "runs"),
    [([0, 0], []), ([1, 1, 0], [(0, 1)]), ([1, 0, 1, 0, 0, 1], [(0, 2), (5, 5)])],
)
def test_gaps_of_one_window_are_filled(mask, runs):
    assert _find_runs(np.array(mask, dtype=bool)) == runs


def test_invalid_training_data_are_refused():
    with pytest.raises(ValueError, match="y must have one label for each of 1 clips"):
        make_detector().fit([noise(1.0)], ["low", "high"])
    with pytest.raises(ValueError, match="expected a class of events"):
        make_detector().fit([noise(1.0)], ["noise"])
    with pytest.raises(ValueError, match="sample_rate='auto'"):
        PrototypicalDetector(features=LogMel(sample_rate="auto")).fit([noise(1.0)], ["low"])
