"""States of scikit-learn's scalers and label encoders."""

from .._limits import SMALLEST_DIVISOR
from .objects import fitted
from .scope import Scope
from .state import FEATURES, State
from .values import choice, floats, items, labels, number, optional, size

FEATURE_FLOATS = floats("features")
DIVISORS = floats("features", low=SMALLEST_DIVISOR)
STANDARD_SCALER = "sklearn.preprocessing._data.StandardScaler"


def _check_standard(scope: Scope) -> None:
    scaler = scope.estimator
    scope.need(not scaler.with_mean or scaler.mean_ is not None, "has no mean_, which with_mean=True needs")
    scope.need(not scaler.with_std or scaler.scale_ is not None, "has no scale_, which with_std=True needs")


def _check_robust(scope: Scope) -> None:
    scaler = scope.estimator
    scope.need(not scaler.with_centering or scaler.center_ is not None, "has no center_")
    scope.need(not scaler.with_scaling or scaler.scale_ is not None, "has no scale_")


def _check_power(scope: Scope) -> None:
    needed = scope.estimator.standardize
    scope.need(
        not needed or hasattr(scope.estimator, "_scaler"), "has no _scaler, which standardize=True needs"
    )


def _check_binarizer(scope: Scope) -> None:
    binarizer = scope.estimator
    scope.need(binarizer.neg_label < binarizer.pos_label, "has a neg_label that is not below pos_label")
    has_zeros = binarizer.neg_label == 0 or binarizer.pos_label == 0
    scope.need(has_zeros or not binarizer.sparse_output, "has sparse_output=True without zeros")


STATES = {
    STANDARD_SCALER: State(
        fitted=FEATURES
        | {"mean_": optional(FEATURE_FLOATS), "scale_": optional(DIVISORS), "var_": optional(FEATURE_FLOATS)},
        unused="n_samples_seen_",
        rule=_check_standard,
        outputs="features",
    ),
    "sklearn.preprocessing._data.MinMaxScaler": State(
        fitted=FEATURES | {"scale_": DIVISORS, "min_": FEATURE_FLOATS},
        unused="n_samples_seen_ data_min_ data_max_ data_range_",
        parameters={"feature_range": items(number(), 2)},
        outputs="features",
    ),
    "sklearn.preprocessing._data.MaxAbsScaler": State(
        fitted=FEATURES | {"scale_": DIVISORS},
        unused="n_samples_seen_ max_abs_",
        outputs="features",
    ),
    "sklearn.preprocessing._data.RobustScaler": State(
        fitted=FEATURES | {"center_": optional(FEATURE_FLOATS), "scale_": optional(DIVISORS)},
        rule=_check_robust,
        outputs="features",
    ),
    "sklearn.preprocessing._data.Normalizer": State(optional=FEATURES, outputs="features"),
    "sklearn.preprocessing._data.Binarizer": State(optional=FEATURES, outputs="features"),
    "sklearn.preprocessing._data.PowerTransformer": State(
        fitted=FEATURES | {"lambdas_": floats("features", low=-100, high=100)},
        optional={"_scaler": fitted(STANDARD_SCALER, same_inputs=True)},
        rule=_check_power,
        outputs="features",
    ),
    "sklearn.preprocessing._data.QuantileTransformer": State(
        fitted=FEATURES
        | {
            "n_quantiles_": size("quantiles"),
            "references_": floats("quantiles"),
            "quantiles_": floats("quantiles", "features"),
        },
        outputs="features",
    ),
    "sklearn.preprocessing._label.LabelEncoder": State(fitted={"classes_": labels()}),
    "sklearn.preprocessing._label.LabelBinarizer": State(
        fitted={
            "classes_": labels(),
            "y_type_": choice("binary", "multiclass", "multilabel-indicator"),
            "sparse_input_": choice(False),
        },
        rule=_check_binarizer,
    ),
}
