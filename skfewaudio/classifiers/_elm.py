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
    """Classify feature vectors by a random hidden layer and a ridge regression on its activations.

    The hidden layer is drawn and never trained, so that a fit is the solution of one linear system. Its
    penalty is chosen by exact leave-one-out errors, at the cost of a single factorisation.

    Parameters
    ----------
    n_hidden : int, default=1000
        Hidden units.
    activation : {"relu", "tanh", "sigmoid", "sine", "hard_limit", "triangular", "gaussian", "multiquadric"} \
or callable, default="relu"
        What a unit makes of its input a: ``"hard_limit"`` is 1 above 0 and 0 elsewhere, ``"triangular"``
        max(1 - abs(a), 0), ``"gaussian"`` exp(-a^2), ``"multiquadric"`` sqrt(1 + a^2). A callable takes an
        array (n_rows, n_hidden), which it may overwrite, and gives another.
    alpha : float, default=1.0
        From 0 to 1, the share of X W + b in the input of a unit. The rest is the distance of X to the unit's
        centre, in radii.
    rbf_width : float, default=1.0
        By what the radii are multiplied. All are the largest distance between two centres, over the root of
        2 n_hidden. With many features most distances are about as large as the largest, root of n_hidden
        radii, and ``"gaussian"`` makes nothing of that; a width of that root brings them down to 1.
    weight_scale : float, default=1.0
        The hidden weights are normal with this over the root of n_features as their standard deviation. With
        standardised features X W is then of the order of `weight_scale` however many there are, and
        activations that saturate do so no sooner. The biases are standard normal.
    penalty : float, array-like of shape (n_penalties,) or "auto", default="auto"
        Of the squared output weights. A number is taken as it is, and 0 gives the smallest weights of least
        squares, ``numpy.linalg.pinv(H) @ Y``. Of several, the one with the least leave-one-out error is
        taken. ``"auto"`` tries 19, from 1e-8 to 10 times the sum of the squares of H.
    direct_links : bool, default=False
        Give the output layer the features too, beside the hidden activations.
    class_weight : dict or "balanced", default=None
        Weights of the classes, 1 where the dict lacks one; ``"balanced"`` gives all classes the same sum.
        Not for indicator matrices.
    device : str, default=None
        Torch device that `fit` does its linear algebra on; None takes CUDA where there is one. The hidden
        layer and :meth:`partial_fit` stay on the processor.
    random_state : int, RandomState instance or None, default=None
        Decides the hidden layer.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, or the numbers of the columns of a multi-label `y`.
    multilabel_ : bool
        Whether `y` was an indicator matrix.
    hidden_weights_, hidden_biases_ : ndarray of shape (n_features, n_hidden), and (n_hidden,)
        W and b; None with an `alpha` of 0.
    centers_ : ndarray of shape (n_hidden, n_features) or None
        Drawn from the smallest box around the training rows; None with an `alpha` of 1.
    radius_ : float or None
        The radius, before `rbf_width`.
    output_weights_ : ndarray of shape (n_hidden, n_outputs)
        A column for each class, one for two classes. With `direct_links` n_features more rows.
    penalty_ : float
        The penalty in use.
    penalties_ : ndarray of shape (n_penalties,)
        Those it was chosen from.
    loo_errors_ : ndarray of shape (n_penalties,) or None
        Their mean squared leave-one-out errors, for targets of -1 and 1; None where `penalty` is a number.
    n_features_in_ : int
        Features.
    feature_names_in_ : ndarray of str
        Only if fitted on a DataFrame that has column names.

    See Also
    --------
    ELMRegressor : The same for numbers.
    sklearn.linear_model.RidgeClassifier : The output layer alone.

    Notes
    -----
    There is no intercept: with many hidden units a constant costs next to nothing. Rows that stand in the
    data several times are left out together, so that they do not predict each other.

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
        """Take in a batch of rows, the first or after others.

        However the rows are split, the output weights are those of one fit to all of them with the same
        hidden layer and penalty. The first batch, or :meth:`fit`, decides both: the penalty, where there is
        one to choose, and the box that centres are drawn from.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Feature vectors.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that may come, with the first batch; None takes those of the first batch.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, none below 0.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As in :meth:`fit`; if `y` has a label that is not among the classes; or if `class_weight` is
            ``"balanced"``, which takes all rows to know.
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' takes all rows at once; give partial_fit a dict instead"
            )
        if not hasattr(self, "output_weights_"):
            return self._fit(X, y, sample_weight, classes)
        return self._update(X, y, sample_weight)

    def decision_function(self, X: ArrayLike) -> Array:
        """Give the outputs, which were fitted to 1 for a row's classes and to -1 for the others.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or (n_samples,) with two classes
            Of two classes, the second one's.
        """
        scores = self._outputs(X)
        return scores if self.multilabel_ or scores.shape[1] > 1 else scores[:, 0]

    def predict(self, X: ArrayLike) -> NDArray:
        """Give each row the class with the largest output.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_samples,), or (n_samples, n_labels)
            Where `y` was multi-label, 1 for every label with an output above 0.
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

    def _learn_targets(self, y: NDArray, classes: ArrayLike | None = None) -> None:
        self.multilabel_ = y.ndim == 2
        known = np.arange(y.shape[1]) if self.multilabel_ else np.unique(y)
        self.classes_ = known if classes is None else np.unique(classes)
        if self.multilabel_ and self.class_weight is not None:
            raise ValueError("class_weight is for rows of one class each; give fit a sample_weight instead")
        if self.multilabel_ and len(self.classes_) != y.shape[1]:
            raise ValueError(f"classes has {len(self.classes_)} labels where y has {y.shape[1]} columns")
        if not self.multilabel_ and len(self.classes_) < 2:
            raise ValueError(f"there is only one class, {self.classes_.tolist()}; expected at least two")

    def _targets(self, y: NDArray, weights: Array) -> tuple[Array, Array]:
        if y.ndim == 2 or self.multilabel_:
            if y.shape[1:] != (len(self.classes_),) or not self.multilabel_:
                raise ValueError(
                    f"y has shape {y.shape}, and {len(self.classes_)} "
                    f"{'columns' if self.multilabel_ else 'classes'} were there at first"
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
    """Predict numbers by a random hidden layer and a ridge regression on its activations.

    Parameters
    ----------
    n_hidden : int, default=1000
        Hidden units.
    activation : {"relu", "tanh", "sigmoid", "sine", "hard_limit", "triangular", "gaussian", "multiquadric"} \
