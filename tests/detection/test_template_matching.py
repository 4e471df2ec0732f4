"""Template matching: correlations, thresholds and times."""

import numpy as np
import pytest
import soundfile
from sklearn.base import clone

from skfewaudio.audio import load_audio
from skfewaudio.datasets import load_esc50
from skfewaudio.detection import TemplateMatching
from skfewaudio.detection._correlation import CorrelatedSpectrogram, Template
from skfewaudio.detection._template_matching import choose_threshold
from skfewaudio.features import LogMel

RATE = 22050


def chirp(low, high, seconds=0.5):
    """Return a tone whose frequency rises or falls."""
    time = np.arange(round(seconds * RATE)) / RATE
    return np.sin(2 * np.pi * (low + (high - low) / (2 * seconds) * time) * time)


def noise(seconds, seed=0, level=0.02):
    return level * np.random.default_rng(seed).normal(size=round(seconds * RATE))


SOUNDS = {"up": chirp(500, 3000), "down": chirp(3000, 500)}


def training_clips(n=3):
    X = [sound + noise(0.5, seed) for seed in range(n) for sound in SOUNDS.values()]
    background = [noise(3.0, 100 + seed) for seed in range(3)]
    return X + background, list(SOUNDS) * n + ["background"] * 3


def place(seconds, *events, seed=7):
    """Return noise with sounds at times in seconds."""
    recording = noise(seconds, seed)
    for start, label in events:
        first = round(start * RATE)
        sound = SOUNDS[label][: len(recording) - first]
        recording[first : first + len(sound)] += sound
    return recording


@pytest.fixture(scope="module")
def matching():
    return TemplateMatching().fit(*training_clips())


def found_at(events):
    return list(zip(events["start"].round(1), events["label"], strict=True))


def pearson(spectrogram, template, by_band):
    """Compute the correlation with each window directly."""
    n_frames = template.shape[1]
    axis = 1 if by_band else None
    centre = template - template.mean(axis=axis, keepdims=True)
    scores = []
    for start in range(spectrogram.shape[1] - n_frames + 1):
        window = spectrogram[:, start : start + n_frames]
        window = window - window.mean(axis=axis, keepdims=True)
        scores.append((window * centre).sum() / np.sqrt((window**2).sum() * (centre**2).sum()))
    return np.array(scores)


@pytest.mark.parametrize("by_band", [True, False])
@pytest.mark.parametrize("n_frames", [40, 9000])
def test_correlation_equals_that_of_each_window(by_band, n_frames):
    rng = np.random.default_rng(0)
    spectrogram = (10 * rng.normal(size=(4, n_frames)) - 50).astype(np.float32)
    template = spectrogram[:, 11:20] + rng.normal(size=(4, 9)).astype(np.float32)
    searched = CorrelatedSpectrogram(spectrogram, n_padded=0, n_least=9)
    correlation = searched.correlate(Template.from_spectrogram(template, by_band=by_band))
    expected = pearson(spectrogram.astype(float), template.astype(float), by_band)
    np.testing.assert_allclose(correlation, expected, atol=2e-5)
    assert correlation.argmax() == 11


def test_silence_does_not_correlate():
    rng = np.random.default_rng(0)
    searched = CorrelatedSpectrogram(np.full((4, 50), -100, np.float32), n_padded=5, n_least=10)
    template = Template.from_spectrogram(rng.normal(size=(4, 10)).astype(np.float32), by_band=False)
    assert not searched.correlate(template).any()
    silent = Template.from_spectrogram(np.full((4, 10), -100, np.float32), by_band=True)
    assert not silent.values.any()


def test_events_are_found_at_their_times(matching):
    events = matching.detect((place(20.0, (3.0, "up"), (9.0, "down"), (15.5, "up")), RATE))
    assert found_at(events) == [(3.0, "up"), (9.0, "down"), (15.5, "up")]
    np.testing.assert_allclose(events["end"] - events["start"], 0.5, atol=0.03)
    assert events["probability"].between(0.5, 1).all()


def test_background_has_no_events(matching):
    assert matching.detect((noise(60.0, 5), RATE)).empty
    assert matching.detect((np.zeros(10 * RATE), RATE)).empty


def test_events_at_the_ends_are_found_inside_the_recording(matching):
    events = matching.detect((place(4.0, (0.0, "up"), (3.7, "down")), RATE))
    assert found_at(events) == [(0.0, "up"), (3.7, "down")]
    assert (events["start"].min(), events["end"].max()) == (0.0, pytest.approx(4.0, abs=0.03))


def test_recordings_shorter_than_a_template_are_searched(matching):
    assert found_at(matching.detect((place(0.4, (0.0, "up")), RATE))) == [(0.0, "up")]


def test_parts_of_files_have_the_times_of_the_file(matching, tmp_path):
    soundfile.write(tmp_path / "a.wav", 0.4 * place(12.0, (3.0, "up"), (9.0, "down")), RATE)
    path = str(tmp_path / "a.wav")
    events = matching.detect((path, 6.0, None))
    assert found_at(events) == [(9.0, "down")]
    assert events["path"].tolist() == [path]
    assert found_at(matching.detect(path)) == [(3.0, "up"), (9.0, "down")]


