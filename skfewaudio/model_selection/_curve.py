"""Scores against the number of labelled clips per class."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pickle import PicklingError
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, ParameterGrid, PredefinedSplit
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from tqdm import tqdm

from ._few_shot import FewShotClassifier
from ._split import Indices, RandomState, check_count, check_labels, draw_support, list_folds, repeat_seeds

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
    verbose: int = 0,
) -> pd.DataFrame:
    """Score estimators against the number of labelled clips per class.

    The scores are those of ``GridSearchCV(FewShotClassifier(estimator), ...)``, and of ``cross_val_score``
    with ``FewShotSplit`` where the estimator is deterministic. Pipeline steps at the front that learn nothing
    from data (``get_tags(step).requires_fit`` is false) run once over all clips, not once per fit; estimators
    whose such steps are equal share them.

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
        Fits at a time, as for GridSearchCV.
    finished : DataFrame or None, default=None
        Rows of an earlier call with the same arguments. Draws that are complete in it do not run again.
    on_result : callable or None, default=None
        Called with a list of rows (dicts) as soon as the fits they come from are done.
    verbose : int, default=0
        Above 0: a progress bar for each estimator, with the time left, on stderr.

    Returns
    -------
    DataFrame
        A row per pipeline, n_shots, repeat, fold and metric, in columns of these names, and ``value``,
        ``seed``, ``n_train``, ``n_test``, ``fit_time`` and ``score_time`` (seconds, mean over the folds,
        features not included). ``fold`` is the data set's own number where `cv` is a PredefinedSplit. Rows of
        `finished` come first.

    Raises
    ------
    ValueError
        If a class has too few training clips for the largest of `n_shots`, or `y` is not one label per clip.

    Warns
    -----
    LeakageWarning
        If `cv` puts clips of one group on both sides of a split.

    See Also
    --------
    skfewaudio.reporting.FewShotCurveDisplay : Draws the result.

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
    named = _name_estimators(estimators)
    shots = sorted({check_count(n, "n_shots") for n in n_shots})
    seeds = repeat_seeds(random_state, check_count(n_repeats, "n_repeats"))
    # Repeats outermost: a run stopped half-way has whole curves of fewer repeats.
    draws = [_Draw(n, repeat, seed) for repeat, seed in enumerate(seeds) for n in shots]
    labels = check_labels(y)
    folds = list_folds(cv, X, labels, groups)
    fold_names = cv.unique_folds.tolist() if isinstance(cv, PredefinedSplit) else list(range(len(folds)))
    protocol = _Protocol(labels, folds, fold_names, _name_scorers(scoring))
    protocol.check_shots(shots[-1])

    rows, todo = protocol.resume(finished, list(named), draws)
    features = _FeatureStore({name: named[name] for name in todo})
    for name, pending in todo.items():
        with tqdm(total=len(pending) * len(folds), desc=name, unit="fit", disable=not verbose) as bar:
            bar.set_postfix_str("features")
            head, rest = features.take(name, X)
            bar.set_postfix_str("")

            def report(fresh: Rows, bar: tqdm = bar) -> None:
                rows.extend(fresh)
                if on_result is not None:
                    on_result(fresh)
                bar.update(len(folds))

            _DrawSearch(rest, name, pending, protocol, report, n_jobs).fit(head, labels)
    return pd.DataFrame(rows)


class _Draw(NamedTuple):
    """One random draw of clips, made in every fold."""

    n_shots: int
    repeat: int
    seed: int


