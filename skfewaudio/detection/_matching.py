"""One-to-one matching of annotated and found events."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

Times = NDArray[np.float64]
# Times with a few decimals differ by rounding errors: 4.2 - 4.0 is above 0.2.
SLACK = 1e-6


@dataclass(frozen=True)
class MatchingRule:
    """Conditions that an annotated and a found event must meet; None disables a condition.

    Parameters
    ----------
    min_overlap : float or None
        Lowest intersection over union of the two events.
    onset_tolerance : float or None
        Largest difference of the starts in seconds.
    offset_tolerance : float or None
        Largest difference of the ends in seconds.
    offset_share : float
        Largest difference of the ends as a share of the length of the annotated event. The more generous of
        the two limits applies.
    """

    min_overlap: float | None
    onset_tolerance: float | None
    offset_tolerance: float | None
    offset_share: float

    def check(self) -> None:
        """Raise ValueError for values out of range, or if no condition places the event in time."""
        if self.min_overlap is None and self.onset_tolerance is None:
            raise ValueError(
                "min_overlap and onset_tolerance are None; expected a number for at least one of them"
            )
        if self.min_overlap is not None and not _is_number(self.min_overlap, 0, 1, above=True):
            raise ValueError(f"min_overlap={self.min_overlap!r}; expected a number above 0 and up to 1")
        for name in ("onset_tolerance", "offset_tolerance", "offset_share"):
            value = getattr(self, name)
            if value is not None and not _is_number(value, 0, np.inf):
                raise ValueError(f"{name}={value!r}; expected a number of at least 0")
        if self.offset_share and self.offset_tolerance is None:
            raise ValueError(
                f"offset_share={self.offset_share!r} needs offset_tolerance; expected a number of seconds"
            )

    def candidates(self, true: Times, found: Times) -> NDArray[np.intp]:
        """Return the pairs, of shape (n_pairs, 2), that meet the conditions.

        `true` and `found` hold starts and ends, of shape (n_events, 2).
        """
        order = np.argsort(found[:, 0], kind="stable")
        starts = found[order, 0]
        if self.min_overlap is not None:
            # Ends are not sorted, but no event before the first that reaches beyond a start can overlap.
            first = np.searchsorted(np.maximum.accumulate(found[order, 1]), true[:, 0], side="right")
            last = np.searchsorted(starts, true[:, 1], side="left")
        else:
            reach = float(self.onset_tolerance or 0.0) + SLACK
            first = np.searchsorted(starts, true[:, 0] - reach, side="left")
            last = np.searchsorted(starts, true[:, 0] + reach, side="right")
        counts = np.maximum(last - first, 0)
        rows = np.repeat(np.arange(len(true)), counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        columns = order[np.repeat(first, counts) + within]
        kept = self._holds(true[rows], found[columns])
        return np.column_stack([rows[kept], columns[kept]])

    def _holds(self, true: Times, found: Times) -> NDArray[np.bool_]:
        """Return whether pairs of events, of shape (n_pairs, 2), meet the conditions."""
        kept = np.ones(len(true), dtype=bool)
        if self.min_overlap is not None:
            kept &= overlap(true, found) >= self.min_overlap - SLACK
        difference = np.abs(true - found)
        if self.onset_tolerance is not None:
            kept &= difference[:, 0] <= self.onset_tolerance + SLACK
        if self.offset_tolerance is not None:
            limit = np.maximum(self.offset_tolerance, self.offset_share * (true[:, 1] - true[:, 0]))
            kept &= difference[:, 1] <= limit + SLACK
        return kept


def overlap(one: Times, other: Times) -> Times:
    """Compute the intersection over union of pairs of events, each of shape (n_pairs, 2)."""
    shared = np.minimum(one[:, 1], other[:, 1]) - np.maximum(one[:, 0], other[:, 0])
    lengths = (one[:, 1] - one[:, 0]) + (other[:, 1] - other[:, 0])
    shared = np.maximum(shared, 0.0)
    return shared / (lengths - shared)


def match_events(true: pd.DataFrame, found: pd.DataFrame, rule: MatchingRule) -> NDArray[np.intp]:
    """Match as many annotated and found events of one recording and label as possible, one to one.

    Parameters
    ----------
    true, found : DataFrame
        Checked tables of events.
    rule : MatchingRule
        Which pairs may be matched.

    Returns
    -------
    ndarray of shape (n_matches, 2)
        Values of the index of `true` and `found`, ordered by the first.
    """
    groups = found.groupby(["path", "label"], sort=False).indices
    matches = [np.empty((0, 2), dtype=np.intp)]
    for key, rows in true.groupby(["path", "label"], sort=False).indices.items():
        if key not in groups:
            continue
        columns: NDArray[np.intp] = np.asarray(groups[key], dtype=np.intp)
        pairs = _match_times(_times(true, np.asarray(rows)), _times(found, columns), rule.candidates)
        matches.append(
            np.column_stack([true.index[rows[pairs[:, 0]]], found.index[columns[pairs[:, 1]]]]).astype(
                np.intp
            )
        )
    matched = np.concatenate(matches)
    return matched[np.argsort(matched[:, 0], kind="stable")]


def _match_times(
    true: Times, found: Times, candidates: Callable[[Times, Times], NDArray[np.intp]]
) -> NDArray[np.intp]:
    """Return a largest set of pairs in which every event occurs at most once."""
    pairs = candidates(true, found)
    if not len(pairs):
        return pairs
    rows, columns = pairs.astype(np.int32).T  # SciPy before 1.15 matches only with indices of 32 bits
    graph = csr_array((np.ones(len(pairs)), (rows, columns)), shape=(len(true), len(found)))
    partners = maximum_bipartite_matching(graph, perm_type="column")
    matched = np.flatnonzero(partners >= 0)
    return np.column_stack([matched, partners[matched]])


def _times(table: pd.DataFrame, rows: NDArray[np.intp]) -> Times:
    return table[["start", "end"]].to_numpy(dtype=float)[rows]


def _is_number(value: object, low: float, high: float, *, above: bool = False) -> bool:
    """Return whether a value is a number in a range; `above` excludes its lower end."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    return low <= float(value) <= high and not (above and float(value) == low)
