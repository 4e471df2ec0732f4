"""Self-training of a ridge regression with unlabelled clips."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from .calibration import Calibration
from .duplicate_rows import find_duplicates
from .system import Penalty, RidgeFit, RidgeSystem

Array = NDArray[np.float64]

UNLABELLED = -1
# Weight of an unlabelled clip relative to a labelled one. All values from 0.01 to 0.3 work equally well.
UNLABELLED_WEIGHT = 0.1
# With two clips per class, ten rounds are up to four points better than five; from five clips on, two
# suffice.
N_ROUNDS = 10


class CalibratedFit(NamedTuple):
    """Fit with its temperature, and the leave-one-out scores of the labelled rows."""

    fit: RidgeFit
    left_out: Array
    temperature: float


def find_labelled(y: NDArray) -> NDArray[np.bool_]:
    """Find the labelled clips: all labels except -1, which becomes "-1" in an array of strings.

    Parameters
    ----------
    y : ndarray of shape (n_clips,)
        Labels.

    Returns
    -------
    ndarray of shape (n_clips,)
        Whether each clip has a label.

    Raises
    ------
    ValueError
        If no clip has a label.
    """
    labelled = is_labelled(y)
    if not labelled.any():
        raise ValueError(
            f"every label is {UNLABELLED}, which means unlabelled; label some clips of at least two classes"
        )
    return labelled


def is_labelled(y: NDArray) -> NDArray[np.bool_]:
    """Return whether each clip (n_clips,) has a label, also if no clip has one."""
    labelled: NDArray[np.bool_] = y != (str(UNLABELLED) if y.dtype.kind == "U" else UNLABELLED)
    return labelled


def select_unlabelled(X: Array, labelled: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Select the unlabelled rows that are not duplicates of labelled rows or of each other."""
    if labelled.all():
        return np.empty(0, dtype=np.int64)
    order = np.concatenate([np.flatnonzero(labelled), np.flatnonzero(~labelled)])
    first = find_duplicates(X[order]) == np.arange(len(X))
    first[: labelled.sum()] = False
    return order[first]


def fit_labelled(
    system: RidgeSystem,
    Y: Array,
    penalty: Penalty,
    calibration: Calibration,
    expected: float | None,
) -> CalibratedFit:
    """Fit a regression to labelled rows only, with the parameters of `RidgeSystem.fit`."""
    fit = system.fit(Y, penalty, expected=expected)
    left_out = system.predict_left_out(Y, fit.penalty)
    return CalibratedFit(fit, left_out, calibration.find_temperature(fit.predict(system.H), left_out))


def self_train(
    system: RidgeSystem, Y: Array, penalty: Penalty, calibration: Calibration, *, start: CalibratedFit
) -> CalibratedFit:
    """Fit a regression to labelled rows and to unlabelled rows with pseudo-labels.

    In each round, the pseudo-labels are the probabilities predicted by the previous fit without the row, so
    that no pseudo-label confirms itself.

    Parameters
    ----------
    system : RidgeSystem
        Labelled rows, followed by unlabelled rows.
    Y : ndarray of shape (n_labelled, n_classes)
        Targets of the labelled rows, which sum to 0.
    penalty : float, array-like of shape (n_penalties,) or "auto"
        As in `RidgeSystem.fit`.
    calibration : Calibration
        Calibration from the labelled rows.
    start : CalibratedFit
        Fit to the labelled rows only.

    Returns
    -------
    CalibratedFit
    """
    n_labelled, n_classes = Y.shape
    temperature, scores = start.temperature, start.fit.predict(system.H[n_labelled:])
    # With the mean of the pseudo-labels, a class that is predicted often would be predicted ever more often.
    mean = np.average(Y, axis=0, weights=system.weights[:n_labelled])
    for _ in range(N_ROUNDS):
        pseudo_labels = softmax(scores / temperature, axis=1) - 1 / n_classes
        targets = np.vstack([Y, pseudo_labels])
        fit = system.fit(targets, penalty, mean)
        left_out = system.predict_left_out(targets, fit.penalty, mean)
        known, scores = left_out[:n_labelled], left_out[n_labelled:]
        # Drawn to a fixed sharpness, probabilities of random classes would grow with each round.
        own = fit.predict(system.H[:n_labelled])
        temperature = calibration.find_temperature(own, known, draw=False)
    return CalibratedFit(fit, known, temperature)
