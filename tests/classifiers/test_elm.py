import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import make_blobs, make_classification

from skfewaudio import ELMClassifier, ELMRegressor
from skfewaudio.classifiers import _elm_base

LABELS = np.array(["bark", "horn", "siren"])


def make_data(n_samples=60, n_features=8, seed=0):
    """Overlapping classes of feature vectors."""
    X, y = make_blobs(n_samples, n_features, centers=3, cluster_std=4.0, random_state=seed)
    return X / X.std(axis=0), LABELS[y]


def small(n_hidden=30, **params):
    return ELMClassifier(n_hidden, **({"random_state": 0} | params))


def signs(y, classes=LABELS):
    return np.where(y[:, None] == classes, 1.0, -1.0)


def test_classes_apart_are_told_apart():
    X, y = make_blobs(200, 5, centers=4, random_state=0)
    assert small(200).fit(X[::2], y[::2]).score(X[1::2], y[1::2]) == 1.0


@pytest.mark.parametrize("n_hidden", [25, 150], ids=["more rows", "more units"])
def test_no_penalty_gives_the_pseudoinverse(n_hidden):
    X, y = make_data()
    classifier = small(n_hidden, penalty=0.0).fit(X, y)
    H = np.maximum(X @ classifier.hidden_weights_ + classifier.hidden_biases_, 0)
    np.testing.assert_allclose(classifier.output_weights_, np.linalg.pinv(H) @ signs(y), atol=1e-6)


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


def test_every_activation_has_its_formula_here():
    assert set(FORMULAS) == set(_elm_base.ACTIVATIONS)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_decision_is_the_output_layer_of_the_activations(name, alpha):
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


def test_centres_fill_the_box_of_the_data_and_radii_go_by_the_largest_distance():
    X, y = make_data()
    classifier = small(500, alpha=0.0, rbf_width=20.0).fit(X, y)
    assert classifier.hidden_weights_ is None
    low, high = X.min(axis=0), X.max(axis=0)
    np.testing.assert_allclose(classifier.centers_.min(axis=0), low, atol=0.05 * (high - low).max())
    np.testing.assert_allclose(classifier.centers_.max(axis=0), high, atol=0.05 * (high - low).max())
    largest = cdist(classifier.centers_, classifier.centers_).max()
    np.testing.assert_allclose(classifier.radius_, largest / np.sqrt(1000))


def test_rows_without_weight_do_not_widen_the_box():
    X, y = make_data()
    weights = np.arange(len(X)) < 40
    by_weight = small(alpha=0.0, rbf_width=5.0).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(
        by_weight.centers_, small(alpha=0.0, rbf_width=5.0).fit(X[:40], y[:40]).centers_
    )


@pytest.mark.parametrize("n_features", [10, 1000])
def test_inputs_of_units_have_the_scale_asked_for_however_many_features(n_features):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, n_features))
    classifier = small(200, weight_scale=0.5).fit(X, rng.integers(0, 2, 50))
    np.testing.assert_allclose((X @ classifier.hidden_weights_).std(), 0.5, rtol=0.1)


