"""Rows that stand in the data several times."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse


def find_duplicates(X: Any, Y: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """Tell which rows are equal.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
        Rows, before anything is computed of them that might differ in the last bit.
    Y : ndarray of shape (n_rows, n_targets), default=None
        Targets that are to be equal, too.

    Returns
    -------
    ndarray of shape (n_rows,)
        For each row the first that is equal to it.
    """
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(_digest(X, Y, i), i) for i in range(X.shape[0])])


def merge_duplicates(
    X: Any, Y: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Keep one of every set of rows equal in X and Y, with the sum of their weights.

    The solution stays the same. Left out one by one, copies would predict each other; merged they are left
    out together, and a row repeated k times counts as one with k times its weight.

    Parameters
    ----------
    X, Y
        As in `find_duplicates`.
    weights : ndarray of shape (n_rows,)
        Their weights.

    Returns
    -------
    rows : ndarray of shape (n_kept,)
        Which are kept, in the order they came.
    weights : ndarray of shape (n_kept,)
        Theirs.
    """
    first = find_duplicates(X, Y)
    rows = np.unique(first)
    return rows, np.bincount(first, weights=weights).astype(np.float64)[rows]


def _digest(X: Any, Y: NDArray[np.float64] | None, i: int) -> bytes:
    """Give what is the same for equal rows alone."""
    parts = [] if Y is None else [Y[i]]
    if issparse(X):
        row = X[[i]]
        row.sum_duplicates()
        row.eliminate_zeros()
        parts += [row.data, row.indices]
    else:
        parts.append(X[i])
    # Adding 0 makes a negative zero positive.
    return hashlib.blake2b(b"".join((part + 0).tobytes() for part in parts), digest_size=16).digest()
