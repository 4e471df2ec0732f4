"""States of scikit-learn's trees and forests, whose nodes the caller must trust."""

from typing import Any

from skfewaudio.classifiers.saved_state import full_name

from .objects import fitted, plain
from .scope import Scope
from .state import FEATURES, State
from .values import either, integer, items, labels

TREE = "sklearn.tree._tree.Tree"
_TREES = tuple(f"sklearn.tree._classes.{name}" for name in ("DecisionTreeClassifier", "ExtraTreeClassifier"))
_REGRESSION_TREES = tuple(name.replace("Classifier", "Regressor") for name in _TREES)


def _is_tree(value: Any, scope: Scope) -> None:
    name = full_name(type(value))
    scope.need(name == TREE, f"is a {name}; expected a {TREE}")
    plain(value, scope)


def _check_outputs(scope: Scope) -> None:
    """Check that there is an array of labels for each output."""
    model = scope.estimator
    if model.n_outputs_ == 1:
        same = scope.classes is not None and model.n_classes_ == len(scope.classes)
    else:
        same = type(model.classes_) is list and len(model.classes_) == model.n_outputs_
    scope.need(same, "has other classes_ than n_classes_ and n_outputs_ count")


_SIZES = FEATURES | {"n_outputs_": integer(1)}
_CLASSES = {"classes_": either(labels(), items(plain)), "n_classes_": plain}
_FOREST = (
    "estimator base_estimator estimator_ estimator_params _n_samples _n_samples_bootstrap _sample_weight"
)
_FOREST += " oob_score_ oob_decision_function_ oob_prediction_"

STATES = {
    **dict.fromkeys(
        _TREES,
        State(fitted=_SIZES | _CLASSES | {"tree_": _is_tree}, unused="max_features_", rule=_check_outputs),
    ),
    **dict.fromkeys(_REGRESSION_TREES, State(fitted=_SIZES | {"tree_": _is_tree}, unused="max_features_")),
    **dict.fromkeys(
        [f"sklearn.ensemble._forest.{name}" for name in ("RandomForestClassifier", "ExtraTreesClassifier")],
        State(
            fitted=_SIZES | _CLASSES | {"estimators_": items(fitted(*_TREES, same_inputs=True))},
            unused=_FOREST,
            rule=_check_outputs,
        ),
    ),
    **dict.fromkeys(
        [f"sklearn.ensemble._forest.{name}" for name in ("RandomForestRegressor", "ExtraTreesRegressor")],
        State(
            fitted=_SIZES | {"estimators_": items(fitted(*_REGRESSION_TREES, same_inputs=True))},
            unused=_FOREST,
        ),
    ),
}
