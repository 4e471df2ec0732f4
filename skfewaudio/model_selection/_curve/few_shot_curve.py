"""Learning curves over the number of labelled clips per class."""

import warnings
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

from skfewaudio._delegation import consumed_fit_params
from skfewaudio._progress_bar import tqdm

from .._split import list_folds
from .._subsampled import check_not_tags
from ..draws import RandomState, check_labels, check_positive_int, draw_support, repeat_seeds
from ..shared_features import SharedFeatures
from .fits import CurveFit, Outcome, SharedWork
from .inputs import digest_inputs
from .parallel import run_fits

ResultRow = dict[str, Any]
ResultRows = list[ResultRow]
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
    on_result: Callable[[ResultRows], None] | None = None,
    on_predictions: Callable[[ResultRow], None] | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Compute learning curves: scores of estimators against the number of labelled clips per class.

    Every estimator is fitted for every number of clips, repeat and fold. Fits run on the active joblib
    backend, and the results of each fit are available as soon as it is done. The scores equal those of
    ``GridSearchCV(SubsampledClassifier(estimator), ...)`` and, for deterministic estimators, of
    ``cross_val_score`` with ``FewShotSplit``. Stateless first steps of a Pipeline
    (``get_tags(step).requires_fit`` is false) run once on all clips, not once per fit. Estimators with equal
    first steps share the features.

    Parameters
    ----------
    estimators : estimator, list of (name, estimator) or dict of name -> estimator
        Estimators to compare. A single estimator is named after its class, a Pipeline after the class of its
        last step.
    X : sequence of length n_clips
        The clips: an array, a list of arrays, a list of paths.
    y : array-like of shape (n_clips,)
        One class label per clip.
    n_shots : sequence of int, default=(1, 2, 5, 10, 20)
        Numbers of labelled clips per class.
    n_repeats : int, default=10
        Number of random draws per fold. Draws are nested over `n_shots` and equal for all estimators.
    cv : int, splitter, iterable of (train, test) or None, default=None
        As in `FewShotSplit`. None uses 5 folds that are stratified by class and keep `groups` together.
    groups : array-like of shape (n_clips,) or None, default=None
        The recording that each clip was cut from. A warning is issued if clips of one recording are on both
        sides of a split. With scikit-learn's metadata routing, estimators that request ``groups`` receive
        them in `fit`.
    scoring : str, sequence of str, dict of name -> scorer, or callable, default="accuracy"
        As in GridSearchCV.
    random_state : int, RandomState or None, default=0
        With an int s, repeat r draws with seed s + r in every fold.
    n_jobs : int or None, default=None
        Number of parallel fits. None is 1, or the value set by ``joblib.parallel_config``. On Dask, all
        threads of all workers are always used.
    finished : DataFrame or None, default=None
        Rows of an earlier call with the same arguments. Fits with rows for all metrics are not run again.
        Rows whose ``inputs`` differ belong to other clips, labels, groups or splits and are not used; without
        a column ``inputs``, this is not checked. Estimators are identified by their names.
    on_result : callable or None, default=None
        Called with the rows of each fit, a list of dicts, as soon as it is done. It is called in the thread
        of the caller.
    on_predictions : callable or None, default=None
        Called with the predictions of each fit, just before `on_result`. They are a dict with the keys
        pipeline, n_shots, repeat, fold and seed, and lists over the clips of the test fold: ``clip`` (index
        into `X`), ``true`` and ``predicted`` (labels), ``probability`` (of the predicted label) and
        ``true_probability`` (of the true label). The probabilities are None without `predict_proba`. It is
        not called for fits in `finished`.
    verbose : int, default=0
        If above 0, show a progress bar with the remaining time for each estimator on stderr.

    Returns
    -------
    DataFrame
        One row per pipeline, n_shots, repeat, fold and metric, with these columns and ``value``, ``seed``,
        ``n_train``, ``n_test``, ``fit_time`` and ``score_time`` (seconds of this fit, without features),
        ``feature_time`` (seconds for the features of all clips, which are computed once), and ``inputs`` (a
        digest of the clips, labels, groups and split). If `cv` is a PredefinedSplit, ``fold`` is the
        number of the dataset's fold. Rows are sorted by pipeline, repeat, n_shots and fold, regardless of the
        order in which the fits were run.

    Raises
    ------
    ValueError
        If a class has too few training clips for the largest of `n_shots`, `y` is not one label per clip, or
        `finished` lacks a column.
    WorkerDiedError
        If a worker process of joblib's own backends died. On Dask, workers are replaced and their fits run
        again; the error is raised if four workers died during the same fit.

    Warns
    -----
    LeakageWarning
        If `cv` puts clips of one group on both sides of a split.
    UserWarning
        If rows of `finished` belong to other clips, labels, groups or splits.

    See Also
    --------
    skfewaudio.reporting.FewShotCurveDisplay : Plots the result.
    skfewaudio.reporting.ResultStore : Stores rows while the fits run.

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
    shots = sorted({check_positive_int(n, "n_shots") for n in n_shots})
    seeds = repeat_seeds(random_state, check_positive_int(n_repeats, "n_repeats"))
    labels = check_labels(y)
    pairs = list_folds(cv, X, labels, groups)
    fold_names = cv.unique_folds.tolist() if isinstance(cv, PredefinedSplit) else range(len(pairs))
    folds = dict(zip(fold_names, pairs, strict=True))
    for train, _ in pairs:
        draw_support(labels[train], shots[-1], 0)  # raises now instead of after hours of fitting
    metrics = _name_scorers(scoring)
    scorer = check_scoring(DummyClassifier(), scoring=metrics)
    # Repeats are outermost, so that an interrupted run has complete curves of fewer repeats.
    fits = [CurveFit(n, r, seed, fold) for r, seed in enumerate(seeds) for n in shots for fold in folds]

    inputs = digest_inputs(X, labels, groups, folds)
    wanted = {(name, *fit): inputs[fit.fold] for name in named for fit in fits}
    done = _finished_rows(finished, wanted, list(metrics))
    todo = {name: left for name in named if (left := [fit for fit in fits if (name, *fit) not in done])}
    features = SharedFeatures({name: named[name] for name in todo})
    for name, left in todo.items():
        with tqdm(total=len(left), desc=name, unit="fit", disable=not verbose) as bar:
            bar.set_postfix_str("features")
            head, rest = features.compute(name, X)
            bar.set_postfix_str("")
            params = {} if groups is None else consumed_fit_params(rest, {"groups": np.asarray(groups)})
            work = SharedWork(name, rest, head, labels, folds, scorer, on_predictions is not None, params)
            with closing(run_fits(work, left, n_jobs)) as outcomes:
                for fit, outcome in outcomes:
                    # Rows mark the fit as finished, so they are passed on last.
                    if on_predictions is not None:
                        on_predictions(_fit_key(name, fit) | (outcome.predictions or {}))
                    origin = {"feature_time": features.seconds[name], "inputs": inputs[fit.fold]}
                    rows = [{**row, **origin} for row in _result_rows(work, fit, outcome)]
                    done[(name, *fit)] = rows
                    if on_result is not None:
                        on_result(rows)
                    bar.update()
    return pd.DataFrame([row for name in named for fit in fits for row in done[(name, *fit)]])


