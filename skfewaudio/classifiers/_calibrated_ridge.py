"""Ridge classifier whose penalty and calibration are chosen by leave-one-out."""

from collections.abc import Sequence
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
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skfewaudio._documentation import DocumentedMixin
from skfewaudio._targets import check_groups, check_label_values
from skfewaudio._torch import resolve_device

from ._ridge import novelty
from ._ridge.block_weights import check_blocks, select_rows, weigh_blocks
from ._ridge.calibration import Calibration, familiarity, find_threshold
from ._ridge.class_weight import weigh_classes
from ._ridge.copies import average_without_copies, find_originals
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

# Relative to the sum of squares of X. With one and two clips per class, larger values are worse on the mean
# of nine kinds of sound, and smaller ones equal.
EXPECTED_PENALTY = 10**-3.5


class CalibratedRidgeClassifier(DocumentedMixin, ClassifierMixin, BaseEstimator):
    """Classify feature vectors by ridge regression, with calibrated probabilities from few clips.

    One regression per class is fitted to the target 1 for clips of the class and 0 for other clips. The
    penalty minimises the leave-one-out error, which is computed exactly at the cost of one fit. The
    leave-one-out scores also calibrate the probabilities, by temperature scaling [1]_: the probabilities are
    the softmax of the scores divided by a temperature, which minimises the log loss of the left-out clips. No
    clip is held out.

    Parameters
    ----------
    penalty : float, array-like of shape (n_penalties,) or "auto", default="auto"
        Penalty on the squared weights, above 0. A number is used as it is. From several values, the one with
        the smallest leave-one-out error is chosen. ``"auto"`` chooses from 19 values between 1e-8 and 10
        times the sum of squares of X; with few clips, it prefers values near 3e-4 times this sum.
    fit_intercept : bool, default=True
        Whether the score of each class has an intercept, which is not penalised. Without one, the features
        should be centred.
    block_sizes : sequence of int, default=None
        Number of columns of each block of features, in the order of the columns. The blocks are weighted by
        how well they classify the training clips, as in :class:`BlockClassifier`. None does not weight
        features.
    block_prior : array-like of shape (n_blocks,), default=None
        Weights of the blocks before any clip is seen, from 0. None gives all blocks the same weight.
    weigh_copies : bool, default=False
        Whether the scores are an average of two regressions: one with all rows, and one without rows that
        have less weight than others of their class and group, such as the augmented copies of
        :class:`AugmentedClassifier`. Left-out clips determine the shares of the two. Has no effect if some
        clips are unlabelled.
    class_weight : dict or "balanced", default=None
        Weights of the classes; a class missing from the dict has weight 1. ``"balanced"`` gives all classes
        the same total weight. None gives all classes weight 1.
    false_rejection_rate : float, default=None
        Expected share of clips of known classes that :meth:`predict` rejects as unknown, between 0 and 1.
        None disables rejection. Requires at least one class with two clips.
    unknown_label : object, default="unknown"
        Label predicted for rejected clips.
    semi_supervised : bool, default=False
        Whether a label of -1 (or "-1" among strings) means unlabelled. The classifier is then also fitted to
        the unlabelled clips, by self-training. If False, -1 is a class like any other.
    device : str, default=None
        Torch device for the linear algebra in `fit`. None uses CUDA if available.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    coef_ : ndarray of shape (n_classes, n_features)
        Weights of the features.
    intercept_ : ndarray of shape (n_classes,)
        Intercepts; 0 without `fit_intercept`.
    penalty_ : float
        Penalty of the fitted regression.
    penalties_ : ndarray of shape (n_penalties,)
        Candidates from which `penalty_` was chosen.
    loo_errors_ : ndarray of shape (n_penalties,) or None
        Mean squared leave-one-out error of each candidate; None if `penalty` is a number, or if no class has
        two recordings.
    block_weights_ : ndarray of shape (n_blocks,)
        Weights of the blocks, which sum to 1. The features of a block have this mean square norm in the
        regression.
    copies_share_ : float
        Share of the regression with all rows in the scores; 1 without `weigh_copies`.
    temperature_ : float
        Divisor of the scores before the softmax.
    threshold_ : float
        Value of :meth:`score_samples` below which clips are rejected; minus infinity if no clip is rejected.
    novelty_mean_, novelty_scale_ : ndarray of shape (n_features,) or None
        Mean and factors of the features for :meth:`score_samples`; None without `false_rejection_rate`.
    novelty_basis_ : ndarray of shape (n_training_clips, n_features) or None
        Directions that the training clips explain; None without `false_rejection_rate`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Column names of X, if fitted on a DataFrame.

    See Also
    --------
    skfewaudio.pipelines.make_few_shot_classifier : Pipeline of features and this classifier.
    ELMClassifier : Ridge regression on random hidden units.
    sklearn.linear_model.RidgeClassifierCV : Ridge classifier without probabilities.

    Notes
    -----
    The temperature is fitted to the clips of classes that have at least two different clips, because leaving
    out the only clip of a class gives no information about the class. If there is no such class, the
    temperature is 1/10 of the mean margin of the training clips. The margin is the score of a clip's own
    class minus the mean score of the other classes. The fitted temperature is drawn to 1/12 of the mean
    margin, noticeably if there are fewer than about fifty clips. The constants 10 and 12 are compromises
    between nine kinds of sound.

    Unlabelled clips take part in the regression with a tenth of the weight of labelled clips. Their targets
    are pseudo-labels: the class probabilities predicted by a fit without the clip. The first pseudo-labels
    come from a fit to the labelled clips, and the fit is then repeated ten times with updated pseudo-labels.
    The penalty and the temperature are chosen again each time. Self-training raises accuracy if the
    unlabelled clips cover the known classes about evenly (see the user guide), and lowers it if they come
    from only a few classes.

    The penalty is chosen by the clips of classes with at least two recordings. If there is no such class, the
    penalty is 3e-4 times the sum of squares with ``"auto"`` and without unlabelled clips, and otherwise the
    candidate nearest to a hundredth of this sum. With two clips per class, leaving one out takes half of its
    class, and the best penalty for the rest is often too large or too small for all clips. ``"auto"``
    therefore adds 0.2 per squared power of ten from 3e-4 to the logarithm of the error times the number of
    recordings. Leaving a clip out makes its class rarer, and an intercept reveals this; predictions for
    left-out clips therefore use the mean of the targets of all clips. Duplicate rows are left out together,
    so that they do not predict each other. Without `fit_intercept`, features that were centred by the mean of
    few training clips reveal the class of a left-out clip: the other clips lie on the opposite side of the
    mean. The leave-one-out errors are then too small.

    With `weigh_copies`, the odds of the regression with copies are 7 to 3 before any clip is left out, and
    are multiplied by the ratio of the likelihoods of the left-out clips.

    The weights of blocks are the mean of all weightings in steps of a quarter. A weighting counts more in
    this mean if it classifies more left-out clips correctly, and less if its leave-one-out error is larger or
    if it is far from the prior. With one clip per class, the weights are the prior.

    With `false_rejection_rate`, familiarity is the highest score of a clip minus twice the variance of a
    Gaussian process [3]_ with the dot product of the weighted features as its kernel: the part of a clip that
    the training clips do not explain. Up to 300 training clips are kept for it. Otherwise, familiarity
    decreases with the distance between a clip's scores and the targets of the nearest class, which, without a
    penalty, is the novelty score of [2]_. The threshold rejects the requested share of the
    left-out training clips. New clips from the same recording conditions are rejected slightly less often,
    because the final fit leaves out no clip. Clips from other rooms or speakers are rejected more often.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
       ICML 2017. arXiv:1706.04599.
    .. [2] P. Bodesheim, A. Freytag, E. Rodner, M. Kemmler, J. Denzler, "Kernel null space methods for novelty
       detection", CVPR 2013.
    .. [3] M. Kemmler, E. Rodner, E.-S. Wacker, J. Denzler, "One-class classification with Gaussian
       processes", Pattern Recognition 46(12), 2013.

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
        "block_sizes": ["array-like", None],
        "block_prior": ["array-like", None],
        "weigh_copies": ["boolean"],
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
        block_sizes: Sequence[int] | None = None,
        block_prior: ArrayLike | None = None,
        weigh_copies: bool = False,
        class_weight: dict | str | None = None,
        false_rejection_rate: float | None = None,
        unknown_label: Any = "unknown",
        semi_supervised: bool = False,
        device: str | None = None,
    ) -> None:
        self.penalty = penalty
        self.fit_intercept = fit_intercept
        self.block_sizes = block_sizes
        self.block_prior = block_prior
        self.weigh_copies = weigh_copies
        self.class_weight = class_weight
        self.false_rejection_rate = false_rejection_rate
        self.unknown_label = unknown_label
        self.semi_supervised = semi_supervised
        self.device = device

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A model of an earlier version lacks the parameter.
        super().__setstate__({"weigh_copies": False} | state)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, *, groups: ArrayLike | None = None
    ) -> Self:
        """Choose the penalty, solve for the weights, and fit the temperature and the threshold.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Feature vectors.
        y : array-like of shape (n_clips,)
            Labels of at least two classes; with `semi_supervised`, -1 for unlabelled clips.
        sample_weight : array-like of shape (n_clips,), default=None
            Non-negative weights. A weight of k has the same effect as repeating the row k times.
        groups : array-like of shape (n_clips,), default=None
            Recording of each clip. Clips of one recording are left out together. None treats every clip as a
            separate recording.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y, the weights or a parameter are invalid; or if `false_rejection_rate` is set and no class
            has two different clips.
        """
        check_label_values(y, unlabelled=self.semi_supervised)
        X, y = validate_data(self, X, y, dtype=np.float64)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        recordings = np.arange(len(X)) if groups is None else check_groups(groups, len(X))
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
        """Return the labelled rows with positive weights, without duplicates, their targets and weights."""
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
        # Targets sum to 0, so that inputs that carry no information score all classes equally.
        return rows[kept], Y[kept] - 1 / len(self.classes_), weights

    def _fit(self, X: Array, Y: Array, weights: Array, groups: NDArray[np.int64]) -> None:
        """Fit to rows; the first len(Y) rows have targets."""
        penalty = self.penalty
        if not isinstance(penalty, str) and np.ndim(penalty) and check_penalties(penalty).min() == 0:
            raise ValueError(f"penalty={penalty!r} holds 0; expected numbers above 0")
        device, n_known, fit_intercept = resolve_device(self.device), len(Y), bool(self.fit_intercept)
        slices, prior = check_blocks(self.block_sizes, self.block_prior, X.shape[1])
        self.block_weights_, factors = prior, np.ones(X.shape[1])
        if self.block_sizes is not None:
            known_rows = (X[:n_known], Y, weights[:n_known], groups[:n_known])
            self.block_weights_, factors = weigh_blocks(
                *known_rows, slices, prior, fit_intercept=fit_intercept, device=device
            )
        H = X * factors
        calibration = Calibration(Y.argmax(axis=1), weights[:n_known], groups[:n_known])
        counted = calibration.usable
        known = RidgeSystem(
            H[:n_known],
            weights[:n_known],
            groups=groups[:n_known],
            counted=counted,
            fit_intercept=fit_intercept,
            device=device,
        )
        is_supervised = len(H) == n_known
        expected = EXPECTED_PENALTY if is_supervised and isinstance(penalty, str) else None
        found = fit_labelled(known, Y, penalty, calibration, expected)
        if not is_supervised:
            counted = np.concatenate([counted, np.ones(len(H) - n_known, dtype=bool)])
            everything = RidgeSystem(
                H, weights, groups=groups, counted=counted, fit_intercept=fit_intercept, device=device
            )
            # Pseudo-labels are predictions, which a small penalty reproduces, whether they are right or not.
            least = found.fit.penalty * everything.size / known.size if known.size else 0.0
            candidates = everything.candidates(penalty, least)
            found = self_train(everything, Y, candidates, calibration, start=found)
        rows, self.copies_share_ = np.arange(n_known), 1.0
        if self.weigh_copies and is_supervised:
            rows = np.flatnonzero(find_originals(calibration.codes, calibration.weights, calibration.groups))
            if len(rows) < n_known:
                calibration, found, self.copies_share_ = average_without_copies(
                    known, Y, penalty, calibration, found, rows, expected
                )
        fit = found.fit
        self.penalty_, self.penalties_, self.loo_errors_ = fit.penalty, fit.penalties, fit.errors
        self.coef_, self.intercept_ = fit.coef.T * factors, fit.intercept
        self.temperature_ = found.temperature
        self.threshold_ = -np.inf
        self.novelty_mean_: Array | None = None
        self.novelty_scale_: Array | None = None
        self.novelty_basis_: NDArray[np.float32] | None = None
        if self.false_rejection_rate is not None:
            self._check_rejection(calibration)
            self._fit_rejection(X[rows], factors, calibration, found.left_out)

    def _check_rejection(self, calibration: Calibration) -> None:
        """Check that clips can be rejected as `unknown_label`."""
        if self.unknown_label in self.classes_.tolist():
            raise ValueError(f"unknown_label={self.unknown_label!r} is a class; choose another label")
        is_text = self.classes_.dtype.kind == "U"
        if is_text != isinstance(self.unknown_label, str):
            kind, example = ("text", "unknown") if is_text else ("a number", -1)
            raise ValueError(
                f"unknown_label={self.unknown_label!r} and the label {self.classes_.tolist()[0]!r} are of "
                f"different types, which scores do not accept; choose {kind}, such as {example!r}"
            )
        if not calibration.has_usable_rows:
            raise ValueError(
                f"false_rejection_rate={self.false_rejection_rate} needs two different clips of a class, "
                "whose scores determine the threshold; add clips, or set it to None"
            )

    def _fit_rejection(self, X: Array, factors: Array, calibration: Calibration, left_out: Array) -> None:
        """Fit the familiarity, and choose the threshold from left-out clips."""
        weights, groups = calibration.weights, calibration.groups
        rows = select_rows(calibration.codes, weights, groups)
        selected, numbers = np.unique(groups[rows], return_inverse=True)
        centre, shifts = np.zeros(X.shape[1]), np.zeros((len(selected), X.shape[1]))
        if self.fit_intercept:
            centre = np.average(X, axis=0, weights=weights)
            members = np.flatnonzero(np.isin(groups, selected))
            moved = weights[members, None] * ((X[members] - centre) * factors)
            np.add.at(shifts, np.searchsorted(selected, groups[members]), moved)
            shifts /= (weights.sum() - np.bincount(groups, weights=weights)[selected])[:, None]
        fitted = novelty.Novelty.fit(X[rows], factors, centre, device=resolve_device(self.device))
        self.novelty_mean_, self.novelty_scale_, self.novelty_basis_ = fitted
        unexplained = novelty.unexplained_left_out((X[rows] - centre) * factors, numbers, shifts)
        values = novelty.familiarity(left_out[rows], unexplained)
        kept, rate = calibration.usable[rows], float(self.false_rejection_rate or 0)
        self.threshold_ = find_threshold(values[kept], rate, weights[rows][kept])

    def _familiarity(self, X: Array, scores: Array) -> Array:
        """Compute the familiarity of checked clips from their scores."""
        # Models of earlier versions have a threshold of the scores alone.
        parts: Any = [getattr(self, f"novelty_{part}_", None) for part in ("mean", "scale", "basis")]
        if parts[0] is None:
            return familiarity(scores)
        return novelty.familiarity(scores, novelty.Novelty(*parts).unexplained(X))

    def _scores(self, X: Any) -> Array:
        return self._check_and_score(X)[1]

    def _check_and_score(self, X: Any) -> tuple[Array, Array]:
        """Return the checked clips and their scores."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return X, X @ self.coef_.T + self.intercept_

    def decision_function(self, X: ArrayLike) -> Array:
        """Compute the scores, which sum to 0 over the classes.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_clips, n_classes), or (n_clips,) with two classes
            With two classes, the score of the second class minus the score of the first.
        """
        scores = self._scores(X)
        return scores if len(self.classes_) > 2 else scores[:, 1] - scores[:, 0]

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Predict the logarithms of the class probabilities.

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
        """Predict class probabilities, assuming that each clip belongs to a known class.

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
        """Compute the familiarity of clips, which is higher for clips of known classes.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_clips,)
            With `false_rejection_rate`, the highest score minus twice the part of the clip that the training
            clips do not explain. Without, minus the squared distance between the scores and the targets of
            the nearest class.
        """
        return self._familiarity(*self._check_and_score(X))

    def predict(self, X: ArrayLike) -> NDArray:
        """Predict the class with the highest score, or `unknown_label` for rejected clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_clips,)
            An object array if `false_rejection_rate` is set and the classes and `unknown_label` have
            different types.
        """
        X, scores = self._check_and_score(X)
        labels = self.classes_[scores.argmax(axis=1)]
        if self.false_rejection_rate is None:
            return labels
        known = self._familiarity(X, scores) >= self.threshold_
        unknown = np.asarray(self.unknown_label)
        if unknown.dtype.kind != labels.dtype.kind:
            unknown, labels = unknown.astype(object), labels.astype(object)
        return np.where(known, labels, unknown)
