"""Precision, recall and F-score from counts, per class and in total."""

from collections.abc import Callable, Mapping

import pandas as pd

# Further columns, each computed from the table of counts.
Columns = Mapping[str, Callable[[pd.DataFrame], pd.Series]]


class ClassScores:
    """Scores of all classes together, from a table with the counts and scores of each class."""

    by_class: pd.DataFrame

    @property
    def precision(self) -> float:
        """Precision of all classes together."""
        return float(self._total["precision"])

    @property
    def recall(self) -> float:
        """Recall of all classes together."""
        return float(self._total["recall"])

    @property
    def f_score(self) -> float:
        """Harmonic mean of `precision` and `recall`, from the counts of all classes."""
        return float(self._total["f_score"])

    @property
    def macro_f_score(self) -> float:
        """Mean of the F-scores of the classes, without classes that are neither annotated nor found."""
        return float(self.by_class["f_score"].mean())

    @property
    def _total(self) -> pd.Series:
        return total_row(self.by_class, self._others).iloc[0]

    @property
    def _others(self) -> Columns:
        return {}

    def frame(self, total: str = "all classes") -> pd.DataFrame:
        """Return the scores of the classes and of all classes together.

        Parameters
        ----------
        total : str, default="all classes"
            Label of the last row.

        Returns
        -------
        DataFrame
            The rows of `by_class`, and a last row with the sums of the counts and their scores.
        """
        return pd.concat([self.by_class, total_row(self.by_class, self._others, total)])


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
