"""Attenuation of the directions in which background noise moves the vectors of spectrograms.

Each block of columns has its own directions, which were measured on pairs of synthetic sounds that differ in
background noise, other sounds and the start of the recording.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

N_MELS = 64  # of the spectrograms that the directions were measured on
DIRECTIONS = "directions.safetensors"

Array = NDArray[np.float32]


class NoiseDirections(NamedTuple):
    """Directions of one block of columns.

    Parameters
    ----------
    mean : ndarray of shape (n_columns,)
        Means of the columns.
    scale : ndarray of shape (n_columns,)
        Standard deviations of the columns.
    directions : ndarray of shape (n_columns, n_directions)
        Orthogonal directions of the standardised columns. The square of their norm is the share of the
        vector in this direction that is removed.
    """

    mean: Array
    scale: Array
    directions: Array

    def attenuate(self, rows: Array) -> Array:
        """Attenuate the part of rows in the directions.

        Parameters
        ----------
        rows : ndarray of shape (n_clips, n_columns)
            The block of the vectors.

        Returns
        -------
        ndarray of shape (n_clips, n_columns)
        """
        removed = (rows - self.mean) / self.scale @ self.directions
        return np.asarray(rows - self.scale * (removed @ self.directions.T), dtype=np.float32)


def compensate_noise(vectors: Array, blocks: Iterable[tuple[str, int]]) -> None:
    """Attenuate the directions of noise in the blocks of vectors, in place.

    Parameters
    ----------
    vectors : ndarray of shape (n_clips, n_columns)
        The vectors.
    blocks : iterable of (str, int)
        Names of the blocks in the file of the directions, and their numbers of columns, in their order.
    """
    known = load_directions()
    start = 0
    for name, size in blocks:
        columns = slice(start, start + size)
        vectors[:, columns] = known[name].attenuate(vectors[:, columns])
        start += size


@lru_cache(maxsize=1)
def load_directions() -> dict[str, NoiseDirections]:
    """Load the directions of all blocks.

    Returns
    -------
    dict of str to NoiseDirections
    """
    tensors = {name: tensor.astype(np.float32) for name, tensor in load(_read_directions()).items()}
    names = {name.rpartition(".")[0] for name in tensors}
    return {
        name: NoiseDirections(*(tensors[f"{name}.{part}"] for part in NoiseDirections._fields))
        for name in names
    }


@lru_cache(maxsize=1)
def directions_checksum() -> str:
    """Return the SHA-256 of the file of the directions."""
    return sha256(_read_directions()).hexdigest()


def _read_directions() -> bytes:
    return resources.files(f"{__package__}._noise_directions").joinpath(DIRECTIONS).read_bytes()
