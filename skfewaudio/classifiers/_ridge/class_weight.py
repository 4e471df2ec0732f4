"""Weights of classes, for rows that have weights themselves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight


def weigh_classes(
    class_weight: Any,
    classes: NDArray,
    y: NDArray,
    codes: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Give the weight of each class; balanced ones go by the rows' weights, so that copies count.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        As the user gave it.
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    y : ndarray of shape (n_rows,)
        The rows' labels.
    codes : ndarray of shape (n_rows,)
        Their places among the classes.
    weights : ndarray of shape (n_rows,)
        Their weights, none below 0.

    Returns
    -------
    ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If a weight is below 0.
    """
    if class_weight == "balanced":
        sums = np.bincount(codes, weights=weights, minlength=len(classes))
        return weights.sum() / (len(sums) * np.where(sums > 0, sums, np.inf))
    factors: NDArray[np.float64] = compute_class_weight(class_weight, classes=classes, y=y)
    if factors.min() < 0:
        raise ValueError(f"class_weight={class_weight!r} holds {factors.min()}; expected none below 0")
    return factors
