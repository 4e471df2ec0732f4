"""States of scikit-learn's naive Bayes classifiers, discriminant analyses and dummies."""

import math

import numpy as np

from .._limits import LARGEST
from .scope import Scope
from .state import FEATURES, State
from .values import Check, choice, either, floats, integer, items, labels, number, size

CLASSES = FEATURES | {"classes_": labels(low=2)}
PRIORS = floats("classes", low=1e-30, high=1)
VARIANCES = floats("classes", "features", low=1e-70)


def _check_linear_discriminant(scope: Scope) -> None:
    model = scope.estimator
    needed = {"svd": ("xbar_", "scalings_"), "eigen": ("scalings_",)}.get(model.solver, ())
    for name in needed:
        scope.need(hasattr(model, name), f"has no {name}, which solver={model.solver!r} needs")
    if needed:
        scope.outputs = min(scope.sizes["components"], model._max_components)


def _check_quadratic_discriminant(scope: Scope) -> None:
    model, n_features = scope.estimator, scope.sizes["features"]
    pairs = list(zip(model.rotations_, model.scalings_, strict=True))
    fits = all(rotation.shape == (n_features, len(scaling)) for rotation, scaling in pairs)
    scope.need(fits, "has rotations_ and scalings_ of different sizes")


def _each(*shape: str, low: float = -LARGEST) -> Check:
    """Expect one array per class, each with sizes of its own except the number of features."""

    def check(value: object, scope: Scope) -> None:
        alone = Scope(scope.estimator, True, scope.inspect_part)
        alone.sizes["features"] = scope.sizes["features"]
        floats(*shape, low=low)(value, alone)

    return items(check, "classes")


def _check_dummy(scope: Scope) -> None:
    model = scope.estimator
    total = float(model.class_prior_.sum())
    scope.need(abs(total - 1) < 1e-6, f"has class_prior_ with the sum {total:g}; expected 1")
    if "constant" in (model.strategy, model._strategy):
        is_known = np.ndim(model.constant) == 0 and model.constant in (scope.classes or [])
        scope.need(is_known, "has a constant that is no class")


STATES = {
    "sklearn.naive_bayes.GaussianNB": State(
        fitted=CLASSES | {"theta_": floats("classes", "features"), "var_": VARIANCES, "class_prior_": PRIORS},
        unused="class_count_ epsilon_",
    ),
    **{
        f"sklearn.naive_bayes.{name}": State(
            fitted=CLASSES
            | {
                "feature_log_prob_": floats("classes", "features", low=-math.inf, high=high),
                "class_log_prior_": floats("classes", low=-math.inf, high=0),
            },
            unused="class_count_ feature_count_ feature_all_",
        )
        for name, high in (("BernoulliNB", 0), ("MultinomialNB", 0), ("ComplementNB", 1e30))
    },
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": State(
        fitted=CLASSES
        | {
            "coef_": floats("scores", "features"),
            "intercept_": floats("scores"),
            "_max_components": integer(1, 2**31),
        },
        optional={
            "xbar_": floats("features"),
            "scalings_": floats("features", "components"),
            "_n_features_out": integer(1, 2**31),
        },
        unused="priors_ means_ covariance_ explained_variance_ratio_",
        rule=_check_linear_discriminant,
    ),
    "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis": State(
        fitted=CLASSES
        | {
            "priors_": PRIORS,
            "means_": floats("classes", "features"),
            "rotations_": _each("features", "rank"),
            "scalings_": _each("rank", low=1e-70),
        },
        unused="covariance_",
        rule=_check_quadratic_discriminant,
    ),
    "sklearn.dummy.DummyClassifier": State(
        fitted={
            "classes_": labels(),
            "n_classes_": size("classes"),
            "n_outputs_": choice(1),
            "class_prior_": floats("classes", low=0, high=1),
            "sparse_output_": choice(False),
            "_strategy": choice("most_frequent", "prior", "stratified", "uniform", "constant"),
        },
        optional=FEATURES,
        rule=_check_dummy,
    ),
    "sklearn.dummy.DummyRegressor": State(
        fitted={"constant_": floats(1, "targets"), "n_outputs_": size("targets")},
        optional=FEATURES,
        parameters={"quantile": either(choice(None), number(0, 1))},
    ),
}
