from collections import Counter

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skfewaudio import CalibratedRidgeClassifier, PatchClassifier, SpectrogramStatistics
from skfewaudio.augmentation import BackgroundNoise, FrequencyShift, MixUp
from skfewaudio.classifiers import AugmentedClassifier

N_MELS = 8


class Recorder(ClassifierMixin, BaseEstimator):
    """Classifier that stores the arguments of `fit`."""

    def fit(self, X, y, sample_weight=None, groups=None):
        self.given = {"X": X, "y": y, "sample_weight": sample_weight, "groups": groups}
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def louder(spectrograms, targets, generator):
    return spectrograms + 1000, targets


def make_clips(lengths=(10, 12, 10, 15)):
    """Make clips whose values are their own number."""
    return [np.full((N_MELS, n), i, dtype=np.float32) for i, n in enumerate(lengths)]


LABELS = np.array(["a", "a", "b", "b"])


def given(classifier, X=None, **params):
    return classifier.fit(make_clips() if X is None else X, LABELS, **params).estimator_.given


@pytest.mark.parametrize("n_copies", [1, 3])
def test_clips_come_first_and_copies_match_their_clips(n_copies):
    found = given(AugmentedClassifier(Recorder(), augmentation=louder, n_copies=n_copies))
    assert len(found["X"]) == 4 * (1 + n_copies)
    for i, (clip, label, group) in enumerate(zip(found["X"], found["y"], found["groups"], strict=True)):
        number = clip[0, 0] if i < 4 else clip[0, 0] - 1000
        assert clip.shape == make_clips()[int(number)].shape
        assert (label, group) == (LABELS[int(number)], number)
    assert np.bincount(found["groups"]).tolist() == [1 + n_copies] * 4


@pytest.mark.parametrize(
    ("n_clips", "expected"), [(1, 4), (8, 4), (10, 3), (15, 2), (20, 2), (30, 1), (200, 1)]
)
def test_automatic_number_of_copies_falls_with_the_clips_per_class(n_clips, expected):
    classifier = AugmentedClassifier(Recorder(), augmentation=louder, n_copies="auto")
    labels = np.repeat(["a", "b", "c"], [n_clips, n_clips, 1])
    clips = [np.zeros((N_MELS, 2), dtype=np.float32)] * len(labels)
    found = classifier.fit(clips, labels).estimator_.given
    assert len(found["X"]) == (1 + expected) * len(labels)


def test_copies_have_less_weight():
    found = given(
        AugmentedClassifier(Recorder(), augmentation=louder, n_copies=1, copy_weight=0.25),
        sample_weight=[1.0, 2.0, 3.0, 4.0],
    )
    expected = np.array([1.0, 2.0, 3.0, 4.0])[found["groups"]] * np.repeat([1, 0.25], 4)
    np.testing.assert_allclose(found["sample_weight"], expected)


def test_clips_of_one_recording_and_their_copies_are_one_group():
    found = given(AugmentedClassifier(Recorder(), augmentation=louder, n_copies=1), groups=list("xxyz"))
    assert sorted(found["groups"]) == sorted("xxyz" * 2)


def test_last_step_of_a_pipeline_receives_groups_and_weights():
    X, y = make_clips(), LABELS
    classifier = AugmentedClassifier(
        make_pipeline(SpectrogramStatistics(["bands"]), Recorder()), augmentation=louder, n_copies=2
    )
    found = classifier.fit(X, y).estimator_[-1].given
    assert np.bincount(found["groups"]).tolist() == [3, 3, 3, 3]
    assert found["sample_weight"].tolist() == [1.0] * 4 + [0.3] * 8
    found = classifier.fit(X, y, recorder__sample_weight=np.full(4, 2.0)).estimator_[-1].given
    assert found["sample_weight"].tolist() == [2.0] * 4 + [0.6] * 8


def test_wrong_number_of_sample_weights_is_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        given(AugmentedClassifier(Recorder()), sample_weight=np.ones(3))


def test_estimator_without_weights_and_groups_is_fitted_to_the_copies():
    classifier = AugmentedClassifier(PatchClassifier(KNeighborsClassifier(1)), augmentation=louder)
    classifier.fit(make_clips(), LABELS)
    loud = [clip + 1000 for clip in make_clips()]
    assert classifier.predict(loud).tolist() == LABELS.tolist()


def test_sample_weight_for_an_estimator_without_weights_is_refused():
    with pytest.raises(TypeError, match="sample_weight"):
        AugmentedClassifier(KNeighborsClassifier(1)).fit(np.eye(4), LABELS, sample_weight=np.ones(4))


