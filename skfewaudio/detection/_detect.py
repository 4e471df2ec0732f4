"""Detection of events in recordings, with times in seconds."""

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skfewaudio.audio.clips import as_file_part, is_file_part, is_path, is_sound
from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning

from ._detector import EventDetector
from ._events import Candidate
from ._pipeline_search import PipelineSearch
from ._search import DetectorSearch, Search

COLUMNS = ("path", "start", "end", "label", "probability")


class WindowProbabilities(NamedTuple):
    """Probabilities of the event classes over time.

    Attributes
    ----------
    times : ndarray of shape (n_windows,)
        Centres of the windows in seconds; evenly spaced.
    probabilities : ndarray of shape (n_windows, n_classes)
        The rest to 1 is the probability of background.
    classes : ndarray of shape (n_classes,)
        Classes of events, without background.
    """

    times: NDArray[np.float64]
    probabilities: NDArray[np.float32]
    classes: NDArray[Any]


def detect_events(
    model: Any,
    recordings: Any,
    *,
    threshold: float | Mapping[Any, float] | None = None,
    min_duration: float | None = None,
    labels: Sequence[Any] | None = None,
    window: float | None = None,
    hop: float | None = None,
    on_error: Literal["raise", "warn"] = "raise",
    allow_truncated: bool | None = None,
    n_threads: int | None = None,
) -> pd.DataFrame:
    """Find the events of recordings.

    Parameters
    ----------
    model : EventDetector or Pipeline
        Fitted detector, or fitted pipeline of clips. A pipeline classifies the parts of a recording that
        stand out from its background.
    recordings : path, tuple, dict, or sequence of these
        Files, parts of files ``(path, start, end)``, or sound with its rate. Times count from the
        start of the file.
    threshold : float, dict of label to float, or None, default=None
        Least probability of an event. Classes that are missing from a dict have the default. None uses the
        thresholds of the detector, and 0.5 for a pipeline.
    min_duration : float, default=None
        Shortest event in seconds. None accepts half of the shortest training event of a class.
    labels : sequence, default=None
        Classes that are reported. None reports all.
    window : float, default=None
        Length in seconds of the windows in which a pipeline classifies the whole recording. None uses the
        parts that stand out. Not for detectors, which know their windows.
    hop : float, default=None
        Seconds between windows. None uses half a window for a pipeline, and a third for a detector.
    on_error : {"raise", "warn"}, default="raise"
        How to handle recordings that cannot be read: raise the error, or leave them out with a warning.
    allow_truncated : bool, default=None
        Whether recordings that were cut off are used as far as they can be decoded. None uses the parameter
        of the model.
    n_threads : int, default=None
        Number of threads that compute spectrograms. None uses the parameter of the model.

    Returns
    -------
    DataFrame
        Columns path, start, end, label, probability; times in seconds. Events of one recording do not
        overlap. Sorted by recording, then start. For sound in memory, path is ``"<sound 0>"`` and so on.

    Raises
    ------
    AudioLoadError
        If a recording cannot be read and `on_error` is "raise".
    ValueError, TypeError
        If a parameter is invalid, or a label is no class of the model.

    See Also
    --------
    iter_detections : The same, one recording after the other.
    EventDetector : Detector with an example.
    """
    several = not (is_path(recordings) or is_file_part(recordings) or is_sound(recordings))
    found = [
        events
        for _, events in iter_detections(
            model,
            recordings if several else [recordings],
            threshold=threshold,
            min_duration=min_duration,
            labels=labels,
            window=window,
            hop=hop,
            on_error=on_error,
            allow_truncated=allow_truncated,
            n_threads=n_threads,
        )
    ]
    filled = [events for events in found if len(events)]
    return pd.concat(filled, ignore_index=True) if filled else _empty()


