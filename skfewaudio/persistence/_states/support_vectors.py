"""States of scikit-learn's support vector machines, which libsvm reads without checking bounds."""

from typing import Any

import numpy as np

from skfewaudio.classifiers.saved_state import full_name

from .scope import Scope
from .state import FEATURES, State
from .values import Check, Size, choice, either, floats, integer, integers, labels, number

KERNELS = ("linear", "poly", "rbf", "sigmoid")
_UNUSED = "shape_fit_ fit_status_ _num_iter n_iter_ nu epsilon C probability class_weight random_state"
_UNUSED += " _effective_probability"


def _sparse(value: Any, scope: Scope) -> None:
    """Expect that vectors are dense, or sparse matrices that the caller trusts."""
    vectors = scope.estimator.support_vectors_, scope.estimator._dual_coef_
    is_sparse = all(full_name(type(array)) in scope.trusted for array in vectors)
    choice(is_sparse)(value, scope)


def _check_classifier(scope: Scope) -> None:
    """Check counts, and that probabilities can be computed if they are promised."""
    model = scope.estimator
    _check_count(scope, int(model._n_support.sum()))
    has_sigmoids = model._probA.size > 0
    scope.need(model._probA.shape == model._probB.shape, "has a _probA and a _probB of different shapes")
    scope.need(has_sigmoids or model.probability is not True, "has no _probA, which probability=True needs")
    scope.need(
        not (model.break_ties and model.decision_function_shape == "ovo"),
        "has break_ties=True with decision_function_shape='ovo'",
    )


def _check_regressor(scope: Scope) -> None:
    _check_count(scope, int(scope.estimator._n_support[0]))


def _check_count(scope: Scope, n_support: int) -> None:
    model, n_vectors = scope.estimator, scope.estimator.support_vectors_.shape[0]
    scope.need(n_support == n_vectors, f"has {n_vectors} support vectors, but _n_support counts {n_support}")
    same = np.array_equal(np.abs(model.intercept_), np.abs(model._intercept_))
    scope.need(same, "has other values in _intercept_ than in intercept_")


def _coefficients(rows: Size, intercepts: Size) -> dict[str, Check]:
    """Describe the dual coefficients in some rows and the intercepts, with their copies for libsvm."""
    return {
        **FEATURES,
        "support_vectors_": floats("support vectors", "features", for_c=True),
        "support_": integers("support vectors", dtype=np.int32),
        "dual_coef_": floats(rows, "support vectors", for_c=True),
        "_dual_coef_": floats(rows, "support vectors", for_c=True),
        "intercept_": floats(intercepts, for_c=True),
        "_intercept_": floats(intercepts, for_c=True),
        "_gamma": number(low=0),
        "_sparse": _sparse,
    }


_NO_SIGMOID = floats(0, for_c=True)
_SIGMOIDS = either(_NO_SIGMOID, floats("pairs", for_c=True))
_PARAMETERS = {"kernel": choice(*KERNELS), "degree": integer(0, 2**31 - 1)}
_REGRESSION = {
    **_coefficients(1, 1),
    "_n_support": integers(2, dtype=np.int32),
    "_probA": _NO_SIGMOID,
    "_probB": _NO_SIGMOID,
}
_CLASSIFIER = State(
    fitted={
        "classes_": labels(low=2),
        **_coefficients("other classes", "pairs"),
        "_n_support": integers("classes", dtype=np.int32),
        "_probA": _SIGMOIDS,
        "_probB": _SIGMOIDS,
    },
    optional={"class_weight_": floats("classes")},
    unused=_UNUSED,
    parameters=_PARAMETERS,
    rule=_check_classifier,
)
_REGRESSOR = State(fitted=_REGRESSION, unused=_UNUSED, parameters=_PARAMETERS, rule=_check_regressor)
_ONE_CLASS = State(
    fitted={**_REGRESSION, "offset_": floats(1)},
    unused=_UNUSED,
    parameters=_PARAMETERS,
    rule=_check_regressor,
)

STATES = {
    "sklearn.svm._classes.SVC": _CLASSIFIER,
    "sklearn.svm._classes.NuSVC": _CLASSIFIER,
    "sklearn.svm._classes.SVR": _REGRESSOR,
    "sklearn.svm._classes.NuSVR": _REGRESSOR,
    "sklearn.svm._classes.OneClassSVM": _ONE_CLASS,
}
