"""Events from the probabilities of windows and regions."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from ._spectra import trim

# Probabilities above which windows form a region, and gaps in seconds over which regions are merged.
LOW_LEVELS = (0.3, 0.6)
GAPS = (0.15, 0.5, 1.5)
# Share of the activity at which a region begins, if it was searched in wide or in narrow limits.
WIDE_SHARE, NARROW_SHARE = 0.25, 0.1
# Share of the activity in its windows that a region must reach. Windows before a loud event contain its
# beginning, and a region of less activity is the silence in front of it.
LEAST_SHARE = 0.1
MIN_FRAMES = 4
# Weight of the windows in the log odds of a region, and the smallest probability of which odds are taken.
WINDOW_WEIGHT, SMALLEST = 0.25, 1e-3
# Regions with a smaller probability do not compete. The excess over it counts with this power, so that a long
# region loses to a more probable one in it.
LEAST_PROBABILITY, POWER = 0.1, 3
# A candidate is a piece if a candidate around it is so many times as long. Pieces lose the weight of a window
# with this activity in decibels, so that an event is not divided without need.
PIECE_RATIO = 1.5
PIECE_ACTIVITY = 3.5
# Weight of the log probabilities of a classifier of events as recorded, and the smallest probabilities that
# count in the vote: of a class in the region and in the recorded event, and of an event at all.
VOTE_WEIGHT, LEAST_OF_REGION, LEAST_OF_EVENT, LEAST_VOTED = 0.5, 0.02, 1e-3, 0.3
# Frames between events that follow each other without a pause, and by how much a region around them may be
# less probable than they are.
MAX_PAUSE, TOLERANCE = 3, 0.15
# Activity in decibels beyond which a frame does not count more.
MAX_ACTIVITY = 20.0


class Candidate(NamedTuple):
    """A region that may be an event, in frames of the recording."""

    start: int
    end: int
    code: int
    probability: float


def propose_regions(
    active: NDArray[np.float64],
    centres: NDArray[np.int64],
    probabilities: NDArray[np.floating],
    *,
    window: int,
    frame_seconds: float,
    longest: int,
    levels: tuple[float, ...] = LOW_LEVELS,
) -> list[tuple[int, int]]:
    """Propose regions where windows are probably no background.

    Parameters
    ----------
    active : ndarray of shape (n_frames,)
        Activity of the frames.
    centres : ndarray of shape (n_windows,)
        Frames on which the windows are centred, evenly spaced.
    probabilities : ndarray of shape (n_windows, n_classes)
        Probabilities of the event classes.
    window : int
        Length of the windows in frames.
    frame_seconds : float
        Seconds between frames.
    longest : int
        Longest region in frames.
    levels : tuple of float, default=(0.3, 0.6)
        Probabilities above which windows form a region.

    Returns
    -------
    list of tuple of int
        First frame of each region, and the frame after its last.
    """
    if not len(centres):
        return []
    hop = int(centres[1] - centres[0]) if len(centres) > 1 else window
    found: set[tuple[int, int]] = set()
    for curve in [probabilities.sum(axis=1), *probabilities.T]:
        for level in levels:
            runs = find_runs(curve > level)
            for gap in GAPS:
                for first, last in merge_runs(runs, gap / frame_seconds / hop):
                    low, high = int(centres[first]), int(centres[last - 1])
                    least = LEAST_SHARE * active[max(0, low - window // 2) : high + window // 2].max()
                    for reach, share in ((window // 2, WIDE_SHARE), (hop // 2 + 1, NARROW_SHARE)):
                        limits = max(0, low - reach), min(len(active), high + reach)
                        start, end = trim(active, *limits, share)
                        if end > start and active[start:end].max() >= least:
                            found.add((start, end))
    return thin_out(sorted((start, end) for start, end in found if MIN_FRAMES <= end - start <= longest))


def highest_inside(
    regions: Sequence[tuple[int, int]],
    centres: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    *,
    window: int,
) -> NDArray[np.float32]:
    """Return the highest probabilities of the windows in each region.

    Parameters
    ----------
    regions : sequence of (int, int) of length n_regions
        First frame, and the frame after the last.
    centres : ndarray of shape (n_windows,)
        Frames on which the windows are centred.
    probabilities : ndarray of shape (n_windows, n_classes)
        Probabilities of the event classes.
    window : int
        Length of the windows in frames. At most a quarter of a window lies outside of the region, unless the
        region is shorter.

    Returns
    -------
    ndarray of shape (n_regions, n_classes)
    """
    found = np.empty((len(regions), probabilities.shape[1]), dtype=np.float32)
    for i, (start, end) in enumerate(regions):
        middle, reach = (start + end) / 2, max(window // 4, (end - start) / 2 - window // 4)
        first, last = np.searchsorted(centres, [middle - reach, middle + reach + 1])
        if first == last:
            first = int(np.abs(centres - middle).argmin())
            last = first + 1
        found[i] = probabilities[first:last].max(axis=0)
    return found


def combine_probabilities(regions: NDArray[np.float32], windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities from the weighted mean of the log odds of regions and of their windows."""
    odds = [np.log((p + SMALLEST) / (1 - p + SMALLEST)) for p in (regions, windows)]
    mean = (1 - WINDOW_WEIGHT) * odds[0] + WINDOW_WEIGHT * odds[1]
    combined: NDArray[np.float32] = expit(mean)
    return combined


