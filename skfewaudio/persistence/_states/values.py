"""Checks of the values of attributes: arrays, numbers, labels, and objects in them."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from numbers import Integral, Real
from typing import Any, NoReturn

import numpy as np

from .._limits import LARGEST, MAX_COLUMNS
from .scope import Scope, StateError, describe

# A check raises StateError, or sets sizes that other attributes must have.
Check = Callable[[Any, Scope], None]

Size = int | str
FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
INTEGERS = (np.dtype(np.int64), np.dtype(np.int32))
SHA256 = re.compile(r"[0-9a-f]{64}")


def refuse(value: Any, expected: str) -> NoReturn:
    """Raise StateError for a value."""
    raise StateError(f"is {describe(value)}; expected {expected}")


def checksum(value: Any, _: Scope) -> None:
    """Expect None or a SHA-256."""
    if value is not None and not (isinstance(value, str) and SHA256.fullmatch(value)):
        refuse(value, "None or 64 hexadecimal digits")


def check_array(value: Any, dtypes: Sequence[np.dtype], shape: Sequence[Size], scope: Scope) -> None:
    """Check the type, data type and shape of an array; an unknown size is set."""
    expected = f"an array of {' or '.join(map(str, dtypes))} of shape ({', '.join(map(str, shape))})"
    if type(value) is not np.ndarray or value.dtype not in dtypes or value.ndim != len(shape):
        refuse(value, expected)
    for size, name in zip(value.shape, shape, strict=True):
        known = name if isinstance(name, int) else scope.find(name)
        if size != known if isinstance(name, int) else not scope.match(name, size):
            refuse(
                value, expected + (f", where {name} is {known}" if isinstance(name, str) and known else "")
            )


def floats(
    *shape: Size, low: float = -LARGEST, high: float = LARGEST, any_value: bool = False, for_c: bool = False
) -> Check:
    """Expect an array of floats between two bounds, without NaN; with `any_value`, of any floats.

    With `for_c`, it must be in double precision and in C order.
    """

    def check(value: Any, scope: Scope) -> None:
        check_array(value, FLOATS[:1] if for_c else FLOATS, shape, scope)
        if not any_value and value.size and not (low <= value.min() and value.max() <= high):
            refuse(value, f"numbers from {low:g} to {high:g}, without NaN")
        if for_c and not value.flags.c_contiguous:
            refuse(value, "an array in C order")

    return check


def integers(*shape: Size, low: int = 0, below: Size | None = None, dtype: Any = None) -> Check:
    """Expect an array of integers from `low` to one less than `below`, a number or the name of a size."""
    dtypes = INTEGERS if dtype is None else (np.dtype(dtype),)

    def check(value: Any, scope: Scope) -> None:
        check_array(value, dtypes, shape, scope)
        limit = scope.find(below) if isinstance(below, str) else below
        if value.size and (value.min() < low or (limit is not None and value.max() >= limit)):
            refuse(value, f"integers from {low}" + ("" if limit is None else f" to {limit - 1}"))

    return check


def labels(name: str = "classes", low: int = 1) -> Check:
    """Expect a 1-D array of at least `low` different labels: strings, numbers or None."""

    def check(value: Any, scope: Scope) -> None:
        found = _to_list(value, "biufUSO", str | bytes | Real | None)
        if found is None or len(set(found)) < max(low, len(found)):
            refuse(value, f"a 1-D array of at least {low} different strings or numbers")
        if not scope.match(name, len(found)):
            refuse(value, f"{scope.find(name)} labels")

    return check


def strings(name: str) -> Check:
    """Expect a 1-D array of strings."""

    def check(value: Any, scope: Scope) -> None:
        found = _to_list(value, "UO", str)
        if found is None or not scope.match(name, len(found)):
            refuse(value, f"a 1-D array of strings of length {name}")

    return check


def _to_list(value: Any, dtype_kinds: str, kinds: Any) -> list[Any] | None:
    """Return the items of a 1-D array, or None if the value is anything else."""
    is_array = type(value) is np.ndarray and value.ndim == 1 and value.dtype.kind in dtype_kinds
    if not is_array or len(value) > MAX_COLUMNS:
        return None
    found = value.tolist()
    return found if all(isinstance(item, kinds) for item in found) else None


def number(low: float = -LARGEST, high: float = LARGEST) -> Check:
    """Expect a number between two bounds."""

    def check(value: Any, _: Scope) -> None:
        is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:  # also for NaN
            refuse(value, f"a number from {low:g} to {high:g}")

    return check


def integer(low: int = 0, high: int | None = None) -> Check:
    """Expect an integer between two bounds."""

    def check(value: Any, _: Scope) -> None:
        is_integer = isinstance(value, Integral) and not isinstance(value, bool)
        if not is_integer or value < low or (high is not None and value > high):
            refuse(value, f"an integer from {low}" + ("" if high is None else f" to {high}"))

    return check


def size(name: str) -> Check:
    """Expect the integer that is the size of that name."""

    def check(value: Any, scope: Scope) -> None:
        if not isinstance(value, Integral) or isinstance(value, bool) or not scope.match(name, int(value)):
            known = scope.find(name)
            refuse(value, f"the number of {name}" + ("" if known is None else f", {known}"))

    return check


def choice(*values: Any) -> Check:
    """Expect one of some values, of the same type."""

    def check(value: Any, _: Scope) -> None:
        plain = value.item() if isinstance(value, np.bool_) else value
        if not any(type(plain) is type(option) and plain == option for option in values):
            refuse(value, f"one of {', '.join(map(repr, values))}")

    return check


flag = choice(False, True)
none = choice(None)


def either(*checks: Check) -> Check:
    """Expect a value that passes one of the checks; the error of the last one is raised."""

    def check(value: Any, scope: Scope) -> None:
        before = dict(scope.sizes)
        for option in checks[:-1]:
            with suppress(StateError):
                return option(value, scope)
            scope.sizes = dict(before)
        return checks[-1](value, scope)

    return check


def optional(check: Check) -> Check:
    """Expect None, or a value that passes the check."""
    return either(none, check)


def items(check: Check, count: Size | None = None, kinds: tuple[type, ...] = (list, tuple)) -> Check:
    """Expect a list or tuple, not empty, whose items pass the check."""

    def check_items(value: Any, scope: Scope) -> None:
        expected = "a list" if count is None else f"a list of {count} items"
        if type(value) not in kinds or not value:
            refuse(value, expected)
        is_right = (
            count is None or len(value) == count
            if not isinstance(count, str)
            else scope.match(count, len(value))
        )
        if not is_right:
            refuse(value, expected)
        for index, item in enumerate(value):
            try:
                check(item, scope)
            except StateError as error:
                raise error.within(f"[{index}]") from None

    return check_items
