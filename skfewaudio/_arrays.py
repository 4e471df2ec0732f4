"""Conversion of values and arrays of other libraries."""

from typing import Any

import numpy as np


def to_python(value: Any) -> Any:
    """Convert numbers of NumPy, also in a dict, to numbers of Python, which torch requires."""
    if type(value) is dict:
        return {name: to_python(item) for name, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def to_numpy(X: Any) -> Any:
    """Convert an array of another library, such as a tensor, to NumPy; return anything else unchanged.

    With array API dispatch, scikit-learn's checks return such arrays as they are.
    """
    is_foreign = hasattr(X, "__dlpack__") and not isinstance(X, np.ndarray)
    return np.asarray(X) if is_foreign else X
