"""Extreme learning machines."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from ._elm_base import Activation, Array, ExtremeLearningMachine
from ._ridge.class_weight import weigh_classes
from ._ridge.system import Penalty


class ELMClassifier(ClassifierMixin, ExtremeLearningMachine):
    """Classify feature vectors with a random hidden layer and a ridge regression on its activations.

    The hidden layer is drawn at random and never trained, so a fit is the solution of one linear system. The
    penalty of the regression is chosen by exact leave-one-out errors, at the cost of a single factorisation.

    Parameters
    ----------
    n_hidden : int, default=1000
        Number of hidden units.
    activation : {"relu", "tanh", "sigmoid", "sine", "hard_limit", "triangular", "gaussian", "multiquadric"} \
or callable, default="relu"
        Function of the input a of a unit. ``"hard_limit"`` is 1 for a > 0 and 0 otherwise, ``"triangular"``
        is max(1 - abs(a), 0), ``"gaussian"`` is exp(-a^2), and ``"multiquadric"`` is sqrt(1 + a^2). A
        callable receives an array of shape (n_rows, n_hidden), which it may overwrite, and returns an array
        of the same shape.
    alpha : float, default=1.0
        Weight of X W + b in the input of a unit, from 0 to 1. The distance from X to the centre of the unit,
        divided by the radius, has the weight 1 - `alpha`.
    rbf_width : float, default=1.0
        Factor of the radius. All units have the same radius: the largest distance between two centres,
        divided by sqrt(2 n_hidden). With many features, most distances are close to the largest, about
        sqrt(n_hidden) radii, where ``"gaussian"`` is almost 0. A width of sqrt(n_hidden) scales these
        distances to about 1.
    weight_scale : float, default=1.0
        Scale of the hidden weights, which are drawn from a normal distribution with the standard deviation
        `weight_scale` / sqrt(n_features). With standardised features, X W is therefore of the order of
        `weight_scale`, and the saturation of activations does not depend on the number of features. The
        biases are drawn from a standard normal distribution.
    penalty : float, array-like of shape (n_penalties,) or "auto", default="auto"
        Penalty on the squared output weights. A number is used as it is; 0 gives the least-squares solution
        with the smallest norm, ``numpy.linalg.pinv(H) @ Y``, where H contains the hidden activations. From
        several values, the one with the smallest leave-one-out error is chosen. ``"auto"`` chooses from 19
        values between 1e-8 and 10 times the sum of squares of H.
    direct_links : bool, default=False
        Whether the output layer also receives the features, in addition to the hidden activations.
    class_weight : dict or "balanced", default=None
        Weights of the classes; a class missing from the dict has weight 1. ``"balanced"`` gives all classes
        the same total weight. None gives all classes weight 1. Not supported for indicator matrices.
    device : str, default=None
        Torch device for the linear algebra in `fit`. None uses CUDA if available. The hidden layer and
        :meth:`partial_fit` are computed on the CPU.
    random_state : int, RandomState instance or None, default=None
        Controls the draw of the hidden layer.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, or the column indices of a multi-label `y`.
    multilabel_ : bool
        Whether `y` was an indicator matrix.
    hidden_weights_, hidden_biases_ : ndarray of shape (n_features, n_hidden), and (n_hidden,)
        Weights W and biases b of the hidden units; None if `alpha` is 0.
    centers_ : ndarray of shape (n_hidden, n_features) or None
        Centres, drawn from the bounding box of the training rows; None if `alpha` is 1.
    radius_ : float or None
        Radius before multiplication by `rbf_width`; None if `alpha` is 1.
    output_weights_ : ndarray of shape (n_hidden, n_outputs)
        One column per class, or a single column for two classes. With `direct_links`, n_features more rows.
    penalty_ : float
        Penalty of the fitted regression.
    penalties_ : ndarray of shape (n_penalties,)
        Candidates from which `penalty_` was chosen.
    loo_errors_ : ndarray of shape (n_penalties,) or None
        Mean squared leave-one-out error of each candidate, for targets of -1 and 1; None if `penalty` is a
        number.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Column names of X, if fitted on a DataFrame.

    See Also
    --------
    ELMRegressor : The same model for numerical targets.
    sklearn.linear_model.RidgeClassifier : Ridge regression without a hidden layer.

    Notes
    -----
    There is no intercept: with many hidden units, small output weights can produce a constant. Duplicate rows
    are left out together, so that they do not predict each other.

    References
    ----------
    .. [1] G.-B. Huang, Q.-Y. Zhu, C.-K. Siew, "Extreme learning machine: theory and applications",
       Neurocomputing 70, 2006.
    .. [2] N.-Y. Liang, G.-B. Huang, P. Saratchandran, N. Sundararajan, "A fast and accurate online sequential
       learning algorithm for feedforward networks", IEEE Transactions on Neural Networks 17, 2006.
    .. [3] J. Pons, X. Serra, "Randomly weighted CNNs for (music) audio classification",
       ICASSP 2019. arXiv:1805.00237.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.classifiers import ELMClassifier
    >>> X = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    >>> classifier = ELMClassifier(100, penalty=0.01, random_state=0)
    >>> classifier.fit(X, ["same", "same", "other", "other"]).predict([[0.9, 0.9], [0.1, 0.8]])
    array(['same', 'other'], dtype='<U5')
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **ExtremeLearningMachine._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
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
        class_weight: dict | str | None = None,
        device: str | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(
            n_hidden,
            activation=activation,
            alpha=alpha,
            rbf_width=rbf_width,
            weight_scale=weight_scale,
            penalty=penalty,
            direct_links=direct_links,
            device=device,
            random_state=random_state,
        )
        self.class_weight = class_weight

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit to a first batch of rows, or update the fit with a further batch.

        For any split into batches, the output weights equal the weights of one fit to all rows with the same
        hidden layer and penalty. The first batch, or :meth:`fit`, determines both: the penalty, unless it is
        a number, and the box from which centres are drawn.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Feature vectors.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels or an indicator matrix.
        classes : array-like of shape (n_classes,), default=None
            All possible labels, passed with the first batch. None uses the labels of the first batch.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As in :meth:`fit`; if `y` has a label that is not among the classes; or if `class_weight` is
            ``"balanced"``, which requires all rows at once.
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all rows at once; give partial_fit a dict instead"
            )
        if not hasattr(self, "output_weights_"):
            return self._fit(X, y, sample_weight, classes)
        return self._update(X, y, sample_weight)

    def decision_function(self, X: ArrayLike) -> Array:
        """Compute the outputs, which are fitted to 1 for the classes of a row and to -1 for the others.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or (n_samples,) with two classes
            With two classes, the output of the second class.
        """
        scores = self._outputs(X)
        return scores if self.multilabel_ or scores.shape[1] > 1 else scores[:, 0]

    def predict(self, X: ArrayLike) -> NDArray:
        """Predict the class with the largest output for each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_samples,), or (n_samples, n_labels)
            For a multi-label `y`, 1 for every label with an output above 0.
        """
        scores = self.decision_function(X)
        if self.multilabel_:
            return (scores > 0).astype(np.int64)
        return self.classes_[(scores > 0).astype(np.int64) if scores.ndim == 1 else scores.argmax(axis=1)]

    def _check_targets(self, y: Any) -> NDArray:
        check_classification_targets(y)
        if type_of_target(y) == "multilabel-indicator":
            return y.toarray() if issparse(y) else y
        return column_or_1d(y, warn=True)

    def _init_targets(self, y: NDArray, classes: ArrayLike | None = None) -> None:
        self.multilabel_ = y.ndim == 2
        known = np.arange(y.shape[1]) if self.multilabel_ else np.unique(y)
        self.classes_ = known if classes is None else np.unique(classes)
        if self.multilabel_ and self.class_weight is not None:
            raise ValueError("class_weight is for rows of one class each; give fit a sample_weight instead")
        if self.multilabel_ and len(self.classes_) != y.shape[1]:
            raise ValueError(f"classes has {len(self.classes_)} labels where y has {y.shape[1]} columns")
        if not self.multilabel_ and len(self.classes_) < 2:
            raise ValueError(f"there is only one class, {self.classes_.tolist()}; expected at least two")

    def _encode_targets(self, y: NDArray, weights: Array) -> tuple[Array, Array]:
        if y.ndim == 2 or self.multilabel_:
            if y.shape[1:] != (len(self.classes_),) or not self.multilabel_:
                raise ValueError(
                    f"y has shape {y.shape}, and the first batch had {len(self.classes_)} "
                    f"{'columns' if self.multilabel_ else 'classes'}"
                )
            return np.where(y > 0, 1.0, -1.0), weights
        if len(unknown := np.setdiff1d(y, self.classes_)):
            raise ValueError(f"y has labels that classes lacks: {unknown.tolist()}")
        codes = np.searchsorted(self.classes_, y)
        weights = weights * weigh_classes(self.class_weight, self.classes_, y, codes, weights)[codes]
        Y = np.where(codes[:, None] == np.arange(len(self.classes_)), 1.0, -1.0)
        return Y if len(self.classes_) > 2 else Y[:, 1:], weights

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class ELMRegressor(RegressorMixin, ExtremeLearningMachine):
    """Predict numbers with a random hidden layer and a ridge regression on its activations.

    Parameters
    ----------
    n_hidden : int, default=1000
        Number of hidden units.
    activation : {"relu", "tanh", "sigmoid", "sine", "hard_limit", "triangular", "gaussian", "multiquadric"} \
or callable, default="relu"
        Function of the input of a unit, as in `ELMClassifier`.
    alpha : float, default=1.0
        Weight of X W + b in the input of a unit, from 0 to 1. The distance to the centre of the unit, divided
        by the radius, has the weight 1 - `alpha`.
    rbf_width : float, default=1.0
        Factor of the radius, as in `ELMClassifier`.
    weight_scale : float, default=1.0
        Standard deviation of the hidden weights, multiplied by sqrt(n_features).
    penalty : float, array-like of shape (n_penalties,) or "auto", default="auto"
        Penalty on the squared output weights, as in `ELMClassifier`.
    direct_links : bool, default=False
        Whether the output layer also receives the features, in addition to the hidden activations.
    device : str, default=None
        Torch device for the linear algebra in `fit`. None uses CUDA if available.
    random_state : int, RandomState instance or None, default=None
        Controls the draw of the hidden layer.

    Attributes
    ----------
    hidden_weights_, hidden_biases_ : ndarray of shape (n_features, n_hidden), and (n_hidden,)
        Weights W and biases b of the hidden units; None if `alpha` is 0.
    centers_ : ndarray of shape (n_hidden, n_features) or None
        Centres, drawn from the bounding box of the training rows; None if `alpha` is 1.
    radius_ : float or None
        Radius before multiplication by `rbf_width`; None if `alpha` is 1.
    output_weights_ : ndarray of shape (n_hidden, n_targets)
        One column per target. With `direct_links`, n_features more rows.
    penalty_ : float
        Penalty of the fitted regression.
    penalties_ : ndarray of shape (n_penalties,)
        Candidates from which `penalty_` was chosen.
    loo_errors_ : ndarray of shape (n_penalties,) or None
        Mean squared leave-one-out error of each candidate; None if `penalty` is a number.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Column names of X, if fitted on a DataFrame.

    See Also
    --------
    ELMClassifier : The same model for class labels, with more about the parameters, and references.

    Notes
    -----
    There is no intercept. If the targets are far from 0 compared to their spread, wrap the estimator in
    ``sklearn.compose.TransformedTargetRegressor`` with a ``StandardScaler``.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.classifiers import ELMRegressor
    >>> x = np.linspace(-2, 2, 50)[:, None]
    >>> regressor = ELMRegressor(200, activation="tanh", random_state=0).fit(x, x.ravel() ** 2)
    >>> regressor.predict([[1.5], [0.0]]).round(2) + 0
    array([2.25, 0.  ])
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit to a first batch of rows, or update the fit with a further batch.

        For any split into batches, the output weights equal the weights of one fit to all rows with the same
        hidden layer and penalty. The first batch, or :meth:`fit`, determines both: the penalty, unless it is
        a number, and the box from which centres are drawn.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Feature vectors.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Numerical targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As in :meth:`fit`; or if the number of targets differs from the first batch.
        """
        if not hasattr(self, "output_weights_"):
            return self._fit(X, y, sample_weight)
        return self._update(X, y, sample_weight)

    def predict(self, X: ArrayLike) -> Array:
        """Predict the targets of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions in the shape of `y`.
        """
        outputs = self._outputs(X)
        return outputs if self._target_shape else outputs[:, 0]

    def _check_targets(self, y: Any) -> Array:
        return np.asarray(y.toarray() if issparse(y) else y, dtype=np.float64)

    def _init_targets(self, y: Array, classes: ArrayLike | None = None) -> None:
        self._target_shape = y.shape[1:]

    def _encode_targets(self, y: Array, weights: Array) -> tuple[Array, Array]:
        if y.shape[1:] != self._target_shape:
            raise ValueError(
                f"y has shape {y.shape}; expected {(len(y), *self._target_shape)}, as in the first batch"
            )
        return y.reshape(len(y), -1), weights

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