def test_callable_serves_as_activation():
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
        (lambda a: 0 * a, "is 0, or next to it, on the training rows; try a larger n_hidden"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_activation_that_cannot_be_used_is_refused(activation, match):
    with pytest.raises(ValueError, match=match):
        small(activation=activation).fit(*make_data())


def test_gaussians_too_narrow_for_the_data_are_refused_with_advice():
    X = np.random.default_rng(0).uniform(size=(20, 50)) - np.arange(20)[:, None] % 2
    with pytest.raises(ValueError, match="try a larger rbf_width"):
        small(1000, activation="gaussian", alpha=0.0).fit(X, np.arange(20) % 2)


@pytest.mark.parametrize("n_hidden", [20, 100], ids=["more rows", "more units"])
def test_leave_one_out_errors_are_those_of_refitting(n_hidden):
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


def test_chosen_penalty_has_the_least_error_and_is_the_one_solved_for():
    X, y = make_data()
    chosen = small().fit(X, y)
    assert chosen.penalty_ == chosen.penalties_[chosen.loo_errors_.argmin()]
    fixed = small(penalty=chosen.penalty_).fit(X, y)
    np.testing.assert_allclose(chosen.output_weights_, fixed.output_weights_, atol=1e-10)
    assert fixed.loo_errors_ is None


def test_penalty_can_be_chosen_from_a_list():
    X, y = make_data()
    assert small(penalty=[1e-3, 1e3]).fit(X, y).penalty_ in (1e-3, 1e3)


def test_as_many_units_as_clips_collapse_without_a_penalty_and_not_with_one_chosen():
    X, y = make_classification(
        600, 40, n_informative=20, n_classes=4, n_clusters_per_class=1, class_sep=2.0, random_state=0
    )
    train, test = slice(200), slice(200, None)

    def accuracy(**params):
        return small(activation="tanh", **params).fit(X[train], y[train]).score(X[test], y[test])

    assert accuracy(n_hidden=200, penalty=0.0) < 0.45  # a guess is right in a quarter
    assert accuracy(n_hidden=1000, penalty=0.0) > 0.8
    assert accuracy(n_hidden=200) > 0.85


@pytest.mark.parametrize("ends", [[1], [20, 35], [50], range(5, 60, 5)], ids=str)
@pytest.mark.parametrize("n_hidden", [30, 100], ids=["more rows", "more units"])
@pytest.mark.parametrize("penalty", [0.0, 0.1])
def test_batches_in_any_split_give_what_one_fit_gives(ends, n_hidden, penalty):
    X, y = make_data()
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    parts = small(n_hidden, penalty=penalty)
    for batch in np.split(np.arange(len(X)), ends):
        parts.partial_fit(X[batch], y[batch], classes=LABELS, sample_weight=weights[batch])
    whole = small(n_hidden, penalty=penalty).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(parts.output_weights_, whole.output_weights_, atol=1e-8)


def test_penalty_chosen_on_the_first_batch_is_kept():
    X, y = make_data()
    classifier = small().partial_fit(X[:30], y[:30])
    chosen = classifier.penalty_
    assert classifier.partial_fit(X[30:], y[30:]).penalty_ == chosen
    whole = small(penalty=chosen).fit(X, y)
    np.testing.assert_allclose(classifier.output_weights_, whole.output_weights_, atol=1e-8)


def test_partial_fit_goes_on_from_a_fit_and_a_fit_starts_anew():
    X, y = make_data()
    classifier = small(penalty=0.1).fit(X[:40], y[:40]).partial_fit(X[40:], y[40:])
    whole = small(penalty=0.1).fit(X, y)
    np.testing.assert_allclose(classifier.output_weights_, whole.output_weights_, atol=1e-8)
    np.testing.assert_array_equal(classifier.fit(X, y).output_weights_, whole.output_weights_)


def test_regressor_takes_batches_too():
    X, _ = make_data()
    parts = ELMRegressor(30, penalty=0.1, random_state=0).partial_fit(X[:10], X[:10, 0])
    parts.partial_fit(X[10:], X[10:, 0])
    whole = ELMRegressor(30, penalty=0.1, random_state=0).fit(X, X[:, 0])
    np.testing.assert_allclose(parts.predict(X), whole.predict(X), atol=1e-8)


def test_class_promised_for_later_comes_later():
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
        ([[0, 1, 1], [1, 0, 1]], r"y has shape \(2, 3\), and 3 classes were there at first"),
    ],
)
def test_later_labels_of_another_kind_are_refused(y, match):
    X, labels = make_data()
    with pytest.raises(ValueError, match=match):
        small().fit(X, labels).partial_fit(X[:2], y)


def test_balanced_weights_are_refused_batch_by_batch():
    with pytest.raises(ValueError, match="give partial_fit a dict instead"):
        small(class_weight="balanced").partial_fit(*make_data())


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_sparse_rows_give_what_dense_ones_give(alpha):
    X, y = make_data()
    X[np.abs(X) < 0.5] = 0
    params = {"alpha": alpha, "rbf_width": 5.0, "direct_links": True}
    dense, sparse = small(**params).fit(X, y), small(**params).fit(csr_matrix(X), y)
    np.testing.assert_allclose(sparse.decision_function(csr_matrix(X)), dense.decision_function(X), atol=1e-9)


