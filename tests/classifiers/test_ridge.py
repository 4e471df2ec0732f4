import numpy as np
import pytest

from skfewaudio.classifiers import CalibratedRidgeClassifier
from skfewaudio.classifiers._ridge.sequential import SequentialRidge
from skfewaudio.classifiers._ridge.system import RELATIVE_GRID, RidgeSystem, fit_ridge

SHAPES = {"more rows": (40, 12), "more columns": (12, 40), "square": (20, 20)}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def make_rows(shape, n_targets=3, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal(shape),
        rng.standard_normal((shape[0], n_targets)),
        rng.uniform(0.2, 3, shape[0]),
    )


def solve_by_pinv(H, Y, penalty, weights):
    """Solve ridge regression as least squares with additional rows, without a product of H with itself."""
    root = np.sqrt(weights)[:, None]
    below = np.sqrt(penalty) * np.eye(H.shape[1])
    return np.linalg.pinv(np.vstack([root * H, below])) @ np.vstack(
        [root * Y, np.zeros((H.shape[1], Y.shape[1]))]
    )


def leave_each_out(H, Y, penalty, weights):
    """Return the mean squared error of rows by fits to the other rows."""
    errors = []
    for i in range(len(H)):
        others = np.arange(len(H)) != i
        coef = solve_by_pinv(H[others], Y[others], penalty, weights[others])
        errors.append(np.mean((Y[i] - H[i] @ coef) ** 2))
    return np.average(errors, weights=weights)


def stiff_rows(condition, shape=(60, 15)):
    """Make rows whose singular values fall from 1 to 1 / condition, and targets in their span."""
    rng = np.random.default_rng(0)
    u, v = (np.linalg.qr(rng.standard_normal((n, shape[1])))[0] for n in shape)
    H = u * np.geomspace(1, 1 / condition, shape[1]) @ v.T
    return H, H @ rng.standard_normal((shape[1], 2))


@every_shape
@pytest.mark.parametrize(
    "penalties", [[0.01, 0.1, 1.0, 100.0], [0.0, 1e-9, 0.1]], ids=["products", "singular values"]
)
def test_leave_one_out_errors_equal_refitting(shape, penalties):
    H, Y, weights = make_rows(shape)
    fit = fit_ridge(H, Y, penalties, sample_weight=weights)
    expected = [leave_each_out(H, Y, penalty, weights) for penalty in penalties]
    np.testing.assert_allclose(fit.errors, expected, rtol=1e-6)


@every_shape
def test_leave_one_out_errors_are_exact_for_dependent_columns_and_an_independent_row(shape):
    rng = np.random.default_rng(1)
    _, Y, weights = make_rows(shape)
    H = rng.standard_normal((shape[0], 5)) @ rng.standard_normal((5, shape[1]))
    H[3] = 3 * np.eye(shape[1])[0]
    fit = fit_ridge(H, Y, [0.0, 0.1], sample_weight=weights)
    expected = [leave_each_out(H, Y, penalty, weights) for penalty in (0.0, 0.1)]
    np.testing.assert_allclose(fit.errors, expected, rtol=1e-6)


@every_shape
def test_penalty_with_the_smallest_error_is_chosen_and_solved_for(shape):
    H, Y, weights = make_rows(shape)
    fit = fit_ridge(H, Y, [0.01, 30.0, 1.0], sample_weight=weights)
    assert fit.penalty == fit.penalties[fit.errors.argmin()]
    np.testing.assert_allclose(fit.coef, solve_by_pinv(H, Y, fit.penalty, weights), atol=1e-12)


@every_shape
@pytest.mark.parametrize("penalty", [0.0, 1e-9, 0.3])
def test_single_penalty_is_solved_for_without_errors(shape, penalty):
    H, Y, weights = make_rows(shape)
    fit = fit_ridge(H, Y, penalty, sample_weight=weights)
    assert fit.errors is None
    np.testing.assert_allclose(fit.coef, solve_by_pinv(H, Y, penalty, weights), atol=1e-9)


def test_no_penalty_gives_the_smallest_solution_of_dependent_rows():
    H, Y, _ = make_rows((12, 40))
    H, Y = np.vstack([H, H]), np.vstack([Y, 2 * Y])
    np.testing.assert_allclose(fit_ridge(H, Y, 0.0).coef, np.linalg.pinv(H) @ Y, atol=1e-12)


