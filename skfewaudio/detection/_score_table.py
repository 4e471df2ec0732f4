"""Precision, recall and F-score from counts, per class and in total."""

from collections.abc import Callable, Mapping

import pandas as pd

# Further columns, each computed from the table of counts.
Columns = Mapping[str, Callable[[pd.DataFrame], pd.Series]]


def score_columns(counts: pd.DataFrame, others: Columns) -> pd.DataFrame:
    """Add scores to the counts n_true, n_found and n_matched; a ratio of 0 to 0 is NaN."""
    table = counts.copy()
    table["precision"] = counts["n_matched"] / counts["n_found"]
    table["recall"] = counts["n_matched"] / counts["n_true"]
    table["f_score"] = 2 * counts["n_matched"] / (counts["n_true"] + counts["n_found"])
    for name, compute in others.items():
        table[name] = compute(counts)
    return table


def total_row(by_class: pd.DataFrame, others: Columns, label: str = "all classes") -> pd.DataFrame:
    """Return a table of one row: the sums of the counts over the classes, and their scores."""
    names = [name for name in by_class if str(name).startswith("n_")]
    counts = by_class[names].sum().astype(int).to_frame(label).T
    counts.index.name = by_class.index.name
    return score_columns(counts, others)
