"""Means and intervals over repeats, and accuracy tables."""

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from .text_table import format_columns

_REQUIRED_COLUMNS = ("pipeline", "repeat", "metric", "value")
MIN_REPEATS = 3  # of an interval; for two, Student's t is 12.7 standard errors, which says nothing
_COLUMN_TITLES = {"n_shots": "clips per class"}


def summarize(results: pd.DataFrame, *, metric: str = "accuracy", by: str = "n_shots") -> pd.DataFrame:
    """Average scores over folds, then over repeats, with a 95 % interval over repeats.

    The interval is a Student's t interval for the means of the repeats. It covers the random draws of clips,
    but not the choice of test set.

    Parameters
    ----------
    results : DataFrame
        One row per pipeline, n_shots, repeat, fold and metric, as returned by `few_shot_curve`.
    metric : str, default="accuracy"
        Metric to summarise.
    by : str, default="n_shots"
        Column to group by besides the pipeline. Numbers are sorted, other values keep their order of
        appearance.

    Returns
    -------
    DataFrame
        Columns pipeline (in order of appearance), the column `by`, mean, half_width (NaN with fewer than
        three repeats) and n_repeats.

    Raises
    ------
    ValueError
        If a column or the metric is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfewaudio.reporting import summarize
    >>> results = pd.DataFrame({"pipeline": "1-nn", "n_shots": 1, "repeat": [0, 1, 2], "fold": 0,
    ...                         "metric": "accuracy", "value": [0.4, 0.45, 0.5]})
    >>> summarize(results).round(2)
      pipeline  n_shots  mean  half_width  n_repeats
    0     1-nn        1  0.45        0.12          3
    """
    missing = [name for name in (*_REQUIRED_COLUMNS, by) if name not in results]
    if missing:
        raise ValueError(
            f"results lack the columns {', '.join(missing)}; expected a row per fold, as returned by "
            "few_shot_curve"
        )
    ours = results[results["metric"] == metric]
    if ours.empty:
        known = ", ".join(map(str, results["metric"].unique())) or "none"
        raise ValueError(f"results hold no metric {metric!r}; they hold: {known}")
    by_repeat = ours.groupby(["pipeline", by, "repeat"], sort=False)["value"].mean()
    repeats = by_repeat.groupby(["pipeline", by], sort=False)
    statistics = repeats.agg(["mean", "std", "count"]).reset_index()
    count = statistics["count"].where(statistics["count"] >= MIN_REPEATS)
    half_width = student_t.ppf(0.975, count - 1) * statistics["std"] / np.sqrt(count)
    return (
        statistics.assign(half_width=half_width)
        .rename(columns={"count": "n_repeats"})[["pipeline", by, "mean", "half_width", "n_repeats"]]
        .sort_values(["pipeline", by], key=_sort_key, ignore_index=True)
    )


def _sort_key(column: pd.Series) -> pd.Series:
    """Return sort keys: numbers themselves, other values by their first appearance."""
    return column if pd.api.types.is_numeric_dtype(column) else pd.Series(pd.factorize(column)[0])


def accuracy_table(
    results: pd.DataFrame,
    *,
    metric: str = "accuracy",
    by: str = "n_shots",
    style: str = "text",
    width: int = 80,
) -> str:
    """Format scores in per cent as a table with one row per pipeline and one column per number of clips.

    Parameters
    ----------
    results : DataFrame
        As in `summarize`.
    metric : str, default="accuracy"
        Metric to show.
    by : str, default="n_shots"
        Column of `results` whose values become the columns of the table, as in `summarize`.
    style : {"text", "markdown"}, default="text"
        Plain text for a terminal, or Markdown.
    width : int, default=80
        Maximum length of a line of plain text. Columns that do not fit are continued in a block below.

    Returns
    -------
    str
        Means and half-widths of 95 % intervals over repeats, such as ``"41.2 ± 3.1"``, or only means if there
        are fewer than three repeats.

    Raises
    ------
    ValueError
        If `style` is unknown, or as in `summarize`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfewaudio.reporting import accuracy_table
    >>> results = pd.DataFrame({"pipeline": "1-nn", "n_shots": [1] * 3 + [2] * 3, "repeat": [0, 1, 2] * 2,
    ...                         "fold": 0, "metric": "accuracy", "value": [0.4, 0.41, 0.42, 0.5, 0.51, 0.55]})
    >>> print(accuracy_table(results))
    clips per class           1           2
    1-nn             41.0 ± 2.5  52.0 ± 6.6
    >>> print(accuracy_table(results, style="markdown"))
    | clips per class |          1 |          2 |
    |:----------------|-----------:|-----------:|
    | 1-nn            | 41.0 ± 2.5 | 52.0 ± 6.6 |
    """
    summary = summarize(results, metric=metric, by=by)
    keys = zip(summary["pipeline"], summary[by], strict=True)
    cells = dict(zip(keys, map(_format_mean, summary["mean"], summary["half_width"]), strict=True))
    names = list(dict.fromkeys(summary["pipeline"]))
    heads = summary[by].iloc[_sort_key(summary[by]).argsort(kind="stable")].unique()
    columns = [[_COLUMN_TITLES.get(by, by.replace("_", " ")), *map(str, names)]] + [
        [str(head), *(cells.get((name, head), "-") for name in names)] for head in heads
    ]
    return format_columns(columns, style=style, width=width)


def _format_mean(mean: float, half_width: float) -> str:
    """Format a mean with its half-width in per cent."""
    shown = [mean] if np.isnan(half_width) else [mean, half_width]
    return " ± ".join(map(_format_percent, shown))


def _format_percent(value: float) -> str:
    """Format a share in per cent; the order of a sum does not decide how a tie is rounded."""
    return f"{round(100 * value, 9):.1f}"