def _fit_key(pipeline: str, fit: CurveFit) -> ResultRow:
    """Return the columns that identify a fit."""
    return {"pipeline": pipeline, **fit._asdict()}


def _result_rows(work: SharedWork, fit: CurveFit, outcome: Outcome) -> ResultRows:
    """Return one row per metric."""
    train, test = work.folds[fit.fold]
    return [
        {
            "pipeline": work.pipeline,
            "n_shots": fit.n_shots,
            "repeat": fit.repeat,
            "fold": fit.fold,
            "metric": metric,
            "value": value,
            "seed": fit.seed,
            "n_train": fit.n_shots * len(np.unique(work.labels[train])),
            "n_test": len(test),
            "fit_time": outcome.fit_time,
            "score_time": outcome.score_time,
        }
        for metric, value in outcome.scores.items()
    ]


def _finished_rows(
    finished: pd.DataFrame | None, wanted: dict[tuple[Any, ...], str], metrics: list[str]
) -> dict[tuple[Any, ...], ResultRows]:
    """Return the rows of wanted fits that have all metrics; of repeated rows, the last one is kept.

    `wanted` maps fits to the digest of their inputs.
    """
    if finished is None or finished.empty:
        return {}
    keys = ["pipeline", *CurveFit._fields]
    missing = [name for name in (*keys, "metric", "value") if name not in finished]
    if missing:
        raise ValueError(
            f"finished lacks the columns {', '.join(missing)}; expected rows of an earlier few_shot_curve"
        )
    found: dict[tuple[Any, ...], ResultRow] = {}
    n_others = 0
    for row in finished.to_dict("records"):
        key = tuple(row[name] for name in keys)
        if key not in wanted:
            continue
        if isinstance(inputs := row.get("inputs"), str) and inputs != wanted[key]:
            n_others += 1
            continue
        found.setdefault(key, {})[row["metric"]] = {str(name): value for name, value in row.items()}
    if n_others:
        warnings.warn(
            f"{n_others} rows of finished belong to other clips, labels, groups or splits, and are not used",
            stacklevel=3,
        )
    return {
        key: [rows[metric] for metric in metrics]
        for key, rows in found.items()
        if all(metric in rows for metric in metrics)
    }


def _name_estimators(estimators: Any) -> dict[str, Any]:
    """Return the estimators by name."""
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
    """Return scorers, or their scikit-learn names, by metric name."""
    if isinstance(scoring, str):
        return {scoring: scoring}
    if isinstance(scoring, Mapping):
        return dict(scoring)
    if callable(scoring):
        return {getattr(scoring, "__name__", "score"): scoring}
    return {name: name for name in scoring}