@pytest.mark.parametrize("params", [{"augmentation": None}, {"augmentation": louder, "n_copies": 0}])
def test_without_copies_the_estimator_is_fitted_to_the_clips_only(params):
    found = given(AugmentedClassifier(Recorder(), **params))
    assert len(found["X"]) == 4
    assert found["sample_weight"].tolist() == [1.0] * 4


@pytest.mark.parametrize("augmentation", [MixUp(), [louder, MixUp(within_class=True)]])
def test_mixing_is_refused(augmentation):
    with pytest.raises(ValueError, match="mixes clips"):
        given(AugmentedClassifier(Recorder(), augmentation=augmentation))


def test_function_that_changes_labels_is_refused():
    def confuse(spectrograms, targets, generator):
        return spectrograms, targets.flip(0)

    with pytest.raises(ValueError, match="mixes clips"):
        given(AugmentedClassifier(Recorder(), augmentation=confuse))


def test_feature_vectors_are_not_shifted_in_frequency():
    with pytest.raises(ValueError, match="X holds feature vectors"):
        AugmentedClassifier(DummyClassifier(), augmentation=FrequencyShift()).fit(np.eye(4), LABELS)


def test_function_may_change_feature_vectors():
    found = given(AugmentedClassifier(Recorder(), augmentation=louder, n_copies=1), X=np.eye(4))
    np.testing.assert_array_equal(found["X"][4:], np.eye(4)[found["groups"][4:]] + 1000)


def noisy_clips(seed=0):
    """Make clips of two classes with different loud bands, in silence that added noise changes much."""
    rng = np.random.default_rng(seed)
    y = np.arange(12) % 2
    X = -60 + 5 * rng.standard_normal((12, N_MELS, 30)).astype(np.float32)
    X[np.arange(12), 2 + 3 * y] += 40
    return X, LABELS[2 * y]


def make_classifier(**params):
    inner = make_pipeline(SpectrogramStatistics(["bands"]), CalibratedRidgeClassifier())
    return AugmentedClassifier(inner, augmentation=BackgroundNoise(), **params)


def test_random_state_determines_the_copies():
    X, y = noisy_clips()
    first, again, other = (make_classifier(random_state=s).fit(X, y).predict_proba(X) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_array_and_list_of_clips_are_equivalent():
    X, y = noisy_clips()
    from_array, from_list = (
        make_classifier(random_state=0).fit(clips, y).predict_proba(X) for clips in (X, list(X))
    )
    np.testing.assert_array_equal(from_array, from_list)


def test_augmentation_with_noise_improves_noisy_predictions():
    gains = []
    for seed in range(5):
        X, y = noisy_clips(seed)
        noise = 10 * np.log10(np.random.default_rng(seed).exponential(size=X.shape)) - 35
        noisy = (10 * np.log10(10 ** (X / 10) + 10 ** (noise / 10))).astype(np.float32)
        scores = []
        for augmentation in (None, BackgroundNoise(10, 30)):
            classifier = make_classifier(random_state=0).set_params(augmentation=augmentation)
            proba = classifier.fit(X, y).predict_proba(noisy)
            scores.append(np.log(proba[np.arange(12), (y == "b").astype(int)]).mean())
        gains.append(scores[1] - scores[0])
    assert np.mean(gains) > 0


def test_scores_equal_the_scores_of_the_estimator():
    X, y = noisy_clips()
    classifier = make_classifier(random_state=0).fit(X, y)
    for method in ("predict_proba", "predict_log_proba", "decision_function", "score_samples"):
        np.testing.assert_array_equal(
            getattr(classifier, method)(X), getattr(classifier.estimator_, method)(X)
        )


def test_methods_are_available_if_the_estimator_has_them():
    assert not hasattr(AugmentedClassifier(Recorder()), "predict_proba")
    assert not hasattr(AugmentedClassifier(KNeighborsClassifier()), "score_samples")
    assert hasattr(AugmentedClassifier(KNeighborsClassifier()), "predict_proba")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["a", "b", "b", "-1"], {"a": 3, "b": 6, "-1": 1}),
        (["a", "b", "-1", "-1"], {"a": 1, "b": 1, "-1": 2}),
    ],
    ids=["few", "many"],
)
def test_unlabelled_clips_are_not_augmented_and_many_disable_augmentation(labels, expected):
    class SemiSupervised(Recorder):
        semi_supervised = True

    classifier = AugmentedClassifier(SemiSupervised(), augmentation=louder, n_copies=2)
    found = classifier.fit(make_clips(), labels).estimator_.given
    assert Counter(found["y"].tolist()) == expected
