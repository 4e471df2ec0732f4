"""Containers of clips: sequences, columns of data frames, and tables of samples, of any library."""

from collections.abc import Mapping, Sequence, Set
from numbers import Number, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfewaudio._missing import is_missing

from .clips import FORMS, is_file_part, is_path, is_sound


def unpack_clips(X: Any) -> tuple[Any, bool]:
    """Return the clips of a container as a list; or a table of samples, one row per clip.

    Parameters
    ----------
    X : object
        A sequence of clips in any form; a column of clips, of shape (n_clips, 1); or a table of numbers.
        Data frames are read by rows.

    Returns
    -------
    clips : list, or X itself
        The clips, or the table. Only the first clip of a list is checked.
    is_table : bool
        Whether `clips` is a table of numbers.

    Raises
    ------
    ValueError
        If X is empty, a single waveform, or holds text in several columns.
    TypeError
        If X is a single path, a set or an iterator, or does not hold clips.
    """
    _check_is_container(X)
    n_dims = _count_dims(X)
    if n_dims == 1:
        return _unpack_sequence(X)
    if n_dims == 2:
        return _unpack_columns(X)
    if n_dims == 3:
        axis = int(np.argmin(X.shape[1:])) + 1
        raise ValueError(
            f"X has shape {tuple(X.shape)}; expected (n_clips, n_samples). If these are {X.shape[axis]} "
            f"channels, mix them: X.mean(axis={axis})"
        )
    return X, True


def needs_reading(clip: Any) -> bool:
    """Return whether a clip is a path, a part of a file or sound with its rate, not an array."""
    return is_path(clip) or is_file_part(clip) or is_sound(clip)


def _check_is_container(X: Any) -> None:
    """Refuse single clips, and objects without order or length."""
    if is_path(X):
        raise TypeError(f"X is one path ({str(X)!r}); expected a list of them: wrap it as [{str(X)!r}]")
    if is_file_part(X) or is_sound(X):
        raise TypeError(f"X is one clip ({str(X)[:60]}); expected a list of them: wrap it as [X]")
    if isinstance(X, Mapping) and not hasattr(X, "shape"):
        raise TypeError(f"X is a {type(X).__name__}; expected a list of clips: list(X), or its values")
    has_items = hasattr(X, "__iter__") or hasattr(X, "__getitem__")
    is_stream = has_items and not hasattr(X, "__len__") and not hasattr(X, "__array__")
    if isinstance(X, Set) or is_stream:
        raise TypeError(f"X is a {type(X).__name__}, which has no order or no length; pass a list: list(X)")


def _count_dims(X: Any) -> int:
    """Return the number of dimensions; only shapes are trusted, since some data frames iterate by column."""
    shape = getattr(X, "shape", None)
    if isinstance(shape, tuple):
        return len(shape)
    return 1 if hasattr(X, "__len__") else 0


def _unpack_sequence(X: Any) -> tuple[list[Any], bool]:
    if len(X) == 0:
        raise ValueError("X holds no clips: 0 sample(s) while a minimum of 1 is required")
    clips = X.to_pylist() if hasattr(X, "to_pylist") else list(X)  # Arrow's arrays hold scalars of its own
    if not _is_row(clips[0]):
        _check_first(clips)
        return clips, False
    if len({len(row) for row in clips}) > 1:
        raise ValueError(
            f"X holds lists of different lengths; pass each clip as an array, np.asarray(clip), or as {FORMS}"
        )
    return clips, True


def _is_row(clip: Any) -> bool:
    """Return whether a clip is a list of numbers."""
    is_list = isinstance(clip, list | tuple) and not needs_reading(clip)
    return is_list and all(isinstance(value, Number) for value in clip)


def _check_first(clips: Sequence[Any]) -> None:
    """Refuse objects that are not clips, by the first of them."""
    first = clips[0]
    if needs_reading(first) or (not isinstance(first, list | tuple | bytes) and np.ndim(first) >= 1):
        return
    if isinstance(first, bytes):
        raise TypeError(f"X[0] is {first!r}, a path of bytes; decode it: os.fsdecode(path)")
    if all(isinstance(value, Real) for value in clips):
        raise ValueError(
            f"X is one-dimensional, with {len(clips)} values such as {first!r}: one clip, it seems. "
            "Expected an array (n_clips, n_samples) or a list of clips. Reshape your data: wrap it as [X]"
        )
    if is_missing(first):
        raise ValueError(f"X[0] is {first}, a missing clip; remove it. Expected {FORMS}")
    content = (
        f" with the keys {', '.join(map(str, first))}"
        if isinstance(first, Mapping)
        else f" ({str(first)[:60]})"
    )
    raise TypeError(f"X[0] is a {type(first).__name__}{content}; expected {FORMS}")


def _unpack_columns(X: Any) -> tuple[Any, bool]:
    """Return the cells of a single column that does not hold numbers; any other X is a table."""
    if getattr(getattr(X, "dtype", None), "kind", "O") in "fiub":
        return X, True
    table = np.asarray(X)
    if table.ndim != 2:
        raise TypeError(
            f"X is a {type(X).__name__} whose rows are not numbers; pass its column of clips, as {FORMS}"
        )
    if table.dtype.kind not in "OSUT" or not table.size:
        return X, True
    cells = list(table[:, 0])
    if table.shape[1] == 1 and not all(isinstance(cell, Number) for cell in cells):
        _check_first(cells)
        return cells, False
    _check_holds_no_text(X, table)
    return X, True


def _check_holds_no_text(X: Any, table: NDArray[Any]) -> None:
    names = list(getattr(X, "column_names", getattr(X, "columns", range(table.shape[1]))))
    of_text = [str(name) for name, cell in zip(names, table[0], strict=True) if is_path(cell)]
    if of_text:
        raise ValueError(
            f"X has {table.shape[1]} columns, and holds text in {', '.join(of_text)}; expected a table of "
            "samples, or a single column of paths"
        )
