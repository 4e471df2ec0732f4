"""Temperature and rejection threshold from leave-one-out scores."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

# In standard deviations of the scores: from nearly certain to nearly equal probabilities.
TEMPERATURE_RANGE = (1e-2, 1e2)
# The temperature is the mean margin of the training clips divided by this number if no class has two clips.
# A compromise: of 7.5 to 11.5, the lowest value is the best for some kinds of sound, the highest for others.
ONE_SHOT_SHARPNESS = 10.0
# The same with several clips per class, as the temperature that is expected before any clip is left out.
EXPECTED_SHARPNESS = 12.0
# Penalty on the squared logarithm of the ratio of the temperature to the expected one, in units of the log
# loss of a clip. Twenty left-out clips are too few to trust them alone.
PRIOR_STRENGTH = 5.0
ROUNDING_ERROR = 1e-12  # relative to the largest score


class Calibration:
    """Calibration from rows whose class occurs in at least two groups.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Class indices of the rows.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    groups : ndarray of shape (n_rows,)
        Groups of the rows. Rows of one group are left out together.
    """

    def __init__(
        self, codes: NDArray[np.int64], weights: NDArray[np.float64], groups: NDArray[np.int64]
    ) -> None:
        self.codes = codes
        self.weights = weights
        self.groups = groups
        classes = np.unique(np.column_stack([codes, groups]), axis=0)[:, 0]
        self.usable = np.bincount(classes)[codes] > 1
        # A clip and its copies are one observation, however many copies there are.
        heaviest = np.zeros(groups.max() + 1)
        np.maximum.at(heaviest, groups[self.usable], weights[self.usable])
        total = weights[self.usable].sum()
        self.observations = weights * (heaviest.sum() / total if total > 0 else 0.0)

    @property
    def has_usable_rows(self) -> bool:
        """Whether any class occurs in at least two groups."""
        return bool(self.usable.any())

    def find_temperature(
        self, scores: NDArray[np.float64], left_out: NDArray[np.float64], *, draw: bool = True
    ) -> float:
        """Find the divisor of the scores before the softmax.

        Parameters
        ----------
        scores : ndarray of shape (n_rows, n_classes)
            Scores of the rows by a fit to all rows.
        left_out : ndarray of shape (n_rows, n_classes)
            Scores of the rows by fits without them.
        draw : bool, default=True
            Whether the temperature is drawn to the expected one.

        Returns
        -------
        float
        """
        n_classes = scores.shape[1]
        margins = scores[np.arange(len(scores)), self.codes] * n_classes / (n_classes - 1)
        margin = float(np.average(margins, weights=self.weights))
        if not self.has_usable_rows:
            return margin / ONE_SHOT_SHARPNESS or 1.0
        kept = self.usable
        expected = margin / EXPECTED_SHARPNESS if draw else None
        return find_temperature(left_out[kept], self.codes[kept], self.observations[kept], expected)


def find_temperature(
    scores: NDArray[np.float64],
    codes: NDArray[np.int64],
    weights: NDArray[np.float64],
    expected: float | None = None,
) -> float:
    """Find the temperature that minimises the log loss of the softmax of the scores.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Scores of rows that the regression was not fitted to.
    codes : ndarray of shape (n_rows,)
        True class indices of the rows.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    expected : float, default=None
        Temperature expected without the rows, to which the result is drawn if there are few rows. None, or a
        number of 0 or less, has no effect.

    Returns
    -------
    float
        The temperature; 1 if every row has equal scores.

    Notes
    -----
    If all rows are classified correctly, the log loss decreases with the temperature without limit. As in
    Platt scaling, the targets are therefore smoothed: all rows together have one more target, which is shared
    equally by the classes.
    """
    spread = float(np.sqrt(np.square(scores - scores.mean(axis=1, keepdims=True)).mean()))
    if spread <= ROUNDING_ERROR * np.abs(scores).max():
        return 1.0

    strength, centre = 0.0, 0.0
    if expected is not None and expected > 0:
        strength, centre = PRIOR_STRENGTH, float(np.log(expected / spread))

    def loss(log_temperature: float) -> float:
        log_proba = log_softmax(scores / (spread * np.exp(log_temperature)), axis=1)
        own = log_proba[np.arange(len(codes)), codes]
        unexpected = strength * (log_temperature - centre) ** 2
        return unexpected - float(weights @ own + np.average(log_proba.mean(axis=1), weights=weights))

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURE_RANGE), method="bounded")
    return spread * float(np.exp(found.x))


def familiarity(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return minus the squared distance between scores and the targets of the nearest class.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Scores, fitted to 1 for the class of a row and 0 for the others, minus the mean.

    Returns
    -------
    ndarray of shape (n_rows,)
        Familiarity of each row; 0 at most.
    """
    # Minus |s - (e_k - 1 / n)|^2 for scores s that sum to 0, where k is the class with the highest score.
    return 2 * scores.max(axis=1) - np.square(scores).sum(axis=1) - (1 - 1 / scores.shape[1])


def find_threshold(left_out: NDArray[np.float64], rate: float, weights: NDArray[np.float64]) -> float:
    """Find the value below which a new clip falls with a probability of at most `rate`.

    Parameters
    ----------
    left_out : ndarray of shape (n_rows,)
        Values of training clips by fits without them.
    rate : float
        Probability, between 0 and 1.
    weights : ndarray of shape (n_rows,)
        Number of clips that each value represents.

    Returns
    -------
    float
        One of the values; minus infinity if there are too few of them for the rate.
    """
    # Every rank of a new clip among the training clips and itself is equally likely.
    order = np.argsort(left_out)
    n_below = np.cumsum(weights[order]) - weights[order]
    allowed = np.flatnonzero(n_below <= rate * (weights.sum() + 1) - 1)
    return float(left_out[order[allowed[-1]]]) if len(allowed) else -np.inf
