"""Search for events with a fitted pipeline of clips."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skfewaudio.features import LogMel

from ._events import Candidate, find_runs, merge_runs
from ._frames import FrameReader, Section
from ._search import Search, starts_inside
from ._spectra import BLOCK_SECONDS, Frames, activity, background_floor, excess, trim
from .event_labels import BACKGROUND_LABELS

# A classifier of clips has learned no thresholds for events.
CLIP_THRESHOLD = 0.5
# The background is estimated from this many seconds.
CONTEXT_SECONDS = 60.0
CORE_SECONDS = 60.0
# Decibels by which parts stand out from the background, and gaps that are bridged, in seconds.
START_ACTIVITY, EDGE_ACTIVITY = 6.0, 2.0
GAP_SECONDS = 0.75
MIN_SECONDS = 0.1
MARGIN_SECONDS = 0.1
EDGE_SHARE = 0.1
WINDOWS_AT_ONCE = 256
CURVE_WINDOW = 1.0


class PipelineSearch(Search):
    """Search with a pipeline of a LogMel and a classifier of spectrograms.

    Without a window, the parts that stand out from the background are classified. With a window, all windows
    are, and neighbouring windows of one class are joined.
    """

    def __init__(
        self,
        model: Any,
        *,
        window: float | None,
        hop: float | None,
        allow_truncated: bool | None,
        n_threads: int | None,
    ) -> None:
        first = model[0] if isinstance(model, Pipeline) and len(model.steps) > 1 else None
        if not isinstance(first, LogMel) or first.compression != "db" or not hasattr(model, "predict_proba"):
            raise TypeError(
                f"model={model!r}; expected an EventDetector, or a pipeline that begins with "
                "LogMel(compression='db') and has predict_proba, such as make_few_shot_classifier()"
            )
        check_is_fitted(model)
        self._model = model[1:]
        self._is_event = ~np.isin(model.classes_, BACKGROUND_LABELS)
        self.classes = np.asarray(model.classes_)[self._is_event]
        self._rejects = _may_reject(model)
        self.thresholds = dict.fromkeys(self.classes.tolist(), CLIP_THRESHOLD)
        self._reader = FrameReader(
            first,
            core=CORE_SECONDS,
            margin=CONTEXT_SECONDS / 2,
            allow_truncated=allow_truncated,
            n_threads=n_threads,
        )
        self._top_db = first.top_db
        self.frame_seconds = self._reader.frame_seconds
        self._window = window
        self._hop = hop

    def find(self, recording: Any) -> list[Candidate]:
        chosen: list[Candidate] = []
        for section in self._reader.read(recording):
            found = self._find_parts(section) if self._window is None else self._find_runs(section)
            last = chosen[-1].end if chosen else 0
            low, high = section.core
            chosen += [one for one in found if low <= one.start < high and one.start >= last - 1]
        return [one for one in chosen if starts_inside(one.start * self.frame_seconds, recording)]

    def curve(self, recording: Any) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        times, curves = [], []
        for section in self._reader.read(recording):
            centres, found = self._classify_windows(section, self._window or CURVE_WINDOW)
            kept = (centres >= section.core[0]) & (centres < section.core[1])
            times.append(centres[kept] * self.frame_seconds)
            curves.append(found[kept])
        return np.concatenate(times), np.concatenate(curves)

    def _find_parts(self, section: Section) -> list[Candidate]:
        """Classify the parts that stand out from the background."""
        active = self._activity(section)
        parts = [
            (first, last)
            for first, last in self._join(find_runs(active > EDGE_ACTIVITY))
            if active[first:last].max() > START_ACTIVITY and last - first >= MIN_SECONDS / self.frame_seconds
        ]
        if not parts:
            return []
        n_frames = section.frames.shape[1]
        margin = round(MARGIN_SECONDS / self.frame_seconds)
        clips = [
            self._limit(section.frames[:, max(0, first - margin) : min(n_frames, last + margin)])
            for first, last in parts
        ]
        return [
            Candidate(section.first + first, section.first + last, int(row.argmax()), float(row.max()))
            for (first, last), row in zip(parts, self._predict(clips), strict=True)
        ]

    def _find_runs(self, section: Section) -> list[Candidate]:
        """Join windows of one class."""
        assert self._window is not None
        centres, found = self._classify_windows(section, self._window)
        hop = int(centres[1] - centres[0]) if len(centres) > 1 else section.frames.shape[1]
        # The probability of a step is the mean over the windows that cover it.
        n_covering = max(1, round(self._window / self.frame_seconds / hop))
        smooth = uniform_filter1d(found, n_covering, axis=0) if n_covering > 1 else found
        # The rest to 1 is the probability of background.
        is_event = smooth.max(axis=1) > 1 - smooth.sum(axis=1)
        best = np.where(is_event, smooth.argmax(axis=1), -1)
        active = self._activity(section)
        events = []
        for code in range(len(self.classes)):
            for first, last in find_runs(best == code):
                low = max(0, int(centres[first]) - hop // 2 - section.first)
                high = min(len(active), int(centres[last - 1]) + hop // 2 + 1 - section.first)
                start, end = trim(active, low, high, EDGE_SHARE)
                probability = float(smooth[first:last, code].max())
                events.append(Candidate(section.first + start, section.first + end, code, probability))
        return sorted(events)

    def _classify_windows(
        self, section: Section, window: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the frames of the recording on which windows are centred, and their probabilities."""
        size = max(2, round(window / self.frame_seconds))
        hop = max(1, size // 2 if self._hop is None else round(self._hop / self.frame_seconds))
        frames = section.frames
        centres = np.arange(-section.first % hop, frames.shape[1], hop)
        first = np.clip(centres - size // 2, 0, max(0, frames.shape[1] - size))
        found = np.empty((len(centres), len(self.classes)), dtype=np.float32)
        for i in range(0, len(centres), WINDOWS_AT_ONCE):
            starts = first[i : i + WINDOWS_AT_ONCE]
            found[i : i + len(starts)] = self._predict([self._limit(frames[:, j : j + size]) for j in starts])
        return centres + section.first, found

    def _predict(self, clips: list[Frames]) -> NDArray[np.float32]:
        """Return the probabilities of the events in each clip; 0 for rejected clips."""
        probabilities = np.asarray(self._model.predict_proba(clips), dtype=np.float32)[:, self._is_event]
        if self._rejects:
            known = np.isin(self._model.predict(clips), self._model.classes_)
            probabilities[~known] = 0
        return probabilities

    def _activity(self, section: Section) -> NDArray[np.float64]:
        block = max(1, round(BLOCK_SECONDS / self.frame_seconds))
        context = round(CONTEXT_SECONDS / BLOCK_SECONDS) + 1
        return activity(
            excess(section.frames, background_floor(section.frames, block=block, context=context))
        )

    def _join(self, runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return merge_runs(runs, GAP_SECONDS / self.frame_seconds)

    def _limit(self, frames: Frames) -> Frames:
        """Clip levels as the transformer does for a clip."""
        return frames if self._top_db is None else np.maximum(frames, frames.max() - np.float32(self._top_db))


def _may_reject(model: Any) -> bool:
    """Return whether `predict` of a pipeline may return another label than its classes."""
    names = [name for name in model.get_params() if name.endswith("false_rejection_rate")]
    return any(model.get_params()[name] is not None for name in names)
