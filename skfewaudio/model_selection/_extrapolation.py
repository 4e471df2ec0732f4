"""From scores of few clips per class to an estimate of those of more."""

from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ._split import RandomState

# Exponents c of the power law that are tried, from nearly logarithmic to at the floor after a few clips.
EXPONENTS = np.linspace(0.02, 2, 100)
N_DRAWS = 2000  # of curves: the ends of a 95 % interval then vary by 1 to 2 % of its width
N_PARAMETERS = 3
# A spread far below that of the other numbers of clips is chance, and would pin the curve to one point.
LEAST_SPREAD = 0.3
_COLUMNS = ("pipeline", "n_shots", "repeat", "metric", "value")
_RESULT = ["pipeline", "n_shots", "mean", "low", "high", "n_repeats"]


def extrapolate_curve(
    results: pd.DataFrame,
    *,
    n_shots: int | Sequence[int] | None = None,
    metric: str = "accuracy",
    confidence: float = 0.95,
    random_state: RandomState = 0,
) -> pd.DataFrame:
    r"""Estimate what more labelled clips per class would bring, with an interval.

    The error, 1 less the score, is taken to fall as :math:`a + b\,n^{-c}` with a, b and c not negative, which
    describes learning curves well [1]_ until they leave chance level, and not before.

    Parameters
    ----------
    results : DataFrame
        A row per pipeline, n_shots, repeat, fold and metric, as `few_shot_curve` gives it: at least three
        numbers of clips, of two repeats or more. Repeats that lack one of the numbers do not count.
    n_shots : int, sequence of int or None, default=None
        Labelled clips per class to estimate the score of; None is twice the most that a pipeline has.
    metric : str, default="accuracy"
        Which of the metrics: a score between 0 and 1, higher being better.
    confidence : float, default=0.95
        Share of intervals that should hold the mean score over all draws of clips.
    random_state : int, RandomState or None, default=0
        Decides the simulated curves.

    Returns
    -------
    DataFrame
        Columns pipeline (in order of appearance), n_shots, mean (the estimate), low and high (the interval),
        and n_repeats, those that counted.

    Raises
    ------
    ValueError
        If a column or the metric is missing, a pipeline has fewer than three numbers of clips or two repeats,
        a score is not between 0 and 1, or `n_shots` is not above all that is at hand.

    See Also
    --------
    few_shot_curve : Computes the rows.

    Notes
    -----
    Means over folds are fitted by least squares, weighted by their variance over the repeats. For the
    interval, means are drawn anew from Student's t with the covariance that the repeats have, and of the laws
    that fit these about equally well one is drawn by its likelihood. Both spread more where the power law
    fits badly. The interval holds neither for another data set nor for other test folds, and it cannot know
    of a bend that the numbers of clips at hand do not show. How often it held is in the documentation's
    benchmarks.

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
    for name, ours in _take_metric(results, metric).groupby("pipeline", sort=False):
        scores = _tabulate(str(name), ours)
        shots = scores.columns.to_numpy(dtype=float)
        for target in _check_targets(n_shots, str(name), int(shots[-1])):
            ends = _extrapolate(1 - scores.to_numpy(), shots, target, float(confidence), rng)
            rows.append((name, target, *ends, len(scores)))
    return pd.DataFrame(rows, columns=_RESULT)


def _take_metric(results: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Give the rows of a metric, checked."""
    missing = [name for name in _COLUMNS if name not in results]
    if missing:
        raise ValueError(
            f"results lack the columns {', '.join(missing)}; expected a row per fold, as few_shot_curve gives"
        )
    ours = results[results["metric"] == metric]
    if ours.empty:
        known = ", ".join(map(str, results["metric"].unique())) or "none"
        raise ValueError(f"results hold no metric {metric!r}; they hold: {known}")
    outside = ours["value"][~ours["value"].between(0, 1)]
    if len(outside):
        raise ValueError(
            f"{metric} has the value {outside.iloc[0]}; expected scores from 0 to 1, 1 being the best"
        )
    return ours


def _tabulate(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Give a pipeline's means over folds, repeats by numbers of clips."""
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
            f"{name} has {len(complete)} repeats with all of n_shots {shots}, which says nothing of how much "
            "the draw of the clips matters; expected 2 or more, better 10: set n_repeats of few_shot_curve"
        )
    return complete


