"""Fits with and without augmented copies, averaged by how well they predict left-out clips.

Copies show which changes do not matter. That a voice at another pitch is the same class is right for words
and wrong for speakers, and left-out clips tell which.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax, logit

from .calibration import Calibration
from .self_training import CalibratedFit, fit_labelled
from .system import Penalty, RidgeSystem

Array = NDArray[np.float64]

# Share of the fit with copies in the scores before any clip is left out.
PRIOR_SHARE = 0.7


class AveragedFit(NamedTuple):
    """Average of a fit to all rows and a fit to the rows that are not copies.

    Parameters
    ----------
    calibration : Calibration
        Calibration of the rows that are not copies.
    found : CalibratedFit
        Averaged fit, with the leave-one-out scores of the rows that are not copies.
    share : float
        Share of the fit with copies, from 0 to 1.
    """

    calibration: Calibration
    found: CalibratedFit
    share: float


def find_originals(codes: NDArray[np.intp], weights: Array, groups: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Find the rows with the largest weight of their class in their group.

    Augmented copies have less weight than their clips.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Class indices of the rows.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    groups : ndarray of shape (n_rows,)
        Groups of the rows.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    pairs = np.unique(np.column_stack([codes, groups]), axis=0, return_inverse=True)[1].ravel()
    heaviest = np.zeros(pairs.max() + 1)
    np.maximum.at(heaviest, pairs, weights)
    is_original: NDArray[np.bool_] = weights >= heaviest[pairs]
    return is_original


def average_without_copies(
    system: RidgeSystem,
    Y: Array,
    penalty: Penalty,
    calibration: Calibration,
    with_copies: CalibratedFit,
    rows: NDArray[np.intp],
    expected: float | None,
) -> AveragedFit:
    """Fit a regression without copies, and average it with the fit to all rows.

    The odds of the fit with copies are multiplied by the ratio of the likelihoods of the left-out clips.

    Parameters
    ----------
    system : RidgeSystem
        All rows.
    Y : ndarray of shape (n_rows, n_classes)
        Targets of all rows.
    penalty : float, array-like of shape (n_penalties,) or "auto"
        As in `RidgeSystem.fit`.
    calibration : Calibration
        Calibration from all rows.
    with_copies : CalibratedFit
        Fit to all rows.
    rows : ndarray of shape (n_originals,)
        Indices of the rows that are not copies.
    expected : float or None
        As in `RidgeSystem.fit`.

    Returns
    -------
    AveragedFit
    """
    kept = Calibration(calibration.codes[rows], calibration.weights[rows], calibration.groups[rows])
    alone = RidgeSystem(
        system.H[rows],
        kept.weights,
        groups=kept.groups,
        counted=kept.usable,
        fit_intercept=system.fit_intercept,
        device=system.root.device,
    )
    without = fit_labelled(alone, Y[rows], penalty, kept, expected)
    full = with_copies._replace(left_out=with_copies.left_out[rows])
    share = float(expit(logit(PRIOR_SHARE) + _log_likelihood(full, kept) - _log_likelihood(without, kept)))
    mixed = replace(
        full.fit,
        coef=share * full.fit.coef + (1 - share) * without.fit.coef,
        intercept=share * full.fit.intercept + (1 - share) * without.fit.intercept,
    )
    left_out = share * full.left_out + (1 - share) * without.left_out
    temperature = kept.find_temperature(mixed.predict(alone.H), left_out)
    return AveragedFit(kept, CalibratedFit(mixed, left_out, temperature), share)


def _log_likelihood(found: CalibratedFit, calibration: Calibration) -> float:
    """Return the log likelihood of the left-out clips whose class has others."""
    log_proba = log_softmax(found.left_out / found.temperature, axis=1)
    own = log_proba[np.arange(len(log_proba)), calibration.codes]
    return float(calibration.observations[calibration.usable] @ own[calibration.usable])
