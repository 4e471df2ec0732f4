"""Event-based precision, recall, F-score and false alarms per hour."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ._matching import MatchingRule, match_events
from ._score_table import ClassScores, Columns, score_columns
from .event_tables import as_event_table, list_labels, select_labels, total_seconds


@dataclass(frozen=True)
class EventScores(ClassScores):
    """Scores of found events.

    Attributes
    ----------
    by_class : DataFrame
        Indexed by label, with the columns n_true, n_found, n_matched, precision, recall, f_score and
        false_alarms_per_hour. Values that are not defined are NaN: the precision without found events, the
        recall without annotated events, the F-score without either, and the false alarms per hour if the
        durations of the recordings are not known.
    matches : ndarray of shape (n_matches, 2)
        Positions of the matched events in the tables of annotated and of found events.
    seconds : float
        Length of all recordings; NaN if it is not known.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfewaudio.detection import event_scores
    >>> true = pd.DataFrame({"path": "night.wav", "start": [1.0, 8.0], "end": [2.0, 9.0], "label": "owl"})
    >>> found = pd.DataFrame({"path": "night.wav", "start": [1.1, 4.0], "end": [2.2, 5.0], "label": "owl"})
    >>> scores = event_scores(true, found)
    >>> scores.matches
    array([[0, 0]])
    >>> scores.precision, scores.recall, scores.f_score
    (0.5, 0.5, 0.5)
    """

    by_class: pd.DataFrame
    matches: np.ndarray = field(repr=False)
    seconds: float

    @property
    def n_true(self) -> int:
        """Number of annotated events."""
        return int(self.by_class["n_true"].sum())

    @property
    def n_found(self) -> int:
        """Number of found events."""
        return int(self.by_class["n_found"].sum())

    @property
    def n_matched(self) -> int:
        """Number of annotated events that were found."""
        return int(self.by_class["n_matched"].sum())

    @property
    def false_alarms_per_hour(self) -> float:
        """Found events that are not annotated, per hour of recordings; NaN if the length is not known."""
        return float(self._total["false_alarms_per_hour"])

    @property
    def _others(self) -> Columns:
        return _columns(self.seconds)


def event_scores(
    true: Any,
    found: Any,
    *,
    min_overlap: float | None = 0.3,
    onset_tolerance: float | None = None,
    offset_tolerance: float | None = None,
    offset_share: float = 0.0,
    durations: Mapping[str, float] | float | None = None,
    labels: Sequence[str] | None = None,
) -> EventScores:
    """Score found events against annotated events.

    An annotated and a found event of the same recording and label can be matched if they meet all conditions
    below that are not None. As many events as possible are matched, each with at most one other: a maximum
    bipartite matching. Found events without a match are false alarms, and annotated events without a match
    are missed. The default is the rule of the DCASE challenge's few-shot task [1]_.

    Parameters
    ----------
    true : DataFrame or AudioDataset
        Annotated events: columns path, start, end (seconds) and label, or parts of recordings as returned by
        :func:`~skfewaudio.datasets.load_annotations`.
    found : DataFrame or AudioDataset
        Found events, as returned by :func:`detect_events`. A recording must have the same path as in `true`.
    min_overlap : float or None, default=0.3
        Lowest intersection over union, above 0 and up to 1. None disables this condition; `onset_tolerance`
        is then required.
    onset_tolerance : float or None, default=None
        Largest difference of the starts in seconds. None disables this condition.
    offset_tolerance : float or None, default=None
        Largest difference of the ends in seconds. None disables this condition.
    offset_share : float, default=0.0
        Largest difference of the ends as a share of the length of the annotated event. The larger of this
        limit and `offset_tolerance` applies. 0 disables it.
    durations : mapping of path to float, float or None, default=None
        Seconds of each recording that was searched, including recordings without events, or their sum. Used
        for the false alarms per hour. None leaves these undefined.
    labels : sequence of str or None, default=None
        Labels that are scored. Events with other labels are ignored. None scores all labels of both tables.

    Returns
    -------
    EventScores

    Raises
    ------
    ValueError
        If a table lacks a column or holds invalid times, an option is out of range, `min_overlap` and
        `onset_tolerance` are both None, or `durations` lacks a recording.
    TypeError
        If a table has another type.

    Warns
    -----
    UserWarning
        If the tables have no recording in common.

    See Also
    --------
    segment_scores : Score segments of equal length instead of events.

    Notes
    -----
    Differences below a microsecond are ignored, so that rounding errors do not decide. ``min_overlap=None,
    onset_tolerance=0.2, offset_tolerance=0.2, offset_share=0.5`` gives the event-based metrics of [2]_.

    References
    ----------
    .. [1] V. Morfi et al., "Few-shot bioacoustic event detection: a new task at the DCASE 2021 challenge",
       DCASE Workshop 2021.
    .. [2] A. Mesaros, T. Heittola, T. Virtanen, "Metrics for polyphonic sound event detection", Applied
       Sciences 6(6), 2016.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfewaudio.detection import event_scores
    >>> true = pd.DataFrame({"path": "night.wav", "start": [1.0, 8.0], "end": [2.0, 9.0],
    ...                      "label": ["owl", "fox"]})
    >>> found = pd.DataFrame({"path": "night.wav", "start": [1.1, 4.0], "end": [2.2, 5.0],
    ...                       "label": ["owl", "owl"]})
    >>> scores = event_scores(true, found, durations={"night.wav": 1800.0})
    >>> scores.frame()[["n_true", "n_found", "n_matched", "recall", "false_alarms_per_hour"]]
                 n_true  n_found  n_matched  recall  false_alarms_per_hour
    label
    fox               1        0          0     0.0                    0.0
    owl               1        2          1     1.0                    2.0
    all classes       2        2          1     0.5                    2.0
    """
    rule = MatchingRule(min_overlap, onset_tolerance, offset_tolerance, offset_share)
    rule.check()
    annotated = select_labels(as_event_table(true, "true"), labels)
    detected = select_labels(as_event_table(found, "found"), labels)
    seconds = total_seconds(durations, [annotated, detected])
    _warn_of_other_paths(annotated, detected)
    matches = match_events(annotated, detected, rule)
    counts = pd.DataFrame(
        index=pd.Index(list_labels(annotated, detected, labels), dtype=object, name="label")
    )
    for name, rows in (
        ("n_true", annotated["label"]),
        ("n_found", detected["label"]),
        ("n_matched", annotated.loc[matches[:, 0], "label"]),
    ):
        counts[name] = rows.value_counts().reindex(counts.index, fill_value=0).astype(int)
    return EventScores(score_columns(counts, _columns(seconds)), matches, seconds)


def _columns(seconds: float) -> dict[str, Any]:
    """Return the functions that compute the columns beside precision, recall and F-score."""
    hours = seconds / 3600
    return {"false_alarms_per_hour": lambda counts: (counts["n_found"] - counts["n_matched"]) / hours}


def _warn_of_other_paths(true: pd.DataFrame, found: pd.DataFrame) -> None:
    """Warn if both tables have events, but of different recordings."""
    if true.empty or found.empty or not set(true["path"]).isdisjoint(found["path"]):
        return
    first, other = true["path"].iloc[0], found["path"].iloc[0]
    warnings.warn(
        f"true and found have no recording in common: the first are {first!r} and {other!r}. Nothing "
        "can be matched unless the same recording has the same path in both",
        UserWarning,
        stacklevel=3,
    )