def test_single_precision_gives_what_double_gives():
    X, y = make_data()
    X = X.astype(np.float32)
    np.testing.assert_array_equal(
        small().fit(X, y).decision_function(X),
        small().fit(X.astype(np.float64), y).decision_function(X.astype(np.float64)),
    )


@pytest.mark.parametrize("params", [{}, {"class_weight": "balanced"}, {"penalty": 0.3}], ids=str)
@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_weight_is_the_same_as_repetition_also_in_the_choice(params, kind):
    X, y = make_data()
    times = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = small(**params).fit(kind(X), y, sample_weight=times)
    repeated = small(**params).fit(kind(X.repeat(times, axis=0)), y.repeat(times))
    np.testing.assert_allclose(repeated.penalty_, weighted.penalty_)
    np.testing.assert_allclose(repeated.output_weights_, weighted.output_weights_, atol=1e-9)
    if weighted.loo_errors_ is not None:
        np.testing.assert_allclose(repeated.loo_errors_, weighted.loo_errors_)


def test_copies_do_not_vouch_for_each_other():
    # Labels without any rhyme: seen singly they ask for a large penalty, and so they must in pairs.
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 5)), rng.integers(0, 2, 40)
    once, twice = small(100).fit(X, y), small(100).fit(np.vstack([X, X]), np.tile(y, 2))
    np.testing.assert_allclose(twice.penalty_ / twice.penalties_[0], once.penalty_ / once.penalties_[0])


@pytest.mark.parametrize(
    ("weights", "match"),
    [([-1.0] + [1.0] * 59, "sample_weight holds -1.0; expected none below 0"), ([0.0] * 60, "weight")],
)
def test_weights_that_cannot_be_used_are_refused(weights, match):
    with pytest.raises(ValueError, match=match):
        small().fit(*make_data(), sample_weight=weights)


def test_balanced_weights_give_every_class_the_same_sum():
    X, y = make_data()
    kept = np.r_[
        np.flatnonzero(y == "bark"), np.flatnonzero(y == "horn")[:4], np.flatnonzero(y == "siren")[:6]
    ]
    X, y = X[kept], y[kept]
    by_hand = {"bark": 30 / 3 / 20, "horn": 30 / 3 / 4, "siren": 30 / 3 / 6}
    np.testing.assert_allclose(
        small(class_weight="balanced").fit(X, y).output_weights_,
        small().fit(X, y, sample_weight=[by_hand[label] for label in y]).output_weights_,
        atol=1e-10,
    )


def test_dict_weighs_the_classes_it_names():
    X, y = make_data()
    np.testing.assert_allclose(
        small(class_weight={"horn": 3.0}).fit(X, y).output_weights_,
        small().fit(X, y, sample_weight=np.where(y == "horn", 3.0, 1.0)).output_weights_,
        atol=1e-10,
    )


def test_negative_class_weight_is_refused():
    with pytest.raises(ValueError, match=r"holds -1.0; expected none below 0"):
        small(class_weight={"horn": -1.0}).fit(*make_data())


def test_two_classes_have_one_output_positive_for_the_second():
    X, y = make_data()
    two = y != "siren"
    classifier = small().fit(X[two], y[two])
    scores = classifier.decision_function(X)
    assert scores.shape == (60,)
    np.testing.assert_array_equal(classifier.predict(X), np.where(scores > 0, "horn", "bark"))


def test_several_labels_a_row_are_predicted_each_by_its_sign():
    X, y = make_data()
    labels = np.column_stack([y == "bark", y != "siren", X[:, 0] > 0]).astype(int)
    classifier = small().fit(X, labels)
    np.testing.assert_array_equal(classifier.predict(X), (classifier.decision_function(X) > 0).astype(int))
    assert classifier.classes_.tolist() == [0, 1, 2]
    # A label does not depend on which others there are.
    alone = small(penalty=classifier.penalty_).fit(X, labels[:, 0])
    np.testing.assert_allclose(alone.decision_function(X), classifier.decision_function(X)[:, 0], atol=1e-9)


