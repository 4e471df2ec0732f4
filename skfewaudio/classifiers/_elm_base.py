"""Base class of the extreme learning machines: the hidden layer, and the fit of the output layer."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from scipy.special import expit
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import Tags, check_random_state, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.sparsefuncs import min_max_axis
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from skfewaudio._arrays import to_numpy
from skfewaudio._documentation import DocumentedMixin
from skfewaudio._input_warnings import warn_of_waveforms
from skfewaudio._targets import check_label_values
from skfewaudio._torch import resolve_device

from ._ridge.duplicate_rows import merge_duplicates
from ._ridge.sequential import SequentialRidge
from ._ridge.system import Penalty, RidgeFit, fit_ridge

Array = NDArray[np.float64]
Activation = Callable[[Array], Array]

# The input array is not used again, so it may be overwritten.
ACTIVATIONS: dict[str, Activation] = {
    "relu": lambda a: np.maximum(a, 0, out=a),
    "tanh": lambda a: np.tanh(a, out=a),
    "sigmoid": lambda a: expit(a, out=a),
    "sine": lambda a: np.sin(a, out=a),
    "hard_limit": lambda a: (a > 0).astype(a.dtype),
    "triangular": lambda a: np.maximum(1 - np.abs(a), 0),
    "gaussian": lambda a: np.exp(-(a**2)),
    "multiquadric": lambda a: np.sqrt(1 + a**2),
}
# Squares of smaller numbers underflow in double precision.
NEGLIGIBLE_ACTIVATION = 1e-150
# Activations held in memory at once during prediction: 64 MiB.
ACTIVATIONS_AT_ONCE = 2**23


class ExtremeLearningMachine(DocumentedMixin, BaseEstimator):
    """Random hidden layer with a ridge regression on its activations."""

    _parameter_constraints: dict[str, list[Any]] = {
        "n_hidden": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS)), callable],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "rbf_width": [Interval(Real, 0, None, closed="neither")],
        "weight_scale": [Interval(Real, 0, None, closed="neither")],
        "penalty": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"}), "array-like"],
        "direct_links": ["boolean"],
        "device": [str, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_hidden: int = 1000,
        *,
        activation: str | Activation = "relu",
        alpha: float = 1.0,
        rbf_width: float = 1.0,
        weight_scale: float = 1.0,
        penalty: Penalty = "auto",
        direct_links: bool = False,
        device: str | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_hidden = n_hidden
        self.activation = activation
        self.alpha = alpha
        self.rbf_width = rbf_width
        self.weight_scale = weight_scale
        self.penalty = penalty
        self.direct_links = direct_links
        self.device = device
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Draw the hidden layer, choose the penalty and solve for the output weights.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Feature vectors.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Class labels or an indicator matrix for a classifier; numbers for a regressor.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. A weight of k has the same effect as repeating the row k times.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y, the weights or a parameter are invalid, or `y` contains a single class.
        """
        return self._fit(X, y, sample_weight)

    def _fit(self, X: Any, y: Any, sample_weight: Any, classes: ArrayLike | None = None) -> Self:
        """Fit to rows, for all possible `classes` if given."""
        X, y, weights = self._check_rows(X, y, sample_weight, reset=True)
        self._init_targets(y, classes)
        rows, Y, weights = self._encode(X, y, weights)
        self._draw_hidden(rows)
        H = self._activate(rows)
        if np.abs(H).max() < NEGLIGIBLE_ACTIVATION:
            advice = "a larger rbf_width" if self.alpha < 1 else "a larger n_hidden"
            raise ValueError(
                f"every activation of activation={self.activation!r}, alpha={self.alpha} and rbf_width="
                f"{self.rbf_width} is 0 or close to 0 on the training rows; try {advice}"
            )
        self._ridge: RidgeFit | SequentialRidge = fit_ridge(
            H, Y, self.penalty, sample_weight=weights, device=resolve_device(self.device)
        )
        self.penalty_, self.output_weights_ = self._ridge.penalty, self._ridge.coef
        self.penalties_, self.loo_errors_ = self._ridge.penalties, self._ridge.errors
        return self

    def _update(self, X: Any, y: Any, sample_weight: Any) -> Self:
        """Update the output weights with further rows."""
        X, y, weights = self._check_rows(X, y, sample_weight, reset=False)
        rows, Y, weights = self._encode(X, y, weights)
        if isinstance(self._ridge, RidgeFit):
            self._ridge = SequentialRidge(self._ridge)
        self._ridge.update(self._activate(rows), Y, weights)
        self.output_weights_ = self._ridge.solve()
        return self

    def _check_rows(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Any, Any, Array]:
        """Check the input of fit and partial_fit."""
        kinds: dict[str, Any] = {"accept_sparse": "csr", "dtype": np.float64, "multi_output": True}
        kinds["y_numeric"] = isinstance(self, RegressorMixin)
        if not kinds["y_numeric"]:
            check_label_values(y)
        X, y = validate_data(self, to_numpy(X), to_numpy(y), reset=reset, **kinds)
        if reset and not issparse(X):
            warn_of_waveforms(X)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if weights.min() < 0:
            raise ValueError(f"sample_weight holds {weights.min()}; expected none below 0")
        return X, self._check_targets(y), weights

    def _check_targets(self, y: Any) -> Any:
        """Check that y is a supported kind of target."""
        raise NotImplementedError

    def _init_targets(self, y: Any, classes: ArrayLike | None = None) -> None:
        """Set the classes, or the shape of the targets, from the first y."""
        raise NotImplementedError

    def _encode_targets(self, y: Any, weights: Array) -> tuple[Array, Array]:
        """Return one column per output, and the weights of the rows."""
        raise NotImplementedError

    def _encode(self, X: Any, y: Any, weights: Array) -> tuple[Any, Array, Array]:
        """Drop rows with zero weight and, if the penalty is chosen, merge duplicate rows."""
        Y, weights = self._encode_targets(y, weights)
        kept = weights > 0
        if not kept.any():
            raise ValueError("sample_weight and class_weight leave no row with a weight above 0")
        if not kept.all():
            X, Y, weights = X[kept], Y[kept], weights[kept]
        chooses = isinstance(self.penalty, str) or np.ndim(self.penalty) > 0
        if chooses:
            rows, weights = merge_duplicates(X, Y, weights)
            X, Y = X[rows], Y[rows]
        return X, Y, weights

    def _draw_hidden(self, X: Any) -> None:
        """Draw the weights or the centres of the hidden layer, or both."""
        rng = check_random_state(self.random_state)
        n_features = X.shape[1]
        self.hidden_weights_ = self.hidden_biases_ = self.centers_ = self.radius_ = None
        if self.alpha > 0:
            scale = self.weight_scale / np.sqrt(n_features)
            self.hidden_weights_ = scale * rng.standard_normal((n_features, self.n_hidden))
            self.hidden_biases_ = rng.standard_normal(self.n_hidden)
        if self.alpha < 1:
            low, high = min_max_axis(X, axis=0) if issparse(X) else (X.min(axis=0), X.max(axis=0))
            self.centers_ = low + (high - low) * rng.uniform(size=(self.n_hidden, n_features))
            largest = euclidean_distances(self.centers_).max()
            # With one centre, or if all rows are equal, the largest distance is 0.
            self.radius_ = float(largest / np.sqrt(2 * self.n_hidden)) or 1.0

    def _activate(self, X: Any) -> Array:
        """Compute the hidden activations, followed by the columns of X with direct links."""
        mixed: Any = 0.0
        if self.hidden_weights_ is not None:
            mixed = X @ self.hidden_weights_
            mixed += self.hidden_biases_
            mixed *= self.alpha
        if self.centers_ is not None and self.radius_ is not None:
            distances = euclidean_distances(X, self.centers_)
            mixed += (1 - self.alpha) / (self.rbf_width * self.radius_) * distances
        function = self.activation if callable(self.activation) else ACTIVATIONS[self.activation]
        H = np.asarray(function(mixed), dtype=np.float64)
        if H.shape != (X.shape[0], self.n_hidden):
            raise ValueError(
                f"activation={self.activation!r} gives an array of shape {H.shape} for one of shape "
                f"{(X.shape[0], self.n_hidden)}; expected the same shape"
            )
        if not np.isfinite(H).all():
            raise ValueError(f"activation={self.activation!r} gives NaN or infinity; scale X, or use another")
        return np.hstack([H, X.toarray() if issparse(X) else X]) if self.direct_links else H

    def _outputs(self, X: Any) -> Array:
        """Compute the outputs for rows, in batches."""
        check_is_fitted(self)
        X = validate_data(self, to_numpy(X), reset=False, accept_sparse="csr", dtype=np.float64)
        n_rows = max(1, ACTIVATIONS_AT_ONCE // len(self.output_weights_))
        parts = gen_batches(X.shape[0], n_rows)
        return np.concatenate([self._activate(X[part]) @ self.output_weights_ for part in parts])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
