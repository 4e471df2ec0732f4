"""Clips packed into a single array that worker processes can share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PackedClips:
    """Sequence of arrays of one dtype, concatenated into a single array.

    joblib memory-maps large arrays in all its processes, but pickles many small arrays for every fit. Clips
    are copied on access, because the shared array is read-only.

    Parameters
    ----------
    clips : sequence of ndarray
        C-contiguous arrays of one dtype.
    """

    def __init__(self, clips: Sequence[NDArray[Any]]) -> None:
        self.values = np.concatenate([clip.ravel() for clip in clips])
        self.shapes = [clip.shape for clip in clips]
        self.ends = np.cumsum([clip.size for clip in clips])

    @property
    def nbytes(self) -> int:
        """Size of all clips in bytes."""
        return self.values.nbytes

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, position: int) -> NDArray[Any]:
        shape, end = self.shapes[position], self.ends[position]
        return self.values[end - int(np.prod(shape)) : end].reshape(shape).copy()


def pack(X: Any) -> Any:
    """Pack a list of C-contiguous arrays of one dtype; return anything else unchanged."""
    if not isinstance(X, list | tuple) or not X or not all(type(clip) is np.ndarray for clip in X):
        return X
    alike = len({clip.dtype for clip in X}) == 1 and X[0].dtype.kind in "fiu"
    # Packing would change the memory layout of other arrays, and with it the rounding of sums.
    return PackedClips(X) if alike and all(clip.flags.c_contiguous for clip in X) else X
