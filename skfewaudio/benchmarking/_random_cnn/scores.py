"""Cross-validation scores on all labelled clips, with hyper-parameters chosen in two ways.

In nested cross-validation, they are chosen by the folds of the training set only. As published for datasets
without a validation set, they are chosen by the mean score on the reported folds, which is optimistic.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    PredefinedSplit,
    StratifiedKFold,
    cross_validate,
)

from skfewaudio.reporting import accuracy_table, summarize

from .studies import FeatureStudy

if TYPE_CHECKING:
    import pandas as pd

NESTED, REPORTED = "accuracy", "accuracy_chosen_on_test"
ResultRows = list[dict[str, Any]]


def score_feature_studies(
    make_feature_study: Callable[..., FeatureStudy],
    names: list[str],
    X: Any,
    y: np.ndarray,
    cv: PredefinedSplit,
    *,
    folds: np.ndarray,
    n_repeats: int,
    random_state: int,
    n_jobs: int,
    finished: "pd.DataFrame",
    on_result: Callable[[ResultRows], None],
) -> None:
    """Score every study in every fold, once for each seed of the random weights.

    Parameters
    ----------
    make_feature_study : callable
        Function that builds a study from its name and ``random_state=``.
    names : list of str
        Study names: features and classifier, joined by a plus sign. Consecutive studies with the same
        features share them.
    X, y : sequence, array of shape (n_clips,)
        The clips and their classes.
    cv : PredefinedSplit
        Splitter that yields the test folds.
    folds : array of shape (n_clips,)
        All folds of the dataset. Hyper-parameters are chosen by them, even if only some folds are tested.
    n_repeats, random_state : int
        Number of seeds, and the first seed.
    n_jobs : int
        Number of folds that are computed in parallel.
    finished : DataFrame
        Result rows of earlier runs. Studies and repeats with rows for exactly these folds are skipped.
    on_result : callable
        Called with the result rows of a study and seed when they are computed.
    """
    tested = set(cv.unique_folds.tolist())
    # The published choice depends on the reported folds, so rows for other folds do not count.
    done = {
        key for key, rows in finished.groupby(["pipeline", "repeat"]) if set(rows["fold"].tolist()) == tested
    }
    for repeat in range(n_repeats):
        seed = random_state + repeat
        todo = [name for name in names if (name, repeat) not in done]
        for name, study, features, seconds in _iter_with_features(todo, make_feature_study, X, seed):
            shared = {"pipeline": name, "n_shots": None, "repeat": repeat, "seed": seed}
            rows = _score_study(study, features, y, cv, folds, n_jobs)
            on_result([{**shared, **row, "feature_time": seconds} for row in rows])


def _iter_with_features(
    names: list[str], make_feature_study: Callable[..., FeatureStudy], X: Any, seed: int
) -> Iterator[tuple[str, FeatureStudy, Any, float]]:
    """Yield name, study, features and the seconds it took to compute the features."""
    made_by, features, seconds = "", None, 0.0
    for name in names:
        study = make_feature_study(name, random_state=seed)
        if repr(study.features) != made_by:
            started = time.perf_counter()
            features = clone(study.features).fit_transform(X)
            seconds, made_by = time.perf_counter() - started, repr(study.features)
        yield name, study, features, seconds


def _score_study(
    study: FeatureStudy, features: Any, y: np.ndarray, cv: PredefinedSplit, folds: np.ndarray, n_jobs: int
) -> ResultRows:
    """Score a study in every fold; with a grid, choose hyper-parameters in both ways."""
    if study.grid is None:
        found = cross_validate(study.classifier, features, y, cv=cv, n_jobs=n_jobs, error_score="raise")
        return _make_rows(NESTED, cv, found["test_score"], [{}] * cv.get_n_splits(), found["fit_time"])
    grid = study.grid(features.shape[1])
    if study.rotate:
        features = rotate(features)
    nested = _search_nested(study.classifier, grid, features, y, cv, folds, n_jobs)
    chosen = [search.best_params_ for search in nested["estimator"]]
    search = GridSearchCV(study.classifier, grid, cv=cv, refit=False, n_jobs=n_jobs, error_score="raise")
    search.fit(features, y)
    scores = [search.cv_results_[f"split{k}_test_score"][search.best_index_] for k in range(len(chosen))]
    return [
        *_make_rows(NESTED, cv, nested["test_score"], chosen, nested["fit_time"]),
        *_make_rows(REPORTED, cv, scores, [search.best_params_] * len(scores), nested["fit_time"]),
    ]


def _search_nested(
    classifier: Any,
    grid: Any,
    features: np.ndarray,
    y: np.ndarray,
    cv: PredefinedSplit,
    folds: np.ndarray,
    n_jobs: int,
) -> Any:
    """Run a grid search in the training set of each fold, by its folds or, without any, by random folds."""
    has_folds = min(len(set(folds[train])) for train, _ in cv.split()) > 1
    inner = LeaveOneGroupOut() if has_folds else StratifiedKFold(5, shuffle=True, random_state=0)
    search = GridSearchCV(classifier, grid, cv=inner, error_score="raise")
    with config_context(enable_metadata_routing=True):  # passes groups to the inner search
        return cross_validate(
            search,
            features,
            y,
            cv=cv,
            params={"groups": folds} if has_folds else None,
            return_estimator=True,
            n_jobs=n_jobs,
            error_score="raise",
        )


def _make_rows(metric: str, cv: PredefinedSplit, scores: Any, chosen: list[dict], seconds: Any) -> ResultRows:
    """Make one result row per fold."""
    return [
        {
            "fold": int(fold),
            "metric": metric,
            "value": float(score),
            "params": json.dumps(params),
            "n_train": len(train),
            "n_test": len(test),
            "fit_time": float(fit_time),
        }
        for fold, score, params, fit_time, (train, test) in zip(
            cv.unique_folds, scores, chosen, seconds, cv.split(), strict=True
        )
    ]


def rotate(features: np.ndarray) -> np.ndarray:
    """Rotate features into at most n_clips dimensions, preserving inner products and distances."""
    if features.shape[1] <= len(features):
        return features.astype(float)
    triangle: np.ndarray = np.linalg.qr(features.T.astype(float), mode="r")  # type: ignore[assignment]
    return triangle.T


def comparison_table(rows: "pd.DataFrame", *, style: str = "text") -> str:
    """Format scores as tables with one row per kind of features and one column per classifier.

    Parameters
    ----------
    rows : DataFrame
        Result rows of `score_feature_studies`.
    style : {"text", "markdown"}, default="text"
        As for `accuracy_table`.

    Returns
    -------
    str
        One table for each way of choosing hyper-parameters.
    """
    split = _split_names(rows)
    titles = {NESTED: "chosen within the training folds", REPORTED: "chosen on the reported folds"}
    tables = [
        f"accuracy (%), hyper-parameters {title}\n\n"
        + accuracy_table(split, metric=metric, by="classifier", style=style)
        for metric, title in titles.items()
        if (split["metric"] == metric).any()
    ]
    return "\n\n".join(tables)


def plot_comparison(rows: "pd.DataFrame", title: str, output: Path) -> list[Path]:
    """Plot accuracies with trained weights against random weights, one point per architecture.

    Parameters
    ----------
    rows : DataFrame
        Result rows of `score_feature_studies`.
    title : str
        Title of the plot.
    output : Path
        Output folder.

    Returns
    -------
    list of Path
        The plot; empty if random or trained weights were not scored.
    """
    from matplotlib.figure import Figure
    from scipy.stats import spearmanr

    means = summarize(_split_names(rows), by="classifier").pivot(
        index="pipeline", columns="classifier", values="mean"
    )
    if not {"svm", "trained"} <= set(means):
        return []
    both = 100 * means[["svm", "trained"]].dropna()
    figure = Figure(figsize=(6.0, 5.0), dpi=150, layout="constrained")
    axes = figure.subplots()
    axes.scatter(both["svm"], both["trained"])
    middle = both["svm"].agg(["min", "max"]).mean()
    for name, (x, y) in zip(both.index, both.to_numpy(), strict=True):
        left = bool(x > middle)  # keeps the label within the axes
        axes.annotate(
            name,
            (x, y),
            xytext=(-5 if left else 5, 4),
            textcoords="offset points",
            ha="right" if left else "left",
            fontsize=8,
        )
    axes.axline((both["svm"].mean(),) * 2, slope=1, color="grey", linewidth=0.8, linestyle=":")
    order = spearmanr(both["svm"], both["trained"]).statistic
    axes.set(
        xlabel="random weights and SVM, accuracy (%)",
        ylabel="trained weights, accuracy (%)",
        title=f"{title}: rank correlation {order:.2f}",
    )
    axes.margins(0.12)
    path = output / "trained.png"
    figure.savefig(path)
    return [path]


def _split_names(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Split the names of studies into features (pipeline) and classifier."""
    parts = rows["pipeline"].str.split("+", n=1, expand=True)
    return rows.assign(pipeline=parts[0], classifier=parts[1])