def thin_out(regions: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave out regions whose edges differ from those of another by less than an eighth of its length."""
    kept: dict[tuple[int, int, int], tuple[int, int]] = {}
    for start, end in regions:
        step = max(1, 2 ** ((end - start).bit_length() - 4))
        kept.setdefault((step, start // step, end // step), (start, end))
    return list(kept.values())


def find_runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first index of each run of true values, and the index after its last."""
    steps = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True))


def merge_runs(runs: Sequence[tuple[int, int]], gap: float) -> list[tuple[int, int]]:
    """Join runs with at most `gap` indices between them."""
    merged: list[tuple[int, int]] = []
    for first, last in runs:
        if merged and first - merged[-1][1] <= gap:
            merged[-1] = merged[-1][0], last
        else:
            merged.append((first, last))
    return merged


def choose_events(
    candidates: Sequence[Candidate], active: NDArray[np.float64], *, window: int, first: int = 0
) -> list[Candidate]:
    """Choose the candidates without overlap that explain most activity with most certainty.

    A candidate counts by the activity in it times a power of the excess of its probability over a lower
    limit, and less if it may be a piece of another one. So a long event wins over the short sounds that it
    consists of, and two events over one region around both.

    Parameters
    ----------
    candidates : sequence of Candidate
        Regions.
    active : ndarray of shape (n_frames,)
        Activity of the frames from frame `first` on.
    window : int
        Length of the windows in frames.
    first : int, default=0
        Number of the first frame.

    Returns
    -------
    list of Candidate
        In the order of time.
    """
    chosen = _weigh(candidates, active, first, PIECE_ACTIVITY * window)
    return join_adjacent(chosen, candidates)


def _weigh(
    candidates: Sequence[Candidate], active: NDArray[np.float64], first: int, cost: float
) -> list[Candidate]:
    """Choose the candidates without overlap that have the largest sum of weights, less a cost of pieces."""
    ordered = sorted((c for c in candidates if c.probability > LEAST_PROBABILITY), key=lambda c: (c.end, c))
    ends = [candidate.end for candidate in ordered]
    mass = np.concatenate([[0.0], np.cumsum(np.minimum(active, MAX_ACTIVITY) + 1e-6)])
    costs = cost * _are_pieces(ordered)
    best, before = [0.0], []
    for i, one in enumerate(ordered):
        j = bisect_right(ends, one.start + 1, 0, i)
        weight = mass[one.end - first] - mass[one.start - first]
        value = best[j] + weight * (one.probability - LEAST_PROBABILITY) ** POWER - costs[i]
        before.append(j if value > best[i] else -1)
        best.append(max(value, best[i]))
    chosen: list[Candidate] = []
    i = len(ordered)
    while i > 0:
        i -= 1
        if before[i] >= 0:
            chosen.append(ordered[i])
            i = before[i]
    return chosen[::-1]


