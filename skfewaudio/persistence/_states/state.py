"""Descriptions of the state of estimators, and the inspection of a loaded model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import validate_parameter_constraints

from skfewaudio.classifiers.saved_state import full_name

from .._limits import MAX_JOBS
from .objects import plain
from .scope import Scope, StateError
from .values import Check, choice, either, integer, none, size, strings

# Attributes that any estimator of scikit-learn may have.
COMMON: dict[str, Check] = {
    "feature_names_in_": strings("features"),
    "_sklearn_output_config": lambda value, scope: _check_output_config(value, scope),
    "_metadata_request": plain,
}
FEATURES: dict[str, Check] = {"n_features_in_": size("features")}
# Not all of scikit-learn's estimators check it.
COMMON_PARAMETERS: dict[str, Check] = {"n_jobs": either(none, integer(-MAX_JOBS, -1), integer(1))}


@dataclass(frozen=True, kw_only=True)
class State:
    """Attributes of the instances of a class.

    Parameters
    ----------
    fitted : mapping of str to Check
        Attributes that a fitted instance must have. They are checked in this order.
    optional : mapping of str to Check
        Attributes that a fitted instance may have.
    unused : str
        Names of further attributes, on which predictions do not depend; they may be any data.
    parameters : mapping of str to Check
        Parameters with more limits than scikit-learn's constraints. Other parameters may be any data.
    rule : callable, default=None
        Check of the whole instance, after all attributes.
    outputs : str, default=None
        Name of the size that is the number of columns of `transform`. A rule can set ``scope.outputs``
        instead.
    """

    fitted: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)
    unused: str = ""
    parameters: Mapping[str, Check] = field(default_factory=dict)
    rule: Callable[[Scope], None] | None = None
    outputs: str | None = None


class Inspector:
    """Inspection of a model, of which each object is checked once.

    Parameters
    ----------
    states : mapping of str to State
        States of known classes, by full name.
    trusted : collection of str
        Names of the types and functions that the caller trusts. Their instances are not checked.
    """

    def __init__(self, states: Mapping[str, State], trusted: frozenset[str]) -> None:
        self.states = states
        self.trusted = trusted
        self._known: dict[tuple[int, bool], Scope] = {}

    def inspect(self, value: Any, fitted: bool) -> Scope:
        """Check an object and all objects in it.

        Parameters
        ----------
        value : object
            An instance of a known or trusted class.
        fitted : bool
            Whether it must be fitted.

        Returns
        -------
        Scope
            Its sizes.

        Raises
        ------
        StateError
            If its state is not safe to use.
        """
        key = id(value), fitted
        if key not in self._known:
            self._known[key] = scope = Scope(value, fitted, self.inspect, self.trusted)
            name = full_name(type(value))
            try:
                self._check(scope, name)
            except StateError as error:
                error.kind = error.kind or name
                raise
        return self._known[key]

    def _check(self, scope: Scope, name: str) -> None:
        if name in self.trusted:
            return
        if name not in self.states:
            raise StateError(f"is a {name}, which is not expected here")
        _check(scope, self.states[name])


def _check(scope: Scope, state: State) -> None:
    """Check the parameters and attributes of an instance."""
    held = vars(scope.estimator)
    parameters = _parameter_names(scope.estimator)
    _check_constraints(scope.estimator, parameters)
    scope.fitted = scope.fitted or any(name in held for name in state.fitted)
    # Before the parameters, which are compared with the sizes of attributes.
    _check_attributes(scope, state, [name for name in held if name not in parameters])
    checks = {**COMMON_PARAMETERS, **state.parameters}
    for name in parameters:
        _check_one(checks.get(name, plain), scope, name, held[name])
    if state.rule is not None and scope.fitted:
        state.rule(scope)
    if state.outputs is not None:
        scope.outputs = scope.find(state.outputs)


def _check_attributes(scope: Scope, state: State, names: list[str]) -> None:
    missing = [name for name in state.fitted if name not in names] if scope.fitted else []
    if missing:
        raise StateError(f"is a {type(scope.estimator).__name__} without {missing[0]}")
    checks = {**state.fitted, **COMMON, **state.optional, **dict.fromkeys(state.unused.split(), plain)}
    unknown = [name for name in names if name not in checks]
    if unknown:
        raise StateError(f"is a {type(scope.estimator).__name__} with an unknown attribute, {unknown[0]!r}")
    for name in sorted(names, key=list(checks).index):
        _check_one(checks[name], scope, name, vars(scope.estimator)[name])


def _check_one(check: Check, scope: Scope, name: str, value: Any) -> None:
    """Check the value of an attribute, unless the caller trusts its type."""
    if full_name(type(value)) in scope.trusted:
        return
    try:
        check(value, scope)
    except StateError as error:
        raise error.within(name) from None


def _parameter_names(estimator: Any) -> list[str]:
    """Return the names of an estimator's parameters, all of which it must have."""
    names = estimator._get_param_names() if isinstance(estimator, BaseEstimator) else []
    missing = [name for name in names if name not in vars(estimator)]
    if missing:
        raise StateError(f"is a {type(estimator).__name__} without the parameter {missing[0]}")
    return names


def _check_constraints(estimator: Any, names: list[str]) -> None:
    """Check parameters by scikit-learn's constraints."""
    constraints = getattr(type(estimator), "_parameter_constraints", {})
    values = {name: vars(estimator)[name] for name in names if name in constraints}
    try:
        validate_parameter_constraints(constraints, values, type(estimator).__name__)
    except ValueError as error:
        raise StateError(f"has a parameter that is not valid: {error}") from error


_output_container = choice("default", "pandas", "polars")


def _check_output_config(value: Any, scope: Scope) -> None:
    if type(value) is not dict or set(value) - {"transform"}:
        raise StateError("is not a choice of containers for outputs")
    for item in value.values():
        _output_container(item, scope)
        installed = item == "default" or find_spec(item) is not None
        scope.need(installed, f"is for {item}, which is not installed")
