"""Searches of many recordings: one after the other, in processes, or on a Dask cluster."""

import heapq
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from skfewaudio.audio import audio_info
from skfewaudio.exceptions import AudioLoadError

from ._tasks import NO_EVENTS, Found, Task, search_task

__all__ = ["NO_EVENTS", "Found", "Searches", "Task", "search_task"]

PART_SECONDS = 600.0  # parts of long recordings; sound around a part is read twice, so parts are not shorter

OVERLAP = 0.05  # seconds by which events of one recording may overlap, because of frames


@dataclass
class Searches:
    """Searches of recordings.

    Parameters
    ----------
    model : EventDetector or fitted pipeline
        Model that finds the events.
    options : mapping of str to object
        Options of :func:`detect_events`, except `on_error` and `n_threads`.
    n_jobs : int or None, default=None
        Number of processes; -1 is one per core. With ``scheduler="local"``, the number of workers. None is 1,
        or one worker per core.
    scheduler : str or None, default=None
        Address of a Dask scheduler, or ``"local"`` to start workers on this machine. None uses no Dask.
    """

    model: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    n_jobs: int | None = None
    scheduler: str | None = None

    @property
    def is_parallel(self) -> bool:
        """Whether recordings are searched in other processes."""
        return self.scheduler is not None or self.n_jobs not in (None, 1)

    def iter(
        self, recordings: Sequence[str], *, ordered: bool, on_part: Any = lambda task: None
    ) -> Generator[Found, None, None]:
        """Search recordings.

        Parameters
        ----------
        recordings : sequence of str
            Paths.
        ordered : bool
            Yield in the order of `recordings`, not as soon as one is done.
        on_part : callable, default=None
            Called with each task that is done.

        Yields
        ------
        Found
            Once for each recording.

        Raises
        ------
        WorkerDiedError
            If a process died.
        """
        found = self._join_parts(recordings, on_part)
        yield from (one for _, one in (_in_order(found) if ordered else found))

    def _join_parts(self, recordings: Sequence[str], on_part: Any) -> Iterator[tuple[int, Found]]:
        """Yield each recording when all of its parts are done."""
        waiting: dict[int, list[tuple[Task, Found]]] = {}
        for task, found in self._run(_divide(recordings) if self.is_parallel else _whole(recordings)):
            on_part(task)
            if task.part is None:
                yield task.index, found
                continue
            parts = waiting.setdefault(task.index, [])
            parts.append((task, found))
            if sum(one.share for one, _ in parts) > 1 - 1e-9:
                yield task.index, self._join(waiting.pop(task.index))

    def _join(self, parts: list[tuple[Task, Found]]) -> Found:
        """Join the parts of a recording; a recording with a part that cannot be read is searched whole.

        If a file was cut off, its header promises parts that are not there.
        """
        recording = parts[0][0].recording
        if any(found.error for _, found in parts):
            return search_task(self.model, Task(0, recording), self.options, None)
        ordered = [found for _, found in sorted(parts, key=_start_of)]
        events = _concatenate([found.events for found in ordered if found.events is not None])
        notes = dict.fromkeys(note for found in ordered for note in found.notes)
        return Found(recording, events.assign(path=recording), None, tuple(notes))

    def _run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Found]]:
        """Run tasks where they are to run, and yield each as soon as it is done."""
        if self.scheduler is not None:
            from ._dask_workers import run_on_cluster

            yield from run_on_cluster(self.model, tasks, self.options, self.scheduler, self.n_jobs)
        elif self.is_parallel:
            from ._processes import run_in_processes

            yield from run_in_processes(self.model, tasks, self.options, self.n_jobs or 1)
        else:
            for task in tasks:
                yield task, search_task(self.model, task, self.options, None)


def _in_order(found: Iterator[tuple[int, Found]]) -> Iterator[tuple[int, Found]]:
    """Yield numbered items in the order of their numbers."""
    waiting: list[tuple[int, Found]] = []
    position = 0
    for item in found:
        heapq.heappush(waiting, item)
        while waiting and waiting[0][0] == position:
            yield heapq.heappop(waiting)
            position += 1


def _concatenate(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Join the events of consecutive parts; an event that began in the part before is not taken again."""
    kept: list[pd.DataFrame] = []
    last = 0.0
    for table in tables:
        new = table[table["start"] >= last - OVERLAP]
        if len(new):
            kept.append(new)
            last = float(new["end"].max())
    return pd.concat(kept, ignore_index=True) if kept else tables[0]


def _start_of(part: tuple[Task, Found]) -> float:
    """Return where a part starts, in seconds."""
    return part[0].part[1] if part[0].part else 0.0


def _whole(recordings: Sequence[str]) -> Iterator[Task]:
    return (Task(index, recording) for index, recording in enumerate(recordings))


def _divide(recordings: Sequence[str]) -> Iterator[Task]:
    """Yield a task for each recording, or for each part of a long one."""
    for index, recording in enumerate(recordings):
        seconds = _seconds_of(recording)
        n_parts = int(seconds // PART_SECONDS)
        if n_parts < 2:
            yield Task(index, recording)
            continue
        edges = [number * PART_SECONDS for number in range(n_parts)]
        for start, end in zip(edges, [*edges[1:], None], strict=True):
            share = ((seconds if end is None else end) - start) / seconds
            yield Task(index, recording, (recording, start, end), share)


def _seconds_of(recording: str) -> float:
    """Return the duration of a recording in seconds; 0 if it is unknown or surely short."""
    try:
        # A file with fewer bytes lasts less than two parts at 8 kbit/s; opening each file would take long.
        if Path(recording).stat().st_size < 2 * PART_SECONDS * 1000:
            return 0.0
        return audio_info(recording).duration or 0.0
    except (AudioLoadError, OSError, ValueError):  # the search raises the error, and names the file
        return 0.0
