"""The penalty: zero, given, and chosen by leave-one-out."""

import numpy as np
import pytest
from sklearn.datasets import make_classification


@pytest.mark.parametrize("n_hidden", [25, 150], ids=["more rows", "more units"])
def test_no_penalty_gives_the_pseudoinverse(n_hidden, make_data, small, signs):
    X, y = make_data()
    classifier = small(n_hidden, penalty=0.0).fit(X, y)
    H = np.maximum(X @ classifier.hidden_weights_ + classifier.hidden_biases_, 0)
    np.testing.assert_allclose(classifier.output_weights_, np.linalg.pinv(H) @ signs(y), atol=1e-6)


@pytest.mark.parametrize("n_hidden", [20, 100], ids=["more rows", "more units"])
def test_leave_one_out_errors_equal_refitting(n_hidden, make_data, small, signs):
    X, y = make_data(40)
    chosen = small(n_hidden).fit(X, y)
    for i in (0, 9, 18):
        fixed = small(n_hidden, penalty=chosen.penalties_[i])
        errors = []
        for left_out in range(len(X)):
            others = np.arange(len(X)) != left_out
            outputs = fixed.fit(X[others], y[others]).decision_function(X[[left_out]])
            errors.append(np.mean((outputs - signs(y[[left_out]])) ** 2))
        np.testing.assert_allclose(chosen.loo_errors_[i], np.mean(errors), rtol=1e-6)


def test_chosen_penalty_has_the_smallest_error_and_is_solved_for(make_data, small):
    X, y = make_data()
    chosen = small().fit(X, y)
    assert chosen.penalty_ == chosen.penalties_[chosen.loo_errors_.argmin()]
    fixed = small(penalty=chosen.penalty_).fit(X, y)
    np.testing.assert_allclose(chosen.output_weights_, fixed.output_weights_, atol=1e-10)
    assert fixed.loo_errors_ is None


def test_penalty_can_be_chosen_from_a_list(make_data, small):
    X, y = make_data()
    assert small(penalty=[1e-3, 1e3]).fit(X, y).penalty_ in (1e-3, 1e3)


def test_accuracy_collapses_for_as_many_units_as_clips_without_a_penalty(small):
    X, y = make_classification(
        600, 40, n_informative=20, n_classes=4, n_clusters_per_class=1, class_sep=2.0, random_state=0
    )
    train, test = slice(200), slice(200, None)

    def accuracy(**params):
        return small(activation="tanh", **params).fit(X[train], y[train]).score(X[test], y[test])

    assert accuracy(n_hidden=200, penalty=0.0) < 0.45  # chance is 0.25
    assert accuracy(n_hidden=1000, penalty=0.0) > 0.8
    assert accuracy(n_hidden=200) > 0.85