@dataclass(frozen=True)
class _Protocol:
    """What all estimators of a curve share."""

    labels: NDArray[Any]
    folds: list[tuple[Indices, Indices]]
    fold_names: list[int]
    scorers: dict[str, Any]

    def check_shots(self, n_shots: int) -> None:
        """Raise now, not after hours of work, if some class has too few clips."""
        for train, _ in self.folds:
            draw_support(self.labels[train], n_shots, 0)

    def rows(self, pipeline: str, draw: _Draw, results: Row) -> Rows:
        """Lay one draw's entries of `cv_results_` out, a row per fold and metric."""
        return [
            {
                "pipeline": pipeline,
                "n_shots": draw.n_shots,
                "repeat": draw.repeat,
                "fold": int(fold),
                "metric": metric,
                "value": float(results[f"split{number}_test_{metric}"]),
                "seed": draw.seed,
                "n_train": draw.n_shots * len(np.unique(self.labels[train])),
                "n_test": len(test),
                "fit_time": float(results["mean_fit_time"]),
                "score_time": float(results["mean_score_time"]),
            }
            for number, (fold, (train, test)) in enumerate(zip(self.fold_names, self.folds, strict=True))
            for metric in self.scorers
        ]

    def resume(
        self, finished: pd.DataFrame | None, names: list[str], draws: list[_Draw]
    ) -> tuple[Rows, dict[str, list[_Draw]]]:
        """Give the rows at hand of complete draws, and the draws still to make of each estimator."""
        if finished is None or finished.empty:
            return [], {name: draws for name in names}
        n_cells = len(self.folds) * len(self.scorers)
        keys = ["pipeline", "n_shots", "repeat", "seed"]
        ours = finished[finished["metric"].isin(list(self.scorers)) & finished["fold"].isin(self.fold_names)]
        complete = {key for key, group in ours.groupby(keys) if len(group) == n_cells}
        wanted = {(name, *draw) for name in names for draw in draws}
        kept = [tuple(key) in complete & wanted for key in ours[keys].itertuples(index=False)]
        todo = {name: [draw for draw in draws if (name, *draw) not in complete] for name in names}
        rows = [{str(key): value for key, value in row.items()} for row in ours[kept].to_dict("records")]
        return rows, {name: left for name, left in todo.items() if left}


class _DrawSearch(GridSearchCV):
    """Grid search over draws that hands on the rows of each as soon as they are there."""

    def __init__(
        self,
        estimator: Any,
        name: str,
        draws: list[_Draw],
        protocol: _Protocol,
        report: Callable[[Rows], None],
        n_jobs: int | None,
    ) -> None:
        super().__init__(
            FewShotClassifier(estimator),
            [{"n_shots": [draw.n_shots], "random_state": [draw.seed]} for draw in draws],
            scoring=protocol.scorers,
            cv=protocol.folds,
            n_jobs=n_jobs,
            refit=False,
            error_score="raise",
        )
        self.name = name
        self.draws = draws
        self.protocol = protocol
        self.report = report

    def __getstate__(self) -> Row:
        # Workers get a copy of the search; what it reports to stays here, and need not be picklable.
        return {**super().__getstate__(), "report": None}

    def _run_search(self, evaluate_candidates: Callable[..., Row]) -> None:
        candidates = list(ParameterGrid(self.param_grid))
        # As many draws at a time as there are workers: fewer leave some idle, more are reported late.
        step = joblib.effective_n_jobs(self.n_jobs)
        for start in range(0, len(candidates), step):
            results = evaluate_candidates(candidates[start : start + step])
            for k, draw in enumerate(self.draws[start : start + step], start):
                self.report(self.protocol.rows(self.name, draw, {key: v[k] for key, v in results.items()}))


class _FeatureStore:
    """Results of the pipelines' stateless first steps, kept as long as some estimator needs them."""

    def __init__(self, named: dict[str, Any]) -> None:
        self.parts = {name: _split_stateless(estimator) for name, estimator in named.items()}
        self.waiting = {name: _identify(head) for name, (head, _) in self.parts.items()}
        self.features: dict[Any, Any] = {}

    def take(self, name: str, X: Any) -> tuple[Any, Any]:
        """Give the features for an estimator, computed if need be, and the rest of it."""
        head, rest = self.parts[name]
        if head is None:
            return X, rest
        key = self.waiting.pop(name)
        if key not in self.features:
            self.features[key] = clone(head).fit_transform(X)
        last = key not in self.waiting.values()
        return self.features.pop(key) if last else self.features[key], rest


def _split_stateless(estimator: Any) -> tuple[Pipeline | None, Any]:
    """Part a Pipeline into its first steps that learn nothing and the rest; None where there are none."""
    if not isinstance(estimator, Pipeline):
        return None, estimator
    n_stateless = 0
    for _, step in estimator.steps[:-1]:
        if step is not None and step != "passthrough" and get_tags(step).requires_fit:
            break
        n_stateless += 1
    return (estimator[:n_stateless], estimator[n_stateless:]) if n_stateless else (None, estimator)


def _identify(head: Pipeline | None) -> Any:
    """Give a key that equal steps have in common."""
    if head is None:
        return None
    try:
        return joblib.hash([step for _, step in head.steps])
    except (PicklingError, AttributeError, TypeError):
        return id(head)  # a step that cannot be pickled, such as one with a lambda, is not shared


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
