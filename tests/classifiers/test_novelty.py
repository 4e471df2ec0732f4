"""Tests of the part of clips that training clips do not explain."""

import numpy as np
import pytest

from skfewaudio.classifiers._ridge.novelty import NOISE, Novelty, unexplained_left_out


@pytest.fixture
def rows():
    """Rows of a mean square norm of 1."""
    rows = np.random.default_rng(0).standard_normal((12, 5))
    return rows / np.sqrt(np.square(rows).sum(axis=1).mean())


def variance(rows, new):
    """Compute the variance of a Gaussian process directly."""
    cross = new @ rows.T
    kernel = rows @ rows.T + NOISE * np.eye(len(rows))
    return np.square(new).sum(axis=1) - (cross * np.linalg.solve(kernel, cross.T).T).sum(axis=1)


def test_unexplained_part_is_the_variance_of_a_gaussian_process(rows):
    fitted = Novelty.fit(3 * rows + 1, np.ones(5), np.ones(5))
    new = np.random.default_rng(1).standard_normal((7, 5))
    np.testing.assert_allclose(fitted.unexplained(3 * new + 1), variance(rows, new), rtol=1e-4)


def test_unexplained_part_does_not_depend_on_the_unit_of_the_features(rows):
    parts = [
        Novelty.fit(unit * rows, np.full(5, 2.0), np.zeros(5)).unexplained(unit * rows[::-1])
        for unit in (1.0, 1e-4)
    ]
    np.testing.assert_allclose(*parts, rtol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_left_out_parts_equal_those_of_separate_fits(rows, size):
    """The mean, the unit and the process of each fit are those of the other groups."""
    groups = np.random.default_rng(2).permutation(np.arange(12) // size)
    means = np.stack([rows[groups != group].mean(axis=0) for group in np.unique(groups)])
    expected = [
        Novelty.fit(rows[groups != group], np.ones(5), means[group]).unexplained(rows[[i]])[0]
        for i, group in enumerate(groups)
    ]
    centre = rows.mean(axis=0)
    found = unexplained_left_out(rows - centre, groups, centre - means)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_equal_rows_are_explained_fully():
    fitted = Novelty.fit(np.ones((4, 3)), np.ones(3), np.ones(3))
    np.testing.assert_array_equal(fitted.unexplained(np.full((2, 3), 7.0)), 0)
    found = unexplained_left_out(np.zeros((4, 3)), np.arange(4), np.zeros((4, 3)))
    np.testing.assert_array_equal(found, 0)
