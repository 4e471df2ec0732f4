"""Extrapolation of learning curves to more clips per class."""

from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from .draws import RandomState

# Grid of exponents c, from a nearly logarithmic curve to one that is flat after a few clips.
EXPONENTS = np.linspace(0.02, 2, 100)
N_DRAWS = 2000  # simulated curves: the ends of a 95 % interval then vary by 1 to 2 % of its width
N_PARAMETERS = 3
# Lower bound of standard deviations, relative to their root mean square: one that is small by chance would
# force the curve through its point.
MIN_RELATIVE_SPREAD = 0.3
_INPUT_COLUMNS = ("pipeline", "n_shots", "repeat", "metric", "value")
_OUTPUT_COLUMNS = ["pipeline", "n_shots", "mean", "low", "high", "n_repeats"]


def extrapolate_curve(
    results: pd.DataFrame,
    *,
    n_shots: int | Sequence[int] | None = None,
    metric: str = "accuracy",
    confidence: float = 0.95,
    random_state: RandomState = 0,
) -> pd.DataFrame:
    """Estimate the score for more labelled clips per class, with an interval.

    The error, 1 minus the score, is modelled as a power law ``a + b * n**-c`` with a, b and c
    non-negative. This describes learning curves well [1]_ once they have left chance level, but not before.

    Parameters
    ----------
    results : DataFrame
        One row per pipeline, n_shots, repeat, fold and metric, as returned by `few_shot_curve`, with at least
        three values of n_shots and two repeats. Repeats that lack one of the values are ignored.
    n_shots : int, sequence of int or None, default=None
        Numbers of labelled clips per class to estimate the score for. None is twice the largest n_shots of
        each pipeline.
    metric : str, default="accuracy"
        Metric to extrapolate: a score between 0 and 1, where higher is better.
    confidence : float, default=0.95
        Nominal coverage: the share of intervals that should contain the mean score over all draws of clips.
    random_state : int, RandomState or None, default=0
        Controls the simulated curves.

    Returns
    -------
    DataFrame
        Columns pipeline (in order of appearance), n_shots, mean (the estimate), low and high (the interval),
        and n_repeats (number of repeats used).

    Raises
    ------
    ValueError
        If a column or the metric is missing, a pipeline has fewer than three values of n_shots or two
        repeats, a score is not between 0 and 1, or `n_shots` is not above the values in `results`.

    See Also
    --------
    few_shot_curve : Computes the results.

    Notes
    -----
    The power law is fitted to means over folds and repeats by weighted least squares, with the inverse
    variances over the repeats as weights. For the interval, new means are drawn from Student's t
    distribution with the covariance of the repeats. For each draw, an exponent is then sampled with
    probability proportional to its likelihood. Both steps spread more if the power law fits badly. The
    interval does not cover other datasets or other test folds, nor a later change of slope that the available
    scores do not show. The coverage measured in practice is reported in the benchmarks of the documentation.

    References
    ----------
    .. [1] C. Cortes, L. D. Jackel, S. A. Solla, V. Vapnik, J. S. Denker, "Learning Curves: Asymptotic Values
       and Rate of Convergence", NIPS 1993.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skfewaudio.model_selection import extrapolate_curve, few_shot_curve
    >>> X, y = load_digits(return_X_y=True)
    >>> results = few_shot_curve(KNeighborsClassifier(1), X, y, n_shots=[1, 2, 5, 10], n_repeats=5)
    >>> extrapolate_curve(results).round(2)
                   pipeline  n_shots  mean   low  high  n_repeats
    0  KNeighborsClassifier       20  0.93  0.89  0.93          5
    """
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence!r}")
    rng = check_random_state(random_state)
    rows = []
    for name, ours in _select_metric(results, metric).groupby("pipeline", sort=False):
        scores = _scores_by_repeat(str(name), ours)
        shots = scores.columns.to_numpy(dtype=float)
        for target in _check_targets(n_shots, str(name), int(shots[-1])):
            ends = _estimate_score(1 - scores.to_numpy(), shots, target, float(confidence), rng)
            rows.append((name, target, *ends, len(scores)))
    return pd.DataFrame(rows, columns=_OUTPUT_COLUMNS)