def _check_targets(n_shots: int | Sequence[int] | None, name: str, largest: int) -> list[int]:
    """Give the numbers of clips to estimate the score of."""
    if n_shots is None:
        return [2 * largest]
    targets = np.atleast_1d(n_shots).tolist()
    for target in targets:
        if isinstance(target, bool) or not isinstance(target, Integral) or target <= largest:
            raise ValueError(
                f"n_shots={target!r}; expected an integer above {largest}, the most clips per class that "
                f"{name} has scores of"
            )
    return [int(target) for target in targets]


def _extrapolate(
    errors: NDArray, shots: NDArray, target: int, confidence: float, rng: np.random.RandomState
) -> tuple[float, float, float]:
    """Give the score at `target` and the ends of its interval, of errors (n_repeats, n_shots)."""
    mean = errors.mean(axis=0)
    weights = 1 / _variances(errors)
    floor, slope, misfit = _fit(shots, mean[None], weights)
    at_target = target**-EXPONENTS
    best = misfit[0].argmin()
    score = 1 - (floor[0, best] + slope[0, best] * at_target[best])
    # Misfit beyond what the repeats' spread explains is the power law's, and widens the interval.
    excess = max(1.0, misfit[0, best] / max(len(shots) - N_PARAMETERS, 1))
    drawn = np.clip(_draw_means(errors, excess, rng), 0, 1)
    floor, slope, misfit = _fit(shots, drawn, weights)
    chosen = _draw_laws(misfit / excess, rng)
    curves = np.arange(len(drawn))
    scores = 1 - (floor[curves, chosen] + slope[curves, chosen] * at_target[chosen])
    low, high = np.quantile(np.clip(scores, 0, 1), [(1 - confidence) / 2, (1 + confidence) / 2])
    score = float(np.clip(score, 0, 1))
    return score, min(float(low), score), max(float(high), score)


def _variances(errors: NDArray) -> NDArray:
    """Give the variances of the means over repeats, none far below the others."""
    variances = errors.var(axis=0, ddof=1) / len(errors)
    # Where all repeats agree, any weights do as long as they are equal.
    return np.maximum(variances, LEAST_SPREAD**2 * variances.mean() + 1e-8)


def _fit(shots: NDArray, errors: NDArray, weights: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Fit a and b for every exponent c to each row of errors (n_curves, n_shots).

    Returns
    -------
    a, b, misfit : ndarray of shape (n_curves, n_exponents)
        Non-negative floors and slopes, and weighted sums of squares.
    """
    powers = shots ** -EXPONENTS[:, None]
    weighted = errors * weights
    centre = (powers @ weights) / weights.sum()
    centred = powers - centre[:, None]
    b = np.maximum(weighted @ centred.T / (centred**2 @ weights), 0)
    a = weighted.sum(axis=1, keepdims=True) / weights.sum() - b * centre
    # Of two non-negative unknowns, the best with a negative first lies on the edge where that is zero.
    on_edge = a < 0
    b = np.where(on_edge, weighted @ powers.T / (powers**2 @ weights), b)
    a = np.where(on_edge, 0, a)
    residuals = errors[:, None] - a[..., None] - b[..., None] * powers
    return a, b, residuals**2 @ weights


def _draw_means(errors: NDArray, excess: float, rng: np.random.RandomState) -> NDArray:
    """Draw means of the repeats as they could have come out, (N_DRAWS, n_shots).

    Resampling the repeats themselves does the same with many of them, but of three gives far too narrow a
    spread; Student's t makes up for that.
    """
    n_repeats, n_shots = errors.shape
    covariance = excess * np.cov(errors, rowvar=False) / n_repeats
    normal = rng.multivariate_normal(np.zeros(n_shots), covariance, size=N_DRAWS)
    freedom = n_repeats - 1
    tails = np.sqrt(freedom / rng.chisquare(freedom, size=(N_DRAWS, 1)))
    return errors.mean(axis=0) + normal * tails


def _draw_laws(misfit: NDArray, rng: np.random.RandomState) -> NDArray[np.intp]:
    """Choose an exponent for each curve by its likelihood."""
    likelihood = np.exp(-(misfit - misfit.min(axis=1, keepdims=True)) / 2)
    shares = likelihood.cumsum(axis=1) / likelihood.sum(axis=1, keepdims=True)
    places = (shares < rng.random_sample((len(misfit), 1))).sum(axis=1)
    return np.minimum(places, misfit.shape[1] - 1)
