"""Features in a memory-mapped file, for datasets that do not fit in memory."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import DTypeLike, NDArray

from skfewaudio.audio.clips import is_path


def write_features(
    transformer: Any,
    X: Any,
    path: str | os.PathLike[str],
    *,
    dtype: DTypeLike = np.float32,
    n_at_once: int = 256,
) -> NDArray[Any]:
    """Transform clips in blocks, write the features to an ``.npy`` file and return it as a memory map.

    Classifiers with a network read only the patches of the current batch from the file. Training therefore
    needs little memory, whatever the number of clips.

    Parameters
    ----------
    transformer : transformer
        A transformer whose output has the same shape for every clip. It must be stateless or fitted.
    X : sequence of n_clips
        The input of `transformer`, such as paths or waveforms.
    path : path-like
        The file, ending in ``.npy``. It is created when all features are written.
    dtype : dtype, default=numpy.float32
        Data type of the file. float16 halves its size.
    n_at_once : int, default=256
        Number of clips that are transformed at a time.

    Returns
    -------
    memmap of shape (n_clips, ...)
        The features, read-only. Convert it with ``list(...)`` to pass it through scikit-learn's splitters
        without loading it.

    Raises
    ------
    ValueError
        If the features of the clips have different shapes, or if the path does not end in ``.npy``.

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
        _transform_into_file(transformer, X, part, dtype, n_at_once)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r")


def _transform_into_file(transformer: Any, X: Any, path: Path, dtype: DTypeLike, n_at_once: int) -> None:
    """Transform all clips and write their features to a file."""
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
