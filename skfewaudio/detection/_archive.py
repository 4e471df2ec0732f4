"""Detection in archives: results for each recording as they come, resumed after an interruption."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import pandas as pd

from skfewaudio._files import remove_stale, write_file
from skfewaudio._json import to_json_value
from skfewaudio._names import as_cell, as_path_cell
from skfewaudio._version import __version__
from skfewaudio.audio.clips import is_path
from skfewaudio.datasets import list_audio_files
from skfewaudio.datasets.annotation_files import (
    SUFFIXES,
    Annotation,
    FileNames,
    check_format,
    common_folder,
    write_annotations,
)

from ._detect import COLUMNS
from ._journal import Entry, Journal, Row, stamp_of
from ._progress import Progress
from .searches import NO_EVENTS, Searches

TABLE = "detections.csv"
UNREADABLE = "unreadable.csv"


class ArchiveDetections(NamedTuple):
    """Result of a search of an archive.

    Attributes
    ----------
    events : DataFrame
        Columns path, start, end, label, probability: the events of all recordings in the folder.
    unreadable : dict of str to str
        Path and reason of each recording that could not be read.
    n_found_before : int
        Number of recordings that an earlier, interrupted search had finished.
    """

    events: pd.DataFrame
    unreadable: dict[str, str]
    n_found_before: int


def detect_archive(
    model: Any,
    recordings: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    formats: Sequence[str] = ("csv",),
    threshold: float | Mapping[Any, float] | None = None,
    min_duration: float | None = None,
    labels: Sequence[Any] | None = None,
    window: float | None = None,
    hop: float | None = None,
    allow_truncated: bool | None = None,
    model_digest: str | None = None,
    n_jobs: int | None = None,
    scheduler: str | None = None,
    progress: bool = True,
) -> ArchiveDetections:
    """Find the events of many recordings, and write them to a folder as they are found.

    Recordings that cannot be read are left out. If the search is interrupted, even by a crash, the same call
    resumes it, and the results are the same as without the interruption.

    Parameters
    ----------
    model : EventDetector or fitted pipeline
        As in :func:`detect_events`.
    recordings : path-like or iterable of path-like
        Sound files, or a folder of them.
    folder : path-like
        Folder of the results, which is created.
    formats : sequence of {"csv", "audacity", "raven"}, default=("csv",)
        Formats of the files for each recording, as in :func:`~skfewaudio.datasets.save_annotations`.
    threshold, min_duration, labels, window, hop, allow_truncated
        As in :func:`detect_events`.
    model_digest : str or None, default=None
        Text that identifies the model, such as the SHA-256 of its file. None computes it from the content of
        the model.
    n_jobs : int or None, default=None
        Number of processes; -1 is one per core. With ``scheduler="local"``, the number of workers. None is
        one process, or one worker per core.
    scheduler : str or None, default=None
        Address of a Dask scheduler, or ``"local"`` to start workers on this machine. None uses no Dask. The
        workers need the recordings under the same paths; only the calling process writes files.
    progress : bool, default=True
        Show the progress and the time left, if stderr is a terminal.

    Returns
    -------
    ArchiveDetections

    Raises
    ------
    ValueError
        If the folder holds results of another model, version or options, or is in use by another process; if
        there are no recordings, or a format is unknown.
    WorkerDiedError
        If a worker process died, or the scheduler cannot be reached. Call again to resume.
    OSError
        If a file cannot be written, or no scheduler answers.

    See Also
    --------
    detect_events : Find the events of recordings, without files.

    Notes
    -----
    The folder has

    - a folder for each format, such as ``audacity``, with a file for each recording,
    - ``detections.csv``, a table of all events, written when the search ends or is interrupted by Ctrl-C,
    - ``unreadable.csv``, a table of the recordings that cannot be read, if any, and
    - ``progress.jsonl``, a line of JSON for each recording that is done.

    Each file is written whole or not at all. A recording is done when its line has been written; a recording
    that has changed since is searched again. With processes or workers, parts of long recordings are searched
    in parallel.
    """
    names = [check_format(name) for name in formats]
    paths = _list_recordings(recordings)
    options = {
        "threshold": threshold,
        "min_duration": min_duration,
        "labels": labels,
        "window": window,
        "hop": hop,
        "allow_truncated": allow_truncated,
    }
    run = _describe_run(joblib.hash(model) if model_digest is None else model_digest, options)
    searches = Searches(model, options, n_jobs, scheduler)
    with Journal.open(Path(folder), run) as journal:
        archive = _Archive(Path(folder), names, journal, common_folder(paths))
        return archive.search(searches, paths, progress)


class _Archive:
    """Folder of results.

    Parameters
    ----------
    folder : Path
        Folder of the results.
    formats : list of str
        Formats of the files for each recording.
    journal : Journal
        Recordings that are done.
    root : str
        Folder of the recordings.
    """

    def __init__(self, folder: Path, formats: list[str], journal: Journal, root: str) -> None:
        self.folder = folder
        self.formats = formats
        self.journal = journal
        self._names = FileNames(root)
        for entry in journal.entries.values():
            self._names.reserve(entry.name)

    def search(self, searches: Searches, paths: list[str], show: bool) -> ArchiveDetections:
        """Search the recordings that are not done, and write the tables in any case."""
        entries = self.journal.entries
        stamps = {path: stamp_of(path) for path in paths}
        done = {path for path in paths if path in entries and entries[path].stamp == stamps[path]}
        left = [path for path in paths if path not in done]
        names = {path: entries[path].name if path in entries else self._names.add(path) for path in left}
        unreadable: dict[str, str] = {}
        try:
            self._complete(done)
            with (
                Progress(left, len(done), show) as bar,
                closing(searches.iter(left, ordered=False, on_part=bar.part_done)) as outcomes,
            ):
                for path, events, error, notes in outcomes:
                    if events is None:
                        unreadable[path] = str(error)
                    else:
                        self._keep(Entry(path, names[path], *stamps[path], _rows_of(events)))
                    bar.recording_done(notes, is_readable=events is not None)
        finally:
            table = self._write_tables(paths, unreadable)
        in_order = {path: unreadable[path] for path in left if path in unreadable}
        return ArchiveDetections(table, in_order, len(done))

    def _complete(self, done: Iterable[str]) -> None:
        """Write the files of finished recordings that are missing; remove the files of killed processes."""
        for format in self.formats:
            for folder, _, _ in os.walk(self.folder / format):
                remove_stale(Path(folder))
        for path in done:
            self._write_files(self.journal.entries[path], only_missing=True)

    def _keep(self, entry: Entry) -> None:
        """Write the files of a recording, then its line in the journal, which says that they are there."""
        self._write_files(entry)
        self.journal.append(entry)

    def _write_files(self, entry: Entry, *, only_missing: bool = False) -> None:
        """Write a file in each format."""
        rows = _annotations_of(entry)
        for format in self.formats:
            path = self.folder / format / f"{entry.name}{SUFFIXES[format]}"
            if not (only_missing and path.exists()):
                write_annotations(rows, path, format, clean=False)

    def _write_tables(self, paths: list[str], unreadable: dict[str, str]) -> pd.DataFrame:
        """Write the table of all events, and the table of unreadable recordings if there are any."""
        entries = self.journal.entries
        order = [path for path in dict.fromkeys((*paths, *entries)) if path in entries]
        annotations = [row for path in order for row in _annotations_of(entries[path])]
        write_annotations(annotations, self.folder / TABLE, "csv")
        if unreadable:
            rows = [(as_path_cell(path), as_cell(error)) for path, error in sorted(unreadable.items())]
            text = pd.DataFrame(rows, columns=["path", "error"]).to_csv(index=False, lineterminator="\r\n")
            write_file(self.folder / UNREADABLE, text.encode("utf-8", "surrogateescape"))
        else:
            (self.folder / UNREADABLE).unlink(missing_ok=True)
        return pd.DataFrame(annotations, columns=list(COLUMNS)) if annotations else NO_EVENTS.copy()


def _rows_of(events: pd.DataFrame) -> list[Row]:
    """Return start, end, label and probability of events, as precise as files are."""
    columns = [events[column].tolist() for column in COLUMNS[1:]]
    return [
        (round(start, 6), round(end, 6), str(label), round(probability, 6))
        for start, end, label, probability in zip(*columns, strict=True)
    ]


def _annotations_of(entry: Entry) -> list[Annotation]:
    """Return the events of a recording."""
    return [Annotation(entry.path, *row) for row in entry.rows]


def _list_recordings(recordings: Any) -> list[str]:
    """Return the paths of the recordings, each once."""
    if is_path(recordings):
        given = Path(recordings)
        return list_audio_files(given) if given.is_dir() else [os.fspath(recordings)]
    paths = list(recordings)
    odd = next((path for path in paths if not is_path(path)), None)
    if odd is not None:
        raise ValueError(f"recordings holds {odd!r}; expected paths of sound files")
    if not paths:
        raise ValueError("recordings is empty; expected paths of sound files, or a folder of them")
    return list(dict.fromkeys(map(os.fspath, paths)))


def _describe_run(digest: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be the same when the search is resumed, as JSON."""
    run = {"version": __version__, "model": digest, **options}
    return json.loads(json.dumps(to_json_value(run)))