or callable, default="relu"
        What a unit makes of its input, as in `ELMClassifier`.
    alpha : float, default=1.0
        From 0 to 1, the share of X W + b in the input of a unit; the rest is the distance to its centre.
    rbf_width : float, default=1.0
        By what the radii are multiplied.
    weight_scale : float, default=1.0
        The hidden weights' standard deviation, times the root of n_features.
    penalty : float, array-like of shape (n_penalties,) or "auto", default="auto"
        Of the squared output weights, as in `ELMClassifier`.
    direct_links : bool, default=False
        Give the output layer the features too, beside the hidden activations.
    device : str, default=None
        Torch device that `fit` does its linear algebra on; None takes CUDA where there is one.
    random_state : int, RandomState instance or None, default=None
        Decides the hidden layer.

    Attributes
    ----------
    hidden_weights_, hidden_biases_ : ndarray of shape (n_features, n_hidden), and (n_hidden,)
        W and b; None with an `alpha` of 0.
    centers_ : ndarray of shape (n_hidden, n_features) or None
        Drawn from the smallest box around the training rows; None with an `alpha` of 1.
    radius_ : float or None
        The radius, before `rbf_width`.
    output_weights_ : ndarray of shape (n_hidden, n_targets)
        A column for each target. With `direct_links` n_features more rows.
    penalty_ : float
        The penalty in use.
    penalties_ : ndarray of shape (n_penalties,)
        Those it was chosen from.
    loo_errors_ : ndarray of shape (n_penalties,) or None
        Their mean squared leave-one-out errors; None where `penalty` is a number.
    n_features_in_ : int
        Features.
    feature_names_in_ : ndarray of str
        Only if fitted on a DataFrame that has column names.

    See Also
    --------
    ELMClassifier : The same for labels; more of the parameters, and references.

    Notes
    -----
    There is no intercept. Where the targets are far from 0 compared to their spread, wrap the estimator in
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
        """Take in a batch of rows, the first or after others.

        However the rows are split, the output weights are those of one fit to all of them with the same
        hidden layer and penalty. The first batch, or :meth:`fit`, decides both: the penalty, where there is
        one to choose, and the box that centres are drawn from.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Feature vectors.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, none below 0.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As in :meth:`fit`; or if `y` has another number of targets than at first.
        """
        if not hasattr(self, "output_weights_"):
            return self._fit(X, y, sample_weight)
        return self._update(X, y, sample_weight)

    def predict(self, X: ArrayLike) -> Array:
        """Predict numbers.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            As `y` was.
        """
        outputs = self._outputs(X)
        return outputs if self._target_shape else outputs[:, 0]

    def _check_targets(self, y: Any) -> Array:
        return np.asarray(y.toarray() if issparse(y) else y, dtype=np.float64)

    def _learn_targets(self, y: Array, classes: ArrayLike | None = None) -> None:
        self._target_shape = y.shape[1:]

    def _targets(self, y: Array, weights: Array) -> tuple[Array, Array]:
        if y.shape[1:] != self._target_shape:
            raise ValueError(f"y has shape {y.shape}; expected {(len(y), *self._target_shape)}, as at first")
        return y.reshape(len(y), -1), weights

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
