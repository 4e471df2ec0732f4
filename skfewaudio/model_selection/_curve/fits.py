"""Single fits of a learning curve, on n drawn clips per class, scored on one test fold."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from .._subsampled import SubsampledClassifier
from ..draws import Indices

# All of these are cached, because predict often calls one of the others.
RESPONSES = ("transform", "predict", "predict_proba", "predict_log_proba", "decision_function")


class CurveFit(NamedTuple):
    """Draw of clips and test fold of one fit."""

    n_shots: int
    repeat: int
    seed: int
    fold: int


class Outcome(NamedTuple):
    """Result of a fit; times are in seconds, predictions are lists over the clips of the test fold."""

    scores: dict[str, float]
    fit_time: float
    score_time: float
    predictions: dict[str, list[Any]] | None


@dataclass(frozen=True, eq=False, repr=False)
class SharedWork:
    """Data shared by all fits of one pipeline, sent once to each worker instead of with every fit."""

    pipeline: str
    estimator: Any
    X: Any
    labels: NDArray[Any]
    folds: dict[int, tuple[Indices, Indices]]
    scorer: Callable[..., dict[str, float]]
    keep_predictions: bool
    fit_params: dict[str, Any] = field(default_factory=dict)

    def __sizeof__(self) -> int:
        # Dask uses the size to schedule fits near their data and to monitor its workers' memory.
        arrays = [self.X, self.labels, *(part for fold in self.folds.values() for part in fold)]
        return super().__sizeof__() + sum(getattr(array, "nbytes", 0) for array in arrays)


def run_fit(work: SharedWork, fit: CurveFit) -> tuple[CurveFit, Outcome]:
    """Fit and score; a note with the draw is added to any error."""
    try:
        return fit, _fit_and_score(work, fit)
    except Exception as error:
        n_shots, repeat, _, fold = fit
        error.add_note(f"This was {work.pipeline!r} with n_shots={n_shots}, repeat {repeat}, fold {fold}.")
        raise


def _fit_and_score(work: SharedWork, fit: CurveFit) -> Outcome:
    train, test = work.folds[fit.fold]
    start = time.perf_counter()
    model = SubsampledClassifier(work.estimator, fit.n_shots, random_state=fit.seed)
    model._fit_within(work.X, work.labels, train, work.fit_params)
    fitted = time.perf_counter()
    clips, labels = _safe_indexing(work.X, test), work.labels[test]
    _cache_responses(model.estimator_)
    scores = {name: float(score) for name, score in work.scorer(model, clips, labels).items()}
    scored = time.perf_counter()
    predictions = _collect_predictions(model, clips, labels, test) if work.keep_predictions else None
    return Outcome(scores, fitted - start, scored - fitted, predictions)


def _collect_predictions(model: Any, clips: Any, labels: NDArray[Any], test: Indices) -> dict[str, list[Any]]:
    """Return the predictions for a test fold; probabilities are None without predict_proba."""
    predicted = np.asarray(model.predict(clips))
    probability: list[Any] = [None] * len(test)
    true_probability = probability
    if hasattr(model, "predict_proba"):
        columns = pd.Index(model.classes_)
        proba, rows = np.asarray(model.predict_proba(clips)), np.arange(len(test))
        probability = proba[rows, columns.get_indexer(predicted)].tolist()
        true_probability = proba[rows, columns.get_indexer(labels)].tolist()
    return {
        "clip": test.tolist(),
        "true": labels.tolist(),
        "predicted": predicted.tolist(),
        "probability": probability,
        "true_probability": true_probability,
    }


def _cache_responses(estimator: Any) -> None:
    """Make the methods of a fitted estimator cache their last result, to predict the test fold once.

    The steps of a Pipeline cache their results too. `predict_proba` after `predict` then reuses the features,
    and the probabilities if `predict` has called `predict_proba`.
    """
    parts = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    for part in parts:
        own_clone = getattr(type(part), "__sklearn_clone__", None)
        if own_clone not in (None, BaseEstimator.__sklearn_clone__):
            continue  # cloning a frozen estimator returns the user's own object, which must not be changed
        for name in RESPONSES:
            method = getattr(part, name, None)
            if callable(method):
                setattr(part, name, _cached(method))


def _cached(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method so that a second call with the same object X returns the first result."""
    last_X: Any = None
    result: Any = None

    @wraps(method)
    def cached(X: Any, **options: Any) -> Any:
        nonlocal last_X, result
        if options:
            return method(X, **options)
        if X is not last_X:
            result = method(X)
            last_X = X
        return result

    return cached
