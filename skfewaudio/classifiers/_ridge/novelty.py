"""Share of a clip that the training clips do not explain, for open-set rejection."""

from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray

from .leave_one_out import rows_by_group_size
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
    def fit(cls, rows: Array, factors: Array, mean: Array, *, device: Any = "cpu") -> tuple[Self, Array]:
        """Fit the process to rows, and return it with the scaled rows.

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
        novelty : Novelty
        scaled : ndarray of shape (n_rows, n_features)
        """
        scaled = (rows - mean) * factors
        size = np.sqrt(np.square(scaled).sum(axis=1).mean())
        scale = factors / size if size > 0 else np.zeros_like(factors)
        scaled = (rows - mean) * scale
        z = torch.from_numpy(scaled).to(device)
        d, v = decompose(z @ z.mT)
        basis = (v / (d + NOISE).sqrt()).mT @ z
        return cls(mean, scale, basis.float().cpu().numpy()), scaled

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


def unexplained_left_out(scaled: Array, groups: NDArray[np.int64]) -> Array:
    """Compute what each row would have as its unexplained part without the rows of its group.

    Parameters
    ----------
    scaled : ndarray of shape (n_rows, n_features)
        Scaled rows.
    groups : ndarray of shape (n_rows,)
        Groups of the rows.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    precision = np.linalg.inv(scaled @ scaled.T + NOISE * np.eye(len(scaled)))
    found = np.empty(len(scaled))
    for rows in rows_by_group_size(np.unique(groups, return_inverse=True)[1]):
        members = rows.numpy()
        # The inverse of a block of the precision is the covariance given all other rows.
        covariance = np.linalg.inv(precision[members[:, :, None], members[:, None, :]])
        found[members] = covariance.diagonal(axis1=1, axis2=2) - NOISE
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
