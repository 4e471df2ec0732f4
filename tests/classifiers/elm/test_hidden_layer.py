"""The hidden layer: activations, distances to centres, and the bounding box of the centres."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from skfewaudio import ELMClassifier
from skfewaudio.classifiers import _elm_base


def small(n_hidden=30, **params):
    return ELMClassifier(n_hidden, **({"random_state": 0} | params))


FORMULAS = {
    "relu": lambda a: a * (a > 0),
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "sine": np.sin,
    "hard_limit": lambda a: np.where(a > 0, 1, 0),
    "triangular": lambda a: np.where(np.abs(a) < 1, 1 - np.abs(a), 0),
    "gaussian": lambda a: np.exp(-a * a),
    "multiquadric": lambda a: np.sqrt(1 + a * a),
}


def test_every_activation_is_tested():
    assert set(FORMULAS) == set(_elm_base.ACTIVATIONS)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_decision_function_is_the_output_layer_of_the_activations(name, alpha, make_data, small):
    X, y = make_data()
    classifier = small(activation=name, alpha=alpha, rbf_width=5.0).fit(X, y)
    mixed = 0
    if alpha > 0:
        mixed = alpha * (X @ classifier.hidden_weights_ + classifier.hidden_biases_)
    if alpha < 1:
        mixed = mixed + (1 - alpha) * cdist(X, classifier.centers_) / (5 * classifier.radius_)
    np.testing.assert_allclose(
        classifier.decision_function(X), FORMULAS[name](mixed) @ classifier.output_weights_, atol=1e-9
    )


def test_centres_fill_the_bounding_box_and_the_radius_follows_the_largest_distance(make_data, small):
    X, y = make_data()
    classifier = small(500, alpha=0.0, rbf_width=20.0).fit(X, y)
    assert classifier.hidden_weights_ is None
    low, high = X.min(axis=0), X.max(axis=0)
    np.testing.assert_allclose(classifier.centers_.min(axis=0), low, atol=0.05 * (high - low).max())
    np.testing.assert_allclose(classifier.centers_.max(axis=0), high, atol=0.05 * (high - low).max())
    largest = cdist(classifier.centers_, classifier.centers_).max()
    np.testing.assert_allclose(classifier.radius_, largest / np.sqrt(1000))


def test_rows_without_weight_do_not_widen_the_box(make_data, small):
    X, y = make_data()
    weights = np.arange(len(X)) < 40
    by_weight = small(alpha=0.0, rbf_width=5.0).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(
        by_weight.centers_, small(alpha=0.0, rbf_width=5.0).fit(X[:40], y[:40]).centers_
    )


@pytest.mark.parametrize("n_features", [10, 1000])
def test_scale_of_unit_inputs_does_not_depend_on_the_number_of_features(n_features, small):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, n_features))
    classifier = small(200, weight_scale=0.5).fit(X, rng.integers(0, 2, 50))
    np.testing.assert_allclose((X @ classifier.hidden_weights_).std(), 0.5, rtol=0.1)


def test_activation_can_be_a_callable(make_data, small):
    X, y = make_data()
    np.testing.assert_array_equal(
        small(activation=np.cos).fit(X, y).decision_function(X),
        small(activation=lambda a: np.cos(a)).fit(X, y).decision_function(X),
    )


@pytest.mark.parametrize(
    ("activation", "match"),
    [
        (lambda a: a[:, :3], r"gives an array of shape \(60, 3\) for one of shape \(60, 30\)"),
        (lambda a: a / 0.0, "gives NaN or infinity"),
        (lambda a: 0 * a, "is 0 or close to 0 on the training rows; try a larger n_hidden"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_invalid_activation_is_refused(activation, match, make_data, small):
    with pytest.raises(ValueError, match=match):
        small(activation=activation).fit(*make_data())


def test_too_narrow_gaussians_are_refused_with_advice(small):
    X = np.random.default_rng(0).uniform(size=(20, 50)) - np.arange(20)[:, None] % 2
    with pytest.raises(ValueError, match="try a larger rbf_width"):
        small(1000, activation="gaussian", alpha=0.0).fit(X, np.arange(20) % 2)
