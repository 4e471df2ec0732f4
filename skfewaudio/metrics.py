"""Ranking metrics for multi-label taggers, averaged over labels."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from scipy.special import ndtri
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import average_precision_score, roc_auc_score

__all__ = ["SCORERS", "d_prime", "mean_auc", "mean_average_precision"]

Average = Literal["macro", "micro"] | None
Labels = NDArray[np.integer]
Scores = NDArray[np.floating]


def mean_average_precision(
    y_true: ArrayLike, y_score: ArrayLike, *, average: Average = "macro"
) -> float | NDArray[np.floating]:
    """Compute the average precision, averaged over labels.

    The average precision of a label is the mean, over the clips with the label, of the precision among all
    clips with at least the same score. A random ranking gets the fraction of clips with the label.

    Parameters
    ----------
    y_true : array-like of shape (n_clips, n_labels)
        1 if a clip has a label, 0 otherwise.
    y_score : array-like of shape (n_clips, n_labels)
        Probabilities, or other scores that increase with the probability of the label.
    average : {"macro", "micro"} or None, default="macro"
        "macro" is the mean over labels with equal weights, however rare a label is. "micro" ranks all pairs
        of clip and label together. None returns one value per label.

    Returns
    -------
    float, or ndarray of shape (n_labels,)
        Value from 0 to 1. A label without clips has the value NaN and is excluded from the mean. The mean is
        NaN if no label remains.

    Raises
    ------
    ValueError
        If the shapes differ or are not 2-D, `y_true` contains other values than 0 and 1, or scores are not
        finite.

    Warns
    -----
    UndefinedMetricWarning
        If labels are excluded from the mean.

    See Also
    --------
    sklearn.metrics.average_precision_score : Counts labels without clips as 0.

    Examples
    --------
    >>> from skfewaudio.metrics import mean_average_precision
    >>> y_true = [[1, 0], [0, 1], [1, 1], [0, 0]]
    >>> y_score = [[0.9, 0.2], [0.6, 0.8], [0.4, 0.5], [0.1, 0.3]]
    >>> float(round(mean_average_precision(y_true, y_score), 3))
    0.917
    >>> mean_average_precision(y_true, y_score, average=None).round(3)
    array([0.833, 1.   ])
    """
    return _average_labels(average_precision_score, y_true, y_score, average, needs_negatives=False)


def mean_auc(
    y_true: ArrayLike, y_score: ArrayLike, *, average: Average = "macro"
) -> float | NDArray[np.floating]:
    """Compute the area under the ROC curve, averaged over labels.

    The area is the probability that a clip with the label scores higher than a clip without it. Ties count
    half. A random ranking gets 0.5.

    Parameters
    ----------
    y_true : array-like of shape (n_clips, n_labels)
        1 if a clip has a label, 0 otherwise.
    y_score : array-like of shape (n_clips, n_labels)
        Probabilities, or other scores that increase with the probability of the label.
    average : {"macro", "micro"} or None, default="macro"
        "macro" is the mean over labels with equal weights, however rare a label is. "micro" ranks all pairs
        of clip and label together. None returns one value per label.

    Returns
    -------
    float, or ndarray of shape (n_labels,)
        Value from 0 to 1. A label that no clip or every clip has gets NaN and is excluded from the mean. The
        mean is NaN if no label remains.

    Raises
    ------
    ValueError
        If the shapes differ or are not 2-D, `y_true` contains other values than 0 and 1, or scores are not
        finite.

    Warns
    -----
    UndefinedMetricWarning
        If labels are excluded from the mean.

    See Also
    --------
    d_prime : The same quantity on an unbounded scale.
    sklearn.metrics.roc_auc_score : The mean is NaN if the area of one label is NaN.

    Examples
    --------
    >>> from skfewaudio.metrics import mean_auc
    >>> y_true = [[1, 0], [0, 1], [1, 1], [0, 0]]
    >>> y_score = [[0.9, 0.2], [0.6, 0.8], [0.4, 0.5], [0.1, 0.3]]
    >>> float(mean_auc(y_true, y_score))
    0.875
    """
    return _average_labels(roc_auc_score, y_true, y_score, average, needs_negatives=True)


def d_prime(
    y_true: ArrayLike, y_score: ArrayLike, *, average: Average = "macro"
) -> float | NDArray[np.floating]:
    """Compute d-prime, the separation of scores with and without a label, from the area under the ROC curve.

    If both distributions of scores were normal with the same variance, their means would be d-prime standard
    deviations apart. d-prime is the square root of 2 times the inverse of the normal distribution function at
    the area under the ROC curve [1]_. A random ranking gets 0.

    Parameters
    ----------
    y_true : array-like of shape (n_clips, n_labels)
        1 if a clip has a label, 0 otherwise.
    y_score : array-like of shape (n_clips, n_labels)
        Probabilities, or other scores that increase with the probability of the label.
    average : {"macro", "micro"} or None, default="macro"
        "macro" is d-prime of the labels' mean area, as in published results. The mean of the labels' d-primes
        would be infinite if a single label were perfect. "micro" is d-prime of the area over all pairs of
        clip and label. None returns one value per label.

    Returns
    -------
    float, or ndarray of shape (n_labels,)
        Infinity if the area is 1 (with "macro", if it is 1 for every label), minus infinity if it is 0. A
        label that no clip or every clip has gets NaN and is excluded from the mean. The mean is NaN if no
        label remains.

    Raises
    ------
    ValueError
        If the shapes differ or are not 2-D, `y_true` contains other values than 0 and 1, or scores are not
        finite.

    Warns
    -----
    UndefinedMetricWarning
        If labels are excluded from the mean.

    See Also
    --------
    mean_auc : Area under the ROC curve.

    References
    ----------
    .. [1] S. Hershey et al. CNN architectures for large-scale audio classification. ICASSP, 2017.
       arXiv:1609.09430
    .. [2] J. F. Gemmeke et al. Audio Set: An ontology and human-labeled dataset for audio events. ICASSP,
       2017. https://doi.org/10.1109/ICASSP.2017.7952261

    Examples
    --------
    >>> from skfewaudio.metrics import d_prime
    >>> y_true = [[1, 0], [0, 1], [1, 1], [0, 0]]
    >>> y_score = [[0.9, 0.2], [0.6, 0.8], [0.4, 0.5], [0.1, 0.3]]
    >>> float(round(d_prime(y_true, y_score), 3))
    1.627
    >>> d_prime(y_true, y_score, average=None).round(3)
    array([0.954,   inf])
    """
    area = _average_labels(roc_auc_score, y_true, y_score, average, needs_negatives=True)
    return np.sqrt(2) * ndtri(area)


def _average_labels(
    score: Callable[[Labels, Scores], float],
    y_true: ArrayLike,
    y_score: ArrayLike,
    average: Average,
    *,
    needs_negatives: bool,
) -> float | NDArray[np.floating]:
    """Score each label for which the metric is defined, and average."""
    if average not in ("macro", "micro", None):
        raise ValueError(f"average must be 'macro', 'micro' or None; got {average!r}")
    truth, scores = _check_tags(y_true, y_score)
    if average == "micro":
        truth, scores = truth.reshape(-1, 1), scores.reshape(-1, 1)
    positives = truth.sum(axis=0)
    defined = (positives > 0) & (positives < len(truth) if needs_negatives else True)
    values = np.full(truth.shape[1], np.nan)
    for label in np.flatnonzero(defined):
        values[label] = score(truth[:, label], scores[:, label])
    if average is None:
        return values
    if not defined.all():
        _warn_of_undefined(defined, needs_negatives)
    return float(values[defined].mean()) if defined.any() else np.nan


def _warn_of_undefined(defined: NDArray[np.bool_], needs_negatives: bool) -> None:
    """Warn about the labels that are left out."""
    left_out = np.flatnonzero(~defined)
    first = ", ".join(map(str, left_out[:5])) + (", ..." if len(left_out) > 5 else "")
    which = "no clip or every clip has" if needs_negatives else "no clip has"
    warnings.warn(
        f"{len(left_out)} of {len(defined)} labels, which {which}, are left out of the average: "
        f"column{'s' if len(left_out) > 1 else ''} {first}",
        UndefinedMetricWarning,
        stacklevel=4,
    )


def _check_tags(y_true: ArrayLike, y_score: ArrayLike) -> tuple[Labels, Scores]:
    """Return labels as 0 and 1 and scores as floats, both of shape (n_clips, n_labels)."""
    truth = np.asarray(y_true.toarray() if issparse(y_true) else y_true)  # type: ignore[union-attr]
    scores = np.asarray(y_score, dtype=np.float64)
    if truth.ndim != 2 or not truth.size:
        raise ValueError(
            f"y_true has shape {truth.shape}; expected (n_clips, n_labels), with at least one of each. For "
            "one label, reshape it by y_true.reshape(-1, 1)"
        )
    if scores.shape != truth.shape:
        raise ValueError(f"y_score has shape {scores.shape}; expected the shape of y_true, {truth.shape}")
    other = ~((truth == 0) | (truth == 1))
    if other.any():
        raise ValueError(f"y_true must be of 0 and 1; it has {truth[other][0]!r}")
    if not np.isfinite(scores).all():
        clip, label = np.argwhere(~np.isfinite(scores))[0]
        raise ValueError(
            f"y_score must be finite; it is {scores[clip, label]} for clip {clip} and label {label}"
        )
    return truth.astype(np.int64), scores


class _TagScorer:
    """Scorer of a fitted estimator for cross-validation; see :data:`SCORERS`."""

    def __init__(self, metric: Callable[..., Any]) -> None:
        self.metric = metric
        self.__name__ = metric.__name__

    def __call__(self, estimator: Any, X: Any, y: ArrayLike) -> float:
        return self.metric(*_tags_and_scores(estimator, X, y))

    def __repr__(self) -> str:
        return f"skfewaudio.metrics.SCORERS[{self.__name__!r}]"


def _tags_and_scores(estimator: Any, X: Any, y: ArrayLike) -> tuple[NDArray[Any], Scores]:
    """Return labels and scores, for every output format of multi-label estimators.

    scikit-learn's own scorers treat two labels as two classes if the `classes_` of the estimator are [0, 1].
    """
    truth = y.toarray() if issparse(y) else np.asarray(y)  # type: ignore[union-attr]
    if hasattr(estimator, "predict_proba"):
        scores = estimator.predict_proba(X)
    else:
        scores = estimator.decision_function(X)
    if isinstance(scores, list):
        scores = _stack_positives(scores, estimator.classes_)
    if truth.ndim == 1:
        truth = (truth[:, None] == np.asarray(estimator.classes_)).astype(int)
        scores = np.column_stack([-scores, scores]) if np.ndim(scores) == 1 else scores
    return truth, scores


def _stack_positives(probabilities: Sequence[Scores], classes: Sequence[NDArray[Any]]) -> Scores:
    """Return the probability of each label, which is 0 for a label without training clips."""
    return np.column_stack(
        [
            proba[:, np.flatnonzero(known == 1)].sum(axis=1)
            for proba, known in zip(probabilities, classes, strict=True)
        ]
    )


#: Scorers by name, for ``scoring=`` of :func:`~sklearn.model_selection.cross_validate`,
#: :class:`~sklearn.model_selection.GridSearchCV` and `few_shot_curve`.
SCORERS = {metric.__name__: _TagScorer(metric) for metric in (mean_average_precision, mean_auc, d_prime)}
