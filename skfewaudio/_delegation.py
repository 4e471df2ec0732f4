"""Helpers for meta-estimators."""

from collections.abc import Callable
from typing import Any


def estimator_has(method: str) -> Callable[[Any], bool]:
    """Return a check for `available_if` that raises AttributeError if the estimator has no `method`."""

    def check(self: Any) -> bool:
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check
