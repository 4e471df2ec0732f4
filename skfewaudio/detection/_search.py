"""Search for the events of a recording, section by section."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfewaudio.audio.clips import FilePart, as_file_part, is_file_part

from ._events import Candidate
from ._frames import FrameReader, Section
from ._spectra import Frames, activity, background_floor, excess

# A section has a core of this many seconds at least, and this many times the context of the background.
CORE_SECONDS, CORE_CONTEXTS = 60.0, 3.0


class Search(ABC):
    """Search for events with a fitted model.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Classes of events.
    thresholds : dict of label to float
        Default thresholds.
    frame_seconds : float
        Unit of the times of candidates in seconds.
    """

    classes: NDArray[Any]
    thresholds: dict[Any, float]
    frame_seconds: float

    @abstractmethod
    def find(self, recording: Any) -> list[Candidate]:
        """Return the most probable events of a recording without overlap, in the order of time."""

    @abstractmethod
    def curve(self, recording: Any) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return the centres of windows in seconds, and their probabilities (n_windows, n_classes)."""


class DetectorSearch(Search):
    """Search with a fitted EventDetector."""

    def __init__(
        self, detector: Any, *, hop: float | None, allow_truncated: bool | None, n_threads: int | None
    ) -> None:
        self.classes = detector.classes_
        self.thresholds = detector.thresholds_
        self._finder = detector.make_finder()
        context = self._finder.grid.context * self._finder.grid.block * self._finder.frame_seconds
        self._reader = FrameReader(
            detector.logmel_,
            core=max(CORE_SECONDS, CORE_CONTEXTS * context),
            margin=context / 2 + 2 * self._finder.limits.max() * self._finder.frame_seconds,
            allow_truncated=allow_truncated,
            n_threads=n_threads,
        )
        self.frame_seconds = self._reader.frame_seconds
        self._hop = None if hop is None else max(1, round(hop / self.frame_seconds))

    def find(self, recording: Any) -> list[Candidate]:
        chosen: list[Candidate] = []
        for section in self._reader.read(recording):
            above = self._above(section)
            candidates = self._finder.candidates(above, section.first, self._hop)
            found = self._finder.choose(candidates, activity(above), section.first, section.frames)
            last = chosen[-1].end if chosen else 0
            chosen += [
                c for c in found if section.core[0] <= c.start < section.core[1] and c.start >= last - 1
            ]
        return [one for one in chosen if starts_inside(one.start * self.frame_seconds, recording)]

    def curve(self, recording: Any) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        times, curves = [], []
        for section in self._reader.read(recording):
            centres, found = self._finder.window_probabilities(self._above(section), section.first, self._hop)
            frames = centres + section.first
            kept = (frames >= section.core[0]) & (frames < section.core[1])
            times.append(frames[kept] * self.frame_seconds)
            curves.append(found[kept])
        return np.concatenate(times), np.concatenate(curves)

    def _above(self, section: Section) -> Frames:
        grid = self._finder.grid
        floor = background_floor(section.frames, block=grid.block, context=grid.context)
        return excess(section.frames, floor)


def starts_inside(seconds: float, recording: Any) -> bool:
    """Return whether an event starts in the part of a file that was asked for."""
    part = as_file_part(recording) if is_file_part(recording) else FilePart("")
    return part.start <= seconds < (np.inf if part.end is None else part.end)
