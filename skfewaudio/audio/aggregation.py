"""Aggregation of the scores of patches into scores of clips."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def _mean(scores: NDArray, starts: NDArray, counts: NDArray) -> NDArray:
    return np.add.reduceat(scores, starts, axis=0) / counts[:, None]


def _max(scores: NDArray, starts: NDArray, counts: NDArray) -> NDArray:
    return np.maximum.reduceat(scores, starts, axis=0)


def _vote(scores: NDArray, starts: NDArray, counts: NDArray) -> NDArray:
    votes = np.zeros_like(scores)
    votes[np.arange(len(scores)), scores.argmax(axis=1)] = 1
    return _mean(votes, starts, counts)


AGGREGATIONS: dict[str, Callable[[NDArray, NDArray, NDArray], NDArray]] = {
    "mean": _mean,
    "max": _max,
    "vote": _vote,
}


def aggregate(scores: NDArray, n_patches: NDArray, *, how: str = "mean") -> NDArray:
    """Aggregate the scores of each clip's patches into one row of scores.

    Parameters
    ----------
    scores : ndarray of shape (n_patches_in_all, n_outputs)
        Scores of the patches, grouped by clip and in the order of the clips.
    n_patches : array-like of shape (n_clips,)
        Number of patches of each clip, at least 1.
    how : {"mean", "max", "vote"}, default="mean"
        Mean or maximum over a clip's patches, or the fraction of patches in which an output scores highest.

    Returns
    -------
    ndarray of shape (n_clips, n_outputs)

    Raises
    ------
    ValueError
        If the counts do not add up to the number of rows, a count is 0, or `how` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.audio import aggregate
    >>> scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    >>> aggregate(scores, [2, 1])
    array([[0.55, 0.45],
           [0.4 , 0.6 ]])
    >>> aggregate(scores, [2, 1], how="vote")
    array([[0.5, 0.5],
           [0. , 1. ]])
    """
    counts = np.asarray(n_patches)
    if counts.sum() != len(scores) or (counts < 1).any():
        raise ValueError(
            f"n_patches must be at least 1 for every clip and add up to the {len(scores)} rows of scores; "
            f"got {counts.tolist()}"
        )
    if how not in AGGREGATIONS:
        raise ValueError(f"how={how!r} is unknown; expected one of {sorted(AGGREGATIONS)}")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return AGGREGATIONS[how](scores, starts, counts)
