"""The forms of a clip: a file, a part of a file, or sound with its sample rate."""

import os
from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skfewaudio._missing import is_missing

FORMS = (
    "a path, (path, start, end) in seconds, a 1-D array of floats, (array, sample_rate) or "
    "{'array': ..., 'sampling_rate': ...}"
)
FULL_SCALES = {"int8": 128.0, "int16": 32768.0, "int32": 2147483648.0}


class FilePart(NamedTuple):
    """A file, or a part of it: `end` is None for the end of the file."""

    path: str
    start: float = 0.0
    end: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether this is the whole file."""
        return not self.start and self.end is None


class Sound(NamedTuple):
    """Samples and their sample rate in Hz."""

    samples: NDArray[np.floating]
    sample_rate: int


def is_path(value: Any) -> bool:
    """Return whether a value is the name of a file."""
    return isinstance(value, str | os.PathLike)


def is_file_part(value: Any) -> bool:
    """Return whether a value looks like (path, start, end)."""
    if not isinstance(value, tuple | list) or len(value) != 3:
        return False
    return is_path(value[0]) and not any(map(is_path, value[1:]))


def is_sound(value: Any) -> bool:
    """Return whether a value looks like {"array": ..., "sampling_rate": ...} or (array, sample_rate)."""
    if isinstance(value, Mapping):
        return "array" in value and "sampling_rate" in value
    if not isinstance(value, tuple) or len(value) != 2:
        return False
    return np.ndim(value[0]) >= 1 and isinstance(value[1], Real) and not is_path(value[0])


def as_file_part(value: Any, name: str = "clip") -> FilePart:
    """Check a path or (path, start, end).

    Parameters
    ----------
    value : str, path-like or tuple of (path, start, end)
        Times are in seconds; None for `end` stands for the end of the file.
    name : str, default="clip"
        What errors call the value.

    Returns
    -------
    FilePart

    Raises
    ------
    ValueError
        If a time is not a number, negative or not finite, or the part ends before it starts.
    """
    if is_path(value):
        return FilePart(os.fspath(value))
    path, start, end = value
    start = 0.0 if is_missing(start) else _as_seconds(start, f"start of {name}")
    end = None if is_missing(end) else _as_seconds(end, f"end of {name}")
    if end is not None and end <= start:
        raise ValueError(
            f"{name}={value!r} ends at {end:g} s and starts at {start:g} s; expected start < end"
        )
    return FilePart(os.fspath(path), start, end)


def as_sound(value: Any, name: str = "clip") -> Sound:
    """Check {"array": ..., "sampling_rate": ...} or (array, sample_rate).

    Parameters
    ----------
    value : mapping or tuple
        One-dimensional floats, full scale 1, and their sample rate in Hz.
    name : str, default="clip"
        What errors call the value.

    Returns
    -------
    Sound

    Raises
    ------
    TypeError
        If the samples are not floats.
    ValueError
        If the sample rate is not positive, or the samples are not one-dimensional.
    """
    samples, rate = (value["array"], value["sampling_rate"]) if isinstance(value, Mapping) else value
    is_number = isinstance(rate, Real) and not isinstance(rate, bool)
    hertz = float(rate) if is_number else np.nan
    if not (0 < hertz < np.inf and hertz.is_integer()):
        raise ValueError(f"{name} has the sample rate {rate!r}; expected a positive integer in Hz")
    return Sound(check_samples(samples, name), int(hertz))


def check_samples(samples: Any, name: str) -> NDArray[np.floating]:
    """Check that samples are a one-dimensional array of floats.

    Raises
    ------
    TypeError
        If they are integers; the error says how to scale them.
    ValueError
        If they are not one-dimensional or empty; the error says how to mix channels.
    """
    array = np.asarray(samples)
    if array.dtype.kind in "iub":
        scale = FULL_SCALES.get(array.dtype.name)
        advice = f"divide by {scale}" if scale else "scale them to full scale 1"
        raise TypeError(f"{name} holds {array.dtype}; expected floats, full scale at 1: {advice}")
    if array.dtype.kind != "f" and array.ndim:
        raise TypeError(f"{name} holds {array.dtype}; expected floats, full scale at 1")
    if array.ndim == 2 and min(array.shape) <= 8 and array.size:
        axis = int(np.argmin(array.shape))
        raise ValueError(
            f"{name} has shape {array.shape}; expected one clip, of shape (n_samples,). If these are "
            f"{array.shape[axis]} channels, mix them: clip.mean(axis={axis})"
        )
    if array.ndim != 1 or not len(array):
        raise ValueError(
            f"{name} has shape {array.shape}; expected one clip, of shape (n_samples,), n_samples > 0"
        )
    return array


def _as_seconds(value: Any, name: str) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) < np.inf:
        raise ValueError(f"{name} is {value!r}; expected seconds, a number of at least 0")
    return float(value)
