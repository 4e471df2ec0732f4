"""Weights of blocks of features before any clip is seen."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def weigh_by_relevance(prior: ArrayLike | None, relevances: ArrayLike) -> NDArray[np.float64]:
    """Return the prior weights of blocks, some of which know how well they suit the clips.

    Parameters
    ----------
    prior : array-like of shape (n_blocks,) or (2, n_blocks), or None
        Weights of the blocks. Two rows are the weights for blocks of relevance 0 and of relevance 1; the
        weights between are interpolated. One row is the weights for relevance 1; with relevance 0, a block
        that knows its relevance has no weight. None gives all blocks the same weight.
    relevances : array-like of shape (n_blocks,)
        Relevance of each block, from 0 to 1. NaN is a block that does not know its own: its weight depends on
        the mean relevance of the others.

    Returns
    -------
    ndarray of shape (n_blocks,)
        The weights, whose sum need not be 1.

    Raises
    ------
    ValueError
        If `prior` has another shape.
    """
    found = np.asarray(relevances, dtype=np.float64)
    rows = np.ones(len(found)) if prior is None else np.asarray(prior, dtype=np.float64)
    is_known = np.isfinite(found)
    if rows.shape == found.shape:
        rows = np.stack([np.where(is_known, 0, rows), rows])
    if rows.shape != (2, len(found)):
        raise ValueError(
            f"prior={prior!r}; expected {len(found)} weights, one for each block, or two rows of them"
        )
    shares = np.where(is_known, found, found[is_known].mean() if is_known.any() else 1.0)
    weights: NDArray[np.float64] = (1 - shares) * rows[0] + shares * rows[1]
    return weights


def measured_relevance(transformer: Any) -> float:
    """Return the relevance that a fitted transformer has measured, or NaN if it measures none."""
    return float(getattr(transformer, "relevance_", np.nan))
