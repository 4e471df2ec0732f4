"""Learning from clips without a label."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from .calibration import Calibration
from .duplicate_rows import find_duplicates
from .system import Penalty, RidgeFit, RidgeSystem

Array = NDArray[np.float64]

UNLABELLED = -1
# What a clip without a label weighs beside one with. From 0.01 to 0.3 all do as well.
UNLABELLED_WEIGHT = 0.1
# With two clips per class ten are up to four points better than five; from five clips on two are enough.
N_ROUNDS = 10


class Regression(NamedTuple):
    """A fit, and what it says of the labelled rows when they are left out."""

    fit: RidgeFit
    left_out: Array
    temperature: float


def find_labelled(y: NDArray) -> NDArray[np.bool_]:
    """Tell the clips that have a label: any but -1, which becomes "-1" in an array of strings.

    Parameters
    ----------
    y : ndarray of shape (n_clips,)
        Labels.

    Returns
    -------
    ndarray of shape (n_clips,)

    Raises
    ------
    ValueError
        If no clip has one.
    """
    labelled = y != (str(UNLABELLED) if y.dtype.kind == "U" else UNLABELLED)
    if not labelled.any():
        raise ValueError(
            f"every label is {UNLABELLED}, which stands for none; give some clips of two classes their labels"
        )
    return labelled


def select_unlabelled(X: Array, labelled: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give the rows without a label that are no copies of rows with one, nor of each other."""
    if labelled.all():
        return np.empty(0, dtype=np.int64)
    order = np.concatenate([np.flatnonzero(labelled), np.flatnonzero(~labelled)])
    first = find_duplicates(X[order]) == np.arange(len(X))
    first[: labelled.sum()] = False
    return order[first]


def fit_labelled(system: RidgeSystem, Y: Array, penalty: Penalty, calibration: Calibration) -> Regression:
    """Fit a regression to rows that are all labelled."""
    fit = system.fit(Y, penalty)
    left_out = system.predict_left_out(Y, fit.penalty)
    return Regression(fit, left_out, calibration.find_temperature(system.H @ fit.coef, left_out))


def self_train(
    system: RidgeSystem, Y: Array, penalty: Penalty, calibration: Calibration, *, start: Regression
) -> Regression:
    """Fit a regression to labelled rows and to others after them, whose targets are guessed.

    In each round the guesses are the probabilities of the last fit without the row, so that none confirms
    itself.

    Parameters
    ----------
    system : RidgeSystem
        The labelled rows and then the others.
    Y : ndarray of shape (n_labelled, n_classes)
        Targets, which sum to 0.
    penalty : float, array-like of shape (n_penalties,) or "auto"
        As in `RidgeSystem.fit`.
    certainty : Calibration
        Of the labelled rows.
    start : Regression
        On these alone.

    Returns
    -------
    Regression
    """
    n_labelled, n_classes = Y.shape
    temperature, scores = start.temperature, system.H[n_labelled:] @ start.fit.coef
    for _ in range(N_ROUNDS):
        guesses = softmax(scores / temperature, axis=1) - 1 / n_classes
        targets = np.vstack([Y, guesses])
        fit = system.fit(targets, penalty)
        left_out = system.predict_left_out(targets, fit.penalty)
        known, scores = left_out[:n_labelled], left_out[n_labelled:]
        temperature = calibration.find_temperature(system.H[:n_labelled] @ fit.coef, known)
    return Regression(fit, known, temperature)
