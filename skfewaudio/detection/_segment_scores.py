"""Segment-based precision, recall, F-score and error rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from ._matching import SLACK
from ._score_table import ClassScores, score_columns
from .event_tables import as_event_table, list_labels, select_labels


@dataclass(frozen=True)
class SegmentScores(ClassScores):
    """Scores of found events in segments of equal length.

    Attributes
    ----------
    by_class : DataFrame
        Indexed by label, with the columns n_true, n_found, n_matched (segments in which the label is
        annotated, found, and both), precision, recall and f_score. Ratios of 0 to 0 are NaN.
    n_substituted, n_missed, n_inserted : int
        Errors of all segments. In a segment with a missed label and a label that is not annotated, these
        count as one substitution.
    segment_length : float
        Length of the segments in seconds.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfewaudio.detection import segment_scores
    >>> true = pd.DataFrame({"path": ["night.wav"], "start": 1.0, "end": 4.0, "label": "owl"})
    >>> found = pd.DataFrame({"path": ["night.wav"], "start": 2.0, "end": 4.0, "label": "owl"})
    >>> segment_scores(true, found).error_rate.__round__(3)
    0.333
    """

    by_class: pd.DataFrame
    n_substituted: int
    n_missed: int
    n_inserted: int
    segment_length: float

    @property
    def error_rate(self) -> float:
        """Substitutions, missed and inserted labels per annotated label; NaN without annotations."""
        n_errors = self.n_substituted + self.n_missed + self.n_inserted
        n_true = int(self.by_class["n_true"].sum())
        return n_errors / n_true if n_true else float("nan")


def segment_scores(
    true: Any, found: Any, *, segment_length: float = 1.0, labels: Sequence[str] | None = None
) -> SegmentScores:
    """Score found events against annotated events in segments of equal length.

    Recordings are divided into segments. A label is active in each segment that an event overlaps, even if
    only in part. The scores count the pairs of segment and active label [1]_.

    Parameters
    ----------
    true : DataFrame or AudioDataset
        Annotated events: columns path, start, end (seconds) and label, or parts of recordings.
    found : DataFrame or AudioDataset
        Found events, as returned by :func:`detect_events`. A recording must have the same path as in `true`.
    segment_length : float, default=1.0
        Length of the segments in seconds.
    labels : sequence of str or None, default=None
        Labels that are scored. Events with other labels are ignored. None scores all labels of both tables.

    Returns
    -------
    SegmentScores

    Raises
    ------
    ValueError
        If a table lacks a column or holds invalid times, or `segment_length` is not a positive number.
    TypeError
        If a table has another type.

    See Also
    --------
    event_scores : Score whole events.

    References
    ----------
    .. [1] A. Mesaros, T. Heittola, T. Virtanen, "Metrics for polyphonic sound event detection", Applied
       Sciences 6(6), 2016.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfewaudio.detection import segment_scores
    >>> true = pd.DataFrame({"path": ["night.wav"], "start": 1.2, "end": 3.5, "label": "owl"})
    >>> found = pd.DataFrame({"path": ["night.wav"], "start": 2.0, "end": 4.0, "label": "owl"})
    >>> segment_scores(true, found).by_class.round(3)
           n_true  n_found  n_matched  precision  recall  f_score
    label
    owl         3        2          2        1.0   0.667      0.8
    """
    is_number = isinstance(segment_length, Real) and not isinstance(segment_length, bool)
    if not is_number or not 0 < segment_length < np.inf:
        raise ValueError(f"segment_length={segment_length!r}; expected seconds, a number above 0")
    tables = [
        select_labels(as_event_table(table, name), labels)
        for table, name in ((true, "true"), (found, "found"))
    ]
    names = list_labels(tables[0], tables[1], labels)
    active = _active_labels(tables, float(segment_length))
    counts = pd.DataFrame(index=pd.Index(names, dtype=object, name="label"))
    active["matched"] = active["true"] & active["found"]
    sums = active.groupby(active["label"].cat.set_categories(names), observed=False)[
        ["true", "found", "matched"]
    ].sum()
    for column in ("true", "found", "matched"):
        counts[f"n_{column}"] = sums[column].astype(int).to_numpy()
    return SegmentScores(score_columns(counts, {}), *_count_errors(active), float(segment_length))


def _active_labels(tables: Sequence[pd.DataFrame], segment_length: float) -> pd.DataFrame:
    """List the active labels of each segment once, and whether they are annotated and found."""
    rows = pd.concat(
        [
            _expand(table, segment_length).assign(true=name == "true", found=name == "found")
            for table, name in zip(tables, ("true", "found"), strict=True)
        ]
    )
    merged = rows.groupby(["path", "segment", "label"], sort=False, as_index=False)[["true", "found"]].any()
    return merged.astype({"label": "category", "true": bool, "found": bool})


def _expand(table: pd.DataFrame, segment_length: float) -> pd.DataFrame:
    """Return a row with the path, label and number of each segment that an event overlaps."""
    first = np.floor(table["start"].to_numpy() / segment_length + SLACK).astype(int)
    last = np.ceil(table["end"].to_numpy() / segment_length - SLACK).astype(int)
    counts = np.maximum(last - first, 1)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = table[["path", "label"]].iloc[np.repeat(np.arange(len(table)), counts)]
    return rows.assign(segment=np.repeat(first, counts) + within)


def _count_errors(active: pd.DataFrame) -> tuple[int, int, int]:
    """Count substituted, missed and inserted labels over all segments."""
    wrong = active.assign(
        missed=active["true"] & ~active["found"], inserted=active["found"] & ~active["true"]
    )
    counts = wrong.groupby(["path", "segment"], sort=False)[["missed", "inserted"]].sum()
    substituted = counts.min(axis=1)
    missed, inserted = (int((counts[name] - substituted).sum()) for name in ("missed", "inserted"))
    return int(substituted.sum()), missed, inserted
