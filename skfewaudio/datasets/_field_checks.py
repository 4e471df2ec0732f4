"""Checks of the fields of an AudioDataset."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse

from skfewaudio.audio.clips import as_file_part, is_file_part, is_path

from ._labels import clean_label


def as_clip_list(X: Sequence[Any]) -> list[Any]:
    """Return the clips as a list, with paths as str and checked parts of files as tuples."""
    clips = [_as_clip(clip, f"X[{i}]") for i, clip in enumerate(X)]
    are_parts = [is_file_part(clip) for clip in clips]
    if any(are_parts) and not all(are_parts):
        other = are_parts.index(False)
        raise ValueError(
            f"X mixes parts of files, such as X[{are_parts.index(True)}], with other clips, such as "
            f"X[{other}]; expected (path, start, end) for each clip: (path, 0, None) is a whole file"
        )
    return clips


def _as_clip(clip: Any, name: str) -> Any:
    """Return a path as str, and a part of a file as (path, start, end); other clips stay unchanged."""
    if is_path(clip):
        return str(clip)
    return tuple(as_file_part(clip, name)) if is_file_part(clip) else clip


def check_classes(target: Any) -> NDArray[np.str_]:
    """Return the class of each clip as str, in Unicode's composed form (NFC)."""
    labels = list(target)
    several = [label for label in labels if hasattr(label, "__len__") and not isinstance(label, str | bytes)]
    if several:
        raise ValueError(
            f"target must have one class per clip, but has {several[0]!r}. For several labels per clip, pass "
            "0 and 1 in a column for each label, and the columns' label_names"
        )
    return np.array([clean_label(label) for label in labels], dtype=str)


def check_indicator(target: Any, names: list[str]) -> NDArray[np.int16]:
    """Return the indicator matrix of the labels in a small integer type, as there may be millions of clips.

    One byte is too small: scikit-learn's OneVsRestClassifier numbers the columns in the type of the matrix,
    so that int8 would overflow after 127 labels.
    """
    values = target.toarray() if issparse(target) else np.asarray(target)
    if len(set(names)) < len(names):
        again = pd.Series(names)[pd.Series(names).duplicated()].tolist()
        raise ValueError(f"label_names must differ; {again[0]!r} occurs more than once")
    if values.ndim != 2 or values.shape[1] != len(names) or not names:
        raise ValueError(
            f"target must have a column for each of {len(names)} label_names; got the shape {values.shape}"
        )
    other = ~((values == 0) | (values == 1))
    if other.any():
        raise ValueError(f"a target with label_names must contain only 0 and 1; it has {values[other][0]!r}")
    return values.astype(np.int16)


def check_folds(folds: ArrayLike) -> NDArray[np.int64]:
    """Return `folds` as integers, which must be at least -1."""
    values = np.asarray(folds)
    if not np.issubdtype(values.dtype, np.integer) or (values.size and values.min() < -1):
        raise ValueError(f"folds must be integers of at least -1; got {values!r}")
    return values.astype(np.int64)
