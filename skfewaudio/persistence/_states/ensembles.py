"""States of scikit-learn's estimators that combine or calibrate classifiers."""

import math
from typing import Any

import numpy as np

from skfewaudio.classifiers.saved_state import full_name

from .objects import fitted, plain
from .scope import Scope
from .state import FEATURES, State
from .values import choice, floats, integers, items, labels, none, number

LABEL_BINARIZER = "sklearn.preprocessing._label.LabelBinarizer"
LABEL_ENCODER = "sklearn.preprocessing._label.LabelEncoder"
CONSTANT = "sklearn.multiclass._ConstantPredictor"
SIGMOID, TEMPERATURE = "sklearn.calibration._SigmoidCalibration", "sklearn.calibration._TemperatureScaling"
ISOTONIC = "sklearn.isotonic.IsotonicRegression"
CALIBRATED = "sklearn.calibration._CalibratedClassifier"


def _one_against_rest(value: Any, scope: Scope) -> None:
    """Expect a classifier of two classes, or the constant of a class that all or no rows had."""
    is_constant = full_name(type(value)) == CONSTANT
    (fitted(same_inputs=True) if is_constant else _binary)(value, scope)


def _binary(value: Any, scope: Scope) -> None:
    """Expect a classifier of two classes that has scores."""
    fitted(classes="binary", same_inputs=True)(value, scope)
    _check_scores(value, scope)


def _check_scores(value: Any, scope: Scope) -> None:
    has_scores = hasattr(value, "decision_function") or hasattr(value, "predict_proba")
    scope.need(has_scores, f"is a {type(value).__name__} without decision_function and predict_proba")


def _check_one_vs_rest(scope: Scope) -> None:
    """Check that there is one estimator per class, or one for two classes."""
    model, binarizer = scope.estimator, scope.estimator.label_binarizer_
    n_classes = len(binarizer.classes_)
    expected = 1 if binarizer.y_type_ == "binary" else n_classes
    scope.need(
        binarizer.y_type_ != "binary" or n_classes == 2, "has a label binarizer of other classes than two"
    )
    scope.need(
        len(model.estimators_) == expected, f"has {len(model.estimators_)} estimators; expected {expected}"
    )
    scope.need(scope.classes == binarizer.classes_.tolist(), "has other classes_ than its label binarizer")


def _check_vote(scope: Scope) -> None:
    model = scope.estimator
    scope.need(scope.classes == model.le_.classes_.tolist(), "has other classes_ than its label encoder")
    kept = [estimator for _, estimator in model.estimators if not isinstance(estimator, str)]
    scope.need(len(kept) == len(model.estimators_), "has other estimators_ than estimators")
    if model.weights is not None:
        weights = np.asarray(model.weights)
        is_right = weights.shape == (len(model.estimators),) and weights.dtype.kind in "iuf"
        scope.need(
            is_right and weights.min() >= 0 and 0 < weights.sum() < math.inf,
            "has weights that are not positive",
        )
    if model.voting == "soft":
        able = all(hasattr(estimator, "predict_proba") for estimator in model.estimators_)
        scope.need(able, "has estimators without predict_proba, which voting='soft' needs")


def _calibrator(value: Any, scope: Scope) -> None:
    kind = {"sigmoid": SIGMOID, "isotonic": ISOTONIC, "temperature": TEMPERATURE}[scope.estimator.method]
    fitted(kind)(value, scope)
    scope.need(getattr(value, "out_of_bounds", "clip") == "clip", "has another out_of_bounds than 'clip'")


def _check_calibrated(scope: Scope) -> None:
    """Check that the calibrators fit the scores of the classifier."""
    model = scope.estimator
    classes, found = model.classes.tolist(), scope.inspect(model.estimator, True).classes or []
    _check_scores(model.estimator, scope)
    n_found = len(found)
    if model.method == "temperature":
        scope.need(n_found == len(classes), "has a classifier of other classes")
        return
    scope.need(set(found) <= set(classes) and n_found >= 2, "has a classifier of other classes")
    expected = 1 if n_found == 2 else n_found
    scope.need(
        len(model.calibrators) == expected, f"has {len(model.calibrators)} calibrators; expected {expected}"
    )


def _check_calibrated_cv(scope: Scope) -> None:
    for calibrated in scope.estimator.calibrated_classifiers_:
        scope.need(
            calibrated.classes.tolist() == scope.classes, "has calibrated classifiers of other classes"
        )


def _check_isotonic(scope: Scope) -> None:
    model = scope.estimator
    scope.need(model.X_min_ <= model.X_max_, "has an X_min_ above X_max_")
    scope.need((np.diff(model.X_thresholds_) >= 0).all(), "has X_thresholds_ that are not sorted")


STATES = {
    "sklearn.multiclass.OneVsRestClassifier": State(
        fitted={
            "label_binarizer_": fitted(LABEL_BINARIZER),
            "estimators_": items(_one_against_rest),
        },
        optional=FEATURES | {"classes_": labels()},
        rule=_check_one_vs_rest,
    ),
    CONSTANT: State(fitted={"y_": integers(1, below=2)}, optional=FEATURES),
    "sklearn.multiclass.OneVsOneClassifier": State(
        fitted=FEATURES
        | {
            "classes_": labels(low=2),
            "estimators_": items(_binary, "pairs"),
            "pairwise_indices_": none,
        },
    ),
    "sklearn.multioutput.MultiOutputClassifier": State(
        fitted=FEATURES | {"estimators_": items(fitted(same_inputs=True, method="predict"))},
        optional={"classes_": items(plain)},
    ),
    "sklearn.ensemble._voting.VotingClassifier": State(
        fitted={
            "le_": fitted(LABEL_ENCODER),
            "classes_": labels(),
            "estimators_": items(fitted(classes="encoded", same_inputs=True)),
        },
        unused="named_estimators_",
        rule=_check_vote,
    ),
    "sklearn.calibration.CalibratedClassifierCV": State(
        fitted={
            "classes_": labels(low=2),
            "calibrated_classifiers_": items(fitted(CALIBRATED, same_inputs=True)),
        },
        optional=FEATURES,
        rule=_check_calibrated_cv,
    ),
    CALIBRATED: State(
        fitted={
            "method": choice("sigmoid", "isotonic", "temperature"),
            "classes": labels("classes", low=2),
            "estimator": fitted(same_inputs=True),
            "calibrators": items(_calibrator),
        },
        rule=_check_calibrated,
    ),
    SIGMOID: State(fitted={"a_": number(), "b_": number()}),
    TEMPERATURE: State(fitted={"beta_": number()}),
    # `f_` is not in files, but made from the thresholds.
    ISOTONIC: State(
        fitted={
            "X_thresholds_": floats("knots"),
            "y_thresholds_": floats("knots"),
            "X_min_": number(),
            "X_max_": number(),
        },
        optional={"f_": lambda value, scope: None},
        unused="increasing_",
        rule=_check_isotonic,
    ),
    "sklearn.frozen._frozen.FrozenEstimator": State(parameters={"estimator": fitted(same_inputs=True)}),
}
