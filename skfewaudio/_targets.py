"""Validation of labels and groups, with the value and the position of each error."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_y, check_consistent_length, column_or_1d

from ._arrays import to_numpy
from ._missing import is_missing

UNLABELLED = -1
LABEL_ADVICE = (
    "every clip needs a label: remove unlabelled clips, or label them -1 for an estimator with "
    "semi_supervised=True"
)
GROUP_ADVICE = "every clip needs a group: give clips of unknown recordings a group of their own"


def check_label_values(y: Any, *, unlabelled: bool = False) -> None:
    """Check that no label is missing, and that all have one type.

    Parameters
    ----------
    y : array-like, sparse matrix or None
        Labels, or an indicator matrix, before any conversion: NumPy turns NaN in a list of text into text.
    unlabelled : bool, default=False
        Whether -1 means unlabelled and may therefore stand among labels of another type.

    Raises
    ------
    ValueError
        If a label is None or NaN, or if the labels mix text, numbers and other types.
    """
    if y is not None and not issparse(y):
        _check_values(y, "y", LABEL_ADVICE, ignored=UNLABELLED if unlabelled else None)


def check_target(estimator: BaseEstimator, y: Any, *, multi_output: bool = False) -> NDArray[Any]:
    """Check that y is given and finite, and return it as an array.

    Unlike `validate_data` without X, this keeps the ``feature_names_in_`` of the estimator.

    Raises
    ------
    ValueError
        If y is None, has a wrong shape, or holds NaN or infinity.
    """
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y is None."
        )
    return _check_y(to_numpy(y), multi_output=multi_output, estimator=estimator)


def check_groups(groups: ArrayLike, n_clips: int) -> NDArray[Any]:
    """Check that there is one group per clip, and return the groups as a 1-D array.

    Parameters
    ----------
    groups : array-like of shape (n_clips,)
        The recording that each clip was cut from.
    n_clips : int
        Number of clips.

    Raises
    ------
    ValueError
        If a group is None or NaN, if the groups mix types, or if their number differs from `n_clips`.
    """
    _check_values(groups, "groups", GROUP_ADVICE)
    recordings: NDArray[Any] = column_or_1d(groups)
    check_consistent_length(np.empty(n_clips), recordings)
    return recordings


def _check_values(values: Any, name: str, advice: str, ignored: Any = None) -> None:
    array = np.array(values, dtype=object if isinstance(values, list | tuple) else None)
    if array.dtype.kind not in "fO":
        return
    if array.dtype.kind == "f":
        missing = np.flatnonzero(np.isnan(array))
    else:
        missing = np.flatnonzero([is_missing(value) for value in array.flat])
    if len(missing):
        value = str(array.flat[missing[0]]).replace("nan", "NaN")
        raise ValueError(f"Input {name} contains {value}. The first is {name}[{missing[0]}]: {advice}")
    if array.dtype.kind == "O":
        _check_types({_kind_of(value): value for value in array.flat if value != ignored}, name)


def _check_types(examples: dict[str, Any], name: str) -> None:
    if len(examples) > 1:
        found = " and ".join(f"{kind} ({value!r})" for kind, value in examples.items())
        raise ValueError(f"{name} mixes {found}; convert {name} to one type")


def _kind_of(value: Any) -> str:
    """Return the name of a kind of values that can be compared with each other."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool | np.bool_):
        return "booleans"
    return "numbers" if isinstance(value, Real) else type(value).__name__
