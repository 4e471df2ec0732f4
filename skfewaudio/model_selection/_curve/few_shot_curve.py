"""Scores against the number of labelled clips per class."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.dummy import DummyClassifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from .._shared_features import FeatureStore
from .._split import RandomState, check_count, check_labels, draw_support, list_folds, repeat_seeds
from .._subsampled import check_not_tags
from .fits import Cell, Outcome, SharedWork
from .parallel import run_cells

Row = dict[str, Any]
Rows = list[Row]
Scoring = str | Sequence[str] | Mapping[str, Any] | Callable[..., float]


def few_shot_curve(
    estimators: Any,
    X: Any,
    y: ArrayLike,
    *,
    n_shots: Sequence[int] = (1, 2, 5, 10, 20),
    n_repeats: int = 10,
    cv: Any = None,
    groups: ArrayLike | None = None,
    scoring: Scoring = "accuracy",
    random_state: RandomState = 0,
    n_jobs: int | None = None,
    finished: pd.DataFrame | None = None,
    on_result: Callable[[Rows], None] | None = None,
    on_predictions: Callable[[Row], None] | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Score estimators against the number of labelled clips per class.

    One fit for every estimator, number of clips, repeat and fold. Fits run on whatever backend of joblib is
    active, and are handed on one by one, as soon as they are done. The scores are those of
    ``GridSearchCV(FewShotClassifier(estimator), ...)``, and of ``cross_val_score`` with ``FewShotSplit``
    where the estimator is deterministic. Pipeline steps at the front that learn nothing from data
    (``get_tags(step).requires_fit`` is false) run once over all clips, not once per fit; estimators whose
    such steps are equal share them.

    Parameters
    ----------
    estimators : estimator, list of (name, estimator) or dict of name -> estimator
        What to compare. A lone estimator goes by its class name, a Pipeline by that of its last step.
    X : sequence of length n_clips
        The clips: an array, a list of arrays, a list of paths.
    y : array-like of shape (n_clips,)
        One class label per clip.
    n_shots : sequence of int, default=(1, 2, 5, 10, 20)
        Labelled clips per class.
    n_repeats : int, default=10
        Random draws for each fold; nested over `n_shots`, equal for all estimators.
    cv : int, splitter, iterable of (train, test) or None, default=None
        As for `FewShotSplit`: None is 5 folds stratified by class that keep `groups` together.
    groups : array-like of shape (n_clips,) or None, default=None
        The recording each clip was cut from. Clips of one on both sides of a split warn.
    scoring : str, sequence of str, dict of name -> scorer, or callable, default="accuracy"
        As for GridSearchCV.
    random_state : int, RandomState or None, default=0
        With an int s, repeat r draws with seed s + r in every fold.
    n_jobs : int or None, default=None
        Fits at a time; None is 1, or what ``joblib.parallel_config`` says. On Dask it is always the number of
        threads of all workers.
    finished : DataFrame or None, default=None
        Rows of an earlier call with the same arguments. Fits that have all their metrics there do not run
        again.
    on_result : callable or None, default=None
        Called with the rows of a fit, a list of dicts, as soon as it is done; in the caller's own thread.
    on_predictions : callable or None, default=None
        Called just before `on_result` with the predictions of the fit: a dict of pipeline, n_shots, repeat,
        fold and seed, and of lists over the clips of the test fold, namely ``clip`` (position in `X`),
        ``true`` and ``predicted`` labels, ``probability`` of the predicted and ``true_probability`` of the
        true label (None each without `predict_proba`). Fits in `finished` give none.
    verbose : int, default=0
        Above 0: a progress bar for each estimator, with the time left, on stderr.

    Returns
    -------
    DataFrame
        A row per pipeline, n_shots, repeat, fold and metric, in columns of these names, and ``value``,
        ``seed``, ``n_train``, ``n_test``, ``fit_time`` and ``score_time`` (seconds of this fit, features not
        included). ``fold`` is the data set's own number where `cv` is a PredefinedSplit. Sorted by pipeline,
        repeat, n_shots and fold, whatever was done first.

    Raises
    ------
    ValueError
        If a class has too few training clips for the largest of `n_shots`, `y` is not one label per clip, or
        `finished` lacks a column.
    WorkerDiedError
        If a process of joblib's own died. Those of Dask are replaced and their fits run again, unless a fit
        takes down four of them.

    Warns
    -----
    LeakageWarning
        If `cv` puts clips of one group on both sides of a split.

    See Also
    --------
    skfewaudio.reporting.FewShotCurveDisplay : Draws the result.
    skfewaudio.reporting.ResultStore : Keeps rows as they come.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skfewaudio.model_selection import few_shot_curve
    >>> X, y = load_iris(return_X_y=True)
    >>> curve = few_shot_curve({"1-nn": KNeighborsClassifier(1)}, X, y, n_shots=[1, 10], n_repeats=2)
    >>> curve.groupby(["pipeline", "n_shots"])["value"].mean().round(2)
    pipeline  n_shots
    1-nn      1          0.85
              10         0.96
    Name: value, dtype: float64
    """
    check_not_tags(y)
    named = _name_estimators(estimators)
    shots = sorted({check_count(n, "n_shots") for n in n_shots})
    seeds = repeat_seeds(random_state, check_count(n_repeats, "n_repeats"))
    labels = check_labels(y)
    pairs = list_folds(cv, X, labels, groups)
    fold_names = cv.unique_folds.tolist() if isinstance(cv, PredefinedSplit) else range(len(pairs))
    folds = dict(zip(fold_names, pairs, strict=True))
    for train, _ in pairs:
        draw_support(labels[train], shots[-1], 0)  # raises now, not after hours of work
    metrics = _name_scorers(scoring)
    scorer = check_scoring(DummyClassifier(), scoring=metrics)
    # Repeats outermost: a run stopped half-way has whole curves of fewer repeats.
    cells = [Cell(n, r, seed, fold) for r, seed in enumerate(seeds) for n in shots for fold in folds]

    done = _take_finished(finished, {(name, *cell) for name in named for cell in cells}, list(metrics))
    todo = {name: left for name in named if (left := [cell for cell in cells if (name, *cell) not in done])}
    features = FeatureStore({name: named[name] for name in todo})
    for name, left in todo.items():
        with tqdm(total=len(left), desc=name, unit="fit", disable=not verbose) as bar:
            bar.set_postfix_str("features")
            head, rest = features.take(name, X)
            bar.set_postfix_str("")
            work = SharedWork(name, rest, head, labels, folds, scorer, on_predictions is not None)
            with closing(run_cells(work, left, n_jobs)) as outcomes:
                for cell, outcome in outcomes:
                    # The rows say that the fit is finished: they come last.
                    if on_predictions is not None:
                        on_predictions(_name_cell(name, cell) | (outcome.predictions or {}))
                    rows = done[(name, *cell)] = _lay_out(work, cell, outcome)
                    if on_result is not None:
                        on_result(rows)
                    bar.update()
    return pd.DataFrame([row for name in named for cell in cells for row in done[(name, *cell)]])


