"""Extreme learning machines: labels, targets, kinds of input, and reproducibility."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import make_blobs

from skfewaudio import ELMRegressor
from skfewaudio.classifiers import _elm_base

LABELS = np.array(["bark", "horn", "siren"])


def test_separable_classes_are_classified_correctly(small):
    X, y = make_blobs(200, 5, centers=4, random_state=0)
    assert small(200).fit(X[::2], y[::2]).score(X[1::2], y[1::2]) == 1.0


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_sparse_and_dense_rows_give_equal_results(alpha, make_data, small):
    X, y = make_data()
    X[np.abs(X) < 0.5] = 0
    params = {"alpha": alpha, "rbf_width": 5.0, "direct_links": True}
    dense, sparse = small(**params).fit(X, y), small(**params).fit(csr_matrix(X), y)
    np.testing.assert_allclose(sparse.decision_function(csr_matrix(X)), dense.decision_function(X), atol=1e-9)


def test_single_and_double_precision_give_equal_results(make_data, small):
    X, y = make_data()
    X = X.astype(np.float32)
    np.testing.assert_array_equal(
        small().fit(X, y).decision_function(X),
        small().fit(X.astype(np.float64), y).decision_function(X.astype(np.float64)),
    )


def test_two_classes_have_one_output_positive_for_the_second(make_data, small):
    X, y = make_data()
    two = y != "siren"
    classifier = small().fit(X[two], y[two])
    scores = classifier.decision_function(X)
    assert scores.shape == (60,)
    np.testing.assert_array_equal(classifier.predict(X), np.where(scores > 0, "horn", "bark"))


def test_several_labels_per_row_are_predicted_by_the_sign_of_their_output(make_data, small):
    X, y = make_data()
    labels = np.column_stack([y == "bark", y != "siren", X[:, 0] > 0]).astype(int)
    classifier = small().fit(X, labels)
    np.testing.assert_array_equal(classifier.predict(X), (classifier.decision_function(X) > 0).astype(int))
    assert classifier.classes_.tolist() == [0, 1, 2]
    # The output of a label does not depend on the other labels.
    alone = small(penalty=classifier.penalty_).fit(X, labels[:, 0])
    np.testing.assert_allclose(alone.decision_function(X), classifier.decision_function(X)[:, 0], atol=1e-9)


def test_class_weight_with_several_labels_per_row_is_refused(make_data, small, signs):
    X, y = make_data()
    with pytest.raises(ValueError, match="give fit a sample_weight instead"):
        small(class_weight={0: 2.0}).fit(X, signs(y) > 0)


def test_single_class_is_refused(small):
    with pytest.raises(ValueError, match=r"there is only one class, \['bark'\]; expected at least two"):
        small().fit(np.eye(3), ["bark"] * 3)


def test_string_labels_are_predicted_as_strings(make_data, small):
    X, y = make_data()
    assert set(small().fit(X, y).predict(X)) <= set(LABELS)


def test_one_clip_per_class_is_classified(small):
    assert small(200).fit(np.eye(3), LABELS).predict(np.eye(3)).tolist() == LABELS.tolist()


def test_direct_links_fit_linear_targets_exactly():
    X = np.random.default_rng(0).standard_normal((80, 3))
    regressor = ELMRegressor(2, penalty=0.0, direct_links=True, random_state=0).fit(
        X[:40], X[:40] @ [1, 2, 3]
    )
    assert regressor.output_weights_.shape == (5, 1)
    np.testing.assert_allclose(regressor.predict(X[40:]), X[40:] @ [1, 2, 3], atol=1e-9)


def test_regressor_fits_a_curve():
    x = np.linspace(-3, 3, 200)[:, None]
    y = np.sin(2 * x.ravel())
    regressor = ELMRegressor(300, activation="tanh", weight_scale=3.0, random_state=0).fit(x[::2], y[::2])
    assert regressor.score(x[1::2], y[1::2]) > 0.999


@pytest.mark.parametrize("shape", [(60,), (60, 1), (60, 2)], ids=str)
def test_regressor_predicts_in_the_shape_of_its_targets(shape, make_data):
    X, _ = make_data()
    assert ELMRegressor(20).fit(X, np.resize(X, shape)).predict(X).shape == shape


def test_two_fits_are_identical(make_data, small):
    X, y = make_data()
    np.testing.assert_array_equal(small().fit(X, y).output_weights_, small().fit(X, y).output_weights_)


def test_another_random_state_gives_another_layer(make_data, small):
    X, y = make_data()
    assert not np.allclose(small().fit(X, y).hidden_weights_, small(random_state=1).fit(X, y).hidden_weights_)


def test_fit_does_not_change_global_random_state_and_parameters(make_data, small):
    classifier = small(alpha=0.5, rbf_width=5.0)
    params, state = classifier.get_params(), np.random.mtrand._rand.get_state()[1].copy()
    classifier.fit(*make_data())
    np.testing.assert_array_equal(np.random.mtrand._rand.get_state()[1], state)
    assert classifier.get_params() == params


def test_prediction_in_batches_equals_prediction_at_once(monkeypatch, make_data, small):
    X, y = make_data()
    classifier = small().fit(X, y)
    expected = classifier.decision_function(X)
    monkeypatch.setattr(_elm_base, "ACTIVATIONS_AT_ONCE", 7 * 30)
    np.testing.assert_allclose(classifier.decision_function(X), expected, atol=1e-12)


def test_refit_on_another_shape_equals_a_fit_of_a_clone(make_data, small):
    X, y = make_data()
    classifier = small(50).fit(X, y)
    X, y = make_data(30, 5, seed=1)
    np.testing.assert_array_equal(
        classifier.fit(X, y).output_weights_, clone(classifier).fit(X, y).output_weights_
    )


def test_parameters_out_of_range_are_refused(make_data, small):
    with pytest.raises(ValueError, match="'alpha' parameter of ELMClassifier must be"):
        small(alpha=1.5).fit(*make_data())
