"""Checks of objects in attributes: data, estimators, and types and functions."""

from collections.abc import Collection, Mapping
from pathlib import PurePath
from types import MethodType
from typing import Any

import numpy as np

from skfewaudio.classifiers.saved_state import full_name

from .scope import INPUTS, Scope, StateError
from .values import Check, refuse

SCALARS = (type(None), bool, int, float, str, PurePath, slice, np.dtype)
LEAVES = (np.number, np.bool_, np.str_)
# Number of values that a random generator holds, which its position indexes without checking bounds.
POSITIONS = {"MT19937": ("pos", 624), "Philox": ("buffer_pos", 4)}
GENERATORS = ("PCG64", "PCG64DXSM", "SFC64", *POSITIONS)


def plain(value: Any, scope: Scope) -> None:
    """Expect data, in any containers, and objects that are checked where they occur, fitted or not."""
    stack = [value]
    while stack:
        value = stack.pop()
        if isinstance(value, np.ndarray):
            stack += value.tolist() if value.dtype == object else []
        elif isinstance(value, Mapping):
            stack += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set):
            stack += value
        elif isinstance(value, np.random.RandomState):
            _check_random(value.get_state(legacy=False))
        elif isinstance(value, np.random.Generator):
            _check_random(value.bit_generator.state)
        elif not isinstance(value, SCALARS) and not isinstance(value, LEAVES):
            _check_object(value, scope)


def _check_random(state: Mapping[str, Any]) -> None:
    """Check that the position of a random generator is within the values that it holds."""
    kind = state["bit_generator"]
    if kind not in GENERATORS:
        raise StateError(f"is a random generator of the kind {kind}")
    name, n_values = POSITIONS.get(kind, ("", 0))
    position = int({**state, **state["state"]}.get(name, 0))
    if not 0 <= position <= n_values:
        raise StateError(f"is a random generator at position {position}; expected 0 to {n_values}")


def _check_object(value: Any, scope: Scope) -> None:
    if not is_function(value):
        scope.inspect(value, False)
    elif name_of(value) not in scope.trusted:
        raise StateError(f"is {name_of(value)}, which is not expected here")


def is_function(value: Any) -> bool:
    """Return whether a value is a type or function."""
    return callable(value) and hasattr(value, "__name__")


def name_of(function: Any) -> str:
    """Return the full name of a type or function."""
    if isinstance(function, np.ufunc):
        return f"{'numpy' if hasattr(np, function.__name__) else 'scipy.special'}.{function.__name__}"
    if isinstance(function, MethodType):
        return f"{full_name(type(function.__self__))}.{function.__name__}"
    return full_name(function)


def named(*allowed: str | Collection[str], other: Check | None = None) -> Check:
    """Expect a type or function with one of the given names, or that the caller trusts.

    Other values must pass the check `other`; without it, they must be data.
    """
    names = {name for part in allowed for name in ([part] if isinstance(part, str) else part)}

    def check(value: Any, scope: Scope) -> None:
        if not is_function(value) or name_of(value) not in names:
            (other or plain)(value, scope)

    return check


def unary_function(value: Any, scope: Scope) -> None:
    """Expect a NumPy or SciPy function of one array of floats, or a function that the caller trusts."""
    if isinstance(value, np.ufunc):
        if value.nin != 1 or value.nout != 1 or not {"d->d", "d->?"} & set(value.types):
            raise StateError(f"is the function {value.__name__}; expected a function of one array of floats")
    else:
        plain(value, scope)


