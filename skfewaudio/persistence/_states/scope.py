"""Sizes of one estimator, which its attributes share, and the error for a state that is not safe to use."""

from collections.abc import Callable
from dataclasses import dataclass, field
from reprlib import Repr
from typing import Any

import numpy as np

_repr = Repr()
_repr.maxstring = _repr.maxother = 60

# Sizes of the input X: its columns or mel bands, or the samples of clips in a table.
INPUTS = ("features", "clip samples")

# Sizes that follow from the number of classes.
DERIVED: dict[str, Callable[[int], int]] = {
    "scores": lambda n_classes: n_classes if n_classes > 2 else 1,
    "pairs": lambda n_classes: n_classes * (n_classes - 1) // 2,
    "other classes": lambda n_classes: n_classes - 1,
}


class StateError(ValueError):
    """Raised for a value that is not safe to predict with.

    Parameters
    ----------
    reason : str
        Description of the value and of the expected values, as a clause.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = ""
        self.kind = ""  # full name of the class of the object with the value

    def within(self, name: str) -> "StateError":
        """Add the name of the object, or the index, that contains the value."""
        self.place = name + (f".{self.place}" if self.place and self.place[0] != "[" else self.place)
        return self


@dataclass
class Scope:
    """One estimator whose state is checked.

    Parameters
    ----------
    estimator : object
        The estimator, or another object with attributes.
    fitted : bool
        Whether the estimator must be fitted.
    inspect_part : callable
        Checks an object in an attribute, which must be fitted or not, and returns its scope.
    trusted : frozenset of str
        Full names of types and functions that the caller trusts.
    """

    estimator: Any
    fitted: bool
    inspect_part: "Callable[[Any, bool], Scope]"
    trusted: frozenset[str] = frozenset()
    sizes: dict[str, int] = field(default_factory=dict)
    outputs: int | None = None  # number of columns that the estimator computes, if known
    # Dimensions by name, if known, of the embeddings that come with the spectrograms that the estimator
    # computes, and of the embeddings that it takes.
    embeddings: dict[str, int | None] = field(default_factory=dict)
    needed: dict[str, int | None] = field(default_factory=dict)
    # How many times as many columns as in X there are at most, in this estimator and the estimators in it.
    growth: int = 1

    def inspect(self, part: Any, fitted: bool) -> "Scope":
        """Check an object in an attribute, and return its scope."""
        inner = self.inspect_part(part, fitted)
        self.growth = max(self.growth, inner.growth)
        return inner

    def find(self, name: str) -> int | None:
        """Return a size by name, or None if it is not known yet."""
        if name in DERIVED and "classes" in self.sizes:
            return DERIVED[name](self.sizes["classes"])
        return self.sizes.get(name)

    def match(self, name: str, size: int) -> bool:
        """Return whether a size equals the known size of that name, which is set if it was unknown."""
        known = self.find(name)
        if known is None and size > 0:
            self.sizes[name] = known = int(size)
        return known == size

    @property
    def inputs(self) -> int | None:
        """Number of columns, bands or samples that the estimator takes, if known."""
        return next((self.sizes[name] for name in INPUTS if name in self.sizes), None)

    def need(self, condition: object, reason: str) -> None:
        """Raise StateError unless the condition is true."""
        if not condition:
            raise StateError(reason)

    @property
    def classes(self) -> list[Any] | None:
        """Class labels, or None if the estimator has none."""
        classes = getattr(self.estimator, "classes_", None)
        return classes.tolist() if isinstance(classes, np.ndarray) else None


def describe(value: Any) -> str:
    """Describe a value in an error message."""
    if not isinstance(value, np.ndarray):
        return _repr.repr(value)
    text = f"an array of {value.dtype} of shape {value.shape}"
    if value.size and value.dtype.kind in "iuf":
        text += f" from {value.min()} to {value.max()}"
    return text
