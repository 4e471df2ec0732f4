"""The choice of questions, and what the classifier believes."""

import numpy as np
import pytest

from skfewaudio.labelling._beliefs import leave_groups_out
from skfewaudio.labelling._questions import choose_coverage, measure_distances, measure_uncertainty


@pytest.fixture
def line():
    """Distances between points on a line: four near 0, two near 1, one at 2."""
    points = np.array([0.0, 0.01, 0.02, 0.03, 1.0, 1.01, 2.0])
    return np.abs(points[:, None] - points).astype(np.float32)


def test_coverage_begins_with_the_middle_and_covers_the_groups(line):
    chosen = choose_coverage(line, np.arange(7), np.array([], dtype=int), n_clips=3)
    assert {min(int(i) // 4 + (i == 6), 2) for i in chosen} == {0, 1, 2}


def test_coverage_leaves_out_what_an_answer_represents(line):
    assert choose_coverage(line, np.array([1, 2, 3, 4, 5, 6]), np.array([0, 4]))[0] == 6


def test_weights_direct_the_choice(line):
    weights = np.array([1.0, 1, 1, 1, 0, 0, 0])
    assert choose_coverage(line, np.arange(7), np.array([5]), weights=weights)[0] < 4


def test_no_more_clips_are_chosen_than_there_are(line):
    assert sorted(choose_coverage(line, np.array([1, 5]), np.array([0]), n_clips=9)) == [1, 5]


def test_distances_are_those_of_the_weighted_blocks_at_unit_length():
    X = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    rows = X * np.sqrt([2, 2, 2, 2, 0.5, 0.5])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = np.linalg.norm(rows[:, None] - rows, axis=2)
    np.testing.assert_allclose(measure_distances(X, [4, 2], [2.0, 0.5]), expected, atol=2e-3)


def test_uncertainty_is_one_minus_the_margin():
    proba = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.2, 0.7, 0.1]])
    np.testing.assert_allclose(measure_uncertainty(proba), [1.0, 0.0, 0.5])
    np.testing.assert_array_equal(measure_uncertainty(np.ones((3, 1))), 1.0)


def test_leave_one_out_scores_equal_those_of_separate_fits():
    rng = np.random.default_rng(0)
    X, y, groups = rng.normal(size=(9, 4)), rng.integers(3, size=9), np.array([0, 0, 1, 2, 3, 3, 3, 4, 5])
    Y, penalty = np.eye(3)[y], 0.7
    found = leave_groups_out(X @ X.T, Y, penalty, groups)
    for group in np.unique(groups):
        train, test = groups != group, groups == group
        coef = np.linalg.solve(X[train].T @ X[train] + penalty * np.eye(4), X[train].T @ (Y[train] - 1 / 3))
        np.testing.assert_allclose(found[test], X[test] @ coef, atol=1e-10)
