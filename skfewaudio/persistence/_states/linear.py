"""States of scikit-learn's linear models."""

import numpy as np

from .objects import fitted
from .scope import Scope
from .state import FEATURES, State
from .values import either, floats, labels, number

LABEL_BINARIZER = "sklearn.preprocessing._label.LabelBinarizer"

# One row for two classes, and one row per class for more.
CLASSIFIER = FEATURES | {
    "classes_": labels(low=2),
    "coef_": floats("scores", "features"),
    "intercept_": either(number(), floats("scores")),
}
REGRESSOR = FEATURES | {
    "coef_": either(floats("features"), floats("targets", "features")),
    "intercept_": either(number(), floats("targets")),
}


def _check_regressor(scope: Scope) -> None:
    """Check that one row of coefficients has one intercept."""
    model = scope.estimator
    n_intercepts = np.size(model.intercept_)
    is_right = model.coef_.ndim == 2 or n_intercepts == 1
    scope.need(is_right, f"has {n_intercepts} intercepts for one row of coefficients")


def _check_ridge_classifier(scope: Scope) -> None:
    """Check the label binarizer of a RidgeClassifier, which has one row per class for several labels."""
    model, binarizer = scope.estimator, scope.estimator._label_binarizer
    n_rows = len(np.atleast_2d(model.coef_))  # of one row, the shape depends on the version of scikit-learn
    scope.need(np.size(model.intercept_) in (1, n_rows), "has an intercept_ of another shape than coef_")
    n_classes = len(binarizer.classes_)
    scope.sizes["classes"] = n_classes
    rows = n_classes if binarizer.y_type_ == "multilabel-indicator" else scope.find("scores")
    scope.need(n_rows == rows, f"has {n_rows} rows in coef_; expected {rows}")
    # An attribute or a property, which depends on the version of scikit-learn.
    same = scope.classes == binarizer.classes_.tolist()
    scope.need(same, "has other classes_ than its label binarizer")


RIDGE_CLASSIFIER = State(
    fitted=FEATURES
    | {
        "coef_": either(floats("features"), floats("outputs", "features")),
        "intercept_": either(number(), floats("outputs")),
        "_label_binarizer": fitted(LABEL_BINARIZER),
    },
    optional={"classes_": labels("labels")},
    unused="alpha_ best_score_ n_iter_ solver_ cv_results_ cv_values_ gcv_mode alpha_per_target "
    "_store_cv_results",
    rule=_check_ridge_classifier,
)
_PATHS = "n_iter_ Cs_ C_ l1_ratio_ l1_ratios_ scores_ coefs_paths_"
_REGRESSION = (
    "n_iter_ solver_ alpha_ alphas_ best_score_ cv_results_ cv_values_ rank_ singular_ dual_gap_ mse_path_"
)
_REGRESSION += " l1_ratio l1_ratio_ _store_cv_results gcv_mode"
_LINEAR_MODELS = {
    "_ridge": ("Ridge", "RidgeCV"),
    "_base": ("LinearRegression",),
    "_coordinate_descent": ("Lasso", "LassoCV", "ElasticNet", "ElasticNetCV"),
}

STATES = {
    "sklearn.linear_model._logistic.LogisticRegression": State(fitted=CLASSIFIER, unused="n_iter_"),
    "sklearn.linear_model._logistic.LogisticRegressionCV": State(fitted=CLASSIFIER, unused=_PATHS),
    "sklearn.svm._classes.LinearSVC": State(fitted=CLASSIFIER, unused="n_iter_"),
    "sklearn.svm._classes.LinearSVR": State(fitted=REGRESSOR, unused="n_iter_", rule=_check_regressor),
    "sklearn.linear_model._ridge.RidgeClassifier": RIDGE_CLASSIFIER,
    "sklearn.linear_model._ridge.RidgeClassifierCV": RIDGE_CLASSIFIER,
    **{
        f"sklearn.linear_model.{module}.{name}": State(
            fitted=REGRESSOR, unused=_REGRESSION, rule=_check_regressor
        )
        for module, names in _LINEAR_MODELS.items()
        for name in names
    },
}
