"""Clips and classes that are added to the recommended classifier after a fit."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.preprocessing import StandardScaler

from skfewaudio import (
    AugmentedClassifier,
    BlockClassifier,
    BlockScaler,
    CalibratedRidgeClassifier,
    LogMel,
    PrototypicalClassifier,
    SpectrogramStatistics,
    TimeNormalizedSpectrogram,
    load_model,
    make_few_shot_classifier,
    save_model,
)
from skfewaudio.augmentation import BackgroundNoise
from skfewaudio.datasets import load_synthetic
from skfewaudio.exceptions import InputWarning

N_FIRST = 12


@pytest.fixture(scope="module")
def clips():
    """Spectrograms of four classes in random order, and their labels; later clips are shorter."""
    dataset = load_synthetic(6, n_folds=2, duration=0.8)
    chosen = np.flatnonzero(np.isin(dataset.y, np.unique(dataset.y)[:4]))
    np.random.default_rng(1).shuffle(chosen)
    chosen = chosen[:-2]  # so that the classes have different numbers of clips
    X = LogMel.at_rate(dataset.sample_rate, n_mels=32).fit_transform([dataset.X[i] for i in chosen])
    X = [clip[:, : 36 - i // 2] for i, clip in enumerate(X)]
    y = dataset.y[chosen]
    assert set(y[:N_FIRST]) == set(y)
    return X, y


def make_blocks(estimator=None, **params):
    """Return a classifier with two fast blocks, which keeps its clips."""
    blocks = [("statistics", SpectrogramStatistics(["bands"])), ("order", TimeNormalizedSpectrogram())]
    estimator = CalibratedRidgeClassifier(fit_intercept=False) if estimator is None else estimator
    return BlockClassifier(blocks, estimator, **{"scaler": BlockScaler(), "incremental": True, **params})


def make_augmented(**params):
    return AugmentedClassifier(
        make_blocks(), augmentation=BackgroundNoise(), n_copies=2, **{"random_state": 0, **params}
    )


class Recorder(ClassifierMixin, BaseEstimator):
    """Classifier of blocks that stores the arguments of `fit`."""

    def __init__(self, block_sizes=None, block_prior=None):
        self.block_sizes = block_sizes
        self.block_prior = block_prior

    def fit(self, X, y, sample_weight=None, groups=None):
        self.given = {"X": X, "y": y, "sample_weight": sample_weight, "groups": groups}
        self.classes_ = np.unique(y)
        self.block_weights_ = np.array(self.block_prior)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def partition(groups):
    """Return the groups as the indices of the first clip of each group."""
    return [list(groups).index(group) for group in groups]


# BlockClassifier


def test_added_clips_give_the_same_classifier_as_a_fit_to_all_clips(clips):
    X, y = clips
    full, added = (
        make_few_shot_classifier(augmentation=None, incremental=keep)[-1] for keep in (False, True)
    )
    added.fit(X[:N_FIRST], y[:N_FIRST]).partial_fit(X[N_FIRST:], y[N_FIRST:])
    np.testing.assert_allclose(added.predict_proba(X), full.fit(X, y).predict_proba(X), atol=1e-6)
    assert added.block_weights_ == pytest.approx(full.block_weights_)


@pytest.mark.parametrize(
    "params",
    [{"class_weight": "balanced"}, {"false_rejection_rate": 0.2}, {"semi_supervised": True}],
    ids=lambda params: next(iter(params)),
)
def test_parameters_of_the_classifier_hold_for_added_clips(params, clips):
    X, y = clips
    y = np.where(np.arange(len(y)) < N_FIRST + 6, y, "-1") if "semi_supervised" in params else y
    full, added, plain = (make_blocks() for _ in range(3))
    full.set_params(**{f"estimator__{name}": value for name, value in params.items()}).fit(X, y)
    added.set_params(**{f"estimator__{name}": value for name, value in params.items()})
    added.fit(X[:N_FIRST], y[:N_FIRST]).partial_fit(X[N_FIRST:], y[N_FIRST:])
    np.testing.assert_allclose(added.predict_proba(X), full.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(added.score_samples(X), full.score_samples(X), atol=1e-5)
    assert added.predict(X).tolist() == full.predict(X).tolist()
    assert (added.score_samples(X) != plain.fit(X, y).score_samples(X)).any()


def test_clips_can_be_added_one_by_one_without_a_fit_before(clips):
    X, y = clips
    parts = make_blocks(incremental=False).partial_fit(X[:N_FIRST], y[:N_FIRST])
    for clip, label in zip(X[N_FIRST:], y[N_FIRST:], strict=True):
        parts.partial_fit([clip], [label])
    np.testing.assert_allclose(parts.predict_proba(X), make_blocks().fit(X, y).predict_proba(X), atol=1e-6)


def test_new_label_becomes_a_class(clips):
    X, y = clips
    is_new = y == y[0]
    old = [i for i, new in enumerate(is_new) if not new]
    new = np.flatnonzero(is_new)[:3]
    classifier = make_blocks().fit([X[i] for i in old], y[old])
    assert y[0] not in classifier.classes_
    classifier.partial_fit([X[i] for i in new], y[new], classes=np.unique(y))
    assert classifier.classes_.tolist() == np.unique(y).tolist()
    assert classifier.predict([X[i] for i in new]).tolist() == y[new].tolist()


def test_relevance_and_silence_are_measured_on_all_clips(clips):
    X, y = clips
    silent = [np.hstack([clip, np.full((32, 30), -90.0)]) for clip in X[:2]]
    classifier = make_blocks().fit(X[:N_FIRST], y[:N_FIRST])
    measured = (1, "relevance_"), (0, "max_silence_")
    before = [getattr(classifier.blocks_[i][1][0], name) for i, name in measured]
    classifier.partial_fit([*X[N_FIRST:], *silent], [*y[N_FIRST:], *y[:2]])
    full = make_blocks().fit([*X, *silent], [*y, *y[:2]])
    found, expected = (
        [getattr(m.blocks_[i][1][0], name) for i, name in measured] for m in (classifier, full)
    )
    assert found == expected
    assert before[0] < found[0] < 1
    assert before[1] < found[1]


def test_unlabelled_clips_can_be_added_as_numbers_to_labels_of_text(clips):
    X, y = clips
    full, added = (make_blocks().set_params(estimator__semi_supervised=True) for _ in range(2))
    full.fit(X, [*y[:N_FIRST], *["-1"] * (len(y) - N_FIRST)])
    added.fit(X[:N_FIRST], y[:N_FIRST])
    added.partial_fit(X[N_FIRST:], [-1] * (len(y) - N_FIRST), classes=np.unique(y))
    np.testing.assert_allclose(added.predict_proba(X), full.predict_proba(X), atol=1e-6)


def test_clips_of_a_known_group_belong_to_the_same_recording(clips):
    X, y = clips
    classifier = make_blocks(Recorder()).fit(X[:3], y[:3], groups=["site b", "site c", "site b"])
    classifier.partial_fit(X[3:6], y[3:6], groups=["site a", "site b", "site d"])
    assert partition(classifier.estimator_.given["groups"]) == [0, 1, 0, 3, 0, 5]


def test_clips_without_groups_are_recordings_of_their_own(clips):
    X, y = clips
    classifier = make_blocks(Recorder()).fit(X[:3], y[:3], groups=[0, 1, 0])
    classifier.partial_fit(X[3:6], y[3:6]).partial_fit(X[6:8], y[6:8], groups=[1, 2])
    classifier.partial_fit(X[8:10], y[8:10])
    assert partition(classifier.estimator_.given["groups"]) == [0, 1, 0, 3, 4, 5, 1, 7, 8, 9]


def test_clips_without_weights_have_weight_1(clips):
    X, y = clips
    classifier = make_blocks(Recorder()).fit(X[:3], y[:3])
    assert classifier.estimator_.given["sample_weight"] is None
    classifier.partial_fit(X[3:5], y[3:5], sample_weight=[0.5, 2])
    assert classifier.estimator_.given["sample_weight"].tolist() == [1, 1, 1, 0.5, 2]


def test_transformer_that_learns_from_clips_stays_as_it_was_fitted_first():
    X = np.random.default_rng(0).normal(size=(12, 5))
    classifier = BlockClassifier(
        [("scaled", StandardScaler())], Recorder(), scaler=BlockScaler(), incremental=True
    )
    classifier.fit(X[:6], list("aabbab")).partial_fit(5 + 3 * X[6:], list("aabbab"))
    transformer = classifier.blocks_[0][1][0]
    np.testing.assert_allclose(transformer.mean_, X[:6].mean(axis=0))
    np.testing.assert_allclose(
        classifier.estimator_.given["X"], classifier._prepare(np.vstack([X[:6], 5 + 3 * X[6:]])), rtol=1e-5
    )


def test_table_from_a_transformer_can_be_continued(clips):
    pytest.importorskip("pandas")
    X, y = clips
    classifier = make_blocks()
    for _, transformer in classifier.blocks:
        transformer.set_output(transform="pandas")
    classifier.fit(X[:N_FIRST], y[:N_FIRST]).partial_fit(X[N_FIRST:], y[N_FIRST:])
    expected = make_blocks().fit(X, y).predict_proba(X)
    np.testing.assert_allclose(classifier.predict_proba(X), expected, atol=1e-6)


def test_fit_starts_again(clips):
    X, y = clips
    classifier = make_blocks().fit(X[:N_FIRST], y[:N_FIRST]).partial_fit(X[N_FIRST:], y[N_FIRST:])
    again = classifier.fit(X[:N_FIRST], y[:N_FIRST]).predict_proba(X)
    np.testing.assert_array_equal(again, make_blocks().fit(X[:N_FIRST], y[:N_FIRST]).predict_proba(X))


def test_fit_keeps_clips_only_if_incremental(clips):
    X, y = clips
    classifier = make_blocks(incremental=False).fit(X, y)
    assert classifier.kept_clips_ is None
    assert not hasattr(classifier, "partial_fit")
    for wrapped in (classifier, make_augmented().set_params(estimator__incremental=False).fit(X, y)):
        with pytest.raises(AttributeError) as caught:
            wrapped.partial_fit(X, y)
        reasons = [caught.value]
        while reasons[-1].__cause__ is not None:
            reasons.append(reasons[-1].__cause__)
        assert "fit again with incremental=True" in str(reasons[-1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": [0, 1]}, "y mixes text .* and numbers"),
        ({"classes": ["siren"]}, "y has labels that classes lacks"),
        ({"y": ["siren"]}, "inconsistent numbers of samples"),
        ({"sample_weight": [1.0]}, "sample_weight"),
        ({"sample_weight": [1.0, -1.0]}, "[Nn]egative"),
        ({"groups": [1]}, "inconsistent numbers of samples"),
        ({"groups": [1, 2]}, "groups mixes text .* and numbers"),
        ({"X": np.zeros((2, 31, 20))}, "31"),
    ],
)
def test_refused_clips_leave_the_classifier_unchanged(change, message, clips):
    X, y = clips
    classifier = make_blocks().fit(X[:N_FIRST], y[:N_FIRST], groups=[str(i) for i in range(N_FIRST)])
    expected, measured = classifier.predict_proba(X), classifier.blocks_[1][1][0].n_active_frames_
    with pytest.raises(ValueError, match=message):
        classifier.partial_fit(**{"X": X[-2:], "y": y[-2:], **change})
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)
    assert len(classifier.kept_clips_.labels) == N_FIRST
    assert classifier.blocks_[1][1][0].n_active_frames_ is measured


def test_first_clips_need_two_classes(clips):
    X, y = clips
    classifier = make_blocks()
    with pytest.raises(ValueError, match="there is only one class"):
        classifier.partial_fit(X[:1], y[:1])
    other = np.flatnonzero(y != y[0])[0]
    assert len(classifier.partial_fit([X[0], X[other]], y[[0, other]]).classes_) == 2


def test_loaded_classifier_can_be_continued(clips, tmp_path):
    X, y = clips
    model = make_augmented().fit(X[:N_FIRST], y[:N_FIRST], groups=np.arange(N_FIRST) // 2)
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    for each in (model, loaded):
        each.partial_fit(X[N_FIRST:], y[N_FIRST:])
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_features_are_kept_in_single_precision():
    X = np.random.default_rng(0).normal(size=(6, 3))
    classifier = BlockClassifier([("all", BlockScaler())], CalibratedRidgeClassifier(), incremental=True)
    assert classifier.fit(X, list("aabbab")).kept_clips_.features[0].dtype == np.float32


# AugmentedClassifier


def test_copies_of_later_calls_have_other_changes(clips):
    X, y = clips
    classifier = make_augmented().fit(X[:4], y[:4]).partial_fit(X[:4], y[:4])
    (statistics, _) = classifier.estimator_.kept_clips_.features
    first, second = statistics[:12], statistics[12:]
    np.testing.assert_array_equal(first[:4], second[:4])
    assert (np.abs(first[4:] - second[4:]).max(axis=1) > 1e-3).all()


def test_random_state_determines_the_copies_of_all_calls(clips):
    X, y = clips
    first, again = (
        make_augmented().fit(X[:4], y[:4]).partial_fit(X[4:8], y[4:8]).predict_proba(X) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    other = make_augmented(random_state=1).fit(X[:4], y[:4]).partial_fit(X[4:8], y[4:8])
    assert (other.predict_proba(X) != first).any()


def test_first_call_of_partial_fit_equals_a_fit(clips):
    X, y = clips
    np.testing.assert_array_equal(
        make_augmented().partial_fit(X, y).predict_proba(X), make_augmented().fit(X, y).predict_proba(X)
    )


def test_clip_and_its_copies_are_one_recording_in_each_call(clips):
    X, y = clips
    classifier = make_augmented().fit(X[:3], y[:3]).partial_fit(X[3:5], y[3:5])
    classifier.partial_fit(X[5:8], y[5:8], groups=["a", "b", "a"]).partial_fit(X[8:9], y[8:9], groups=["b"])
    found = classifier.estimator_.kept_clips_.recordings
    first = [0, 1, 2, 0, 0, 1, 1, 2, 2]
    second = [9, 10, 9, 9, 10, 10]
    named = [15, 16, 15, 15, 15, 16, 16, 15, 15, 16, 16, 16]
    assert partition(found) == [*first, *second, *named]


def test_copies_have_less_weight_in_each_call(clips):
    X, y = clips
    classifier = make_augmented(copy_weight=0.25).fit(X[:3], y[:3])
    classifier.partial_fit(X[3:5], y[3:5], sample_weight=[1, 2])
    found = classifier.estimator_.kept_clips_.weights
    assert found.tolist() == [1] * 3 + [0.25] * 6 + [1, 2] + [0.25] * 2 + [0.5] * 2


def test_only_unlabelled_clips_can_be_added(clips):
    X, y = clips
    classifier = make_augmented().set_params(estimator__estimator__semi_supervised=True)
    classifier.fit(X[:N_FIRST], y[:N_FIRST]).partial_fit(X[N_FIRST:], [-1] * (len(y) - N_FIRST))
    labels = classifier.estimator_.kept_clips_.labels
    assert (labels == "-1").sum() == len(y) - N_FIRST
    assert classifier.classes_.tolist() == np.unique(y).tolist()


def test_partial_fit_of_any_estimator_receives_copies(clips):
    X, y = clips
    prototypes = PrototypicalClassifier(None, patch_frames=8)
    classifier = AugmentedClassifier(prototypes, augmentation=BackgroundNoise(), n_copies=2)
    classifier.fit(X[:N_FIRST], y[:N_FIRST]).partial_fit(X[:2], ["siren"] * 2, classes=["siren"])
    assert classifier.estimator_.class_count_[classifier.classes_ == "siren"] == 6
    assert classifier.n_clips_seen_ == N_FIRST + 2


def test_partial_fit_is_available_if_the_estimator_has_it():
    assert not hasattr(AugmentedClassifier(CalibratedRidgeClassifier()), "partial_fit")
    assert hasattr(make_augmented(), "partial_fit")


def test_clone_keeps_the_parameter_and_no_clips(clips):
    X, y = clips
    copy = clone(make_blocks().fit(X, y))
    assert copy.incremental
    assert not hasattr(copy, "kept_clips_")


def test_padding_is_noticed_by_what_all_clips_have(clips, recwarn):
    X, y = clips
    padded = [np.hstack([clip, np.full((32, 40), -90.0)]) for clip in X[:4]]
    classifier = make_blocks().fit(X, y)
    with pytest.warns(InputWarning, match="end in silence"):
        classifier.predict(padded)
    recwarn.clear()
    classifier.partial_fit(padded, y[:4]).predict(padded)
    assert not recwarn.list
