"""What scores of clips that were left out say of a classifier's calibration."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

# Of a temperature, in deviations of the scores: probabilities from next to certain to next to equal.
TEMPERATURES = (1e-2, 1e2)
# A training clip's margin over this is the temperature where no class has two clips: the best for one clip
# per class of the embedded data set (benchmarks/few_shot_classifier.py --studies sharpness).
ONE_SHOT_SHARPNESS = 7.5
EQUAL = 1e-12  # of the largest score: differences that are rounding


class Calibration:
    """What certainty can be learnt from some rows: from those of a class that others are of, too.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Their classes.
    weights : ndarray of shape (n_rows,)
        Of the rows.
    groups : ndarray of shape (n_rows,)
        Rows of a group are left out together.
    """

    def __init__(
        self, codes: NDArray[np.int64], weights: NDArray[np.float64], groups: NDArray[np.int64]
    ) -> None:
        self.codes = codes
        self.weights = weights
        classes = np.unique(np.column_stack([codes, groups]), axis=0)[:, 0]
        self.repeated = np.bincount(classes)[codes] > 1

    @property
    def has_repeated(self) -> bool:
        """Whether there is anything to learn from."""
        return bool(self.repeated.any())

    def find_temperature(self, scores: NDArray[np.float64], left_out: NDArray[np.float64]) -> float:
        """Find by what scores are to be divided before the softmax.

        Parameters
        ----------
        scores : ndarray of shape (n_rows, n_classes)
            Of the rows under a fit to all of them.
        left_out : ndarray of shape (n_rows, n_classes)
            Under fits without them.

        Returns
        -------
        float
        """
        if self.has_repeated:
            kept = self.repeated
            return find_temperature(left_out[kept], self.codes[kept], self.weights[kept])
        n_classes = scores.shape[1]
        margins = scores[np.arange(len(scores)), self.codes] * n_classes / (n_classes - 1)
        return float(np.average(margins, weights=self.weights)) / ONE_SHOT_SHARPNESS or 1.0

    def find_threshold(self, left_out: NDArray[np.float64], rate: float) -> float:
        """Find the familiarity that a new clip of a known class falls below with a probability of `rate`.

        Parameters
        ----------
        left_out : ndarray of shape (n_rows, n_classes)
            Scores of the rows under fits without them.
        rate : float
            Between 0 and 1.

        Returns
        -------
        float
        """
        return find_threshold(familiarity(left_out[self.repeated]), rate, self.weights[self.repeated])


def find_temperature(
    scores: NDArray[np.float64], codes: NDArray[np.int64], weights: NDArray[np.float64]
) -> float:
    """Find by what scores are to be divided so that their softmax has the least log loss.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Of rows that the scores were not fitted to.
    codes : ndarray of shape (n_rows,)
        The rows' true classes.
    weights : ndarray of shape (n_rows,)
        Of the rows.

    Returns
    -------
    float
        1 where all scores are equal.

    Notes
    -----
    Where all rows are right, ever lower temperatures would fit ever better. As in Platt's scaling, the
    targets are therefore not quite certain: all rows together have one more, shared among the classes.
    """
    spread = float(np.sqrt(np.square(scores - scores.mean(axis=1, keepdims=True)).mean()))
    if spread <= EQUAL * np.abs(scores).max():
        return 1.0

    def loss(log_temperature: float) -> float:
        log_proba = log_softmax(scores / (spread * np.exp(log_temperature)), axis=1)
        own = log_proba[np.arange(len(codes)), codes]
        return -float(weights @ own + np.average(log_proba.mean(axis=1), weights=weights))

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return spread * float(np.exp(found.x))


def familiarity(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how near scores are to what is wanted of a class.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Fitted to 1 for a row's class and 0 for others, less their mean.

    Returns
    -------
    ndarray of shape (n_rows,)
        Minus the squared distance from the targets of the nearest class.
    """
    # |s - (e_k - 1 / n)|^2 for scores that sum to 0, with the k of the highest score.
    return 2 * scores.max(axis=1) - np.square(scores).sum(axis=1) - (1 - 1 / scores.shape[1])


def find_threshold(left_out: NDArray[np.float64], rate: float, weights: NDArray[np.float64]) -> float:
    """Find the value that a new clip falls below with a probability of `rate` at most.

    Parameters
    ----------
    left_out : ndarray of shape (n_rows,)
        Values of training clips under fits without them.
    rate : float
        Between 0 and 1.
    weights : ndarray of shape (n_rows,)
        How many clips each stands for.

    Returns
    -------
    float
        One of those values; minus infinity where they are too few for so small a rate.
    """
    # A new clip is as likely to have any rank among them and itself.
    order = np.argsort(left_out)
    n_below = np.cumsum(weights[order]) - weights[order]
    allowed = np.flatnonzero(n_below <= rate * (weights.sum() + 1) - 1)
    return float(left_out[order[allowed[-1]]]) if len(allowed) else -np.inf
