import numpy as np
import pytest
from sklearn.datasets import make_blobs

from skfewaudio import CalibratedRidgeClassifier
from skfewaudio.classifiers._ridge.self_training import find_labelled, select_unlabelled

LABELS = np.array(["bark", "horn", "rain", "siren"])


def make_data(n_samples=200, n_features=100, seed=0, spread=14.0):
    X, codes = make_blobs(n_samples, n_features, centers=4, cluster_std=spread, random_state=seed)
    return X / np.sqrt(n_features), LABELS[codes]


def hide_all_but(y, n_shots):
    """Return labels with -1 for all but the first n clips of each class, and the labelled indices."""
    hidden = y.astype(object)
    shown = np.concatenate([np.flatnonzero(y == label)[:n_shots] for label in LABELS])
    hidden[np.setdiff1d(np.arange(len(y)), shown)] = -1
    return hidden, shown


@pytest.mark.parametrize("n_shots", [1, 2])
def test_unlabelled_clips_improve_accuracy_if_classes_are_clusters(n_shots):
    gains = []
    for seed in range(8):
        X, y = make_data(seed=seed)
        hidden, shown = hide_all_but(y[:120], n_shots)
        alone = CalibratedRidgeClassifier(fit_intercept=False).fit(X[shown], y[shown])
        helped = CalibratedRidgeClassifier(fit_intercept=False, semi_supervised=True).fit(X[:120], hidden)
        gains.append(helped.score(X[120:], y[120:]) - alone.score(X[120:], y[120:]))
    assert np.mean(gains) > 0.05


def test_unlabelled_clips_do_not_change_classes_and_dtype():
    X, y = make_data()
    hidden, shown = hide_all_but(y, 3)
    classifier = CalibratedRidgeClassifier(semi_supervised=True).fit(X, hidden)
    assert classifier.classes_.tolist() == LABELS.tolist()
    assert classifier.predict(X).dtype == CalibratedRidgeClassifier().fit(X[shown], y[shown]).predict(X).dtype


@pytest.mark.parametrize("kind", [np.array, list])
def test_unlabelled_clips_can_be_marked_among_strings(kind):
    X, y = make_data()
    hidden, _ = hide_all_but(y, 3)
    as_objects, as_strings = (
        CalibratedRidgeClassifier(semi_supervised=True).fit(X, labels)
        for labels in (hidden, kind(hidden.tolist()))
    )
    np.testing.assert_array_equal(as_strings.coef_, as_objects.coef_)


def test_labels_can_be_numbers():
    X, y = make_data()
    hidden, _ = hide_all_but(y, 3)
    codes = np.where(hidden == -1, -1, np.searchsorted(LABELS, y))
    by_number = CalibratedRidgeClassifier(semi_supervised=True).fit(X, codes)
    by_name = CalibratedRidgeClassifier(semi_supervised=True).fit(X, hidden)
    np.testing.assert_array_equal(by_number.coef_, by_name.coef_)


def test_semi_supervised_changes_nothing_if_all_clips_are_labelled():
    X, y = make_data(40)
    plain, asked = (CalibratedRidgeClassifier(semi_supervised=s).fit(X, y) for s in (False, True))
    np.testing.assert_array_equal(asked.coef_, plain.coef_)
    assert asked.temperature_ == plain.temperature_


def test_minus_one_is_a_class_by_default():
    X, y = make_data(40)
    classifier = CalibratedRidgeClassifier().fit(X, np.where(y == "bark", 1, -1))
    assert classifier.classes_.tolist() == [-1, 1]


def test_all_clips_unlabelled_is_an_error():
    X, _ = make_data(40)
    with pytest.raises(ValueError, match="every label is -1"):
        CalibratedRidgeClassifier(semi_supervised=True).fit(X, np.full(40, -1))


def test_unlabelled_duplicates_of_labelled_clips_change_nothing():
    X, y = make_data(40)
    hidden, shown = hide_all_but(y, 3)
    plain = CalibratedRidgeClassifier().fit(X[shown], y[shown])
    copied = CalibratedRidgeClassifier(semi_supervised=True).fit(
        np.vstack([X[shown], X[shown]]), np.r_[hidden[shown], np.full(len(shown), -1)]
    )
    np.testing.assert_allclose(copied.coef_, plain.coef_, atol=1e-12)


def test_weight_of_zero_excludes_a_clip():
    X, y = make_data(40)
    hidden, shown = hide_all_but(y, 3)
    weights = np.zeros(40)
    weights[shown] = 1
    masked = CalibratedRidgeClassifier(semi_supervised=True).fit(X, hidden, sample_weight=weights)
    alone = CalibratedRidgeClassifier().fit(X[shown], y[shown])
    np.testing.assert_allclose(masked.coef_, alone.coef_, atol=1e-12)


def test_order_of_the_clips_does_not_matter():
    X, y = make_data(80)
    hidden, _ = hide_all_but(y, 3)
    order = np.random.default_rng(0).permutation(80)
    first = CalibratedRidgeClassifier(semi_supervised=True).fit(X, hidden)
    second = CalibratedRidgeClassifier(semi_supervised=True).fit(X[order], hidden[order])
    np.testing.assert_allclose(second.coef_, first.coef_, atol=1e-6)


def test_pseudo_labels_do_not_confirm_themselves():
    """For random classes, self-training must hardly raise the probabilities, which are 0.42 without it."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 50)), LABELS[np.arange(200) % 4]
    hidden, _ = hide_all_but(y, 5)
    classifier = CalibratedRidgeClassifier(semi_supervised=True).fit(X[:120], hidden[:120])
    assert classifier.predict_proba(X[120:]).max(axis=1).mean() < 0.6


def test_labelled_clips_are_found():
    assert find_labelled(np.array([0, -1, 2])).tolist() == [True, False, True]
    assert find_labelled(np.array(["a", "-1"])).tolist() == [True, False]
    assert find_labelled(np.array(["a", -1], dtype=object)).tolist() == [True, False]


def test_each_unlabelled_clip_counts_once():
    X = np.array([[0.0], [1.0], [0.0], [2.0], [2.0]])
    assert select_unlabelled(X, np.array([True, False, False, False, False])).tolist() == [1, 3]
