"""A cell of a learning curve: one fit on n drawn clips per class, scored on one test fold."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from .._split import Indices
from .._subsampled import FewShotClassifier

# predict of some is made of one of the others.
RESPONSES = ("transform", "predict", "predict_proba", "predict_log_proba", "decision_function")


class Cell(NamedTuple):
    """One draw of clips in one fold."""

    n_shots: int
    repeat: int
    seed: int
    fold: int


class Outcome(NamedTuple):
    """What came of a cell; times in seconds, predictions as lists over the clips of the test fold."""

    scores: dict[str, float]
    fit_time: float
    score_time: float
    predictions: dict[str, list[Any]] | None


@dataclass(frozen=True, eq=False, repr=False)
class SharedWork:
    """What all cells of one pipeline have in common: goes to the workers, not with every cell."""

    pipeline: str
    estimator: Any
    X: Any
    labels: NDArray[Any]
    folds: dict[int, tuple[Indices, Indices]]
    scorer: Callable[..., dict[str, float]]
    keep_predictions: bool

    def __sizeof__(self) -> int:
        # Dask asks for it, to place cells near their data and to mind its workers' memory.
        arrays = [self.X, self.labels, *(part for fold in self.folds.values() for part in fold)]
        return super().__sizeof__() + sum(getattr(array, "nbytes", 0) for array in arrays)


def run_cell(work: SharedWork, cell: Cell) -> tuple[Cell, Outcome]:
    """Fit and score; an error says in which cell."""
    try:
        return cell, _fit_and_score(work, cell)
    except Exception as error:
        n_shots, repeat, _, fold = cell
        error.add_note(f"This was {work.pipeline!r} with n_shots={n_shots}, repeat {repeat}, fold {fold}.")
        raise


def _fit_and_score(work: SharedWork, cell: Cell) -> Outcome:
    train, test = work.folds[cell.fold]
    start = time.perf_counter()
    model = FewShotClassifier(work.estimator, cell.n_shots, random_state=cell.seed)
    model._fit_within(work.X, work.labels, train)
    fitted = time.perf_counter()
    clips, labels = _safe_indexing(work.X, test), work.labels[test]
    _remember_responses(model.estimator_)
    scores = {name: float(score) for name, score in work.scorer(model, clips, labels).items()}
    scored = time.perf_counter()
    predictions = _predict(model, clips, labels, test) if work.keep_predictions else None
    return Outcome(scores, fitted - start, scored - fitted, predictions)


def _predict(model: Any, clips: Any, labels: NDArray[Any], test: Indices) -> dict[str, list[Any]]:
    """Give the predictions of a test fold; probabilities are None where there are none."""
    predicted = np.asarray(model.predict(clips))
    certain: list[Any] = [None] * len(test)
    certain_of_true = certain
    if hasattr(model, "predict_proba"):
        columns = pd.Index(model.classes_)
        proba, rows = np.asarray(model.predict_proba(clips)), np.arange(len(test))
        certain = proba[rows, columns.get_indexer(predicted)].tolist()
        certain_of_true = proba[rows, columns.get_indexer(labels)].tolist()
    return {
        "clip": test.tolist(),
        "true": labels.tolist(),
        "predicted": predicted.tolist(),
        "probability": certain,
        "true_probability": certain_of_true,
    }


def _remember_responses(estimator: Any) -> None:
    """Let several metrics, and the predictions, share one pass over the test fold.

    Every part keeps what it last answered: the steps of a pipeline too, so that the second of `predict` and
    `predict_proba` finds the first's features, and probabilities that `predict` has asked for itself.
    """
    parts = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    for part in parts:
        own_clone = getattr(type(part), "__sklearn_clone__", None)
        if own_clone not in (None, BaseEstimator.__sklearn_clone__):
            continue  # a clone of a frozen estimator is the user's object itself
        for name in RESPONSES:
            method = getattr(part, name, None)
            if callable(method):
                setattr(part, name, _remembering(method))


def _remembering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Answer a second question about the same clips from memory."""
    asked: Any = None
    answer: Any = None

    @wraps(method)
    def remembered(X: Any, **options: Any) -> Any:
        nonlocal asked, answer
        if options:
            return method(X, **options)
        if X is not asked:
            answer = method(X)
            asked = X
        return answer

    return remembered
