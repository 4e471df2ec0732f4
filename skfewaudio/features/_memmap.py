"""Features in a file, for data sets that memory does not hold."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import DTypeLike, NDArray

from skfewaudio._validation import is_path


def write_features(
    transformer: Any,
    X: Any,
    path: str | os.PathLike[str],
    *,
    dtype: DTypeLike = np.float32,
    n_at_once: int = 256,
) -> NDArray[Any]:
    """Transform clips some at a time into an ``.npy`` file, and open it without reading it.

    What comes back is a memory-mapped array. Classifiers with a network leave its clips in the file and read
    the patches of a batch when they need them, so that training takes little memory whatever the number of
    clips.

    Parameters
    ----------
    transformer : transformer
        Turns clips into arrays of one shape; one that learns nothing, or is fitted.
    X : sequence of n_clips
        What it takes: paths, waveforms.
    path : path-like
        The file, ending in ``.npy``. It appears when it is complete.
    dtype : dtype, default=numpy.float32
        Of the file; float16 halves it.
    n_at_once : int, default=256
        Clips transformed at a time.

    Returns
    -------
    memmap of shape (n_clips, ...)
        To be read only. As ``list(...)`` it goes through scikit-learn's splitters without being loaded.

    Raises
    ------
    ValueError
        If clips give arrays of different shapes, or the path does not end in ``.npy``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skfewaudio.features import LogMel, write_features
    >>> clips = np.random.default_rng(0).normal(size=(6, 44100))
    >>> with TemporaryDirectory() as folder:
    ...     features = write_features(LogMel(), clips, f"{folder}/logmel.npy", n_at_once=4)
    ...     features.shape
    (6, 64, 44)
    """
    path = Path(path)
    if path.suffix != ".npy":
        raise ValueError(f"path={str(path)!r}; expected a name that ends in .npy")
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        _write(transformer, X, part, dtype, n_at_once)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r")


def _write(transformer: Any, X: Any, path: Path, dtype: DTypeLike, n_at_once: int) -> None:
    """Write all features, or raise."""
    file = None
    for first in range(0, len(X), n_at_once):
        clips = X[first : first + n_at_once]
        features = transformer.transform(clips)
        if file is None:
            file = open_memmap(path, mode="w+", dtype=dtype, shape=(len(X), *features[0].shape))
        for index, feature in enumerate(features, start=first):
            if feature.shape != file.shape[1:]:
                name = f"clip {index}" + (f" ({X[index]})" if is_path(X[index]) else "")
                raise ValueError(
                    f"{name} gives features of shape {feature.shape} and clip 0 of {file.shape[1:]}; bring "
                    "the clips to one length first"
                )
            file[index] = feature
    if file is None:
        raise ValueError("X holds no clips")
    file.flush()
