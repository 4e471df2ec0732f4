"""States of scikit-learn's nearest neighbours, whose indices are used without checking bounds."""

from typing import Any

import numpy as np

from skfewaudio.classifiers.saved_state import full_name

from .objects import plain
from .scope import Scope
from .state import FEATURES, State
from .values import choice, either, floats, integers, items, labels, none, number, size

# Metrics without further parameters than p.
METRICS = (
    *("minkowski", "euclidean", "l2", "sqeuclidean", "manhattan", "l1", "cityblock", "chebyshev", "infinity"),
    *("cosine", "correlation", "braycurtis", "canberra"),
)
_exponent = number(1, 1000)


def _metric_params(value: Any, scope: Scope) -> None:
    """Expect no parameters of the metric except p."""
    is_plain = type(value) is dict and not set(value) - {"p", "w"} and value.get("w") is None
    scope.need(is_plain, "has other parameters of the metric than p")
    if "p" in value:
        _exponent(value["p"], scope)


def _targets(value: Any, scope: Scope) -> None:
    """Expect class numbers of every row, for one or for several outputs."""
    classes = scope.estimator.classes_
    if not scope.estimator.outputs_2d_:
        integers("samples", low=0, below="classes", dtype=np.int64)(value, scope)
        return
    integers("samples", "several outputs", dtype=np.int64)(value, scope)
    scope.need(type(classes) is list and len(classes) == value.shape[1], "has other columns than classes_")
    for column, known in zip(value.T, classes, strict=True):
        scope.need(
            column.max() < len(known), f"is {column.max()}; expected integers from 0 to {len(known) - 1}"
        )


def _several_labels(value: Any, scope: Scope) -> None:
    """Expect one array of labels per output, without a common size."""
    items(plain)(value, scope)
    for output in value:
        labels("labels of one output")(output, Scope(scope.estimator, True, scope.inspect_part))


def _fit_method(value: Any, scope: Scope) -> None:
    """Expect a search through all samples, or by a tree that the caller trusts."""
    tree = getattr(scope.estimator, "_tree", None)
    is_trusted = full_name(type(tree)) in scope.trusted
    (choice("kd_tree", "ball_tree") if is_trusted else choice("brute"))(value, scope)


def _check_neighbours(scope: Scope) -> None:
    model, n_samples = scope.estimator, scope.sizes["samples"]
    scope.need(model.n_neighbors <= n_samples, f"has n_neighbors={model.n_neighbors} of {n_samples} samples")
    adjusted = {"l2": "euclidean", "l1": "manhattan", "cityblock": "manhattan"}
    known = {model.metric, adjusted.get(model.metric), "euclidean", "manhattan", "chebyshev"}
    scope.need(model.effective_metric_ in known, "has another effective_metric_ than its metric")


def _check_classifier(scope: Scope) -> None:
    """Check that there is an exponent where uniform weights are computed by `p`, not by the fitted metric."""
    _check_neighbours(scope)
    model = scope.estimator
    needed = model.metric == "minkowski" and model.weights == "uniform"
    scope.need(not needed or model.p is not None, "has p=None, which metric='minkowski' needs")


_NEIGHBOURS = FEATURES | {
    "_fit_X": floats("samples", "features"),
    "n_samples_fit_": size("samples"),
    "_fit_method": _fit_method,
    "effective_metric_": choice(*METRICS),
    "effective_metric_params_": _metric_params,
}
_PARAMETERS = {
    "metric": choice(*METRICS),
    "metric_params": either(none, _metric_params),
    "p": either(none, _exponent),
    "weights": choice("uniform", "distance", None),
}

STATES = {
    "sklearn.neighbors._classification.KNeighborsClassifier": State(
        fitted=_NEIGHBOURS
        | {
            "outputs_2d_": choice(False, True),
            "classes_": either(labels(), _several_labels),
            "_y": _targets,
        },
        optional={"_tree": none},
        unused="radius",
        parameters=_PARAMETERS,
        rule=_check_classifier,
    ),
    "sklearn.neighbors._regression.KNeighborsRegressor": State(
        fitted=_NEIGHBOURS
        | {
            "_y": either(
                floats("samples"),
                floats("samples", "targets"),
                integers("samples", low=-(2**62)),
                integers("samples", "targets", low=-(2**62)),
            )
        },
        optional={"_tree": none},
        unused="radius",
        parameters=_PARAMETERS,
        rule=_check_neighbours,
    ),
    "sklearn.neighbors._nearest_centroid.NearestCentroid": State(
        fitted=FEATURES
        | {
            "classes_": labels(low=2),
            "centroids_": floats("classes", "features"),
            "class_prior_": floats("classes", low=1e-30, high=1),
            "within_class_std_dev_": floats("features", low=0),
        },
        optional={
            "deviations_": floats("classes", "features"),
            "true_classes_": labels("true classes"),
        },
    ),
}
