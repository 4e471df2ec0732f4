"""Validation of spectrograms and feature vectors, the input of classifiers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_n_features, validate_data

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
        return validate_data(estimator, X, dtype=FLOATS, reset=reset)
    clips = [_check_spectrogram(clip, i) for i, clip in enumerate(X)]
    n_mels = clips[0].shape[0]
    for i, clip in enumerate(clips):
        if clip.shape[0] != n_mels:
            raise ValueError(
                f"clip {i} has {clip.shape[0]} bands where clip 0 has {n_mels}; all clips must share them"
            )
    _check_n_features(estimator, np.empty((1, n_mels)), reset=reset)
    return clips


def _is_sequence_of_spectrograms(X: object) -> bool:
    """Return whether X is a 3-D array or a sequence of 2-D arrays."""
    if isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1):
        return len(X) > 0 and np.ndim(X[0]) == 2
    return getattr(X, "ndim", None) == 3 and len(X) > 0  # type: ignore[arg-type]


def _raise_if_sound(X: object) -> None:
    """Raise if file names or waveforms were passed to a classifier, and name the remedy."""
    first = X[0] if isinstance(X, list | tuple) and X else None
    ragged = isinstance(first, np.ndarray) and len({len(x) for x in X}) > 1  # type: ignore[attr-defined]
    if isinstance(first, str) or hasattr(first, "__fspath__") or ragged:
        raise ValueError(
            "X holds file names or waveforms, and a classifier takes spectrograms or feature vectors; put a "
            "transformer before it: make_pipeline(LogMel(), ...)"
        )


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
