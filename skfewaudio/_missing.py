"""Values that stand for missing ones."""

from math import isnan
from numbers import Real
from typing import Any


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, or pandas' NA or NaT."""
    is_nan = isinstance(value, Real) and isnan(value)
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")
