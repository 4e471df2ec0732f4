"""The choice of questions: clips that represent many others whose class is uncertain."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STRATEGIES = ("adaptive", "coverage", "uncertainty", "random")
FARTHEST = 2.0  # between two rows of unit length
# Weight of a clip whose class is certain, relative to the additional weight of an uncertain one.
CERTAIN_WEIGHT = 0.5


def measure_distances(
    X: NDArray[np.floating], sizes: Sequence[int], prior: Sequence[float]
) -> NDArray[np.float32]:
    """Compute the distances between all clips, with the blocks weighted by their prior.

    Parameters
    ----------
    X : ndarray of shape (n_clips, n_features)
        Blocks of features, side by side.
    sizes : sequence of int
        Columns of each block.
    prior : sequence of float
        Weight of each block.

    Returns
    -------
    ndarray of shape (n_clips, n_clips), float32
        Distances from 0 to 2, between rows at unit length.
    """
    rows = X * np.repeat(np.sqrt(prior), sizes).astype(X.dtype)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    squares = np.maximum(2 - 2 * (rows @ rows.T), 0)
    np.fill_diagonal(squares, 0)
    return np.sqrt(squares, dtype=np.float32)


def measure_uncertainty(proba: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute 1 minus the difference between the two highest probabilities of each clip.

    Parameters
    ----------
    proba : ndarray of shape (n_clips, n_classes)
        Class probabilities.

    Returns
    -------
    ndarray of shape (n_clips,)
        Values from 0 to 1; 1 for all clips with a single class.
    """
    if proba.shape[1] < 2:
        return np.ones(len(proba))
    highest = np.partition(proba, -2, axis=1)[:, -2:]
    return 1 - (highest[:, 1] - highest[:, 0]).astype(np.float64)


def choose_coverage(
    distances: NDArray[np.float32],
    candidates: NDArray[np.intp],
    answered: NDArray[np.intp],
    *,
    weights: NDArray[np.floating] | None = None,
    n_clips: int = 1,
) -> NDArray[np.intp]:
    """Choose clips that bring all clips nearer to an answered one.

    Each choice minimises the sum of the distances from all clips to the nearest answered or chosen clip. This
    is the greedy solution of the facility location problem.

    Parameters
    ----------
    distances : ndarray of shape (n, n)
        Distances between clips.
    candidates : ndarray of int
        Clips that can be chosen.
    answered : ndarray of int
        Clips that have an answer.
    weights : ndarray of shape (n,), default=None
        Weight of each clip in the sum. None is 1 for all.
    n_clips : int, default=1
        Number of choices.

    Returns
    -------
    ndarray of int of shape (min(n_clips, n_candidates),)
        Chosen clips, in order.
    """
    columns = distances[:, candidates]
    nearest = distances[:, answered].min(axis=1) if len(answered) else np.full(len(distances), FARTHEST)
    weight = np.ones(len(distances)) if weights is None else weights
    weight = weight.astype(np.float32)
    left = np.ones(len(candidates), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(n_clips, len(candidates)):
        gains = weight @ np.maximum(nearest.astype(np.float32)[:, None] - columns, 0)
        best = int(np.where(left, gains, -1).argmax())
        nearest = np.minimum(nearest, columns[:, best])
        left[best] = False
        chosen.append(best)
    return candidates[chosen]
