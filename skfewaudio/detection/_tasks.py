"""Search of one recording, or of a part of it, in this process or in a worker."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from skfewaudio._threads import limit_threads
from skfewaudio.exceptions import AudioLoadError

from ._detect import COLUMNS, detect_events

DIGITS = {"start": 3, "end": 3, "probability": 6}  # frames are longer than a millisecond
Part = tuple[str, float, float | None]
Note = tuple[str, type[Warning]]  # message and category of a warning
NO_EVENTS = pd.DataFrame({name: [] for name in COLUMNS}).astype({"path": object, "label": object})


@dataclass(frozen=True)
class Task:
    """A recording, or a part of it, to search.

    Parameters
    ----------
    index : int
        Position of the recording.
    recording : str
        Path.
    part : tuple of (str, float, float or None) or None
        Part of the recording in seconds. None for the whole.
    share : float
        Share of the recording that the task searches.
    """

    index: int
    recording: str
    part: Part | None = None
    share: float = 1.0


class Found(NamedTuple):
    """Events of a recording.

    Attributes
    ----------
    recording : str
        Path.
    events : DataFrame or None
        Columns path, start, end, label, probability. None if the recording could not be read.
    error : str or None
        Reason why the recording could not be read.
    notes : tuple of (str, type)
        Messages and categories of warnings.
    """

    recording: str
    events: pd.DataFrame | None
    error: str | None = None
    notes: tuple[Note, ...] = ()


def search_task(model: Any, task: Task, options: Mapping[str, Any], n_threads: int | None) -> Found:
    """Find the events of a recording or part; a recording that cannot be read has an error instead.

    Each step of the model uses at most `n_threads` threads, so that the workers of a machine do not compete
    for its cores. None sets no limit.
    """
    events, error = None, None
    with limit_threads(n_threads), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            events = detect_events(
                model, [task.part or task.recording], on_error="raise", n_threads=n_threads, **options
            ).round(DIGITS)
        except AudioLoadError as raised:
            error = str(raised)
    notes = dict.fromkeys((str(note.message), note.category) for note in caught)
    return Found(task.recording, events, error, tuple(notes))


def size_of(recording: str | os.PathLike[str]) -> int:
    """Return the size of a file in bytes, which estimates its duration; 0 if it is missing."""
    try:
        return Path(recording).stat().st_size
    except (OSError, ValueError):
        return 0