def _name_cell(pipeline: str, cell: Cell) -> Row:
    """Say which fit it was."""
    return {"pipeline": pipeline, **cell._asdict()}


def _lay_out(work: SharedWork, cell: Cell, outcome: Outcome) -> Rows:
    """Give a row for each metric."""
    train, test = work.folds[cell.fold]
    return [
        {
            "pipeline": work.pipeline,
            "n_shots": cell.n_shots,
            "repeat": cell.repeat,
            "fold": cell.fold,
            "metric": metric,
            "value": value,
            "seed": cell.seed,
            "n_train": cell.n_shots * len(np.unique(work.labels[train])),
            "n_test": len(test),
            "fit_time": outcome.fit_time,
            "score_time": outcome.score_time,
        }
        for metric, value in outcome.scores.items()
    ]


def _take_finished(
    finished: pd.DataFrame | None, wanted: set[tuple[Any, ...]], metrics: list[str]
) -> dict[tuple[Any, ...], Rows]:
    """Give the rows at hand of wanted cells that have all their metrics; of equal ones the last counts."""
    if finished is None or finished.empty:
        return {}
    keys = ["pipeline", *Cell._fields]
    missing = [name for name in (*keys, "metric", "value") if name not in finished]
    if missing:
        raise ValueError(
            f"finished lacks the columns {', '.join(missing)}; expected rows of an earlier few_shot_curve"
        )
    found: dict[tuple[Any, ...], Row] = {}
    for row in finished.to_dict("records"):
        key = tuple(row[name] for name in keys)
        if key in wanted:
            found.setdefault(key, {})[row["metric"]] = {str(name): value for name, value in row.items()}
    return {
        key: [rows[metric] for metric in metrics]
        for key, rows in found.items()
        if all(metric in rows for metric in metrics)
    }


def _name_estimators(estimators: Any) -> dict[str, Any]:
    """Give estimators by name."""
    if isinstance(estimators, Mapping):
        return dict(estimators)
    if isinstance(estimators, Sequence) and not isinstance(estimators, str | Pipeline):
        named = dict(estimators)
        if len(named) < len(estimators):
            raise ValueError(f"estimators must have different names; got {[name for name, _ in estimators]}")
        return named
    if not hasattr(estimators, "fit"):
        raise TypeError(
            f"estimators must be an estimator, a list of (name, estimator) or a dict; got {estimators!r}"
        )
    last = estimators.steps[-1][1] if isinstance(estimators, Pipeline) else estimators
    return {type(last).__name__: estimators}


def _name_scorers(scoring: Scoring) -> dict[str, Any]:
    """Give scorers, or what scikit-learn makes them of, by metric name."""
    if isinstance(scoring, str):
        return {scoring: scoring}
    if isinstance(scoring, Mapping):
        return dict(scoring)
    if callable(scoring):
        return {getattr(scoring, "__name__", "score"): scoring}
    return {name: name for name in scoring}
