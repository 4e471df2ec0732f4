"""The kinds of X of transformers of waveforms: tables of samples, and sequences of clips of any form."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import validate_data

from .clips import FORMS, as_file_part, as_sound, check_samples, is_file_part, is_path, is_sound

FLOATS = [np.float64, np.float32]
# Types of PCM samples, whose full scale is known not to be 1.
PCM_TYPES = {"int8", "int16", "uint8"}
# Integers of other types are numbers of unknown scale. Waveforms with full scale 1 do not exceed this.
MOST_INTEGER = 8
Read = Callable[[Sequence[Any]], Iterator[NDArray[np.float32]]]


class Waveforms:
    """Clips of any kind as float32 arrays, one at a time; can be iterated over repeatedly.

    Parameters
    ----------
    clips : sequence
        Arrays, or any objects that `read` accepts.
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
        """The clips as passed: paths and other forms, or waveforms of any float type."""
        return self._clips

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        if self._read is not None:
            return self._read(self._clips)
        return (np.ascontiguousarray(clip, dtype=np.float32) for clip in self._clips)

    def map(self, change: Callable[[int, NDArray[np.float32]], NDArray[np.float32]]) -> "Waveforms":
        """Return the clips with `change` applied to the index and the waveform of each when it is read."""
        return Waveforms(self._clips, lambda _: (change(i, clip) for i, clip in enumerate(self)))


def check_waveforms(estimator: BaseEstimator, X: Any, *, reset: bool, read: Read) -> Waveforms:
    """Check the waveforms passed to an estimator.

    Parameters
    ----------
    estimator : estimator
        Receives `n_features_in_` (and `feature_names_in_`) when fitted on a 2-D array.
    X : array-like of shape (n_clips, n_samples), or sequence of clips
        A table of samples; or a sequence of 1-D float arrays; or a sequence of paths, parts of files
        ``(path, start, end)`` and sound with its rate (see :func:`load_audio`). A column of paths, of shape
        (n_clips, 1), is a sequence of paths.
    reset : bool
        Whether the call is from `fit`. Otherwise a 2-D array must have as many columns as in `fit`.
    read : callable
        Function from a list of clips that are not arrays to an iterator of float32 arrays. Files are opened
        only when the result is iterated over.

    Returns
    -------
    Waveforms

    Raises
    ------
    ValueError
        If X is empty or a single clip, or if a clip is empty, not one-dimensional or not finite.
    TypeError
        If X is a single path, a set or an iterator, mixes arrays and other forms, or contains integers
        instead of floats.
    """
    X = _as_sequence(X)
    if not _is_sequence_of_clips(X):
        _check_integers(X)
        return Waveforms(validate_data(estimator, X, reset=reset, dtype=FLOATS))
    clips = list(X)
    if reset:
        _forget_features(estimator)
    if _needs_reading(clips[0]):
        return Waveforms([_check_form(clip, index) for index, clip in enumerate(clips)], read)
    return Waveforms([_check_array(clip, index) for index, clip in enumerate(clips)])


def _as_sequence(X: Any) -> Any:
    """Refuse single clips and iterators, and turn a column of paths into a sequence."""
    if is_path(X):
        raise TypeError(f"X is one path ({str(X)!r}); expected a list of them: wrap it as [{str(X)!r}]")
    if isinstance(X, Mapping) or is_file_part(X) or is_sound(X):
        raise TypeError(f"X is one clip ({str(X)[:60]}); expected a list of them: wrap it as [X]")
    if isinstance(X, Set) or (isinstance(X, Iterator) and not hasattr(X, "__len__")):
        raise TypeError(f"X is a {type(X).__name__}, which has no order or no length; pass a list: list(X)")
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if len(shape) == 2 and shape[1] == 1 and shape[0]:
        column = np.asarray(X)[:, 0]
        return list(column) if is_path(column[0]) else X
    return X


def _needs_reading(clip: Any) -> bool:
    return is_path(clip) or is_file_part(clip) or is_sound(clip)


def _is_sequence_of_clips(X: Any) -> bool:
    """Return whether X is a sequence of clips, in contrast to a table of numbers."""
    if not hasattr(X, "__len__") or not hasattr(X, "__iter__") or getattr(X, "ndim", 1) != 1:
        return False
    if len(X) == 0:
        raise ValueError("X holds no clips: 0 sample(s) while a minimum of 1 is required")
    first = next(iter(X))
    if _needs_reading(first):
        return True
    if isinstance(first, bytes):
        raise TypeError(f"X[0] is {first!r}, a path of bytes; decode it: os.fsdecode(path)")
    if np.ndim(first) == 0 and not isinstance(first, Mapping):
        raise ValueError(
            f"X is one-dimensional, with {len(X)} values such as {first!r}: one clip, it seems. "
            "Expected an array (n_clips, n_samples) or a list of clips. Reshape your data: wrap it as [X]"
        )
    is_table = isinstance(first, list | tuple)  # a list of lists
    if is_table and len(first) and is_path(first[0]):
        raise TypeError(f"X[0] is {first!r}; expected {FORMS}")
    if is_table and len({len(row) for row in X}) > 1:
        raise ValueError(
            f"X holds lists of different lengths; pass each clip as an array, np.asarray(clip), or as {FORMS}"
        )
    return not is_table


def _forget_features(estimator: BaseEstimator) -> None:
    """Delete attributes of an earlier fit on a table, since clips of a list may have any length."""
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            delattr(estimator, name)


def _check_integers(X: Any) -> None:
    """Refuse tables of PCM samples."""
    try:
        array = np.asarray(X)
    except ValueError:  # ragged; the check of tables says so
        return
    if array.ndim != 2 or array.dtype.kind not in "iub" or not array.size:
        return
    if array.dtype.name in PCM_TYPES or array.dtype.kind == "b" or np.abs(array).max() > MOST_INTEGER:
        check_samples(array[0], "X")


def _check_form(clip: Any, index: int) -> Any:
    """Check one clip that is not an array."""
    name = f"X[{index}]"
    if is_path(clip):
        return os.fspath(clip)
    if is_file_part(clip):
        return tuple(as_file_part(clip, name))
    if is_sound(clip):
        sound = as_sound(clip, name)
        assert_all_finite(sound.samples, input_name=name)
        return tuple(sound)
    raise TypeError(
        f"{name} is a {type(clip).__name__} but X[0] is a path or has its own rate; give all clips as "
        "paths, or all as arrays"
    )


def _check_array(clip: Any, index: int) -> NDArray[np.floating]:
    """Check one waveform of a list, without converting its values."""
    name = f"X[{index}]"
    if _needs_reading(clip):
        kind = "a path" if is_path(clip) else "a clip with its own rate"
        raise TypeError(f"{name} is {kind} but X[0] is an array; give all clips as arrays, or all as paths")
    array = check_samples(clip, name)
    assert_all_finite(array, input_name=name)
    return array
