"""Thresholds of probabilities from events that the classifiers were not fitted to."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Thresholds stay in this range, because few events say little about its ends.
LOWEST, HIGHEST = 0.3, 0.95
# Without a wanted precision or recall. The threshold with the highest F-score in scenes varies from draw to
# draw of a handful of clips; this one has few false alarms in docs/benchmarks/event-detection.md.
DEFAULT_THRESHOLD = 0.45


class Threshold(NamedTuple):
    """A threshold, and the precision and recall that the events suggest."""

    threshold: float
    precision: float
    recall: float


def choose_threshold(
    found: ArrayLike, false: ArrayLike, *, precision: float | None = None, recall: float | None = None
) -> Threshold:
    """Choose the threshold with a wanted precision or recall; the default one if none is wanted.

    Parameters
    ----------
    found : array-like of shape (n_events,)
        Probability with which each event was found; 0 if it was missed.
    false : array-like of shape (n_false,)
        Probabilities of detections that are no events.
    precision : float, default=None
        Wanted precision: the lowest threshold with this precision is chosen, or the one with the highest
        precision.
    recall : float, default=None
        Wanted recall: the highest threshold with this recall is chosen, or the one with the highest recall.

    Returns
    -------
    Threshold

    Raises
    ------
    ValueError
        If both precision and recall are given.
    """
    check_wanted(precision, recall)
    true, wrong = np.asarray(found, dtype=float), np.asarray(false, dtype=float)
    candidates = np.array([DEFAULT_THRESHOLD])
    if precision is not None or recall is not None:
        candidates = _candidates(np.concatenate([true[true > 0], wrong]))
    precisions, recalls = _rates(true, wrong, candidates)
    chosen = 0
    if precision is not None:
        chosen = _first(precisions >= precision, int(precisions.argmax()))
    elif recall is not None:
        chosen = len(candidates) - 1 - _first(recalls[::-1] >= recall, int(recalls[::-1].argmax()))
    return Threshold(float(candidates[chosen]), float(precisions[chosen]), float(recalls[chosen]))


def check_wanted(precision: float | None, recall: float | None) -> None:
    """Raise ValueError if both a precision and a recall are wanted."""
    if precision is not None and recall is not None:
        raise ValueError(
            f"precision={precision} and recall={recall}; expected one of them, the other as None"
        )


def _rates(
    found: ArrayLike, false: ArrayLike, thresholds: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return precision and recall at thresholds."""
    true, wrong = np.asarray(found, dtype=float), np.asarray(false, dtype=float)
    n_true = (true[:, None] >= thresholds).sum(axis=0)
    n_wrong = (wrong[:, None] >= thresholds).sum(axis=0)
    # One more of each, as in the rule of succession: no few events prove a precision or recall of 1.
    return (n_true + 1) / (n_true + n_wrong + 2), (n_true + 1) / (len(true) + 2)


def _candidates(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return thresholds between neighbouring scores, in the order of size."""
    inside = np.unique(np.clip(scores, LOWEST, HIGHEST))
    return np.unique(np.concatenate([[LOWEST], (inside[1:] + inside[:-1]) / 2, [HIGHEST]]))


def _first(mask: NDArray[np.bool_], otherwise: int) -> int:
    return int(mask.argmax()) if mask.any() else otherwise