def fitted(
    *kinds: str,
    classes: str | None = None,
    same_inputs: bool = False,
    method: str | None = None,
    **links: str,
) -> Check:
    """Expect a fitted estimator.

    Parameters
    ----------
    *kinds : str
        Names of the allowed classes; any class without names.
    classes : {"same", "encoded", "binary"}, default=None
        Labels of the estimator: the labels of the containing estimator, or 0 to n_classes - 1; or two labels.
    same_inputs : bool, default=False
        Whether the estimator gets the X of the containing estimator, and must take as many columns.
    method : str, default=None
        Method that the estimator must have.
    **links : str
        Sizes of the estimator, and the sizes of the containing estimator that they must equal if known.
    """

    def check(value: Any, scope: Scope) -> None:
        inner = _inspect(value, scope, True, kinds, method)
        for name, outer in links.items():
            match_link(inner, name, scope, outer)
        if same_inputs:
            match_inputs(inner, scope)
        if classes is not None:
            _check_classes(inner, scope, classes)

    return check


def part(*kinds: str, method: str | None = None) -> Check:
    """Expect an estimator that is fitted if the containing estimator is fitted."""

    def check(value: Any, scope: Scope) -> None:
        _inspect(value, scope, scope.fitted, kinds, method)

    return check


def match_link(inner: Scope, name: str, outer: Scope, outer_name: str) -> None:
    """Check that a size of an inner estimator equals a size of the outer one, if both are known."""
    found = inner.find(name)
    if found is not None and not outer.match(outer_name, found):
        raise StateError(f"has {found} {name}; expected {outer.find(outer_name)}")


def match_inputs(inner: Scope, outer: Scope) -> None:
    """Check that an estimator takes as many columns, bands or samples as the outer one, which passes X on.

    If only the number of the inner one is known, the outer one takes it over.
    """
    outer.needed |= inner.needed
    if outer.inputs is None:
        outer.sizes |= {name: inner.sizes[name] for name in INPUTS if name in inner.sizes}
    expect_inputs(inner, outer.inputs)


def expect_inputs(inner: Scope, n_inputs: int | None) -> None:
    """Check that an estimator takes a number of columns, bands or samples, if both numbers are known."""
    if None not in (inner.inputs, n_inputs) and inner.inputs != n_inputs:
        name = type(inner.estimator).__name__
        raise StateError(f"has a {name} of {inner.inputs} features; expected {n_inputs}")


def expect_embeddings(inner: Scope, embeddings: Mapping[str, int | None]) -> None:
    """Check that the embeddings that an estimator takes are among those that the step before computes."""
    name = type(inner.estimator).__name__
    for embedding, size in inner.needed.items() if embeddings else ():
        if embedding not in embeddings:
            found = ", ".join(embeddings)
            raise StateError(f"has a {name} of the embedding {embedding!r}; expected one of {found}")
        if None not in (size, embeddings[embedding]) and size != embeddings[embedding]:
            expected = f"{embedding!r} of {size} dimensions; expected {embeddings[embedding]}"
            raise StateError(f"has a {name} of the embedding {expected}")


def _inspect(value: Any, scope: Scope, fitted: bool, kinds: Collection[str], method: str | None) -> Scope:
    """Check the class of an estimator, its state and then its methods, some of which depend on the state."""
    name = full_name(type(value))
    if isinstance(value, SCALARS) or (kinds and name not in kinds and name not in scope.trusted):
        refuse(value, " or ".join(kinds) or "an estimator")
    inner = scope.inspect(value, fitted)
    if fitted and method is not None and not hasattr(value, method):
        raise StateError(f"is a {type(value).__name__}, which has no {method}")
    return inner


def _check_classes(inner: Scope, outer: Scope, kind: str) -> None:
    """Check the labels of an inner classifier, unless the caller trusts it."""
    found = inner.classes
    if found is None and full_name(type(inner.estimator)) in outer.trusted:
        return
    if found is None:
        raise StateError(f"is a {type(inner.estimator).__name__} without classes")
    encoded = list(range(outer.find("classes") or 0))
    is_right = (
        len(found) == 2 if kind == "binary" else found == (outer.classes if kind == "same" else encoded)
    )
    if not is_right:
        raise StateError(f"has other classes than expected: {found[:5]}")
