"""Validation of spectrograms and feature vectors, the input of classifiers."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_n_features, validate_data

from ._arrays import to_numpy

FLOATS = [np.float64, np.float32]


def check_spectrograms(
    estimator: BaseEstimator, X: Any, *, reset: bool
) -> NDArray | list[NDArray[np.float32]]:
    """Check the input of a classifier: spectrograms, or a matrix of feature vectors.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` is set in `fit`: the number of mel bands, or of features.
    X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape (n_clips, n_mels, n_frames) \
or (n_clips, n_features)
        The input as passed by the user.
    reset : bool
        Whether the call is from `fit`. Otherwise X must have as many bands or features as in `fit`.

    Returns
    -------
    list of n_clips float32 arrays of shape (n_mels, n_frames), or ndarray of shape (n_clips, n_features)
        A list contains spectrograms. Memory-mapped spectrograms are not copied and keep their type.

    Raises
    ------
    ValueError
        If a clip is empty or not finite, or has another number of dimensions or bands than expected.
    """
    if not _is_sequence_of_spectrograms(X):
        _raise_if_sound(X)
        return validate_data(estimator, to_numpy(X), dtype=FLOATS, reset=reset)
    clips = [_check_spectrogram(clip, i) for i, clip in enumerate(X)]
    n_mels = clips[0].shape[0]
    for i, clip in enumerate(clips):
        if clip.shape[0] != n_mels:
            raise ValueError(
                f"clip {i} has {clip.shape[0]} bands where clip 0 has {n_mels}; all clips must share them"
            )
    _check_n_features(estimator, np.empty((1, n_mels)), reset=reset)
    return clips


def _is_sequence_of_spectrograms(X: Any) -> bool:
    """Return whether X is a 3-D array, or a list, an array or a Series of 2-D arrays."""
    n_dims = len(getattr(X, "shape", ()))
    if isinstance(X, list | tuple) or (n_dims == 1 and str(getattr(X, "dtype", "")) == "object"):
        return len(X) > 0 and np.ndim(next(iter(X))) == 2
    return n_dims == 3 and len(X) > 0


def _raise_if_sound(X: Any) -> None:
    """Raise if file names or waveforms were passed to a classifier, and name the remedy."""
    is_list = isinstance(X, list | tuple)
    first = X[0] if is_list and X else None
    ragged = isinstance(first, np.ndarray) and len({len(x) for x in X}) > 1
    # Lists of numbers are not converted: this may take long.
    if ragged or _is_sound(first if is_list else _first_cell(X)):
        raise ValueError(
            "X holds file names or waveforms, and a classifier takes spectrograms or feature vectors; put a "
            "transformer before it: make_pipeline(LogMel(), ...)"
        )


def _first_cell(X: Any) -> Any:
    """Return the first value of an array, a series or a data frame, unless it is a number."""
    if getattr(getattr(X, "dtype", None), "kind", "O") in "fiub" or not hasattr(X, "shape"):
        return None
    cells = np.asarray(X)
    return cells.flat[0] if cells.size else None


def _is_sound(cell: Any) -> bool:
    """Return whether a value is a path, a tuple with one, or sound with its sample rate."""
    if isinstance(cell, tuple | list) and cell:
        cell = cell[0]
    return isinstance(cell, str | os.PathLike) or (isinstance(cell, Mapping) and "sampling_rate" in cell)


def _check_spectrogram(clip: object, i: int) -> NDArray[np.float32]:
    """Return one clip as a float32 matrix, or raise if it is invalid."""
    array = np.asarray(clip)
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "fiu":
        raise ValueError(
            f"clip {i} has shape {array.shape} and type {array.dtype}; expected a non-empty real spectrogram "
            "of shape (n_mels, n_frames)"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"clip {i} holds NaN or infinity; remove the clip or mend its recording")
    return array if is_mapped(array) else array.astype(np.float32, copy=False)


def is_mapped(array: NDArray) -> bool:
    """Return whether the values of an array are in a memory-mapped file."""
    base: object = array
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    return isinstance(base, np.memmap)
