"""The detector on synthetic recordings: what is found, where, and errors."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skfewaudio import (
    CalibratedRidgeClassifier,
    LogMel,
    SpectrogramStatistics,
    load_model,
    make_few_shot_classifier,
    save_model,
)
from skfewaudio.detection import EventDetector, detect_events, iter_detections, window_probabilities
from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning

RATE = 16000
EVENTS = [(3.0, 3.6, "low"), (9.0, 9.6, "chirp"), (15.0, 15.6, "low"), (20.0, 20.6, "chirp")]


def event(label, seed):
    rng = np.random.default_rng(seed)
    seconds = np.arange(int(0.6 * RATE)) / RATE
    if label == "low":
        phase = 2 * np.pi * rng.uniform(380, 420) * seconds
    else:
        phase = 2 * np.pi * (rng.uniform(1900, 2100) + 2000 * seconds) * seconds
    return 0.2 * np.sin(phase) * np.hanning(len(seconds)) ** 0.2


def noise(seconds, seed=0):
    return 0.003 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))


def recording(seconds=25.0, events=EVENTS, seed=100):
    sound = noise(seconds, seed)
    for i, (start, _, label) in enumerate(events):
        clip = event(label, seed + i)
        first = int(start * RATE)
        sound[first : first + len(clip)] += clip[: len(sound) - first]
    return sound.astype(np.float32)


def training_clips():
    labels = ["low"] * 3 + ["chirp"] * 3 + ["background"] * 2
    clips = [event(label, i) if label != "background" else noise(6, i) for i, label in enumerate(labels)]
    return [(clip.astype(np.float32), RATE) for clip in clips], labels


def is_as_expected(found, events=EVENTS, tolerance=0.1):
    rows = found[["start", "end", "label"]].values.tolist()
    assert [label for *_, label in rows] == [label for *_, label in events]
    np.testing.assert_allclose([r[:2] for r in rows], [e[:2] for e in events], atol=tolerance)
    return True


def small_pipeline():
    """Return a pipeline that is fitted much faster than the default."""
    return make_pipeline(
        LogMel(sample_rate=RATE, n_fft=1024, hop_length=400, n_mels=32),
        SpectrogramStatistics(("bands", "filters_share"), n_filters=4),
        CalibratedRidgeClassifier(),
    )


@pytest.fixture(scope="module")
def detector():
    return EventDetector(small_pipeline()).fit(*training_clips())


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    name = str(tmp_path_factory.mktemp("detector") / "field.wav")
    soundfile.write(name, recording(), RATE, subtype="FLOAT")
    return name


def test_events_are_found_with_their_edges(detector, path):
    found = detect_events(detector, path)
    assert list(found.columns) == ["path", "start", "end", "label", "probability"]
    assert set(found["path"]) == {path}
    assert is_as_expected(found)
    assert found["probability"].between(0.5, 1).all()


def test_forms_of_a_recording_agree(detector, path):
    from_file = detect_events(detector, path)
    in_memory = detect_events(detector, (recording(), RATE))
    assert set(in_memory["path"]) == {"<sound 0>"}
    pd.testing.assert_frame_equal(from_file.drop(columns="path"), in_memory.drop(columns="path"), atol=1e-5)


def test_stereo_and_other_rates_give_the_same_events(detector, tmp_path):
    name = str(tmp_path / "stereo.flac")
    wide = np.repeat(recording(), 2)
    soundfile.write(name, np.column_stack([wide, wide]), 2 * RATE)
    assert is_as_expected(detect_events(detector, name), tolerance=0.15)


def test_parts_together_give_the_events_of_the_whole(detector, path):
    whole = detect_events(detector, path)
    edges = [0.0, 9.3, 15.2, 25.0]
    parts = [(path, start, end) for start, end in pairwise(edges)]
    found = detect_events(detector, parts)
    pd.testing.assert_frame_equal(found, whole, atol=0.02)


def test_recordings_are_reported_in_their_order(detector, path):
    other = (recording(12.0, EVENTS[:2], seed=7), RATE)
    found = detect_events(detector, [other, (recording(5.0, []), RATE), other])
    assert found["path"].tolist() == ["<sound 0>"] * 2 + ["<sound 2>"] * 2


def test_nothing_is_found_in_noise_and_in_silence(detector):
    for sound in (noise(60, 5), np.zeros(20 * RATE)):
        found = detect_events(detector, (sound.astype(np.float32), RATE))
        assert found.empty
        assert list(found.columns) == ["path", "start", "end", "label", "probability"]


@pytest.mark.parametrize("n_samples", [1, 1600, 3 * RATE])
def test_short_recordings_are_searched(detector, n_samples):
    sound = noise(3.0)[:n_samples]
    sound[RATE : RATE + 9600] += event("low", 3) if n_samples > RATE else 0
    found = detect_events(detector, (sound.astype(np.float32), RATE))
    assert found["label"].tolist() == (["low"] if n_samples > RATE else [])


def test_events_at_the_edges_are_found(detector):
    events = [(0.0, 0.6, "low"), (11.4, 12.0, "chirp")]
    found = detect_events(detector, (recording(12.0, events), RATE))
    assert is_as_expected(found, events, tolerance=0.15)


def test_recording_without_samples_is_an_error(detector, tmp_path):
    name = str(tmp_path / "empty.wav")
    soundfile.write(name, np.zeros(0), RATE)
    with pytest.raises(AudioLoadError, match=r"empty\.wav"):
        detect_events(detector, name)


def test_bad_recordings_are_left_out_with_a_warning(detector, path, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    with pytest.warns(AudioLoadWarning, match=r"bad\.wav.*left out"):
        found = list(iter_detections(detector, [str(bad), path], on_error="warn"))
    assert [name for name, _ in found] == [path]


def test_threshold_labels_and_duration_select_events(detector, path):
    assert detect_events(detector, path, threshold=1.0).empty
    assert set(detect_events(detector, path, threshold={"low": 1.0})["label"]) == {"chirp"}
    assert set(detect_events(detector, path, labels=["low"])["label"]) == {"low"}
    assert detect_events(detector, path, min_duration=2.0).empty


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ["cow"]}, "'cow' is no class"),
        ({"threshold": {"cow": 0.5}}, "'cow' is no class"),
        ({"threshold": 1.5}, "between 0 and 1"),
        ({"min_duration": -1}, "0 at least"),
        ({"hop": 0}, "hop=0; expected seconds above 0"),
        ({"window": 1.0}, "has learned its windows"),
        ({"on_error": "ignore"}, "expected 'raise' or 'warn'"),
    ],
)
def test_invalid_options_are_errors(detector, path, options, message):
    with pytest.raises(ValueError, match=message):
        detect_events(detector, path, **options)


def test_window_probabilities_cover_the_recording(detector, path):
    times, probabilities, classes = window_probabilities(detector, path)
    assert classes.tolist() == ["chirp", "low"]
    assert probabilities.shape == (len(times), 2)
    assert times[0] < 0.5
    assert times[-1] > 24.5
    np.testing.assert_allclose(np.diff(times), times[1] - times[0], rtol=1e-6)
    assert probabilities[np.abs(times - 3.3).argmin(), 1] > 0.5
    assert probabilities[np.abs(times - 6.0).argmin()].sum() < 0.3


def test_what_is_learned_from_the_clips(detector):
    assert detector.classes_.tolist() == ["chirp", "low"]
    assert detector.event_classifier_ is None
    assert set(detector.thresholds_) == set(detector.expected_) == {"chirp", "low"}
    assert all(0 < threshold < 1 for threshold in detector.thresholds_.values())
    assert all(value["recall"] > 0.5 for value in detector.expected_.values())
    np.testing.assert_allclose(detector.durations_, 0.6, atol=0.15)


def test_same_random_state_gives_the_same_events(detector, path):
    again = clone(detector).fit(*training_clips())
    pd.testing.assert_frame_equal(detect_events(again, path), detect_events(detector, path))


def test_saved_detector_gives_the_same_events(detector, path, tmp_path):
    save_model(detector, tmp_path / "field.model", card={"licence": "CC0"})
    loaded = load_model(tmp_path / "field.model")
    assert loaded.thresholds_ == detector.thresholds_
    pd.testing.assert_frame_equal(detect_events(loaded, path), detect_events(detector, path))


def test_one_clip_per_class_without_background_is_enough_for_quiet_recordings(path):
    X, y = training_clips()
    few = EventDetector(small_pipeline()).fit([X[0], X[3]], [y[0], y[3]])
    assert few.expected_ == {}
    assert is_as_expected(detect_events(few, path), tolerance=0.15)


def test_parts_of_recordings_train_like_clips(path):
    X = [(path, start, end) for start, end, _ in EVENTS] + [(path, 4.5, 8.5), (path, 10.5, 14.5)]
    y = [label for *_, label in EVENTS] + ["noise", "noise"]
    found = detect_events(EventDetector(small_pipeline()).fit(X, y), (recording(seed=30), RATE))
    assert is_as_expected(found)


@pytest.mark.slow
def test_default_estimator_finds_the_events_with_their_edges(path):
    detector = EventDetector().fit(*training_clips())
    assert is_as_expected(detect_events(detector, path))
    assert detect_events(detector, (noise(60, 5).astype(np.float32), RATE)).empty
    assert detector.event_classifier_.classes_.tolist() == [0, 1]
    del detector.event_classifier_  # as in a detector of an earlier version
    assert is_as_expected(detect_events(detector, path))


@pytest.mark.slow
def test_events_of_one_class_are_not_voted_on(path):
    X, y = training_clips()
    detector = EventDetector().fit(X[:3] + X[-2:], y[:3] + y[-2:])
    assert detector.event_classifier_ is None
    assert set(detect_events(detector, path)["label"]) == {"low"}


@pytest.mark.parametrize(
    ("params", "y", "message"),
    [
        ({}, ["noise"] * 8, "all 8 clips have labels of background"),
        ({"estimator": KNeighborsClassifier()}, None, "begins with LogMel"),
        ({"window": -1.0}, None, "'window' parameter"),
        ({"precision": 0.9, "recall": 0.9}, None, "expected one of them"),
    ],
)
def test_invalid_fits_are_errors(params, y, message):
    X, labels = training_clips()
    with pytest.raises(ValueError, match=message):
        EventDetector(**params).fit(X, y or labels)


@pytest.fixture(scope="module")
def pipeline():
    X, y = training_clips()
    return make_few_shot_classifier(augmentation=None).fit(X[:6], y[:6])


def test_pipeline_classifies_what_stands_out(pipeline, path):
    assert is_as_expected(detect_events(pipeline, path), tolerance=0.15)


def test_pipeline_in_windows_finds_the_classes(pipeline, path):
    times, probabilities, classes = window_probabilities(pipeline, path, window=0.5)
    assert classes[probabilities[np.abs(times - 9.3).argmin()].argmax()] == "chirp"
    assert classes[probabilities[np.abs(times - 15.3).argmin()].argmax()] == "low"
    found = detect_events(pipeline, path, window=0.5)
    assert {"chirp", "low"} == set(found["label"])


def test_background_separates_events_of_one_class():
    clips, y = training_clips()
    X = [(clip + noise(len(clip) / RATE, i)[: len(clip)], RATE) for i, (clip, _) in enumerate(clips)]
    model = small_pipeline().fit(X, y)
    sound = recording(12.0, [(3.0, 3.6, "low"), (8.0, 8.6, "low")])
    found = detect_events(model, (sound, RATE), window=0.5)
    assert found["label"].tolist() == ["low", "low"]
    np.testing.assert_allclose(found["start"], [3.0, 8.0], atol=0.3)


def test_unsuitable_model_is_an_error(path):
    with pytest.raises(TypeError, match="expected an EventDetector, or a pipeline"):
        detect_events(KNeighborsClassifier().fit([[0.0], [1.0]], ["a", "b"]), path)
