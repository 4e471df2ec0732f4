"""Random draws of n labelled clips per class."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import assert_all_finite, check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from skfewaudio._targets import check_label_values

Indices = NDArray[np.intp]
RandomState = int | np.random.RandomState | None


def check_positive_int(value: int, name: str) -> int:
    """Return `value` as an int, or raise ValueError unless it is an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1; got {value!r}")
    return int(value)


def check_labels(y: ArrayLike | None, *, warn: bool = False) -> NDArray[Any]:
    """Return `y` as an array, or raise ValueError unless it holds one class label per clip."""
    if y is None:
        raise ValueError("A few-shot draw requires y to be passed, but the target y is None")
    check_label_values(y)
    if np.asarray(y).dtype.kind == "f":
        assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass"):
        raise ValueError(f"y is {kind}; a few-shot draw expects one class label per clip")
    return column_or_1d(y, warn=warn)


def draw_support(y: NDArray[Any], n_shots: int | None, random_state: RandomState) -> Indices:
    """Draw `n_shots` indices of each class, nested over `n_shots` and sorted; None returns all indices."""
    classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    if n_shots is None:
        return np.arange(len(y))
    short = [f"{name!s} has {count}" for name, count in zip(classes, counts, strict=True) if count < n_shots]
    if short:
        raise ValueError(
            f"n_shots={n_shots} needs at least {n_shots} training clips of every class, but "
            f"{', '.join(short)}; take fewer shots or leave the class out"
        )
    # The permutations do not depend on n_shots, so that the draws are nested.
    rng = check_random_state(random_state)
    drawn = [rng.permutation(np.flatnonzero(codes == k))[:n_shots] for k in range(len(classes))]
    return np.sort(np.concatenate(drawn))


def repeat_seeds(random_state: RandomState, n_repeats: int) -> list[int]:
    """Return consecutive seeds, one per repeat, from an int or from a randomly drawn first seed."""
    if isinstance(random_state, Integral):
        first = int(random_state)
    else:
        first = int(check_random_state(random_state).randint(2**31 - 1))
    return [first + repeat for repeat in range(n_repeats)]
