"""Weights of rows and classes."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix


@pytest.mark.parametrize("params", [{}, {"class_weight": "balanced"}, {"penalty": 0.3}], ids=str)
@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_weight_equals_repetition_also_in_the_choice_of_the_penalty(params, kind, make_data, small):
    X, y = make_data()
    times = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = small(**params).fit(kind(X), y, sample_weight=times)
    repeated = small(**params).fit(kind(X.repeat(times, axis=0)), y.repeat(times))
    np.testing.assert_allclose(repeated.penalty_, weighted.penalty_)
    np.testing.assert_allclose(repeated.output_weights_, weighted.output_weights_, atol=1e-9)
    if weighted.loo_errors_ is not None:
        np.testing.assert_allclose(repeated.loo_errors_, weighted.loo_errors_)


def test_duplicate_rows_are_left_out_together(small):
    # Random labels require a large penalty, also when every row occurs twice.
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 5)), rng.integers(0, 2, 40)
    once, twice = small(100).fit(X, y), small(100).fit(np.vstack([X, X]), np.tile(y, 2))
    np.testing.assert_allclose(twice.penalty_ / twice.penalties_[0], once.penalty_ / once.penalties_[0])


@pytest.mark.parametrize(
    ("weights", "match"),
    [([-1.0] + [1.0] * 59, "sample_weight holds -1.0; expected none below 0"), ([0.0] * 60, "weight")],
)
def test_invalid_weights_are_refused(weights, match, make_data, small):
    with pytest.raises(ValueError, match=match):
        small().fit(*make_data(), sample_weight=weights)


def test_balanced_weights_give_every_class_the_same_total_weight(make_data, small):
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


def test_dict_sets_the_weights_of_its_classes(make_data, small):
    X, y = make_data()
    np.testing.assert_allclose(
        small(class_weight={"horn": 3.0}).fit(X, y).output_weights_,
        small().fit(X, y, sample_weight=np.where(y == "horn", 3.0, 1.0)).output_weights_,
        atol=1e-10,
    )


def test_negative_class_weight_is_refused(make_data, small):
    with pytest.raises(ValueError, match=r"holds -1.0; expected none below 0"):
        small(class_weight={"horn": -1.0}).fit(*make_data())