def test_louder_sound_gives_the_same_events(matching):
    recording = place(10.0, (3.0, "up"))
    assert found_at(matching.detect((recording, RATE))) == found_at(matching.detect((0.01 * recording, RATE)))


def test_overlapping_events_of_different_classes_are_kept_on_request():
    clips = training_clips()
    recording = place(10.0, (3.0, "up"), (3.0, "down"))
    alone = TemplateMatching().fit(*clips).detect((recording, RATE), threshold=0.1)
    both = TemplateMatching(overlapping=True).fit(*clips).detect((recording, RATE), threshold=0.1)
    near = [events[events["start"].between(2.8, 3.2)]["label"].tolist() for events in (alone, both)]
    assert len(near[0]) == 1
    assert sorted(near[1]) == ["down", "up"]


def test_lower_thresholds_find_more_events(matching):
    recording = (place(20.0, (3.0, "up")), RATE)
    few, many = (matching.detect(recording, threshold=threshold) for threshold in (0.5, 0.05))
    assert len(many) > len(few) == 1
    assert many["probability"].min() >= 0.05


def test_thresholds_lie_between_events_and_other_clips(matching):
    assert set(matching.thresholds_) == {"up", "down"} == set(matching.classes_)
    assert all(0.1 < threshold < 0.95 for threshold in matching.thresholds_.values())


@pytest.mark.parametrize(
    ("scores", "is_event", "threshold"),
    [
        ([0.9, 0.7, 0.3, 0.1], [1, 1, 0, 0], 0.5),
        ([0.9, 0.8, 0.2, 0.1], [1, 0, 1, 0], 0.15),
        ([-np.inf, 0.4], [1, 0], 0.7),
        ([0.8, 0.6], [1, 1], 0.3),
    ],
)
def test_threshold_has_the_best_f_score(scores, is_event, threshold):
    assert choose_threshold(np.array(scores), np.array(is_event, dtype=bool)) == pytest.approx(threshold)


def test_one_event_per_class_is_enough():
    X, y = training_clips(1)
    events = TemplateMatching().fit(X, y).detect((place(10.0, (3.0, "up")), RATE))
    assert found_at(events) == [(3.0, "up")]


def test_other_features_can_be_used():
    features = LogMel(sample_rate=11025, hop_length=256, n_fft=512, n_mels=32, top_db=None)
    X, y = training_clips()
    matching = TemplateMatching(features).fit([(clip, RATE) for clip in X], y)
    events = matching.detect((place(10.0, (3.0, "up")), RATE))
    assert found_at(events) == [(3.0, "up")]


def test_parameters_are_cloned_and_kept():
    matching = TemplateMatching(by_band=True, background_label="rest")
    assert clone(matching).get_params() == matching.get_params()
    X, y = training_clips()
    fitted = matching.fit(X, [label.replace("background", "rest") for label in y])
    assert fitted.classes_.tolist() == ["down", "up"]
    assert fitted.features is None


def test_invalid_training_data_are_refused():
    with pytest.raises(ValueError, match="y must have one label for each of 2 clips"):
        TemplateMatching().fit([noise(1.0), noise(1.0)], ["up"])
    with pytest.raises(ValueError, match="expected a class of events"):
        TemplateMatching().fit([noise(1.0)], ["background"])
    with pytest.raises(ValueError, match="sample_rate='auto'"):
        TemplateMatching(LogMel(sample_rate="auto")).fit([noise(1.0)], ["up"])


def test_repeated_real_sounds_are_found_over_rain(shared_data):
    dataset = load_esc50(shared_data / "data" / "ESC-50-master", subset="esc10")
    paths = np.array(dataset.paths)
    rain, rooster, dog = (
        load_audio(paths[(dataset.y == label) & (dataset.folds == 1)][0], sample_rate=RATE)
        for label in ("rain", "rooster", "dog")
    )
    events = {}
    for name, clip in {"rooster": rooster, "dog": dog}.items():
        loud = np.flatnonzero(np.abs(clip) > 0.1 * np.abs(clip).max())
        event = clip[loud[0] : min(loud[-1], loud[0] + RATE) + 1]
        events[name] = event / np.abs(event).max()
    recording = 0.05 * np.tile(rain / np.abs(rain).max(), 6)
    true = [(4.0, "dog"), (9.0, "rooster"), (15.0, "rooster"), (21.0, "dog")]
    for start, name in true:
        first = round(start * RATE)
        recording[first : first + len(events[name])] += events[name]
    shots = [recording[round(start * RATE) :][: len(events[name])] for start, name in true[:2]]
    matching = TemplateMatching().fit([*shots, recording[: 3 * RATE]], ["dog", "rooster", "background"])
    found = matching.detect((recording, RATE))
    assert [row for row in found_at(found) if row[0] > 12] == true[2:]
