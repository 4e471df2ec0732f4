"""Class weights for weighted rows."""

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
    """Compute the weight of each class.

    Balanced weights are computed from the weights of the rows, so that a row with weight k counts k times.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Parameter of the estimator.
    classes : ndarray of shape (n_classes,)
        Sorted class labels.
    y : ndarray of shape (n_rows,)
        Labels of the rows.
    codes : ndarray of shape (n_rows,)
        Class indices of the rows.
    weights : ndarray of shape (n_rows,)
        Non-negative weights of the rows.

    Returns
    -------
    ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If a class weight is below 0.
    """
    if class_weight == "balanced":
        sums = np.bincount(codes, weights=weights, minlength=len(classes))
        return weights.sum() / (len(sums) * np.where(sums > 0, sums, np.inf))
    factors: NDArray[np.float64] = compute_class_weight(class_weight, classes=classes, y=y)
    if factors.min() < 0:
        raise ValueError(f"class_weight={class_weight!r} holds {factors.min()}; expected none below 0")
    return factors
