"""Ridge regression on labels, with what leaving each clip out says of its penalty and its calibration."""

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skfewaudio._torch import resolve_device

from ._ridge.calibration import Calibration, familiarity
from ._ridge.class_weight import weigh_classes
from ._ridge.duplicate_rows import merge_duplicates
from ._ridge.self_training import (
    UNLABELLED_WEIGHT,
    find_labelled,
    fit_labelled,
    select_unlabelled,
    self_train,
)
from ._ridge.system import Penalty, RidgeSystem, check_penalties

Array = NDArray[np.float64]


class CalibratedRidgeClassifier(ClassifierMixin, BaseEstimator):
    """Classify feature vectors by ridge regression, with calibrated probabilities from few clips.

    One regression for each class, onto 1 for its clips and 0 for the others. The penalty is that with the
    least error on training clips left out, each in turn, which is computed exactly and at the cost of one
    fit. What they score, left out, also says how certain a score is: probabilities are the softmax of the
    scores at the temperature that gives these clips the least log loss. No clip is set aside.

    Parameters
    ----------
    penalty : float, array-like of shape (n_penalties,) or "auto", default="auto"
        Of the squared weights, above 0. A number is taken as it is; of several, the one with the least
        leave-one-out error. ``"auto"`` tries 19, from 1e-8 to 10 times the sum of squares of X.
    fit_intercept : bool, default=True
        Whether classes have constants in their scores. With centred features and few clips of each class they
        do harm: the class of a clip that is left out is the rarer one, and a constant tells.
    class_weight : dict or "balanced", default=None
        Weights of the classes, 1 where the dict lacks one; ``"balanced"`` gives all classes the same sum.
    false_rejection_rate : float, default=None
        Share of clips of known classes that :meth:`predict` may call unknown, between 0 and 1. None never
        does. It takes a class with two clips.
    unknown_label : object, default="unknown"
        What :meth:`predict` gives for those.
    semi_supervised : bool, default=False
        Whether a label of -1 (or "-1" among strings) stands for none. Clips without a label are learnt from,
        too. False takes -1 for a class like others.
    device : str, default=None
        Torch device that `fit` does its linear algebra on; None takes CUDA where there is one.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    coef_ : ndarray of shape (n_classes, n_features)
        Weights.
    intercept_ : ndarray of shape (n_classes,)
        Constants, 0 without `fit_intercept`.
    penalty_ : float
        The penalty in use.
    penalties_ : ndarray of shape (n_penalties,)
        Those it was chosen from.
    loo_errors_ : ndarray of shape (n_penalties,) or None
        Their mean squared leave-one-out errors; None where `penalty` is a number.
    temperature_ : float
        What scores are divided by before the softmax.
    threshold_ : float
        The value of :meth:`score_samples` below which a clip is unknown; minus infinity where none is.
    n_features_in_ : int
        Features.
    feature_names_in_ : ndarray of str
        Only if fitted on a DataFrame that has column names.

    See Also
    --------
    skfewaudio.pipelines.make_few_shot_classifier : With features for it.
    ELMClassifier : The same regression on random hidden units.
    sklearn.linear_model.RidgeClassifierCV : Without probabilities.

    Notes
    -----
    Nothing can be learnt of a class by leaving out its only clip. The temperature counts the clips of classes
    that have two, different ones; where there is no such class, it is 1/7.5 of what the score of a training
    clip's own class is above the others' on average, as was best for one clip per class of the embedded data
    set.

    Clips without a label take part in the regression with a tenth of the weight, and have for targets the
    probabilities that a fit without them gave them: first that to the labelled clips, then ten times the
    last one. The penalty and the temperature are chosen anew each time. This helps where they are of the
    same classes, about as often (see the user guide), and does harm where they are of few of them.

    The intercept is the weight of a constant feature as long as the rows are on average, and penalised like
    others. Rows that stand in the data several times are left out together, so that they do not predict each
    other.

    A clip is the less familiar, the further its scores are from those wanted of the nearest class; without a
    penalty, that is the novelty score of [2]_. The threshold makes as many training clips unknown as was
    asked for, each left out. New clips recorded like them are rejected a little less often, as a clip more
    is known; those of other rooms or speakers more often.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
       ICML 2017. arXiv:1706.04599.
    .. [2] P. Bodesheim, A. Freytag, E. Rodner, M. Kemmler, J. Denzler, "Kernel null space methods for novelty
       detection", CVPR 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.classifiers import CalibratedRidgeClassifier
    >>> X = np.array([[0.0, 1.0], [0.2, 0.9], [1.0, 0.1], [0.9, 0.0]])
    >>> classifier = CalibratedRidgeClassifier().fit(X, ["rain", "rain", "dog", "dog"])
    >>> classifier.predict([[0.1, 0.8], [0.8, 0.1]])
    array(['rain', 'dog'], dtype='<U4')
    >>> bool(classifier.predict_proba([[0.8, 0.1]])[0, 0] > 0.7)
    True
    """

    _parameter_constraints: dict[str, Any] = {
        "penalty": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"}), "array-like"],
        "fit_intercept": ["boolean"],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "false_rejection_rate": [Interval(Real, 0, 1, closed="neither"), None],
        "unknown_label": "no_validation",
        "semi_supervised": ["boolean"],
        "device": [str, None],
    }

    def __init__(
        self,
        penalty: Penalty = "auto",
        *,
        fit_intercept: bool = True,
        class_weight: dict | str | None = None,
        false_rejection_rate: float | None = None,
        unknown_label: Any = "unknown",
        semi_supervised: bool = False,
        device: str | None = None,
    ) -> None:
        self.penalty = penalty
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.false_rejection_rate = false_rejection_rate
        self.unknown_label = unknown_label
        self.semi_supervised = semi_supervised
        self.device = device

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, *, groups: ArrayLike | None = None
    ) -> Self:
        """Choose the penalty, solve for the weights, and find temperature and threshold.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Feature vectors.
        y : array-like of shape (n_clips,)
            Labels, of two classes at least; with `semi_supervised`, -1 for none.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights, none below 0. A weight of k is the same as k copies of the row.
        groups : array-like of shape (n_clips,), default=None
            The recording that each clip is of: those of one are left out together. None takes each clip for
            a recording of its own.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y, the weights or a parameter cannot be used; or if clips are to be rejected and no class
            has two.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        recordings = np.arange(len(X)) if groups is None else column_or_1d(groups)
        check_consistent_length(X, recordings)
        y = column_or_1d(y, warn=True)
        labelled = find_labelled(y) if self.semi_supervised else np.ones(len(y), dtype=bool)
        known, Y, known_weights = self._encode(X, y, np.flatnonzero(labelled), weights)
        others = select_unlabelled(X, labelled)
        others = others[weights[others] > 0]
        rows = np.concatenate([known, others])
        weights = np.concatenate([known_weights, UNLABELLED_WEIGHT * weights[others]])
        self._fit(X[rows], Y, weights, np.unique(recordings[rows], return_inverse=True)[1])
        return self

    def _encode(
        self, X: Array, y: NDArray, rows: NDArray[np.intp], weights: Array
    ) -> tuple[NDArray[np.intp], Array, Array]:
        """Give those of the labelled rows that count, without copies, their targets and weights."""
        labels = np.array(y[rows].tolist()) if y.dtype.kind == "O" else y[rows]
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"there is only one class, {self.classes_.tolist()}; expected at least two")
        factors = weigh_classes(self.class_weight, self.classes_, labels, codes, weights[rows])
        weights = weights[rows] * factors[codes]
        if not weights.any():
            raise ValueError("sample_weight and class_weight leave no row with a weight above 0")
        rows, codes, weights = rows[weights > 0], codes[weights > 0], weights[weights > 0]
        Y = np.eye(len(self.classes_))[codes]
        kept, weights = merge_duplicates(X[rows], Y, weights)
        # Targets sum to 0: what nothing is known of gets the same score for every class.
        return rows[kept], Y[kept] - 1 / len(self.classes_), weights

    def _fit(self, X: Array, Y: Array, weights: Array, groups: NDArray[np.int64]) -> None:
        """Learn from rows, those with targets first."""
        penalty = self.penalty
        if not isinstance(penalty, str) and np.ndim(penalty) and check_penalties(penalty).min() == 0:
            raise ValueError(f"penalty={penalty!r} holds 0; expected numbers above it")
        H, n_known, device = self._add_constant(X, weights), len(Y), resolve_device(self.device)
        calibration = Calibration(Y.argmax(axis=1), weights[:n_known], groups[:n_known])
        known = RidgeSystem(H[:n_known], weights[:n_known], groups=groups[:n_known], device=device)
        found = fit_labelled(known, Y, penalty, calibration)
        if len(H) > n_known:
            everything = RidgeSystem(H, weights, groups=groups, device=device)
            found = self_train(everything, Y, penalty, calibration, start=found)
        fit = found.fit
        self.penalty_, self.penalties_, self.loo_errors_ = fit.penalty, fit.penalties, fit.errors
        self.coef_, self.intercept_ = fit.coef.T, np.zeros(len(self.classes_))
        if self.fit_intercept:
            self.coef_, self.intercept_ = self.coef_[:, :-1], H[0, -1] * self.coef_[:, -1]
        self.temperature_ = found.temperature
        self.threshold_ = self._choose_threshold(calibration, found.left_out)

    def _add_constant(self, X: Array, weights: Array) -> Array:
        """Give rows with a constant feature, if there is to be an intercept."""
        if not self.fit_intercept:
            return X
        length = np.sqrt(np.average(np.square(X).sum(axis=1), weights=weights))
        return np.hstack([X, np.full((len(X), 1), length)])

    def _choose_threshold(self, calibration: Calibration, left_out: Array) -> float:
        """Put the threshold at the wanted rank of what training clips score when they are left out."""
        if self.false_rejection_rate is None:
            return -np.inf
        if self.unknown_label in self.classes_.tolist():
            raise ValueError(f"unknown_label={self.unknown_label!r} is a class; choose a label that is none")
        if not calibration.has_repeated:
            raise ValueError(
                f"false_rejection_rate={self.false_rejection_rate} takes two different clips of a class, "
                "to see what known clips score; add clips, or set it to None"
            )
        return calibration.find_threshold(left_out, self.false_rejection_rate)

    def _scores(self, X: Any) -> Array:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return X @ self.coef_.T + self.intercept_

    def decision_function(self, X: ArrayLike) -> Array:
        """Give the scores, which sum to 0 over the classes.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_clips, n_classes), or (n_clips,) with two classes
            Of two classes, by how much the second one's is higher.
        """
        scores = self._scores(X)
        return scores if len(self.classes_) > 2 else scores[:, 1] - scores[:, 0]

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Give the logarithms of the classes' probabilities.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
        """
        return log_softmax(self._scores(X) / self.temperature_, axis=1)

    def predict_proba(self, X: ArrayLike) -> Array:
        """Give the classes' probabilities, for a clip that is of one of them.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
        """
        return np.exp(self.predict_log_proba(X))

    def score_samples(self, X: ArrayLike) -> Array:
        """Say how familiar clips are: the higher, the likelier of a known class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_clips,)
            Minus the squared distance of the scores from those wanted of the nearest class; 0 at most.
        """
        return familiarity(self._scores(X))

    def predict(self, X: ArrayLike) -> NDArray:
        """Give each clip the class with the highest score, or say that it is unknown.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_clips,)
            With a `false_rejection_rate`, an array of objects if the classes and `unknown_label` are of
            different types.
        """
        scores = self._scores(X)
        labels = self.classes_[scores.argmax(axis=1)]
        if self.false_rejection_rate is None:
            return labels
        known = familiarity(scores) >= self.threshold_
        unknown = np.asarray(self.unknown_label)
        if unknown.dtype.kind != labels.dtype.kind:
            unknown, labels = unknown.astype(object), labels.astype(object)
        return np.where(known, labels, unknown)
