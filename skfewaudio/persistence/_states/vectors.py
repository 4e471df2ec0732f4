"""States of this package's classifiers of feature vectors."""

import math

from .._limits import SMALLEST_DIVISOR
from .objects import fitted, unary_function
from .scope import Scope
from .state import FEATURES, State
from .values import Check, either, flag, floats, labels, none, number, size

RIDGE_FIT = "skfewaudio.classifiers._ridge.system.RidgeFit"
SEQUENTIAL_RIDGE = "skfewaudio.classifiers._ridge.sequential.SequentialRidge"

_CANDIDATES: dict[str, Check] = {
    "penalty_": number(low=0),
    "penalties_": floats("penalties", low=0),
    "loo_errors_": either(none, floats("penalties", low=0)),
}
_HIDDEN_LAYER: dict[str, Check] = {
    "hidden_weights_": either(none, floats("features", "hidden units")),
    "hidden_biases_": either(none, floats("hidden units")),
    "centers_": either(none, floats("hidden units", "features")),
    "radius_": either(none, number(low=SMALLEST_DIVISOR)),
}
_ELM: dict[str, Check] = {
    **FEATURES,
    **_HIDDEN_LAYER,
    **_CANDIDATES,
    "output_weights_": floats("rows", "targets"),
    "_ridge": fitted(RIDGE_FIT, SEQUENTIAL_RIDGE, columns="rows", targets="targets"),
}
_ELM_PARAMETERS: dict[str, Check] = {
    "activation": lambda value, scope: None if isinstance(value, str) else unary_function(value, scope),
    "n_hidden": size("hidden units"),
    "rbf_width": number(low=SMALLEST_DIVISOR),
}


def _check_ridge_fit(scope: Scope) -> None:
    found, expected = scope.sizes["row size"], scope.sizes["columns"] + scope.sizes["targets"]
    scope.need(found == expected, f"has rows of {found} columns; expected {expected}")


def _check_triangle(scope: Scope) -> None:
    n_targets = scope.sizes["triangle"] - scope.sizes["columns"]
    scope.need(scope.match("targets", n_targets), "has a triangle that is too small for its columns")


def _check_elm(scope: Scope) -> None:
    """Check that the hidden layer has what its parameters need, and the outputs one row per unit."""
    model, n_rows = scope.estimator, scope.sizes["rows"]
    is_mixed = model.hidden_weights_ is not None and model.hidden_biases_ is not None
    scope.need(is_mixed or model.alpha == 0, "has no hidden_weights_, which alpha above 0 needs")
    is_radial = model.centers_ is not None and model.radius_ is not None
    scope.need(is_radial or model.alpha == 1, "has no centers_, which alpha below 1 needs")
    n_direct = scope.sizes["features"] if model.direct_links else 0
    expected = scope.sizes["hidden units"] + n_direct
    scope.need(n_rows == expected, f"has {n_rows} rows of output_weights_; expected {expected}")


def _check_elm_classifier(scope: Scope) -> None:
    _check_elm(scope)
    n_outputs = scope.sizes["classes"] if scope.estimator.multilabel_ else scope.find("scores")
    found = scope.sizes["targets"]
    scope.need(found == n_outputs, f"has {found} outputs; expected {n_outputs}")
    scope.need(scope.estimator.multilabel_ or scope.sizes["classes"] > 1, "has a single class")


def _check_elm_regressor(scope: Scope) -> None:
    _check_elm(scope)
    n_targets = scope.sizes["targets"]
    expected = ((n_targets,), ()) if n_targets == 1 else ((n_targets,),)
    scope.need(
        scope.estimator._target_shape in expected, f"has another _target_shape than {n_targets} targets"
    )


def _check_calibrated_ridge(scope: Scope) -> None:
    """Check that rejection has a threshold."""
    model = scope.estimator
    kind = type(model.unknown_label)
    scope.need(kind in (str, int, float, bool, type(None)), f"has an unknown_label that is a {kind.__name__}")
    parts = [getattr(model, f"novelty_{part}_", None) is None for part in ("mean", "scale", "basis")]
    scope.need(len(set(parts)) == 1, "has only a part of its novelty")
    known = model.false_rejection_rate is None or model.unknown_label not in (scope.classes or [])
    scope.need(known, f"has the unknown_label {model.unknown_label!r}, which is a class")


STATES = {
    RIDGE_FIT: State(
        fitted={
            "coef": floats("columns", "targets"),
            "penalty": number(low=0),
            "penalties": floats("penalties", low=0),
            "errors": either(none, floats("penalties", low=0)),
            "rows": floats("rows", "row size"),
            "rows_penalty": number(low=0),
            "intercept": floats("targets"),
        },
        rule=_check_ridge_fit,
    ),
    SEQUENTIAL_RIDGE: State(
        fitted={"n_columns": size("columns"), "triangle": floats("triangle", "triangle")},
        rule=_check_triangle,
    ),
    "skfewaudio.classifiers._elm.ELMClassifier": State(
        fitted={**_ELM, "classes_": labels(), "multilabel_": flag},
        parameters=_ELM_PARAMETERS,
        rule=_check_elm_classifier,
    ),
    "skfewaudio.classifiers._elm.ELMRegressor": State(
        fitted={
            **_ELM,
            "_target_shape": lambda value, scope: scope.need(type(value) is tuple, "is no shape"),
        },
        parameters=_ELM_PARAMETERS,
        rule=_check_elm_regressor,
    ),
    "skfewaudio.classifiers._calibrated_ridge.CalibratedRidgeClassifier": State(
        fitted={
            **FEATURES,
            **_CANDIDATES,
            "classes_": labels(low=2),
            "coef_": floats("classes", "features"),
            "intercept_": floats("classes"),
            "temperature_": number(low=SMALLEST_DIVISOR),
            "threshold_": number(low=-math.inf),
        },
        optional={
            "block_weights_": floats("blocks", low=0),
            "copies_share_": number(low=0),
            "novelty_mean_": either(none, floats("features")),
            "novelty_scale_": either(none, floats("features", low=0)),
            "novelty_basis_": either(none, floats("novel directions", "features")),
        },
        rule=_check_calibrated_ridge,
    ),
}
