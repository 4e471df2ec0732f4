"""States of scikit-learn's pipelines, unions of features and functions as transformers."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._limits import MAX_GROWTH
from .objects import expect_embeddings, expect_inputs, fitted, match_inputs, part, plain, unary_function
from .scope import Scope, StateError
from .state import FEATURES, State
from .values import Check, choice, either, items, none, number, refuse

SKIPPED = (None, "passthrough", "drop")


def named_parts(value: Any, scope: Scope) -> None:
    """Expect pairs of a name and an estimator, or a string or None in its place."""
    items(_pair)(value, scope)


def _pair(value: Any, scope: Scope) -> None:
    if type(value) not in (tuple, list) or len(value) != 2 or not isinstance(value[0], str):
        refuse(value, "a name and an estimator")
    if not (isinstance(value[1], str | None) and value[1] in SKIPPED):
        _within("[1]", part(), value[1], scope)


def _within(name: str, check: Check, value: Any, scope: Scope) -> None:
    """Check an item, and name it in an error."""
    try:
        check(value, scope)
    except StateError as error:
        raise error.within(name) from None


def _sum(widths: list[int | None]) -> int | None:
    """Return the sum, or None if an item is unknown."""
    known = [width for width in widths if width is not None]
    return sum(known) if len(known) == len(widths) else None


def _check_growth(scope: Scope, growth: int) -> None:
    """Check how many columns there are per column of X, since unions in a row multiply them."""
    n_features = scope.find("features")
    if n_features and scope.outputs:
        growth = min(growth, math.ceil(scope.outputs / n_features))
    scope.need(growth <= MAX_GROWTH, f"computes {growth} times as many columns as it takes")
    scope.growth = growth


def _check_pipeline(scope: Scope) -> None:
    """Check that each step can transform, and computes the columns and embeddings that the next one takes."""
    names = [name for name, _ in scope.estimator.steps]
    steps = [step for _, step in scope.estimator.steps]
    scope.need(len(set(names)) == len(names), "has two steps of one name")
    scope.need("drop" not in [step for step in steps if isinstance(step, str)], "has the step 'drop'")
    able = [step in SKIPPED if isinstance(step, str | None) else hasattr(step, "transform") for step in steps]
    scope.need(
        all(able[:-1]),
        f"has the step {names[able.index(False)] if False in able else ''!r}, without transform",
    )
    kept = [step for step in steps if not isinstance(step, str | None)]
    parts = [scope.inspect(step, True) for step in kept]
    for before, after in pairwise(parts):
        expect_inputs(after, before.outputs)
        expect_embeddings(after, before.embeddings)
    if parts:
        match_inputs(parts[0], scope)
        scope.outputs, scope.embeddings = parts[-1].outputs, parts[-1].embeddings
    _check_growth(scope, math.prod(part.growth for part in parts))


def _growth(transformer: Any, scope: Scope) -> int:
    return 1 if isinstance(transformer, str | None) else scope.inspect(transformer, True).growth


def _check_union(scope: Scope) -> None:
    """Check that all transformers expect the same features, and count their columns."""
    union = scope.estimator
    kept = [part for _, part in union.transformer_list if not (isinstance(part, str) and part == "drop")]
    scope.need(kept, "has no parts")
    for transformer in kept:
        if not isinstance(transformer, str | None):
            scope.need(hasattr(transformer, "transform"), "has a part without transform")
            match_inputs(scope.inspect(transformer, True), scope)
    is_plain = [isinstance(transformer, str | None) for transformer in kept]
    scope.outputs = _sum(
        [
            scope.inputs if skipped else scope.inspect(transformer, True).outputs
            for transformer, skipped in zip(kept, is_plain, strict=True)
        ]
    )
    _check_growth(scope, sum(_growth(transformer, scope) for transformer in kept))
    unknown = set(union.transformer_weights or {}) - {name for name, _ in union.transformer_list}
    scope.need(not unknown, "has weights of unknown parts")


def _columns(value: Any, scope: Scope) -> None:
    """Expect triples of a name, a fitted transformer and the columns that it transforms."""
    if type(value) is not tuple or len(value) != 3 or not isinstance(value[0], str):
        refuse(value, "a name, a transformer and columns")
    plain(value[2], scope)
    if not (isinstance(value[1], str) and value[1] in SKIPPED):
        _within("[1]", fitted(method="transform"), value[1], scope)


def _select(columns: Any, scope: Scope) -> NDArray[np.intp]:
    """Return the numbers of columns that are given by numbers, a mask, a slice or names."""
    numbers = np.arange(scope.sizes["features"])
    listed: Any = [columns] if isinstance(columns, str) else columns
    names = getattr(scope.estimator, "feature_names_in_", np.array([])).tolist()
    if isinstance(listed, list) and listed and all(isinstance(name, str) for name in listed):
        listed = [names.index(name) for name in listed]
    is_empty = not isinstance(listed, slice) and not np.size(listed)
    return numbers[:0] if is_empty else np.atleast_1d(numbers[listed])


def _check_column_transformer(scope: Scope) -> None:
    """Check that all columns exist, and count the columns of the transformers."""
    indices, widths = scope.estimator._transformer_to_input_indices, []
    for name, transformer, columns in scope.estimator.transformers_:
        try:
            selected = _select(columns, scope)
        except (IndexError, ValueError, TypeError) as error:
            raise StateError(f"has the columns {columns!r} of {name!r}, which do not exist") from error
        same = type(indices) is dict and indices.get(name) == selected.tolist()
        scope.need(same, f"has other columns of {name!r} in _transformer_to_input_indices")
        if not isinstance(transformer, str) and len(selected):
            inner = scope.inspect(transformer, True)
            expect_inputs(inner, len(selected))
            widths.append(inner.outputs)
        elif transformer != "drop":
            widths.append(len(selected))
    scope.outputs = _sum(widths)
    _check_growth(
        scope, sum(_growth(transformer, scope) for _, transformer, _ in scope.estimator.transformers_)
    )


def _check_function(scope: Scope) -> None:
    """Check that only functions that the caller trusts get arguments."""
    model = scope.estimator
    is_numpy = model.func is None or isinstance(model.func, np.ufunc)
    scope.need(not (is_numpy and model.kw_args), "has kw_args of a function that is not trusted")
    is_numpy_inverse = model.inverse_func is None or isinstance(model.inverse_func, np.ufunc)
    scope.need(
        not (is_numpy_inverse and model.inv_kw_args), "has inv_kw_args of a function that is not trusted"
    )
    if is_numpy:
        scope.outputs = scope.find("features")


def _check_target(scope: Scope) -> None:
    transformer = scope.estimator.transformer_
    expect_inputs(scope.inspect(transformer, True), 1)
    scope.need(hasattr(transformer, "inverse_transform"), "has a transformer_ without inverse_transform")


def _weights(value: Any, scope: Scope) -> None:
    """Expect None, or numbers by name."""
    scope.need(value is None or type(value) is dict, "is no dict of weights")
    for weight in (value or {}).values():
        number()(weight, scope)


_function = either(none, unary_function)
_WEIGHTS = {"transformer_weights": _weights}

STATES = {
    "sklearn.pipeline.Pipeline": State(parameters={"steps": named_parts}, rule=_check_pipeline),
    "sklearn.pipeline.FeatureUnion": State(
        parameters={"transformer_list": named_parts, **_WEIGHTS}, rule=_check_union
    ),
    "sklearn.compose._column_transformer.ColumnTransformer": State(
        fitted=FEATURES
        | {
            "transformers_": items(_columns),
            "_transformer_to_input_indices": plain,
            "sparse_output_": choice(False),
        },
        unused="_columns _remainder output_indices_ _name_to_fitted_passthrough "
        "_transformers_feature_names_out _feature_names_in _n_features",
        parameters=_WEIGHTS,
        rule=_check_column_transformer,
    ),
    "sklearn.preprocessing._function_transformer.FunctionTransformer": State(
        optional=FEATURES,
        parameters={"func": _function, "inverse_func": _function, "feature_names_out": plain},
        rule=_check_function,
    ),
    "sklearn.compose._target.TransformedTargetRegressor": State(
        fitted={"regressor_": fitted(method="predict"), "transformer_": fitted(), "_training_dim": choice(1)},
        optional=FEATURES,
        parameters={"func": _function, "inverse_func": _function},
        rule=_check_target,
    ),
}