def _are_pieces(candidates: Sequence[Candidate]) -> NDArray[np.bool_]:
    """Return whether each candidate lies in one that is far longer."""
    starts, ends = (np.array([getattr(c, name) for c in candidates]) for name in ("start", "end"))
    return np.array(
        [
            np.any(
                (starts <= c.start + MAX_PAUSE)
                & (ends >= c.end - MAX_PAUSE)
                & (ends - starts >= PIECE_RATIO * (c.end - c.start))
            )
            for c in candidates
        ],
        dtype=bool,
    )


def probabilities_at(
    chosen: Sequence[Candidate], candidates: Sequence[Candidate], n_classes: int
) -> NDArray[np.float64]:
    """Return the probabilities (n_chosen, n_classes) of the candidates with the edges of the chosen ones."""
    found = np.zeros((len(chosen), n_classes))
    rows = {(one.start, one.end): row for row, one in enumerate(chosen)}
    for one in candidates:
        if (row := rows.get((one.start, one.end))) is not None:
            found[row, one.code] = one.probability
    return found


def vote(
    chosen: Sequence[Candidate], of_regions: NDArray[np.float64], of_events: NDArray[np.floating]
) -> list[Candidate]:
    """Choose the classes of events anew, by two classifiers.

    Parameters
    ----------
    chosen : sequence of Candidate
        Events.
    of_regions : ndarray of shape (n_chosen, n_classes)
        Probabilities of the classes and, as the rest up to 1, of background.
    of_events : ndarray of shape (n_chosen, n_classes)
        Probabilities of the classes, if it is an event.

    Returns
    -------
    list of Candidate
        Each has the probability of an event, shared by the classes.
    """
    scores = np.log(np.maximum(of_regions, LEAST_OF_REGION))
    scores = scores + VOTE_WEIGHT * np.log(of_events + LEAST_OF_EVENT)
    shares = softmax(scores, axis=1)
    voted = []
    for one, event, row in zip(chosen, of_regions.sum(axis=1), shares, strict=True):
        code = int(row.argmax())
        probability = max(min(1.0, float(event)), one.probability) * float(row[code])
        voted.append(one._replace(code=code, probability=probability))
    return voted


def join_adjacent(chosen: Sequence[Candidate], candidates: Sequence[Candidate]) -> list[Candidate]:
    """Replace chosen events without pauses between them by one candidate that is nearly as probable.

    The start of a long sound may resemble another class, but events rarely follow each other without a pause.
    """
    result = list(chosen)
    for whole in sorted(candidates, key=lambda c: c.start - c.end):
        parts = [c for c in result if c.start < whole.end and c.end > whole.start]
        inside = all(c.start >= whole.start - MAX_PAUSE and c.end <= whole.end + MAX_PAUSE for c in parts)
        if len(parts) < 2 or not inside:
            continue
        pauses = [b.start - a.end for a, b in pairwise(parts)]
        if max(pauses) <= MAX_PAUSE and whole.probability >= max(c.probability for c in parts) - TOLERANCE:
            result = sorted([*(c for c in result if c not in parts), whole])
    return result


def join_pieces(chosen: Sequence[Candidate], pauses: Sequence[float]) -> list[Candidate]:
    """Join events of one class between which there is a short pause.

    Parameters
    ----------
    chosen : sequence of Candidate
        Events in the order of time.
    pauses : sequence of float of length n_classes
        Longest pause in frames, by class.

    Returns
    -------
    list of Candidate
        A joined event has the highest probability of its pieces.
    """
    joined: list[Candidate] = []
    for one in chosen:
        last = joined[-1] if joined else None
        if last is not None and last.code == one.code and one.start - last.end <= pauses[one.code]:
            probability = max(last.probability, one.probability)
            joined[-1] = last._replace(end=one.end, probability=probability)
        else:
            joined.append(one)
    return joined
