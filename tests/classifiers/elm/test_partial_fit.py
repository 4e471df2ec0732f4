"""Fitting in batches."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from skfewaudio import ELMRegressor

LABELS = np.array(["bark", "horn", "siren"])


@pytest.mark.parametrize("ends", [[1], [20, 35], [50], range(5, 60, 5)], ids=str)
@pytest.mark.parametrize("n_hidden", [30, 100], ids=["more rows", "more units"])
@pytest.mark.parametrize("penalty", [0.0, 0.1])
def test_batches_in_any_split_equal_one_fit(ends, n_hidden, penalty, make_data, small):
    X, y = make_data()
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    parts = small(n_hidden, penalty=penalty)
    for batch in np.split(np.arange(len(X)), ends):
        parts.partial_fit(X[batch], y[batch], classes=LABELS, sample_weight=weights[batch])
    whole = small(n_hidden, penalty=penalty).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(parts.output_weights_, whole.output_weights_, atol=1e-8)


def test_penalty_chosen_on_the_first_batch_is_kept(make_data, small):
    X, y = make_data()
    classifier = small().partial_fit(X[:30], y[:30])
    chosen = classifier.penalty_
    assert classifier.partial_fit(X[30:], y[30:]).penalty_ == chosen
    whole = small(penalty=chosen).fit(X, y)
    np.testing.assert_allclose(classifier.output_weights_, whole.output_weights_, atol=1e-8)


def test_partial_fit_updates_a_fit_and_fit_starts_again(make_data, small):
    X, y = make_data()
    classifier = small(penalty=0.1).fit(X[:40], y[:40]).partial_fit(X[40:], y[40:])
    whole = small(penalty=0.1).fit(X, y)
    np.testing.assert_allclose(classifier.output_weights_, whole.output_weights_, atol=1e-8)
    np.testing.assert_array_equal(classifier.fit(X, y).output_weights_, whole.output_weights_)


def test_regressor_can_be_fitted_in_batches(make_data):
    X, _ = make_data()
    parts = ELMRegressor(30, penalty=0.1, random_state=0).partial_fit(X[:10], X[:10, 0])
    parts.partial_fit(X[10:], X[10:, 0])
    whole = ELMRegressor(30, penalty=0.1, random_state=0).fit(X, X[:, 0])
    np.testing.assert_allclose(parts.predict(X), whole.predict(X), atol=1e-8)


def test_class_may_occur_only_in_a_later_batch(small):
    X, y = make_blobs(90, 4, centers=3, random_state=0)
    order = np.argsort(y)
    classifier = small(penalty=1e-3)
    for batch in np.split(order, 3):
        classifier.partial_fit(X[batch], y[batch], classes=[0, 1, 2])
    assert classifier.score(X, y) == 1.0


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (["bark", "drill"], r"labels that classes lacks: \['drill'\]"),
        ([[0, 1, 1], [1, 0, 1]], r"y has shape \(2, 3\), and the first batch had 3 classes"),
    ],
)
def test_later_batches_with_other_labels_are_refused(y, match, make_data, small):
    X, labels = make_data()
    with pytest.raises(ValueError, match=match):
        small().fit(X, labels).partial_fit(X[:2], y)


def test_balanced_weights_are_refused_in_partial_fit(make_data, small):
    with pytest.raises(ValueError, match="give partial_fit a dict instead"):
        small(class_weight="balanced").partial_fit(*make_data())


def test_regressor_refuses_another_number_of_targets_in_later_batches(make_data):
    X, _ = make_data()
    with pytest.raises(ValueError, match=r"y has shape \(60, 2\); expected \(60,\), as in the first batch"):
        ELMRegressor(20).fit(X, X[:, 0]).partial_fit(X, X[:, :2])


def test_pickle_predicts_the_same_and_can_be_updated(make_data, small):
    X, y = make_data()
    classifier = small().fit(X[:30], y[:30]).partial_fit(X[30:40], y[30:40])
    copy = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(copy.decision_function(X), classifier.decision_function(X))
    for either in (copy, classifier):
        either.partial_fit(X[40:], y[40:])
    np.testing.assert_array_equal(copy.output_weights_, classifier.output_weights_)
