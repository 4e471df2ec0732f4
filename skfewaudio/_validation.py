"""Validation of X: waveforms, paths, spectrograms and feature vectors."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import _check_n_features, validate_data

FLOATS = [np.float64, np.float32]
Read = Callable[[Sequence[Any]], Iterator[np.ndarray]]


class Waveforms:
    """Iterable of clips, which are read one at a time as float32 arrays on each iteration.

    Parameters
    ----------
    clips : sequence
        Arrays, or objects that `read` accepts.
    read : callable, default=None
        Function from `clips` to an iterator of arrays. None if the clips are arrays.
    """

    def __init__(self, clips: Sequence[Any], read: Read | None = None) -> None:
        self._clips = clips
        self._read = read

    def __len__(self) -> int:
        return len(self._clips)

    @property
    def clips(self) -> Sequence[Any]:
        """The clips as given, an array or a list: paths, or waveforms of any floating-point type."""
        return self._clips

    def __iter__(self) -> Iterator[np.ndarray]:
        if self._read is not None:
            return self._read(self._clips)
        return (np.ascontiguousarray(clip, dtype=np.float32) for clip in self._clips)

    def map(self, change: Callable[[int, np.ndarray], np.ndarray]) -> "Waveforms":
        """Return the clips modified on reading by `change`, which receives the index and the clip."""
        return Waveforms(self._clips, lambda _: (change(i, clip) for i, clip in enumerate(self)))


def check_waveforms(estimator: BaseEstimator, X: Any, *, reset: bool, read: Read) -> Waveforms:
    """Check waveforms passed to an estimator as a 2-D array, a sequence of arrays or a sequence of paths.

    Parameters
    ----------
    estimator : estimator
        Its `n_features_in_` (and `feature_names_in_`) are set in `fit` on a 2-D array.
    X : array-like of shape (n_clips, n_samples), or sequence of 1-D float arrays, or of paths
        The clips. The sequence may be a list, a tuple, a 1-D object array or a pandas Series.
    reset : bool
        Whether the call is from `fit`. Otherwise a 2-D array must have as many columns as in `fit`.
    read : callable
        Function from a list of paths to an iterator of float32 arrays. Files are opened only when the result
        is iterated over.

    Returns
    -------
    Waveforms

    Raises
    ------
    ValueError
        If X is empty or a single clip, or if a clip is empty, not one-dimensional or not finite.
    TypeError
        If X is a single path, mixes paths and arrays, or contains integers instead of floats.
    """
    if is_path(X):
        raise TypeError(f"X is one path ({str(X)!r}); expected a list of them: wrap it as [{str(X)!r}]")
    if not _is_sequence_of_clips(X):
        X = validate_data(estimator, X, reset=reset, dtype=FLOATS)
        return Waveforms(X)
    clips = list(X)
    if reset:
        _forget_features(estimator)
    if is_path(clips[0]):
        _check_paths(clips)
        return Waveforms([os.fspath(clip) for clip in clips], read)
    return Waveforms([_check_clip(clip, index) for index, clip in enumerate(clips)])


def is_path(value: Any) -> bool:
    return isinstance(value, str | os.PathLike)


def _is_sequence_of_clips(X: Any) -> bool:
    """Return whether X is a sequence of paths or arrays, in contrast to a table of numbers."""
    if not hasattr(X, "__len__") or not hasattr(X, "__iter__") or getattr(X, "ndim", 1) != 1:
        return False
    if len(X) == 0:
        raise ValueError("X holds no clips: 0 sample(s) while a minimum of 1 is required")
    first = next(iter(X))
    if np.ndim(first) == 0 and not is_path(first):
        raise ValueError(
            f"X is one-dimensional, with {len(X)} values such as {first!r}: one clip, it seems. "
            "Expected an array (n_clips, n_samples) or a list of clips. Reshape your data: wrap it as [X]"
        )
    return not isinstance(first, list | tuple)  # a list of lists is a table


def _forget_features(estimator: BaseEstimator) -> None:
    """Delete attributes of an earlier fit on a table, since clips of a list may have any length."""
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            delattr(estimator, name)


def _check_paths(clips: list[Any]) -> None:
    for index, clip in enumerate(clips):
        if not is_path(clip):
            raise TypeError(
                f"X[{index}] is a {type(clip).__name__} but X[0] is a path; give all clips as paths"
            )


def _check_clip(clip: Any, index: int) -> np.ndarray:
    """Check one clip of a list, without converting its values."""
    if is_path(clip):
        raise TypeError(
            f"X[{index}] is a path but X[0] is an array; give all clips as arrays, or all as paths"
        )
    array = np.asarray(clip)
    if array.ndim != 1 or not len(array):
        raise ValueError(
            f"X[{index}] has shape {array.shape}; expected one clip, of shape (n_samples,), n_samples > 0"
        )
    if array.dtype.kind != "f":
        raise TypeError(
            f"X[{index}] holds {array.dtype}; expected floats, full scale at 1. "
            "For 16-bit integers, divide by 32768.0"
        )
    assert_all_finite(array, input_name=f"X[{index}]")
    return array


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
