"""Means and intervals over the draws, and tables of them."""

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

_COLUMNS = ("pipeline", "repeat", "metric", "value")
_HEADS = {"n_shots": "clips per class"}


def summarize(results: pd.DataFrame, *, metric: str = "accuracy", by: str = "n_shots") -> pd.DataFrame:
    """Average scores over folds, then over repeats, with a 95 % interval over repeats.

    The interval is Student's t over the repeats' means: it says how much the draw of the clips matters, not
    how much another test set would.

    Parameters
    ----------
    results : DataFrame
        A row per pipeline, n_shots, repeat, fold and metric, as `few_shot_curve` gives it.
    metric : str, default="accuracy"
        Which of the metrics.
    by : str, default="n_shots"
        Column whose values are kept apart, in their order if they are numbers, else in that of appearance.

    Returns
    -------
    DataFrame
        Columns pipeline (in order of appearance), the one named by `by`, mean, half_width (NaN with one
        repeat) and n_repeats.

    Raises
    ------
    ValueError
        If a column or the metric is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfewaudio.reporting import summarize
    >>> results = pd.DataFrame({"pipeline": "1-nn", "n_shots": 1, "repeat": [0, 1], "fold": 0,
    ...                         "metric": "accuracy", "value": [0.4, 0.5]})
    >>> summarize(results).round(2)
      pipeline  n_shots  mean  half_width  n_repeats
    0     1-nn        1  0.45        0.64          2
    """
    missing = [name for name in (*_COLUMNS, by) if name not in results]
    if missing:
        raise ValueError(
            f"results lack the columns {', '.join(missing)}; expected a row per fold, as few_shot_curve gives"
        )
    ours = results[results["metric"] == metric]
    if ours.empty:
        known = ", ".join(map(str, results["metric"].unique())) or "none"
        raise ValueError(f"results hold no metric {metric!r}; they hold: {known}")
    by_repeat = ours.groupby(["pipeline", by, "repeat"], sort=False)["value"].mean()
    repeats = by_repeat.groupby(["pipeline", by], sort=False)
    by_cell = repeats.agg(["mean", "std", "count"]).reset_index()
    quantile = student_t.ppf(0.975, (by_cell["count"] - 1).clip(lower=1))
    return (
        by_cell.assign(half_width=quantile * by_cell["std"] / np.sqrt(by_cell["count"]))
        .rename(columns={"count": "n_repeats"})[["pipeline", by, "mean", "half_width", "n_repeats"]]
        .sort_values(["pipeline", by], key=_rank, ignore_index=True)
    )


def _rank(column: pd.Series) -> pd.Series:
    """Give what a column is sorted by: numbers themselves, names by their first appearance."""
    return column if pd.api.types.is_numeric_dtype(column) else pd.Series(pd.factorize(column)[0])


def accuracy_table(
    results: pd.DataFrame,
    *,
    metric: str = "accuracy",
    by: str = "n_shots",
    style: str = "text",
    width: int = 80,
) -> str:
    """Lay scores out in per cent, a row per pipeline and a column per number of clips or another value.

    Parameters
    ----------
    results : DataFrame
        As for `summarize`.
    metric : str, default="accuracy"
        Which of the metrics.
    by : str, default="n_shots"
        What the columns stand for, as for `summarize`.
    style : {"text", "markdown"}, default="text"
        For a terminal or for a page.
    width : int, default=80
        Characters a line of text may have; columns that do not fit go below.

    Returns
    -------
    str
        Means and half-widths of 95 % intervals over repeats, ``"41.2 ± 3.1"``; means alone of one repeat.

    Raises
    ------
    ValueError
        If `style` is unknown, or as for `summarize`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfewaudio.reporting import accuracy_table
    >>> results = pd.DataFrame({"pipeline": "1-nn", "n_shots": [1, 1, 2, 2], "repeat": [0, 1] * 2, "fold": 0,
    ...                         "metric": "accuracy", "value": [0.40, 0.41, 0.50, 0.52]})
    >>> print(accuracy_table(results))
    clips per class          1            2
    1-nn             40.5 ± 6.4  51.0 ± 12.7
    >>> print(accuracy_table(results, style="markdown"))
    | clips per class |          1 |           2 |
    |:----------------|-----------:|------------:|
    | 1-nn            | 40.5 ± 6.4 | 51.0 ± 12.7 |
    """
    summary = summarize(results, metric=metric, by=by)
    keys = zip(summary["pipeline"], summary[by], strict=True)
    cells = dict(zip(keys, map(_cell, summary["mean"], summary["half_width"]), strict=True))
    names = list(dict.fromkeys(summary["pipeline"]))
    heads = summary[by].iloc[_rank(summary[by]).argsort(kind="stable")].unique()
    columns = [[_HEADS.get(by, by.replace("_", " ")), *map(str, names)]] + [
        [str(head), *(cells.get((name, head), "-") for name in names)] for head in heads
    ]
    return lay_out(columns, style=style, width=width)


def lay_out(columns: list[list[str]], *, style: str = "text", width: int = 80) -> str:
    """Put columns of text, each under its head, side by side; `style` and `width` as in `accuracy_table`."""
    if style not in ("text", "markdown"):
        raise ValueError(f"style must be 'text' or 'markdown'; got {style!r}")
    padded = [_pad(column, left=position == 0) for position, column in enumerate(columns)]
    return _markdown(padded) if style == "markdown" else _text(padded, width)


def _cell(mean: float, half_width: float) -> str:
    """Write a mean with its half-width, in per cent."""
    return f"{100 * mean:.1f}" if np.isnan(half_width) else f"{100 * mean:.1f} ± {100 * half_width:.1f}"


def _pad(column: list[str], *, left: bool) -> list[str]:
    """Bring the cells of a column to one length."""
    size = max(map(len, column))
    return [cell.ljust(size) if left else cell.rjust(size) for cell in column]


def _text(columns: list[list[str]], width: int) -> str:
    """Join columns with two spaces, in as many blocks as `width` asks for."""
    blocks = [[columns[0]]]
    for column in columns[1:]:
        used = sum(len(other[0]) + 2 for other in blocks[-1])
        if used + len(column[0]) > width and len(blocks[-1]) > 1:
            blocks.append([columns[0]])
        blocks[-1].append(column)
    return "\n\n".join("\n".join("  ".join(row) for row in zip(*block, strict=True)) for block in blocks)


def _markdown(columns: list[list[str]]) -> str:
    """Join columns with bars, the heads underlined."""
    rows = ["| " + " | ".join(row) + " |" for row in zip(*columns, strict=True)]
    rules = [
        ":" + "-" * (len(columns[0][0]) + 1),
        *("-" * (len(column[0]) + 1) + ":" for column in columns[1:]),
    ]
    return "\n".join([rows[0], "|" + "|".join(rules) + "|", *rows[1:]])
