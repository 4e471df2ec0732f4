import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from skfewaudio.classifiers._ridge.calibration import (
    Calibration,
    find_temperature,
    find_threshold,
)


def noisy_scores(n=400, sharpness=3.0, seed=0):
    """Make scores, and labels drawn from their softmax with the given sharpness."""
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((n, 4))
    codes = np.array([rng.choice(4, p=p) for p in softmax(sharpness * scores, axis=1)])
    return scores, codes


def test_temperature_of_the_drawn_labels_is_recovered():
    scores, codes = noisy_scores(5000)
    assert find_temperature(scores, codes, np.ones(len(codes))) == pytest.approx(1 / 3, rel=0.1)


def test_no_other_temperature_has_a_lower_log_loss_on_many_rows():
    scores, codes = noisy_scores(2000)
    best = find_temperature(scores, codes, np.ones(len(codes)))
    losses = [log_loss(codes, softmax(scores / (best * factor), axis=1)) for factor in (1, 0.8, 1.25)]
    assert losses[0] == min(losses)


def test_temperature_is_proportional_to_the_scores():
    scores, codes = noisy_scores()
    weights = np.ones(len(codes))
    assert find_temperature(7 * scores, codes, weights) == pytest.approx(
        7 * find_temperature(scores, codes, weights), rel=1e-3
    )


def test_weight_of_k_counts_as_k_rows():
    scores, codes = noisy_scores(50)
    weights = np.arange(50) % 3 + 1
    assert find_temperature(scores, codes, weights.astype(float)) == pytest.approx(
        find_temperature(scores.repeat(weights, axis=0), codes.repeat(weights), np.ones(weights.sum())),
        rel=1e-4,
    )


@pytest.mark.parametrize("n_rows", [4, 40])
def test_rows_that_are_all_correct_do_not_get_probability_one(n_rows):
    codes = np.arange(n_rows) % 4
    scores = np.eye(4)[codes]
    temperature = find_temperature(scores, codes, np.ones(n_rows))
    wrong = 1 - softmax(scores / temperature, axis=1).max(axis=1).mean()
    assert 0.2 < wrong * (n_rows + 1) < 1.5


@pytest.mark.parametrize(("n_rows", "ratio"), [(12, 2.5), (5000, 1.05)])
def test_few_rows_are_drawn_to_the_expected_temperature_and_many_are_not(n_rows, ratio):
    scores, codes = noisy_scores(n_rows)
    alone = find_temperature(scores, codes, np.ones(n_rows))
    drawn = find_temperature(scores, codes, np.ones(n_rows), 10 * alone)
    assert drawn > alone
    assert (drawn / alone > ratio) == (n_rows < 100)


def test_a_temperature_of_zero_is_not_expected():
    scores, codes = noisy_scores(40)
    alone = find_temperature(scores, codes, np.ones(40))
    assert find_temperature(scores, codes, np.ones(40), 0.0) == alone


def test_copies_of_a_clip_do_not_make_its_temperature_more_certain():
    scores, codes = noisy_scores(20)
    copied = Calibration(codes.repeat(5), np.tile([1, 0.3, 0.3, 0.3, 0.3], 20), np.arange(20).repeat(5))
    once = Calibration(codes, np.ones(20), np.arange(20))
    assert copied.observations.sum() == pytest.approx(20)
    repeated = scores.repeat(5, axis=0)
    assert copied.find_temperature(repeated, repeated) == pytest.approx(
        once.find_temperature(scores, scores), rel=1e-4
    )


def test_equal_scores_have_temperature_one():
    assert find_temperature(np.full((6, 3), 0.2), np.arange(6) % 3, np.ones(6)) == 1.0


@pytest.mark.parametrize(("rate", "expected"), [(0.09, -np.inf), (0.1, 0.0), (0.25, 1.0), (0.99, 8.0)])
def test_threshold_has_the_rank_of_the_rate(rate, expected):
    assert find_threshold(np.random.default_rng(0).permutation(9).astype(float), rate, np.ones(9)) == expected


def test_new_values_fall_below_the_threshold_no_more_often_than_at_the_rate():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((4000, 30))
    below = [row[0] < find_threshold(row[1:], 0.2, np.ones(29)) for row in values]
    assert 0.14 < np.mean(below) <= 0.21


def test_threshold_counts_a_weight_of_k_as_k_rows():
    values = np.random.default_rng(0).permutation(9).astype(float)
    weights = np.arange(9) % 3 + 1
    copied = find_threshold(values.repeat(weights), 0.25, np.ones(weights.sum()))
    assert find_threshold(values, 0.25, weights.astype(float)) == copied
