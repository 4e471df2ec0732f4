"""Search for events in spectrograms by classifiers of windows, of regions, and of events as recorded."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfewaudio.exceptions import InputWarning

from ._events import (
    LEAST_PROBABILITY,
    LEAST_VOTED,
    LOW_LEVELS,
    Candidate,
    choose_events,
    combine_probabilities,
    highest_inside,
    join_pieces,
    probabilities_at,
    propose_regions,
    vote,
)
from ._scenes import Grid
from ._spectra import Frames, activity, cut_region, limit_range

# Windows begin every third of their length.
HOPS_PER_WINDOW = 3
# Computed at once, which bounds the memory for their descriptions.
WINDOWS_AT_ONCE, REGIONS_AT_ONCE = 128, 16
# Label of background in the classifiers; the labels of events are their codes from 0.
BACKGROUND = -1
# Regions may be shorter than the shortest training event of a class, and longer than the longest.
SHORTEST, LONGEST = 0.5, 1.8
# Pieces of a class with a shorter pause in seconds are one event, unless training events are as short.
PAUSE = 0.25


@dataclass(frozen=True)
class Finder:
    """Fitted classifiers, with the durations of the events.

    Parameters
    ----------
    windows, regions : classifier
        Fitted to spectrograms, with the classes `BACKGROUND` and the codes of the events.
    grid : Grid
        Lengths in frames.
    limits : ndarray of shape (n_classes, 2)
        Shortest and longest event of each class in frames.
    frame_seconds : float
        Seconds between frames.
    events : classifier, default=None
        Fitted to spectrograms of events in decibels, with the codes of the events as classes. None leaves the
        classes of events to `regions`.
    """

    windows: Any
    regions: Any
    grid: Grid
    limits: NDArray[np.float64]
    frame_seconds: float
    events: Any = None

    def window_probabilities(
        self, above: Frames, first: int = 0, hop: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Compute the probabilities of the event classes in windows.

        Parameters
        ----------
        above : ndarray of shape (n_mels, n_frames)
            Excess over the background.
        first : int, default=0
            Number of its first frame in the recording. Windows are centred on multiples of the hop.
        hop : int, default=None
            Frames between windows.

        Returns
        -------
        centres : ndarray of shape (n_windows,)
            Frames of `above`.
        probabilities : ndarray of shape (n_windows, n_classes)
        """
        size = self.grid.window
        hop = max(1, size // HOPS_PER_WINDOW) if hop is None else hop
        centres = np.arange(-first % hop, above.shape[1], hop)
        padded = np.pad(above, ((0, 0), (size // 2, size - size // 2)))
        found = np.empty((len(centres), len(self.limits)), dtype=np.float32)
        for i in range(0, len(centres), WINDOWS_AT_ONCE):
            starts = centres[i : i + WINDOWS_AT_ONCE]
            batch = np.stack([limit_range(padded[:, start : start + size]) for start in starts])
            found[i : i + len(starts)] = self._predict(self.windows, batch)
        return centres, found

    def candidates(self, above: Frames, first: int = 0, hop: int | None = None) -> list[Candidate]:
        """Find regions that may be events, with frames counted in the recording."""
        centres, curves = self.window_probabilities(above, first, hop)
        regions = self._propose(above, centres, curves, LOW_LEVELS)
        if not regions:
            return []
        parts = (regions[i : i + REGIONS_AT_ONCE] for i in range(0, len(regions), REGIONS_AT_ONCE))
        of_regions = np.concatenate(
            [self._predict(self.regions, [self.cut(above, *region) for region in part]) for part in parts]
        )
        of_windows = highest_inside(regions, centres, curves, window=self.grid.window)
        found = combine_probabilities(of_regions, of_windows)
        sizes = np.array([end - start for start, end in regions])
        fits = (sizes[:, None] >= SHORTEST * self.limits[:, 0]) & (
            sizes[:, None] <= LONGEST * self.limits[:, 1]
        )
        return [
            Candidate(first + regions[i][0], first + regions[i][1], int(code), float(found[i, code]))
            for i, code in zip(*np.nonzero(fits & (found > LEAST_PROBABILITY)), strict=True)
        ]

    def choose(
        self,
        candidates: list[Candidate],
        active: NDArray[np.float64],
        first: int = 0,
        frames: Frames | None = None,
    ) -> list[Candidate]:
        """Choose the events among the candidates.

        Parameters
        ----------
        candidates : list of Candidate
            Regions that may be events.
        active : ndarray of shape (n_frames,)
            Activity of the frames from `first` on.
        first : int, default=0
            Number of the first frame in the recording.
        frames : ndarray of shape (n_mels, n_frames), default=None
            The recording in decibels, from `first` on, for a vote of the classifier of events.

        Returns
        -------
        list of Candidate
            In the order of time.
        """
        chosen = choose_events(candidates, active, window=self.grid.window, first=first)
        if frames is not None and self.events is not None:
            chosen = self._vote(chosen, candidates, first, frames)
        pauses = np.minimum(PAUSE / self.frame_seconds, self.limits[:, 0])
        return join_pieces(chosen, pauses.tolist())

    def _vote(
        self, chosen: list[Candidate], candidates: list[Candidate], first: int, frames: Frames
    ) -> list[Candidate]:
        """Choose the classes of probable events anew, with the classifier of events."""
        of_regions = probabilities_at(chosen, candidates, len(self.limits))
        voted = list(chosen)
        probable = np.flatnonzero(of_regions.sum(axis=1) >= LEAST_VOTED)
        for i in range(0, len(probable), REGIONS_AT_ONCE):
            rows = probable[i : i + REGIONS_AT_ONCE]
            events = [chosen[row] for row in rows]
            starts = [max(0, one.start - first - self.grid.margin) for one in events]
            ends = [one.end - first + self.grid.margin for one in events]
            clips = [frames[:, start:end] for start, end in zip(starts, ends, strict=True)]
            of_events = self._predict(self.events, clips)
            for row, one in zip(rows, vote(events, of_regions[rows], of_events), strict=True):
                voted[row] = one
        return voted

    def propose(
        self,
        above: Frames,
        first: int = 0,
        hop: int | None = None,
        levels: tuple[float, ...] = LOW_LEVELS,
    ) -> list[tuple[int, int]]:
        """Find regions where windows are probably no background, in frames of `above`."""
        return self._propose(above, *self.window_probabilities(above, first, hop), levels)

    def _propose(
        self,
        above: Frames,
        centres: NDArray[np.int64],
        probabilities: NDArray[np.float32],
        levels: tuple[float, ...],
    ) -> list[tuple[int, int]]:
        return propose_regions(
            activity(above),
            centres,
            probabilities,
            window=self.grid.window,
            frame_seconds=self.frame_seconds,
            longest=int(LONGEST * self.limits[:, 1].max()) + 1,
            levels=levels,
        )

    def cut(self, above: Frames, start: int, end: int) -> Frames:
        """Cut a region for the classifier of regions."""
        return cut_region(above, start, end, margin=self.grid.margin, least=self.grid.least)

    def _predict(self, classifier: Any, batch: Any) -> NDArray[np.float32]:
        """Return the probabilities of the events, in the order of their codes."""
        with warnings.catch_warnings():
            # The background is 0 here, which transformers take for clips that are padded with silence.
            warnings.simplefilter("ignore", InputWarning)
            probabilities = np.asarray(classifier.predict_proba(batch), dtype=np.float32)
        return probabilities[:, np.asarray(classifier.classes_) != BACKGROUND]
