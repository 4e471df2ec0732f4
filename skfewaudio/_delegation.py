"""What estimators around another one share."""

from collections.abc import Callable
from typing import Any


def estimator_has(method: str) -> Callable[[Any], bool]:
    """Check that the wrapped estimator has `method`; its own AttributeError says why not."""

    def check(self: Any) -> bool:
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check