def _select_metric(results: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the rows of a metric after checking columns and values."""
    missing = [name for name in _INPUT_COLUMNS if name not in results]
    if missing:
        raise ValueError(
            f"results lack the columns {', '.join(missing)}; expected a row per fold, as returned by "
            "few_shot_curve"
        )
    ours = results[results["metric"] == metric]
    if ours.empty:
        known = ", ".join(map(str, results["metric"].unique())) or "none"
        raise ValueError(f"results hold no metric {metric!r}; they hold: {known}")
    outside = ours["value"][~ours["value"].between(0, 1)]
    if len(outside):
        raise ValueError(
            f"{metric} has the value {outside.iloc[0]}; expected scores from 0 to 1, where 1 is best"
        )
    return ours


def _scores_by_repeat(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return a pipeline's means over folds, one row per complete repeat and one column per n_shots."""
    table = rows.pivot_table(index="repeat", columns="n_shots", values="value", aggfunc="mean")
    shots = ", ".join(f"{n:g}" for n in table.columns) or "none"
    if table.shape[1] < N_PARAMETERS:
        raise ValueError(
            f"{name} has scores of {table.shape[1]} numbers of clips per class ({shots}), and a power law "
            f"takes {N_PARAMETERS} or more; run few_shot_curve with n_shots such as (1, 2, 5, 10)"
        )
    complete = table.dropna()
    if len(complete) < 2:
        raise ValueError(
            f"{name} has {len(complete)} repeats with all of n_shots {shots}, too few to estimate the "
            "variance over draws; expected 2 or more, better 10: set n_repeats of few_shot_curve"
        )
    return complete


def _check_targets(n_shots: int | Sequence[int] | None, name: str, largest: int) -> list[int]:
    """Return the numbers of clips per class to estimate the score for."""
    if n_shots is None:
        return [2 * largest]
    targets = np.atleast_1d(n_shots).tolist()
    for target in targets:
        if isinstance(target, bool) or not isinstance(target, Integral) or target <= largest:
            raise ValueError(
                f"n_shots={target!r}; expected an integer above {largest}, the most clips per class that "
                f"{name} has scores for"
            )
    return [int(target) for target in targets]


def _estimate_score(
    errors: NDArray, shots: NDArray, target: int, confidence: float, rng: np.random.RandomState
) -> tuple[float, float, float]:
    """Estimate the score at `target` and its interval from errors of shape (n_repeats, n_shots)."""
    mean = errors.mean(axis=0)
    weights = 1 / _variances(errors)
    floor, slope, misfit = _fit_power_laws(shots, mean[None], weights)
    at_target = target**-EXPONENTS
    best = misfit[0].argmin()
    score = 1 - (floor[0, best] + slope[0, best] * at_target[best])
    # Misfit beyond the spread of the repeats is due to the power law and widens the interval.
    excess = max(1.0, misfit[0, best] / max(len(shots) - N_PARAMETERS, 1))
    drawn = np.clip(_draw_means(errors, excess, rng), 0, 1)
    floor, slope, misfit = _fit_power_laws(shots, drawn, weights)
    chosen = _draw_exponents(misfit / excess, rng)
    curves = np.arange(len(drawn))
    scores = 1 - (floor[curves, chosen] + slope[curves, chosen] * at_target[chosen])
    low, high = np.quantile(np.clip(scores, 0, 1), [(1 - confidence) / 2, (1 + confidence) / 2])
    score = float(np.clip(score, 0, 1))
    return score, min(float(low), score), max(float(high), score)


def _variances(errors: NDArray) -> NDArray:
    """Compute the variances of the means over repeats, with a lower bound."""
    variances = errors.var(axis=0, ddof=1) / len(errors)
    # The constant avoids division by zero if all repeats agree.
    return np.maximum(variances, MIN_RELATIVE_SPREAD**2 * variances.mean() + 1e-8)


def _fit_power_laws(shots: NDArray, errors: NDArray, weights: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Fit a and b for every exponent c to each row of errors of shape (n_curves, n_shots).

    Returns
    -------
    a, b, misfit : ndarray of shape (n_curves, n_exponents)
        Non-negative floors and slopes, and weighted sums of squared residuals.
    """
    powers = shots ** -EXPONENTS[:, None]
    weighted = errors * weights
    centre = (powers @ weights) / weights.sum()
    centred = powers - centre[:, None]
    b = np.maximum(weighted @ centred.T / (centred**2 @ weights), 0)
    a = weighted.sum(axis=1, keepdims=True) / weights.sum() - b * centre
    # If the unconstrained optimum has a negative floor, the constrained one has a floor of zero.
    on_edge = a < 0
    b = np.where(on_edge, weighted @ powers.T / (powers**2 @ weights), b)
    a = np.where(on_edge, 0, a)
    residuals = errors[:, None] - a[..., None] - b[..., None] * powers
    return a, b, residuals**2 @ weights


def _draw_means(errors: NDArray, excess: float, rng: np.random.RandomState) -> NDArray:
    """Draw means over repeats from their sampling distribution, shape (N_DRAWS, n_shots).

    A bootstrap over repeats would be equivalent for many repeats, but far too narrow for three; Student's t
    accounts for that.
    """
    n_repeats, n_shots = errors.shape
    covariance = excess * np.cov(errors, rowvar=False) / n_repeats
    normal = rng.multivariate_normal(np.zeros(n_shots), covariance, size=N_DRAWS)
    freedom = n_repeats - 1
    tails = np.sqrt(freedom / rng.chisquare(freedom, size=(N_DRAWS, 1)))
    return errors.mean(axis=0) + normal * tails


def _draw_exponents(misfit: NDArray, rng: np.random.RandomState) -> NDArray[np.intp]:
    """Sample the index of an exponent for each curve, weighted by likelihood."""
    likelihood = np.exp(-(misfit - misfit.min(axis=1, keepdims=True)) / 2)
    shares = likelihood.cumsum(axis=1) / likelihood.sum(axis=1, keepdims=True)
    indices = (shares < rng.random_sample((len(misfit), 1))).sum(axis=1)
    return np.minimum(indices, misfit.shape[1] - 1)
