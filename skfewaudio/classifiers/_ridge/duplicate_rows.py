"""Finding and merging duplicate rows."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse


def find_duplicates(X: Any, Y: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """Find the first of all rows that are equal to each row.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
        Input rows. Values that are computed from duplicates may differ in the last bit.
    Y : ndarray of shape (n_rows, n_targets), default=None
        Targets, which must be equal as well.

    Returns
    -------
    ndarray of shape (n_rows,)
        For each row, the index of the first row equal to it.
    """
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(_hash_row(X, Y, i), i) for i in range(X.shape[0])])


def merge_duplicates(
    X: Any, Y: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Keep one of each set of rows that are equal in X and Y, with their total weight.

    The solution stays the same. Duplicates that are left out one by one would predict each other. When
    merged, they are left out together, and a row that is repeated k times counts as one row with k times its
    weight.

    Parameters
    ----------
    X, Y
        As in `find_duplicates`.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.

    Returns
    -------
    rows : ndarray of shape (n_kept,)
        Indices of the kept rows, in the original order.
    weights : ndarray of shape (n_kept,)
        Total weights of the kept rows.
    """
    first = find_duplicates(X, Y)
    rows = np.unique(first)
    return rows, np.bincount(first, weights=weights).astype(np.float64)[rows]


def _hash_row(X: Any, Y: NDArray[np.float64] | None, i: int) -> bytes:
    """Return a hash that is equal for equal rows only."""
    parts = [] if Y is None else [Y[i]]
    if issparse(X):
        row = X[[i]]
        row.sum_duplicates()
        row.eliminate_zeros()
        parts += [row.data, row.indices]
    else:
        parts.append(X[i])
    # Adding 0 turns a negative zero into a positive one.
    return hashlib.blake2b(b"".join((part + 0).tobytes() for part in parts), digest_size=16).digest()