def test_no_penalty_does_not_square_the_condition_number():
    H, Y = stiff_rows(1e10)
    np.testing.assert_allclose(H @ fit_ridge(H, Y, 0.0).coef, Y, atol=1e-12)


@every_shape
def test_automatic_penalty_scales_with_the_columns(shape):
    H, Y, _ = make_rows(shape)
    small, large = fit_ridge(H, Y, "auto"), fit_ridge(1000 * H, Y, "auto")
    np.testing.assert_allclose(large.penalty, 1e6 * small.penalty)
    np.testing.assert_allclose(large.errors, small.errors, rtol=1e-6)
    np.testing.assert_allclose(1000 * large.coef, small.coef, rtol=1e-6, atol=1e-12)


def test_automatic_penalties_are_relative_to_the_sum_of_squares():
    H, Y, weights = make_rows((40, 12))
    fit = fit_ridge(H, Y, "auto", sample_weight=weights)
    np.testing.assert_allclose(fit.penalties, RELATIVE_GRID * (weights @ H**2).sum())


def test_errors_by_rows_and_by_columns_are_equal():
    H, Y, _ = make_rows((20, 20))
    # A column of zeros makes the rows the smaller side, and a row of zeros the columns, with equal results.
    wide = fit_ridge(np.hstack([H, np.zeros((20, 1))]), Y, [0.1, 1.0])
    tall = fit_ridge(np.vstack([H, np.zeros((1, 20))]), np.vstack([Y, np.zeros((1, 3))]), [0.1, 1.0])
    np.testing.assert_allclose(21 * tall.errors, 20 * wide.errors)


def test_read_only_arrays_are_accepted_and_not_changed():
    H, Y, _ = make_rows((12, 5))
    before = H.copy()
    H.flags.writeable = Y.flags.writeable = False
    fit_ridge(H, Y, "auto")
    np.testing.assert_array_equal(H, before)


@pytest.mark.parametrize("penalty", [[], [-1.0, 1.0], [np.nan], [[1.0]], np.inf])
def test_invalid_penalties_are_refused(penalty):
    H, Y, _ = make_rows((12, 5))
    with pytest.raises(ValueError, match="expected a number from 0, a list of them, or 'auto'"):
        fit_ridge(H, Y, penalty)


def refit_without(H, Y, penalty, weights, rows):
    others = np.setdiff1d(np.arange(len(H)), rows)
    return H[rows] @ solve_by_pinv(H[others], Y[others], penalty, weights[others])


GROUPS = {"rows": None, "groups": np.array([0, 1, 1, 2, 0, 3, 4, 4, 4, 5, 6, 7])}
every_grouping = pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)


def tile_groups(groups, n_rows):
    return None if groups is None else np.resize(groups, n_rows)


@every_shape
@every_grouping
@pytest.mark.parametrize("penalty", [1e-3, 0.1, 100.0])
def test_left_out_predictions_equal_refits(shape, groups, penalty):
    H, Y, weights = make_rows(shape)
    groups = tile_groups(groups, shape[0])
    found = RidgeSystem(H, weights, groups=groups).predict_left_out(Y, penalty)
    numbers = np.arange(len(H)) if groups is None else groups
    for row in range(len(H)):
        together = np.flatnonzero(numbers == numbers[row])
        expected = refit_without(H, Y, penalty, weights, together)[together == row]
        np.testing.assert_allclose(found[row : row + 1], expected, rtol=1e-6, atol=1e-8)


@every_shape
def test_penalty_has_the_smallest_leave_one_group_out_error(shape):
    H, Y, weights = make_rows(shape)
    groups = tile_groups(GROUPS["groups"], shape[0])
    fit = RidgeSystem(H, weights, groups=groups).fit(Y, [0.01, 1.0, 100.0])
    parts = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    expected = [
        sum(
            (weights[rows, None] * (Y[rows] - refit_without(H, Y, penalty, weights, rows)) ** 2).sum()
            for rows in parts
        )
        / (weights.sum() * Y.shape[1])
        for penalty in fit.penalties
    ]
    np.testing.assert_allclose(fit.errors, expected, rtol=1e-6)
    assert fit.penalty == fit.penalties[np.argmin(expected)]


