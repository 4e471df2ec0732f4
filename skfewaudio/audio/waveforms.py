"""The kinds of X of transformers of waveforms: tables of samples, and sequences of clips of any form."""

import os
from collections.abc import Callable, Iterator, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import validate_data

from skfewaudio._arrays import to_numpy
from skfewaudio._missing import is_missing

from .clips import as_file_part, as_sound, check_samples, is_file_part, is_path, is_sound
from .containers import needs_reading, unpack_clips

FLOATS = [np.float64, np.float32]
# Types of PCM samples, whose full scale is known not to be 1.
PCM_TYPES = {"int8", "int16", "uint8"}
# Integers of other types are numbers of unknown scale. Waveforms with full scale 1 do not exceed this.
MOST_INTEGER = 8
# The power spectrum of larger values overflows in single precision.
MOST_SAMPLE = 1e12
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
    clips, is_table = unpack_clips(to_numpy(X))
    if is_table:
        _check_integers(clips)
        table = validate_data(estimator, clips, reset=reset, dtype=FLOATS)
        _check_level(table, "X")
        return Waveforms(table)
    if reset:
        _forget_features(estimator)
    if needs_reading(clips[0]):
        return Waveforms([_check_form(clip, index) for index, clip in enumerate(clips)], read)
    return Waveforms([_check_array(clip, index) for index, clip in enumerate(clips)])


def _forget_features(estimator: BaseEstimator) -> None:
    """Delete attributes of an earlier fit on a table, since clips of a list may have any length."""
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            delattr(estimator, name)


def _check_integers(X: Any) -> None:
    """Refuse tables of PCM samples, also in columns of Python objects, and of other kinds than numbers."""
    array = np.asarray(X)
    if array.dtype.kind == "O" and array.size and all(isinstance(value, Integral) for value in array.flat):
        array = array.astype(np.int64)
    if array.ndim != 2 or array.dtype.kind not in "iubmM" or not array.size:
        return
    if array.dtype.kind in "iu" and array.dtype.name not in PCM_TYPES and np.abs(array).max() <= MOST_INTEGER:
        return
    check_samples(array[0], "X")


def _check_level(samples: NDArray[np.floating], name: str) -> None:
    """Refuse values whose power single precision cannot represent."""
    level = max(samples.max(), -samples.min())
    if level > MOST_SAMPLE:
        raise ValueError(f"{name} holds values up to {level:.3g}; expected floats, full scale at 1")


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
        _check_level(sound.samples, name)
        return tuple(sound)
    _check_is_present(clip, name)
    raise TypeError(
        f"{name} is a {type(clip).__name__} but X[0] is a path or has its own rate; give all clips as "
        "paths, or all as arrays"
    )


def _check_array(clip: Any, index: int) -> NDArray[np.floating]:
    """Check one waveform of a list, without converting its values."""
    name = f"X[{index}]"
    if needs_reading(clip):
        kind = "a path" if is_path(clip) else "a clip with its own rate"
        raise TypeError(f"{name} is {kind} but X[0] is an array; give all clips as arrays, or all as paths")
    _check_is_present(clip, name)
    array = check_samples(clip, name)
    assert_all_finite(array, input_name=name)
    _check_level(array, name)
    return array


def _check_is_present(clip: Any, name: str) -> None:
    if is_missing(clip):
        raise ValueError(f"{name} is {clip}, a missing clip; remove it")
