"""Selection of the unlabelled clips to label next."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _num_samples, check_is_fitted

from skfewaudio.classifiers import AugmentedClassifier

from ._subsampled import SubsampledClassifier
from .draws import check_positive_int


def _margin(probabilities: NDArray) -> NDArray:
    two_best = np.sort(probabilities, axis=1)[:, -2:]
    return 1 - (two_best[:, 1] - two_best[:, 0])


def _entropy(probabilities: NDArray) -> NDArray:
    logarithms = np.log(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    return -(probabilities * logarithms).sum(axis=1) / np.log(probabilities.shape[1])


def _least_confident(probabilities: NDArray) -> NDArray:
    return 1 - probabilities.max(axis=1)


STRATEGIES: dict[str, Callable[[NDArray], NDArray]] = {
    "margin": _margin,
    "entropy": _entropy,
    "least_confident": _least_confident,
}


def suggest_clips(
    estimator: Any, X: Any, *, n_clips: int = 10, strategy: str = "entropy", diverse: bool = True
) -> NDArray[np.intp]:
    """Suggest which unlabelled clips to label next.

    Selects clips for which the classifier is uncertain and which differ from each other, because labelling
    ten similar clips helps little more than labelling one of them.

    Parameters
    ----------
    estimator : estimator
        A fitted single-label classifier with ``predict_proba``, or a Pipeline that ends in one.
    X : sequence of length n_unlabelled
        The unlabelled clips, in any form that `estimator` accepts.
    n_clips : int, default=10
        Number of clips to suggest.
    strategy : {"entropy", "margin", "least_confident"}, default="entropy"
        Measure of uncertainty: the entropy of the class probabilities, 1 minus the difference between the two
        highest probabilities, or 1 minus the highest probability.
    diverse : bool, default=True
        Whether to weight the uncertainty of a clip by its distance to the clips already selected. False ranks
        clips by uncertainty alone.

    Returns
    -------
    ndarray of int of shape (n_clips,)
        Indices into `X`, in the order in which to label the clips. The selection is deterministic.

    Raises
    ------
    ValueError
        If `n_clips` exceeds the number of clips, `strategy` is unknown, or the probabilities of a clip do not
        add up to 1.
    TypeError
        If the estimator has no ``predict_proba``.

    See Also
    --------
    extrapolate_curve : Estimate whether labelling more clips is worthwhile.

    Notes
    -----
    This is batch-mode uncertainty sampling [1]_. The first suggestion is the clip with the highest
    uncertainty. Each further suggestion maximises the product of uncertainty and distance to the nearest
    selected clip. Distances are Euclidean. They are computed between the embeddings of the last step if it
    has ``transform``, else between the input features of the last step of a Pipeline if these are vectors,
    else between class probabilities. Scale the features (:class:`~sklearn.preprocessing.StandardScaler`);
    otherwise the features with the largest values dominate the distances.

    References
    ----------
    .. [1] B. Settles, "Active Learning Literature Survey", University of Wisconsin-Madison, Computer Sciences
       Technical Report 1648, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skfewaudio.model_selection import suggest_clips
    >>> model = make_pipeline(StandardScaler(), LogisticRegression())
    >>> model = model.fit([[0.0], [1.0], [9.0], [10.0]], ["bark", "bark", "horn", "horn"])
    >>> unlabelled = [[0.5], [5.0], [5.0], [9.5], [6.0]]
    >>> suggest_clips(model, unlabelled, n_clips=2, diverse=False)
    array([1, 2])
    >>> suggest_clips(model, unlabelled, n_clips=2)
    array([1, 0])
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy={strategy!r}; expected one of {', '.join(STRATEGIES)}")
    n_unlabelled = _num_samples(X)
    if check_positive_int(n_clips, "n_clips") > n_unlabelled:
        raise ValueError(f"n_clips={n_clips} of {n_unlabelled} unlabelled clips; expected at most that many")
    probabilities, embedding = _predict_and_embed(_unwrap(estimator), X)
    uncertainty = STRATEGIES[strategy](probabilities)
    if not diverse:
        return np.argsort(-uncertainty, kind="stable")[:n_clips]
    return _select_diverse(uncertainty, embedding, n_clips)


def _unwrap(estimator: Any) -> Any:
    """Return the estimator that a search, a SubsampledClassifier or an AugmentedClassifier has fitted."""
    check_is_fitted(estimator)
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{type(estimator).__name__} has no predict_proba, which uncertainty is computed from; wrap it "
            "in sklearn.calibration.CalibratedClassifierCV, or use another classifier"
        )
    # The inner estimators of other classifiers do not take the same clips.
    if isinstance(estimator, SubsampledClassifier | AugmentedClassifier):
        return _unwrap(estimator.estimator_)
    if hasattr(getattr(estimator, "best_estimator_", None), "predict_proba"):
        return _unwrap(estimator.best_estimator_)
    return estimator


def _predict_and_embed(estimator: Any, X: Any) -> tuple[NDArray, NDArray]:
    """Return class probabilities and embeddings; features are computed once."""
    if isinstance(estimator, Pipeline):
        features = estimator[:-1].transform(X) if len(estimator) > 1 else X
        return _predict_and_embed(_unwrap(estimator[-1]), features)
    probabilities = np.asarray(estimator.predict_proba(X), dtype=float)
    if probabilities.ndim != 2 or not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            f"predict_proba of {type(estimator).__name__} returned values of shape {probabilities.shape} "
            "that do not add up to 1 for each clip; expected a single-label classifier"
        )
    embedding = estimator.transform(X) if hasattr(estimator, "transform") else X
    vectors = isinstance(embedding, np.ndarray) and embedding.ndim == 2 and embedding.dtype.kind == "f"
    return probabilities, embedding if vectors else probabilities


def _select_diverse(uncertainty: NDArray, embedding: NDArray, n_clips: int) -> NDArray[np.intp]:
    """Select clips one by one by uncertainty times the distance to the nearest selected clip."""
    # If all uncertainties are 0, as for one nearest neighbour, the distance decides.
    weight = uncertainty + 1e-9
    left = np.ones(len(weight), dtype=bool)
    nearest = np.ones(len(weight))
    chosen: list[int] = []
    while len(chosen) < n_clips:
        # Duplicates of a chosen clip score 0, which still ranks them above clips already chosen.
        best = int(np.where(left, weight * nearest, -1).argmax())
        distance = np.linalg.norm(embedding - embedding[best], axis=1)
        nearest = np.minimum(nearest, distance) if chosen else distance
        left[best] = False
        chosen.append(best)
    return np.array(chosen)
