"""Share of a clip that the training clips do not explain, for open-set rejection."""

from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg

from .system import decompose

Array = NDArray[np.float64]

# Relative to the mean square norm of the rows. All values from 0.01 to 0.3 separate equally well.
NOISE = 0.1
# Weight of the unexplained share relative to the highest score. Values from 1.5 to 3 are equally good.
UNEXPLAINED_WEIGHT = 2.0


class Novelty(NamedTuple):
    """Gaussian process whose variance is the unexplained share of a clip.

    Parameters
    ----------
    mean : ndarray of shape (n_features,)
        Subtracted from the features.
    scale : ndarray of shape (n_features,)
        Factors of the centred features, with which training rows have the mean square norm 1.
    basis : ndarray of shape (n_rows, n_features), float32
        Directions that the training rows span, multiplied by how well they are known.
    """

    mean: Array
    scale: Array
    basis: NDArray[np.float32]

    @classmethod
    def fit(cls, rows: Array, factors: Array, mean: Array, *, device: Any = "cpu") -> Self:
        """Fit the process to rows.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)
            Features of the training clips.
        factors : ndarray of shape (n_features,)
            Factors of the features.
        mean : ndarray of shape (n_features,)
            Subtracted from the features.
        device : str or torch.device, default="cpu"
            Device of the computation.

        Returns
        -------
        Novelty
        """
        scaled = (rows - mean) * factors
        size = np.sqrt(np.square(scaled).sum(axis=1).mean())
        scale = factors / size if size > 0 else np.zeros_like(factors)
        z = torch.from_numpy((rows - mean) * scale).to(device)
        d, v = decompose(z @ z.mT)
        basis = (v / (d + NOISE).sqrt()).mT @ z
        return cls(mean, scale, basis.float().cpu().numpy())

    def unexplained(self, X: Array) -> Array:
        """Compute the square norm of the part of clips that the training rows do not explain.

        Parameters
        ----------
        X : ndarray of shape (n_clips, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_clips,)
            0 for a clip that the training rows explain fully, 1 for a clip of the usual norm that resembles
            none of them.
        """
        scaled = (X - self.mean) * self.scale
        explained = np.square(scaled @ self.basis.T).sum(axis=1)
        return np.square(scaled).sum(axis=1) - explained


def unexplained_left_out(rows: Array, groups: NDArray[np.int64], shifts: Array) -> Array:
    """Compute what each row would have as its unexplained part if the rows of its group were not used.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Rows multiplied by the factors, minus their mean.
    groups : ndarray of shape (n_rows,)
        Groups of the rows, from 0; at least two.
    shifts : ndarray of shape (n_groups, n_features)
        For each group, the mean minus the mean without the group. A row whose mean includes the row itself is
        nearer to the mean than a new clip.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    products, with_shifts = rows @ rows.T, rows @ shifts.T
    shift_squares = np.square(shifts).sum(axis=1)
    found = np.empty(len(rows))
    for group in np.unique(groups):
        left, kept = np.flatnonzero(groups == group), np.flatnonzero(groups != group)
        moved = with_shifts[:, group]
        # Products of rows with the mean of the kept rows subtracted.
        kernel = products[kept] + moved[kept, None] + moved + shift_squares[group]
        own = products[left, left] + 2 * moved[left] + shift_squares[group]
        known = kernel[:, kept]
        size = np.trace(known) / len(kept)
        known[np.diag_indices(len(kept))] += NOISE * size or 1.0
        explained = np.einsum(
            "ij,ij->j", kernel[:, left], linalg.solve(known, kernel[:, left], assume_a="pos")
        )
        found[left] = (own - explained) / size if size > 0 else 0.0
    return found


def familiarity(scores: Array, unexplained: Array) -> Array:
    """Combine scores and unexplained parts.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Scores of the classes.
    unexplained : ndarray of shape (n_rows,)
        Unexplained parts of the rows.

    Returns
    -------
    ndarray of shape (n_rows,)
        Higher for rows of known classes.
    """
    highest: Array = scores.max(axis=1)
    return highest - UNEXPLAINED_WEIGHT * unexplained
