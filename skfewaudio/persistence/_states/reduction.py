"""States of scikit-learn's decompositions, kernel maps and selections of features."""

from contextlib import suppress

import numpy as np

from .objects import fitted, named
from .scope import Scope, StateError
from .state import FEATURES, State
from .values import choice, either, floats, none, optional, size

COMPONENTS = {"components_": floats("components", "features")}
SCORE_FUNCTIONS = tuple(
    f"sklearn.feature_selection.{module}.{name}"
    for module, names in {
        "_univariate_selection": ("f_classif", "f_regression", "r_regression", "chi2"),
        "_mutual_info": ("mutual_info_classif", "mutual_info_regression"),
    }.items()
    for name in names
)
_SPECTRUM = "explained_variance_ratio_ singular_values_ noise_variance_ n_samples_ _fit_svd_solver"
_SPECTRUM += " n_samples_seen_ var_ batch_size_"


def _check_selection(scope: Scope) -> None:
    """Compute the selection, which must not be empty."""
    mask = None
    with suppress(ValueError, TypeError, AttributeError, KeyError):
        mask = np.asarray(scope.estimator.get_support())
    if mask is None or mask.dtype != bool or mask.ndim != 1 or not mask.any():
        raise StateError("selects no features")
    scope.need(scope.match("features", len(mask)), "has another number of features than its estimator")
    scope.outputs = int(mask.sum())


def _check_ica(scope: Scope) -> None:
    needed = scope.estimator.whiten is not False
    scope.need(not needed or hasattr(scope.estimator, "mean_"), "has no mean_, which whiten needs")


_PCA = State(
    fitted=FEATURES
    | {
        "n_components_": size("components"),
        "mean_": floats("features"),
        **COMPONENTS,
        "explained_variance_": floats("components", low=0),
    },
    unused=_SPECTRUM,
    outputs="components",
)
_ANY_FLOATS = floats("features", any_value=True)
_BY_SCORE = State(
    fitted=FEATURES | {"scores_": _ANY_FLOATS, "pvalues_": optional(_ANY_FLOATS)},
    parameters={"score_func": named(SCORE_FUNCTIONS)},
    rule=_check_selection,
)

STATES = {
    "sklearn.decomposition._pca.PCA": _PCA,
    "sklearn.decomposition._incremental_pca.IncrementalPCA": _PCA,
    "sklearn.decomposition._truncated_svd.TruncatedSVD": State(
        fitted=FEATURES | COMPONENTS, unused=f"{_SPECTRUM} explained_variance_", outputs="components"
    ),
    "sklearn.decomposition._fastica.FastICA": State(
        fitted=FEATURES | COMPONENTS,
        optional={"mean_": floats("features")},
        unused="mixing_ whitening_ n_iter_ _unmixing",
        rule=_check_ica,
        outputs="components",
    ),
    "sklearn.kernel_approximation.RBFSampler": State(
        fitted=FEATURES
        | {
            "random_weights_": floats("features", "components"),
            "random_offset_": floats("components"),
            "_n_features_out": size("components"),
        },
        unused="_gamma",
        outputs="components",
    ),
    "sklearn.kernel_approximation.Nystroem": State(
        fitted=FEATURES
        | {
            "normalization_": floats("components", "components"),
            "_n_features_out": size("components"),
            **COMPONENTS,
        },
        unused="component_indices_",
        parameters={
            "kernel": choice("rbf", "linear", "poly", "polynomial", "sigmoid", "cosine"),
            "kernel_params": either(none, choice({})),
        },
        outputs="components",
    ),
    "sklearn.feature_selection._variance_threshold.VarianceThreshold": State(
        fitted=FEATURES | {"variances_": _ANY_FLOATS}, rule=_check_selection
    ),
    "sklearn.feature_selection._univariate_selection.SelectKBest": _BY_SCORE,
    "sklearn.feature_selection._univariate_selection.SelectPercentile": _BY_SCORE,
    "sklearn.feature_selection._from_model.SelectFromModel": State(
        fitted={"estimator_": fitted(same_inputs=True)},
        unused="threshold_ max_features_",
        parameters={"importance_getter": choice("auto")},
        rule=_check_selection,
    ),
}