def test_several_labels_a_row_refuse_class_weights():
    X, y = make_data()
    with pytest.raises(ValueError, match="give fit a sample_weight instead"):
        small(class_weight={0: 2.0}).fit(X, signs(y) > 0)


def test_single_class_is_refused():
    with pytest.raises(ValueError, match=r"there is only one class, \['bark'\]; expected at least two"):
        small().fit(np.eye(3), ["bark"] * 3)


def test_labels_come_back_as_strings():
    X, y = make_data()
    assert set(small().fit(X, y).predict(X)) <= set(LABELS)


def test_one_clip_a_class():
    assert small(200).fit(np.eye(3), LABELS).predict(np.eye(3)).tolist() == LABELS.tolist()


def test_direct_links_carry_what_is_linear():
    X = np.random.default_rng(0).standard_normal((80, 3))
    regressor = ELMRegressor(2, penalty=0.0, direct_links=True, random_state=0).fit(
        X[:40], X[:40] @ [1, 2, 3]
    )
    assert regressor.output_weights_.shape == (5, 1)
    np.testing.assert_allclose(regressor.predict(X[40:]), X[40:] @ [1, 2, 3], atol=1e-9)


def test_regressor_follows_a_curve():
    x = np.linspace(-3, 3, 200)[:, None]
    y = np.sin(2 * x.ravel())
    regressor = ELMRegressor(300, activation="tanh", weight_scale=3.0, random_state=0).fit(x[::2], y[::2])
    assert regressor.score(x[1::2], y[1::2]) > 0.999


@pytest.mark.parametrize("shape", [(60,), (60, 1), (60, 2)], ids=str)
def test_regressor_predicts_in_the_shape_of_its_targets(shape):
    X, _ = make_data()
    assert ELMRegressor(20).fit(X, np.resize(X, shape)).predict(X).shape == shape


def test_regressor_refuses_another_number_of_targets_later():
    X, _ = make_data()
    with pytest.raises(ValueError, match=r"y has shape \(60, 2\); expected \(60,\), as at first"):
        ELMRegressor(20).fit(X, X[:, 0]).partial_fit(X, X[:, :2])


def test_two_fits_agree_to_the_bit():
    X, y = make_data()
    np.testing.assert_array_equal(small().fit(X, y).output_weights_, small().fit(X, y).output_weights_)


def test_another_random_state_gives_another_layer():
    X, y = make_data()
    assert not np.allclose(small().fit(X, y).hidden_weights_, small(random_state=1).fit(X, y).hidden_weights_)


def test_fit_leaves_global_random_state_and_parameters_alone():
    classifier = small(alpha=0.5, rbf_width=5.0)
    params, state = classifier.get_params(), np.random.mtrand._rand.get_state()[1].copy()
    classifier.fit(*make_data())
    np.testing.assert_array_equal(np.random.mtrand._rand.get_state()[1], state)
    assert classifier.get_params() == params


def test_rows_are_predicted_in_parts_as_all_at_once(monkeypatch):
    X, y = make_data()
    classifier = small().fit(X, y)
    expected = classifier.decision_function(X)
    monkeypatch.setattr(_elm_base, "ACTIVATIONS_AT_ONCE", 7 * 30)
    np.testing.assert_allclose(classifier.decision_function(X), expected, atol=1e-12)


def test_pickle_predicts_the_same_and_goes_on_learning():
    X, y = make_data()
    classifier = small().fit(X[:30], y[:30]).partial_fit(X[30:40], y[30:40])
    copy = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(copy.decision_function(X), classifier.decision_function(X))
    for either in (copy, classifier):
        either.partial_fit(X[40:], y[40:])
    np.testing.assert_array_equal(copy.output_weights_, classifier.output_weights_)


def test_refit_on_another_shape_is_a_fit_of_a_clone():
    X, y = make_data()
    classifier = small(50).fit(X, y)
    X, y = make_data(30, 5, seed=1)
    np.testing.assert_array_equal(
        classifier.fit(X, y).output_weights_, clone(classifier).fit(X, y).output_weights_
    )


def test_parameters_out_of_range_are_refused():
    with pytest.raises(ValueError, match="'alpha' parameter of ELMClassifier must be"):
        small(alpha=1.5).fit(*make_data())
