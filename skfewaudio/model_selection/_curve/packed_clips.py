"""Many arrays in one, so that worker processes can share them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PackedClips:
    """A list of arrays of one type, laid end to end in a single array.

    joblib maps large arrays into the memory of all its processes, but sends each of many small ones with
    every fit. Clips are copied when they are taken out: the shared array can only be read.

    Parameters
    ----------
    clips : sequence of ndarray
        C-contiguous, of one type.
    """

    def __init__(self, clips: Sequence[NDArray[Any]]) -> None:
        self.values = np.concatenate([clip.ravel() for clip in clips])
        self.shapes = [clip.shape for clip in clips]
        self.ends = np.cumsum([clip.size for clip in clips])

    @property
    def nbytes(self) -> int:
        """Bytes of all clips."""
        return self.values.nbytes

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, position: int) -> NDArray[Any]:
        shape, end = self.shapes[position], self.ends[position]
        return self.values[end - int(np.prod(shape)) : end].reshape(shape).copy()


def pack(X: Any) -> Any:
    """Pack a list of plain arrays of one type; give anything else as it is."""
    if not isinstance(X, list | tuple) or not X or not all(type(clip) is np.ndarray for clip in X):
        return X
    alike = len({clip.dtype for clip in X}) == 1 and X[0].dtype.kind in "fiu"
    # In another order of axes values would be the same, but sums over them rounded otherwise.
    return PackedClips(X) if alike and all(clip.flags.c_contiguous for clip in X) else X
