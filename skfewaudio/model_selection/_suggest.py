"""Which clips to label next."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _num_samples, check_is_fitted

from ._split import check_count


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

    Those that the classifier is least sure of, and that differ from one another: ten copies of one puzzling
    sound teach no more than one of them.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier, or a Pipeline that ends in one, with ``predict_proba`` and one class a clip.
    X : sequence of length n_unlabelled
        The unlabelled clips: whatever `estimator` takes.
    n_clips : int, default=10
        How many to suggest.
    strategy : {"entropy", "margin", "least_confident"}, default="entropy"
        How unsure a classifier is: the entropy of its probabilities, the closeness of the two highest ones,
        or how far the highest is from 1.
    diverse : bool, default=True
        Whether each suggestion counts by its distance from those before it, or by uncertainty alone.

    Returns
    -------
    ndarray of int of shape (n_clips,)
        Positions in `X`, the one to label first first. The same for the same arguments.

    Raises
    ------
    ValueError
        If `n_clips` is more than there are clips, `strategy` is unknown, or the probabilities of a clip do
        not add up to 1.
    TypeError
        If the estimator has no ``predict_proba``.

    See Also
    --------
    extrapolate_curve : Whether more clips are worth labelling at all.

    Notes
    -----
    This is batch-mode uncertainty sampling [1]_. The first suggestion is the least certain clip; each further
    one has the largest product of uncertainty and distance to the nearest suggested clip. Distances are
    Euclidean, in the embedding of the last step if it can ``transform``, else in the features that the last
    step of a Pipeline gets, if these are vectors, else between probabilities. Scale the features
    (:class:`~sklearn.preprocessing.StandardScaler`): the largest ones decide otherwise.

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
    if check_count(n_clips, "n_clips") > n_unlabelled:
        raise ValueError(f"n_clips={n_clips} of {n_unlabelled} unlabelled clips; expected at most that many")
    probabilities, embedding = _predict(_unwrap(estimator), X)
    uncertainty = STRATEGIES[strategy](probabilities)
    if not diverse:
        return np.argsort(-uncertainty, kind="stable")[:n_clips]
    return _choose_apart(uncertainty, embedding, n_clips)


def _unwrap(estimator: Any) -> Any:
    """Give what a search or a FewShotClassifier fitted."""
    check_is_fitted(estimator)
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{type(estimator).__name__} has no predict_proba, which tells how sure it is; wrap it in "
            "sklearn.calibration.CalibratedClassifierCV, or take another classifier"
        )
    for name in ("best_estimator_", "estimator_"):
        inner = getattr(estimator, name, None)
        if hasattr(inner, "predict_proba"):
            return _unwrap(inner)
    return estimator


def _predict(estimator: Any, X: Any) -> tuple[NDArray, NDArray]:
    """Give probabilities and embeddings, with the features computed once."""
    if isinstance(estimator, Pipeline):
        features = estimator[:-1].transform(X) if len(estimator) > 1 else X
        return _predict(_unwrap(estimator[-1]), features)
    probabilities = np.asarray(estimator.predict_proba(X), dtype=float)
    if probabilities.ndim != 2 or not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            f"predict_proba of {type(estimator).__name__} gives values of shape {probabilities.shape} that "
            "do not add up to 1 for each clip; expected a classifier of one class a clip"
        )
    embedding = estimator.transform(X) if hasattr(estimator, "transform") else X
    vectors = isinstance(embedding, np.ndarray) and embedding.ndim == 2 and embedding.dtype.kind == "f"
    return probabilities, embedding if vectors else probabilities


def _choose_apart(uncertainty: NDArray, embedding: NDArray, n_clips: int) -> NDArray[np.intp]:
    """Choose clips one by one by uncertainty times the distance to the nearest of those chosen."""
    # A classifier that is sure of everything, as one neighbour is, leaves distance to decide.
    weight = uncertainty + 1e-9
    left = np.ones(len(weight), dtype=bool)
    nearest = np.ones(len(weight))
    chosen: list[int] = []
    while len(chosen) < n_clips:
        # Copies of a chosen clip are worth nothing, and yet more than what is chosen already.
        best = int(np.where(left, weight * nearest, -1).argmax())
        distance = np.linalg.norm(embedding - embedding[best], axis=1)
        nearest = np.minimum(nearest, distance) if chosen else distance
        left[best] = False
        chosen.append(best)
    return np.array(chosen)
