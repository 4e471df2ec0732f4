"""Scores over a data set's folds with all labelled clips, and hyper-parameters chosen in two ways.

Nested, they are chosen by the folds of the training part alone. As published for data sets without a part for
validation, they are those that do best on the reported folds themselves.
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
Row = dict[str, Any]
Rows = list[Row]


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
    on_result: Callable[[Rows], None],
) -> None:
    """Score every study in every fold, once for each seed of its random weights.

    Parameters
    ----------
    make_feature_study : callable
        Called with a name and ``random_state=``.
    names : list of str
        Features and classifier, joined by a plus sign. Features are computed once for neighbours that share
        them.
    X, y : sequence, array of shape (n_clips,)
        The clips and their classes.
    cv : PredefinedSplit
        The folds to test on.
    folds : array of shape (n_clips,)
        The data set's own folds, by which hyper-parameters are chosen; also where few of them are tested on.
    n_repeats, random_state : int
        Number of seeds, and the first.
    n_jobs : int
        Folds at a time.
    finished : DataFrame
        Rows of earlier runs.
    on_result : callable
        Takes the rows of a study and seed when they are there.
    """
    tested = set(cv.unique_folds.tolist())
    # The published choice depends on all folds reported, so that those of other calls do not count.
    done = {
        key for key, rows in finished.groupby(["pipeline", "repeat"]) if set(rows["fold"].tolist()) == tested
    }
    for repeat in range(n_repeats):
        seed = random_state + repeat
        todo = [name for name in names if (name, repeat) not in done]
        for name, study, features, seconds in _with_features(todo, make_feature_study, X, seed):
            shared = {"pipeline": name, "n_shots": None, "repeat": repeat, "seed": seed}
            rows = _score(study, features, y, cv, folds, n_jobs)
            on_result([{**shared, **row, "feature_time": seconds} for row in rows])


def _with_features(
    names: list[str], make_feature_study: Callable[..., FeatureStudy], X: Any, seed: int
) -> Iterator[tuple[str, FeatureStudy, Any, float]]:
    """Give studies with their features, and the seconds that these took."""
    made_by, features, seconds = "", None, 0.0
    for name in names:
        study = make_feature_study(name, random_state=seed)
        if repr(study.features) != made_by:
            started = time.perf_counter()
            features = clone(study.features).fit_transform(X)
            seconds, made_by = time.perf_counter() - started, repr(study.features)
        yield name, study, features, seconds


def _score(
    study: FeatureStudy, features: Any, y: np.ndarray, cv: PredefinedSplit, folds: np.ndarray, n_jobs: int
) -> Rows:
    """Score a study in every fold, and if it has something to choose also as published."""
    if study.grid is None:
        found = cross_validate(study.classifier, features, y, cv=cv, n_jobs=n_jobs, error_score="raise")
        return _rows(NESTED, cv, found["test_score"], [{}] * cv.get_n_splits(), found["fit_time"])
    grid = study.grid(features.shape[1])
    if study.rotate:
        features = rotate(features)
    nested = _search_nested(study.classifier, grid, features, y, cv, folds, n_jobs)
    chosen = [search.best_params_ for search in nested["estimator"]]
    search = GridSearchCV(study.classifier, grid, cv=cv, refit=False, n_jobs=n_jobs, error_score="raise")
    search.fit(features, y)
    scores = [search.cv_results_[f"split{k}_test_score"][search.best_index_] for k in range(len(chosen))]
    return [
        *_rows(NESTED, cv, nested["test_score"], chosen, nested["fit_time"]),
        *_rows(REPORTED, cv, scores, [search.best_params_] * len(scores), nested["fit_time"]),
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
    """Search anew in the training part of every fold, by its folds or, if it has none, by random ones."""
    has_folds = min(len(set(folds[train])) for train, _ in cv.split()) > 1
    inner = LeaveOneGroupOut() if has_folds else StratifiedKFold(5, shuffle=True, random_state=0)
    search = GridSearchCV(classifier, grid, cv=inner, error_score="raise")
    with config_context(enable_metadata_routing=True):  # takes the folds to the search within each fold
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


def _rows(metric: str, cv: PredefinedSplit, scores: Any, chosen: list[dict], seconds: Any) -> Rows:
    """Lay scores out, a row per fold."""
    return [
        {
            "fold": int(fold),
            "metric": metric,
            "value": float(score),
            "params": json.dumps(params),
            "n_train": len(train),
            "n_test": len(test),
            "fit_time": float(took),
        }
        for fold, score, params, took, (train, test) in zip(
            cv.unique_folds, scores, chosen, seconds, cv.split(), strict=True
        )
    ]


def rotate(features: np.ndarray) -> np.ndarray:
    """Give features of the same inner products, and so distances, no more of them than there are clips."""
    if features.shape[1] <= len(features):
        return features.astype(float)
    triangle: np.ndarray = np.linalg.qr(features.T.astype(float), mode="r")  # type: ignore[assignment]
    return triangle.T


def compare_table(rows: "pd.DataFrame", *, style: str = "text") -> str:
    """Lay scores out, a row for each kind of features and a column for each classifier.

    Parameters
    ----------
    rows : DataFrame
        As `score_feature_studies` gives them.
    style : {"text", "markdown"}, default="text"
        As for `accuracy_table`.

    Returns
    -------
    str
        One table for either way of choosing.
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


def draw_comparison(rows: "pd.DataFrame", title: str, output: Path) -> list[Path]:
    """Draw random against trained weights, an architecture a point, where both were run.

    Parameters
    ----------
    rows : DataFrame
        As `score_feature_studies` gives them.
    title : str
        Of the picture.
    output : Path
        Folder for it.

    Returns
    -------
    list of Path
        The picture, if there is one.
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
        left = bool(x > middle)  # of the point, within the axes
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
    """Part the names of studies into features and classifier."""
    parts = rows["pipeline"].str.split("+", n=1, expand=True)
    return rows.assign(pipeline=parts[0], classifier=parts[1])