def iter_detections(
    model: Any,
    recordings: Iterable[Any],
    *,
    threshold: float | Mapping[Any, float] | None = None,
    min_duration: float | None = None,
    labels: Sequence[Any] | None = None,
    window: float | None = None,
    hop: float | None = None,
    on_error: Literal["raise", "warn"] = "raise",
    allow_truncated: bool | None = None,
    n_threads: int | None = None,
) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Find the events of recordings one after the other.

    Parameters
    ----------
    model : EventDetector or Pipeline
        As in :func:`detect_events`.
    recordings : iterable
        Recordings in any form. A part ``(path, start, end)`` gives the events that start in it. Sound around
        the part is read, too, so that adjacent parts together give the events of the whole.
    threshold, min_duration, labels, window, hop, on_error, allow_truncated, n_threads
        As in :func:`detect_events`.

    Yields
    ------
    recording : object
        As passed. Recordings that cannot be read are left out if `on_error` is "warn".
    events : DataFrame
        As in :func:`detect_events`.

    Raises
    ------
    AudioLoadError
        If a recording cannot be read and `on_error` is "raise".
    ValueError, TypeError
        If a parameter is invalid.
    """
    if on_error not in ("raise", "warn"):
        raise ValueError(f"on_error={on_error!r}; expected 'raise' or 'warn'")
    search = make_search(model, window=window, hop=hop, allow_truncated=allow_truncated, n_threads=n_threads)
    selection = _Selection(search, threshold, min_duration, labels)
    return _iterate(search, recordings, selection, on_error)


def _iterate(
    search: Search, recordings: Iterable[Any], selection: "_Selection", on_error: str
) -> Iterator[tuple[Any, pd.DataFrame]]:
    for number, recording in enumerate(recordings):
        name = _name(recording, number)
        try:
            found = search.find(recording)
        except AudioLoadError as error:
            if on_error == "raise":
                raise
            warnings.warn(f"{error}; this recording is left out", AudioLoadWarning, stacklevel=3)
            continue
        yield recording, selection.table(found, name)


def window_probabilities(
    model: Any,
    recording: Any,
    *,
    window: float | None = None,
    hop: float | None = None,
    allow_truncated: bool | None = None,
    n_threads: int | None = None,
) -> WindowProbabilities:
    """Compute the probabilities of the event classes over time.

    Parameters
    ----------
    model : EventDetector or Pipeline
        As in :func:`detect_events`.
    recording : path, tuple or dict
        One recording.
    window : float, default=None
        Length of the windows in seconds, for a pipeline. None uses a second.
    hop, allow_truncated, n_threads
        As in :func:`detect_events`.

    Returns
    -------
    WindowProbabilities
        Times, probabilities of shape (n_windows, n_classes), and classes.

    Raises
    ------
    AudioLoadError
        If the recording cannot be read.
    ValueError, TypeError
        If a parameter is invalid.
    """
    search = make_search(model, window=window, hop=hop, allow_truncated=allow_truncated, n_threads=n_threads)
    times, probabilities = search.curve(recording)
    return WindowProbabilities(times, probabilities, search.classes)


def make_search(
    model: Any,
    *,
    window: float | None,
    hop: float | None,
    allow_truncated: bool | None,
    n_threads: int | None,
) -> Search:
    """Return the search that a model is used for."""
    for name, value in (("window", window), ("hop", hop)):
        if value is not None and (not isinstance(value, Real) or isinstance(value, bool) or not value > 0):
            raise ValueError(f"{name}={value!r}; expected seconds above 0, or None")
    if isinstance(model, EventDetector):
        check_is_fitted(model)
        if window is not None:
            raise ValueError(
                f"window={window}; a detector has learned its windows ({model.windows_[0]:.2f} s): pass "
                "None, or fit EventDetector(window=...)"
            )
        return DetectorSearch(model, hop=hop, allow_truncated=allow_truncated, n_threads=n_threads)
    return PipelineSearch(model, window=window, hop=hop, allow_truncated=allow_truncated, n_threads=n_threads)


class _Selection:
    """Choice of the events that are reported."""

    def __init__(
        self,
        search: Search,
        threshold: float | Mapping[Any, float] | None,
        min_duration: float | None,
        labels: Sequence[Any] | None,
    ) -> None:
        self.search = search
        self.names = search.classes.tolist()
        given: Mapping[Any, Any] = threshold if isinstance(threshold, Mapping) else {}
        wanted = list(self.names if labels is None else [labels] if isinstance(labels, str) else labels)
        unknown = [label for label in [*given, *wanted] if label not in self.names]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no class of the model; expected one of {self.names}")
        values: list[Any] = [given.get(name, search.thresholds[name]) for name in self.names]
        if threshold is not None and not isinstance(threshold, Mapping):
            values = [threshold] * len(self.names)
        for value in values:
            if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) <= 1:
                raise ValueError(f"threshold={threshold!r}; expected probabilities between 0 and 1")
        if min_duration is not None and not (isinstance(min_duration, Real) and float(min_duration) >= 0):
            raise ValueError(f"min_duration={min_duration!r}; expected seconds, 0 at least")
        self.thresholds = np.array(values, dtype=float)
        self.reported = np.array([name in wanted for name in self.names])
        self.min_duration = 0.0 if min_duration is None else float(min_duration)

    def table(self, found: Sequence[Candidate], name: str) -> pd.DataFrame:
        """Return the reported events as a table."""
        step = self.search.frame_seconds
        rows = [
            (name, *event_times(one, step), self.names[one.code], one.probability)
            for one in found
            if self.reported[one.code]
            and one.probability >= self.thresholds[one.code]
            and np.diff(event_times(one, step))[0] >= self.min_duration
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS)) if rows else _empty()


def event_times(candidate: Candidate, step: float) -> tuple[float, float]:
    """Return the start and end of an event in seconds, without the spread of its frames.

    The activity is smoothed over three frames, and a frame is about two steps long.
    """
    return (candidate.start + 0.5 * (candidate.start > 0)) * step, (candidate.end - 1) * step


def _empty() -> pd.DataFrame:
    types = {"path": object, "start": float, "end": float, "label": object, "probability": float}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})


def _name(recording: Any, number: int) -> str:
    if is_path(recording):
        return os.fspath(recording)
    return as_file_part(recording).path if is_file_part(recording) else f"<sound {number}>"
