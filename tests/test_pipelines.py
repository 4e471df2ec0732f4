import numpy as np
import pytest
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

import skfewaudio
from skfewaudio import (
    BlockClassifier,
    FewShotSplit,
    LogMel,
    few_shot_curve,
    make_few_shot_classifier,
)
from skfewaudio.datasets import load_esc50
from skfewaudio.pipelines import PIPELINES

SAMPLE_RATE = 8000


@pytest.fixture(scope="module")
def sounds():
    """Return noise of three kinds (low, high and beating), of several lengths."""
    rng = np.random.default_rng(0)
    y = np.tile(["low", "high", "beat"], 8)
    seconds = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    X = []
    for label in y:
        noise = rng.standard_normal(SAMPLE_RATE)
        sound = {
            "low": np.convolve(noise, np.ones(8) / 8, mode="same"),
            "high": np.diff(noise, append=0),
            "beat": noise * (np.sin(2 * np.pi * 4 * seconds) > 0),
        }[label]
        X.append((0.1 * sound[: rng.integers(5000, 8000)]).astype(np.float32))
    return X, y


def test_without_augmentation_all_steps_are_in_one_pipeline():
    model = make_few_shot_classifier(augmentation=None)
    assert isinstance(model, Pipeline)
    assert list(model.named_steps) == ["logmel", "classifier"]
    assert [name for name, _ in model[-1].blocks] == ["statistics", "level", "shape", "embedding"]


def test_with_augmentation_all_steps_after_logmel_are_in_the_augmented_classifier():
    assert make_few_shot_classifier()[-1].n_copies == "auto"
    model = make_few_shot_classifier(n_copies=3)
    assert list(model.named_steps) == ["logmel", "classifier"]
    assert model[-1].n_copies == 3
    assert isinstance(model[-1].estimator, BlockClassifier)


def test_augmentation_may_be_a_function(sounds):
    X, y = sounds
    calls = []

    def louder(spectrograms, targets, generator):
        calls.append(len(spectrograms))
        return spectrograms + 3, targets

    make_few_shot_classifier(sample_rate=SAMPLE_RATE, augmentation=louder, n_copies=2).fit(X[:6], y[:6])
    assert sum(calls) == 12


def test_unlabelled_clips_change_the_fit_and_add_no_class(sounds):
    X, y = sounds
    hidden = np.where(np.arange(len(y)) < 6, y, "-1")
    semi_supervised = make_few_shot_classifier(sample_rate=SAMPLE_RATE, semi_supervised=True).fit(X, hidden)
    supervised = make_few_shot_classifier(sample_rate=SAMPLE_RATE).fit(X[:6], y[:6])
    assert semi_supervised.classes_.tolist() == supervised.classes_.tolist()
    assert semi_supervised.score(X[6:], y[6:]) == 1.0
    assert (semi_supervised.predict_proba(X) != supervised.predict_proba(X)).any()


def test_function_is_also_available_from_the_top_level():
    assert skfewaudio.pipelines.make_few_shot_classifier is make_few_shot_classifier


@pytest.mark.parametrize("n_shots", [1, 4])
def test_pipeline_classifies_the_sounds(sounds, n_shots):
    X, y = sounds
    n = 3 * n_shots
    model = make_few_shot_classifier(sample_rate=SAMPLE_RATE).fit(X[:n], y[:n])
    assert model.score(X[12:], y[12:]) == 1.0


@pytest.mark.parametrize("sample_rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000])
def test_frames_have_the_same_duration_at_any_sample_rate(sample_rate):
    logmel = make_few_shot_classifier(sample_rate=sample_rate)[0]
    assert logmel.hop_length / sample_rate == pytest.approx(1024 / 44100, rel=0.005)
    assert 2 * logmel.hop_length <= logmel.n_fft < 4 * logmel.hop_length


def test_default_sample_rate_has_default_spectrograms():
    assert repr(make_few_shot_classifier(sample_rate=44100, device="cpu")[0]) == "LogMel(device='cpu')"


@pytest.mark.filterwarnings("ignore:Empty filters:UserWarning")
@pytest.mark.parametrize("n_mels", [10, 40, 128])
def test_any_number_of_bands_can_be_fitted(sounds, n_mels):
    X, y = sounds
    model = make_few_shot_classifier(sample_rate=SAMPLE_RATE, n_mels=n_mels).fit(X[:6], y[:6])
    assert len(model.predict(X)) == len(X)


def test_clips_of_one_frame_are_classified():
    seconds = np.arange(80) / 16000
    X = np.sin(2 * np.pi * np.array([[500], [600], [3000], [3100]]) * seconds)
    model = make_few_shot_classifier(sample_rate=16000).fit(X, ["low", "low", "high", "high"])
    assert model[0].transform(X).shape[-1] == 1
    assert model.predict(X).tolist() == ["low", "low", "high", "high"]


def test_unknown_sounds_are_rejected_with_a_false_rejection_rate(sounds):
    X, y = sounds
    known = y != "beat"
    model = make_few_shot_classifier(
        sample_rate=SAMPLE_RATE, false_rejection_rate=0.2, unknown_label="something else"
    ).fit([x for x, k in zip(X, known, strict=True) if k], y[known])
    rejected = model.predict([x for x, k in zip(X, known, strict=True) if not k]) == "something else"
    assert rejected.mean() > 0.5


def test_two_fits_are_bit_identical(sounds):
    X, y = sounds
    first, second = (make_few_shot_classifier(sample_rate=SAMPLE_RATE).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_learning_curve_computes_features_once(sounds, monkeypatch):
    X, y = sounds
    calls = []
    original = LogMel.transform

    def transform(self, X):
        calls.append(len(X))
        return original(self, X)

    monkeypatch.setattr(LogMel, "transform", transform)
    model = make_few_shot_classifier(sample_rate=SAMPLE_RATE, augmentation=None)
    assert not get_tags(model[0]).requires_fit
    few_shot_curve(model, X, y, n_shots=(1, 2), n_repeats=2, cv=2)
    assert calls == [len(X)]


def test_saved_model_predicts_the_same_after_loading(sounds, tmp_path):
    X, y = sounds
    model = make_few_shot_classifier(sample_rate=SAMPLE_RATE).fit(X, y)
    skfewaudio.save_model(model, tmp_path / "model")
    loaded = skfewaudio.load_model(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_pipeline_is_in_the_benchmark():
    assert isinstance(PIPELINES["few-shot"](device="cpu"), Pipeline)


@pytest.mark.slow
def test_self_training_on_the_test_clips_raises_accuracy_on_real_recordings(shared_data):
    data = load_esc50(shared_data / "data", subset="esc10")
    model = make_few_shot_classifier(augmentation=None)
    semi_supervised = make_few_shot_classifier(augmentation=None, semi_supervised=True)[-1]
    features = np.array([*model[0].transform(data.X), None], dtype=object)[:-1]
    scores = []
    for train, test in FewShotSplit(2, cv=PredefinedSplit(data.folds), n_repeats=1).split(data.X, data.y):
        labels = np.r_[data.y[train], np.full(len(test), "-1")]
        fits = (
            model[-1].fit(list(features[train]), data.y[train]),
            semi_supervised.fit(list(features[np.r_[train, test]]), labels),
        )
        scores.append([fit.score(list(features[test]), data.y[test]) for fit in fits])
    supervised, with_unlabelled = np.mean(scores, axis=0)
    assert supervised > 0.65
    assert with_unlabelled > supervised + 0.03