def test_few_rows_are_drawn_to_the_expected_penalty():
    H, Y, _ = make_rows((12, 4))
    distances = {}  # in powers of ten from the expected penalty
    for n_repeats in (1, 200):
        system = RidgeSystem(np.tile(H, (n_repeats, 1)), groups=np.arange(12 * n_repeats))
        targets = np.tile(Y, (n_repeats, 1))
        targets += np.random.default_rng(1).standard_normal(targets.shape)
        fits = system.fit(targets, "auto"), system.fit(targets, "auto", expected=1e-4)
        np.testing.assert_array_equal(fits[0].errors, fits[1].errors)
        distances[n_repeats] = [abs(np.log10(fit.penalty / fit.penalties[0]) - 4) for fit in fits]
    moved = {n_repeats: free - drawn for n_repeats, (free, drawn) in distances.items()}
    assert moved[1] > 0.9  # two steps of the candidates
    assert -1e-9 < moved[200] < 0.6


def test_a_list_of_penalties_is_not_drawn_to_the_expected_one():
    H = make_rows((12, 40))[0]
    classes = np.arange(12) % 3
    penalties = (np.square(H - H.mean(axis=0)).sum() * np.logspace(-8, 1, 19)).tolist()
    classifier = CalibratedRidgeClassifier(penalties).fit(H, classes)
    assert classifier.penalty_ == classifier.penalties_[classifier.loo_errors_.argmin()]
    drawn = CalibratedRidgeClassifier().fit(H, classes)
    assert drawn.penalty_ != classifier.penalty_


def test_groups_of_one_row_equal_no_groups():
    H, Y, weights = make_rows((12, 40))
    grouped = RidgeSystem(H, weights, groups=np.arange(12)[::-1]).fit(Y, "auto")
    np.testing.assert_array_equal(grouped.errors, fit_ridge(H, Y, "auto", sample_weight=weights).errors)


def test_zero_rows_are_predicted_zero():
    H, Y, weights = make_rows((8, 20))
    H[3] = 0
    np.testing.assert_allclose(RidgeSystem(H, weights).predict_left_out(Y, 0.1)[3], 0, atol=1e-12)


def test_all_zero_rows_are_predicted_zero():
    found = RidgeSystem(np.zeros((4, 6))).predict_left_out(np.ones((4, 2)), 0.1)
    np.testing.assert_allclose(found, 0, atol=1e-12)


def solve_in_batches(H, Y, weights, penalty, ends):
    """Solve in batches that end at the given rows."""
    first, *others = np.split(np.arange(len(H)), ends)
    ridge = SequentialRidge(fit_ridge(H[first], Y[first], penalty, sample_weight=weights[first]))
    for batch in others:
        ridge.update(H[batch], Y[batch], weights[batch])
    return ridge.solve()


@every_shape
@pytest.mark.parametrize("penalty", [0.0, 1e-9, 0.3])
@pytest.mark.parametrize("ends", [[1], [5, 6, 9], [11], [3, 10]])
def test_batches_equal_one_fit(shape, penalty, ends):
    H, Y, weights = make_rows(shape)
    expected = fit_ridge(H, Y, penalty, sample_weight=weights).coef
    np.testing.assert_allclose(solve_in_batches(H, Y, weights, penalty, ends), expected, atol=1e-8)


@pytest.mark.parametrize("penalty", [0.0, 1e-9, 0.3])
def test_first_batch_may_have_more_rows_than_columns(penalty):
    H, Y, weights = make_rows((40, 12))
    expected = fit_ridge(H, Y, penalty, sample_weight=weights).coef
    np.testing.assert_allclose(solve_in_batches(H, Y, weights, penalty, [25, 26]), expected, atol=1e-10)


def test_updates_do_not_square_the_condition_number():
    H, Y = stiff_rows(1e8)
    coef = solve_in_batches(H, Y, np.ones(len(H)), 0.0, [20, 40])
    np.testing.assert_allclose(H @ coef, Y, atol=1e-12)
    # A sum of products would lose values below 1e-16 of the largest.
    np.testing.assert_allclose(coef, np.linalg.pinv(H) @ Y, atol=1e-5)


def test_errors_do_not_grow_with_the_number_of_batches():
    H, Y, weights = make_rows((2000, 10))
    coef = solve_in_batches(H, Y, weights, 1e-6, range(1, 2000))
    np.testing.assert_allclose(coef, fit_ridge(H, Y, 1e-6, sample_weight=weights).coef, atol=1e-14)
