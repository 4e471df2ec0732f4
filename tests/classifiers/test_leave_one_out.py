import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from skfewaudio.classifiers._leave_one_out import find_temperature, find_threshold, leave_one_out

SHAPES = {"more rows": (40, 12), "more columns": (12, 40), "square": (20, 20)}


def make_rows(shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape), rng.standard_normal((shape[0], 3)), rng.uniform(0.2, 3, shape[0])


def refit_without(H, Y, penalty, weights, row):
    others = np.arange(len(H)) != row
    h = H[others] * weights[others, None]
    return H[row] @ np.linalg.solve(h.T @ H[others] + penalty * np.eye(H.shape[1]), h.T @ Y[others])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("penalty", [1e-3, 0.1, 100.0])
def test_predictions_are_those_of_refits_without_the_row(shape, penalty):
    H, Y, weights = make_rows(shape)
    expected = [refit_without(H, Y, penalty, weights, row) for row in range(len(H))]
    np.testing.assert_allclose(leave_one_out(H, Y, penalty, weights), expected, rtol=1e-6, atol=1e-8)


def test_zero_rows_are_predicted_zero():
    H, Y, weights = make_rows((8, 20))
    H[3] = 0
    np.testing.assert_allclose(leave_one_out(H, Y, 0.1, weights)[3], 0, atol=1e-12)


def test_all_zero_rows_survive():
    np.testing.assert_allclose(
        leave_one_out(np.zeros((4, 6)), np.ones((4, 2)), 0.1, np.ones(4)), 0, atol=1e-12
    )


def noisy_scores(n=400, sharpness=3.0, seed=0):
    """Scores, and labels drawn by their softmax at that sharpness."""
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((n, 4))
    codes = np.array([rng.choice(4, p=p) for p in softmax(sharpness * scores, axis=1)])
    return scores, codes


def test_temperature_is_that_by_which_labels_were_drawn():
    scores, codes = noisy_scores(5000)
    assert find_temperature(scores, codes, np.ones(len(codes))) == pytest.approx(1 / 3, rel=0.1)


def test_no_other_temperature_has_a_lower_log_loss_on_many_rows():
    scores, codes = noisy_scores(2000)
    best = find_temperature(scores, codes, np.ones(len(codes)))
    losses = [log_loss(codes, softmax(scores / (best * factor), axis=1)) for factor in (1, 0.8, 1.25)]
    assert losses[0] == min(losses)


def test_temperature_goes_with_the_scale_of_the_scores():
    scores, codes = noisy_scores()
    weights = np.ones(len(codes))
    assert find_temperature(7 * scores, codes, weights) == pytest.approx(
        7 * find_temperature(scores, codes, weights), rel=1e-3
    )


def test_weight_counts_as_copies():
    scores, codes = noisy_scores(50)
    weights = np.arange(50) % 3 + 1
    assert find_temperature(scores, codes, weights.astype(float)) == pytest.approx(
        find_temperature(scores.repeat(weights, axis=0), codes.repeat(weights), np.ones(weights.sum())),
        rel=1e-4,
    )


@pytest.mark.parametrize("n_rows", [4, 40])
def test_rows_that_are_all_right_are_not_taken_for_certain(n_rows):
    codes = np.arange(n_rows) % 4
    scores = np.eye(4)[codes]
    temperature = find_temperature(scores, codes, np.ones(n_rows))
    wrong = 1 - softmax(scores / temperature, axis=1).max(axis=1).mean()
    assert 0.2 < wrong * (n_rows + 1) < 1.5


def test_equal_scores_have_temperature_one():
    assert find_temperature(np.full((6, 3), 0.2), np.arange(6) % 3, np.ones(6)) == 1.0


@pytest.mark.parametrize(("rate", "expected"), [(0.09, -np.inf), (0.1, 0.0), (0.25, 1.0), (0.99, 8.0)])
def test_threshold_has_the_rank_of_the_rate(rate, expected):
    assert find_threshold(np.random.default_rng(0).permutation(9).astype(float), rate) == expected


def test_new_values_fall_below_the_threshold_no_more_often_than_at_the_rate():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((4000, 30))
    below = [new < find_threshold(known, 0.2) for known, new in zip(values[:, 1:], values[:, 0], strict=True)]
    assert 0.14 < np.mean(below) <= 0.21
