"""Loader of annotation files: label tracks, selection tables and TextGrids."""

import math
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import numpy as np

from skfewaudio.exceptions import DatasetNotFoundError

from ._annotation_formats.audacity import looks_like_audacity, parse_audacity
from ._annotation_formats.events import Event, Options
from ._annotation_formats.raven import looks_like_raven, parse_raven
from ._annotation_formats.recordings import RecordingFinder, stems_of
from ._annotation_formats.table import looks_like_table, parse_table
from ._annotation_formats.textgrid import looks_like_textgrid, parse_textgrid
from ._base import AudioDataset
from ._home import PathLike, expand_user, is_audio, join_first
from ._labels import clean_label, warn_of_similar_labels
from ._listing import visible_files
from ._reading.lookup import key_of
from ._reading.rows import dataset_from_rows
from ._reading.text import read_text
from ._tables import OnMissing
from ._warnings import warn_user

Format = Literal["auto", "audacity", "raven", "textgrid", "table"]

# The first format that looks like the content of a file is used.
_FORMATS: dict[str, tuple[Callable[[str], bool], Callable[[str, Path, Options], list[Event]]]] = {
    "textgrid": (looks_like_textgrid, parse_textgrid),
    "raven": (looks_like_raven, parse_raven),
    "audacity": (looks_like_audacity, parse_audacity),
    "table": (looks_like_table, parse_table),
}
_EXPECTED = (
    "expected a label track of Audacity, a selection table of Raven, a TextGrid of Praat, or a table with "
    "the columns start, end and label"
)
_SUFFIXES = frozenset({".csv", ".textgrid", ".tsv", ".txt"})


def load_annotations(
    paths: PathLike | Sequence[PathLike],
    *,
    audio: PathLike | Sequence[PathLike] | None = None,
    audio_root: PathLike | None = None,
    format: Format = "auto",
    label_column: str | None = None,
    tier: str | Sequence[str] | None = None,
    point_duration: float | None = None,
    encoding: str | None = None,
    on_missing: OnMissing = "raise",
) -> AudioDataset:
    r"""Load the labelled parts of recordings from files of annotations.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Files of annotations, or a folder. In a folder and its subfolders, all files with the suffixes .txt,
        .TextGrid, .csv and .tsv are read that are in a known format.
    audio : path-like, sequence of path-like or None, default=None
        The recording of each file. None uses the recording that the file names or, if it names none, the
        recording of the same name: ``night.wav`` for ``night.txt``, ``night.TextGrid``, ``night.labels.txt``
        and ``night.Table.1.selections.txt``.
    audio_root : path-like or None, default=None
        The folder in which recordings are searched. None uses the folder of each file of annotations.
    format : {"auto", "audacity", "raven", "textgrid", "table"}, default="auto"
        Label tracks of Audacity, selection tables of Raven, TextGrids of Praat, or tables with columns named
        start, end, label and, optionally, path. "auto" decides for each file by its content.
    label_column : str or None, default=None
        Name of the column of labels in selection tables and tables. None uses the only filled column with a
        usual name, such as Annotation, Species, label, "Common Name".
    tier : str, list of str or None, default=None
        Names of the tiers of a TextGrid that are read. None uses the only interval tier with labels.
    point_duration : float or None, default=None
        Duration in seconds of the clips that are cut around labels at a point in time. None leaves these out
        with a warning.
    encoding : str or None, default=None
        Encoding of the files. None uses their byte order mark or, if they have none, UTF-8 or else
        Windows-1252.
    on_missing : {"raise", "warn", "ignore", "keep"}, default="raise"
        How to handle labels without a recording: raise an error, leave them out with or without a warning, or
        keep them for :func:`find_unreadable`. If no label has a recording, an error is raised.

    Returns
    -------
    AudioDataset
        Clips ``(path, start, end)`` in the order of the files, their labels, and the recordings as groups.

    Raises
    ------
    DatasetNotFoundError
        If a file, or the recording of a label, is not found.
    ValueError
        If a file is in none of the formats or damaged, its labels or times cannot be determined, a recording
        has several candidates, or there are no labels.

    Warns
    -----
    UserWarning
        If parts without a label, points in time or repeated parts are left out, or labels differ only in case
        or white space.

    See Also
    --------
    load_csv : Load one table of all recordings.

    Notes
    -----
    Selections that Raven lists for several views or channels are read once. If several files were opened as
    one sequence, the column File Offset (s) is used. Point tiers and empty intervals of TextGrids are
    ignored.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skfewaudio.datasets import load_annotations
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "night.wav").write_bytes(b"")
    ...     _ = Path(folder, "night.txt").write_text("1.5\t2.75\towl\n8.0\t9.25\tfox\n")
    ...     dataset = load_annotations(Path(folder, "night.txt"))
    >>> dataset
    <AudioDataset night: 2 clips from 1 files, 2 classes, 1 recordings>
    >>> dataset.y
    array(['owl', 'fox'], dtype='<U3')
    """
    if format != "auto" and format not in _FORMATS:
        raise ValueError(f"format must be 'auto', {', '.join(map(repr, _FORMATS))}; got {format!r}")
    files = _list_files(paths, encoding)
    recordings = _match_audio(audio, files)
    options = Options(label_column, [tier] if isinstance(tier, str) else tier)
    read = _read_files(files, format, options, encoding)
    events = _select_clips(read, point_duration)
    _check_recordings(recordings, read)
    source = _describe(files)
    if not events:
        raise ValueError(f"{source}: no part of a recording has a label")
    labels = [event.label for _, event in events]
    warn_of_similar_labels(labels, source)
    finder = RecordingFinder(None if audio_root is None else expand_user(audio_root))
    return dataset_from_rows(
        [recordings.get(file) or finder.find(event, file) for file, event in events],
        (np.array(labels, dtype=str), None),
        times=[(event.start, event.end) for _, event in events],
        lines=[event.place for _, event in events],
        source=source,
        lookup=finder.lookup(files[0]),
        on_missing=on_missing,
        on_extra="ignore",
        name=stems_of(files[0])[-1] if len(files) == 1 else files[0].parent.name,
    )


def _list_files(paths: PathLike | Sequence[PathLike], encoding: str | None) -> list[Path]:
    """Return the files of annotations; a folder stands for the files of known formats in it."""
    if not isinstance(paths, str | os.PathLike):
        files = [expand_user(path) for path in paths]
        if not files:
            raise ValueError("paths is empty; expected files of annotations")
        return files
    path = expand_user(paths)
    if not path.is_dir():
        return [path]
    files = [file for file in visible_files(path) if file.suffix.lower() in _SUFFIXES]
    known = [file for file in files if find_format(read_text(file, encoding)) is not None]
    if not known:
        raise DatasetNotFoundError(f"{path} holds no files of annotations; {_EXPECTED}")
    if len(known) < len(files):
        others = [file for file in files if file not in set(known)]
        warn_user(f"{len(others)} files are no annotations and are left out: {join_first(others)}")
    return known


def find_annotations(folder: Path) -> list[Path]:
    """Return the files of Audacity, Raven or Praat in a folder that are named after a recording beside them.

    Files without annotations, and tables, are not enough to tell a folder of annotated recordings.
    """
    files = visible_files(folder)
    sounds = {(file.parent, key_of(file.stem)) for file in files if is_audio(file)}
    texts = [file for file in files if file.suffix.lower() in _SUFFIXES]
    beside = [file for file in texts if any((file.parent, key_of(stem)) in sounds for stem in stems_of(file))]
    return [file for file in beside if _is_of_program(file)]


def _is_of_program(file: Path) -> bool:
    """Return whether a file has annotations in the format of a program."""
    with warnings.catch_warnings(), suppress(OSError, ValueError):  # loading the file raises the error
        warnings.simplefilter("ignore")
        text = read_text(file)
        return bool(text.strip()) and find_format(text) in ("textgrid", "raven", "audacity")
    return False


def _match_audio(audio: PathLike | Sequence[PathLike] | None, files: Sequence[Path]) -> dict[Path, str]:
    """Return the recordings that are given for the files."""
    if audio is None:
        return {}
    recordings = [audio] if isinstance(audio, str | os.PathLike) else list(audio)
    if len(recordings) != len(files):
        raise ValueError(
            f"audio has {len(recordings)} recordings for {len(files)} files; expected one for each"
        )
    return {file: str(expand_user(path)) for file, path in zip(files, recordings, strict=True)}


def _check_recordings(recordings: dict[Path, str], events: Sequence[tuple[Path, Event]]) -> None:
    """Raise if one recording is given for a file that names several."""
    named: dict[Path, set[str]] = {file: set() for file in recordings}
    for file, event in events:
        if file in named and event.audio:
            named[file].add(event.audio[-1])
    for file, names in named.items():
        if len(names) > 1:
            raise ValueError(
                f"{file} names {len(names)} recordings: {join_first(sorted(names))}. Pass audio_root, their "
                "folder, instead of audio"
            )


def _read_files(
    files: Sequence[Path], format: Format, options: Options, encoding: str | None
) -> list[tuple[Path, Event]]:
    """Return the events of each file, with their places in the files."""
    events: list[tuple[Path, Event]] = []
    for file in files:
        text = read_text(file, encoding)
        chosen = find_format(text) if format == "auto" else format
        if chosen is None:
            first = next((line.strip() for line in text.splitlines() if line.strip()), "")
            raise ValueError(f"{file} is in no known format: its first line is {first[:80]!r}; {_EXPECTED}")
        parse = _FORMATS[chosen][1]
        for event in parse(text, file, options) if text.strip() else []:
            place = f"{file.name}, {event.place}" if len(files) > 1 else event.place
            events.append((file, event._replace(label=clean_label(event.label), place=place)))
    return events


def find_format(text: str) -> str | None:
    """Return the name of the format of a text; an empty text is a label track without labels."""
    if not text.strip():
        return "audacity"
    return next((name for name, (looks_like, _) in _FORMATS.items() if looks_like(text)), None)


def _select_clips(
    events: Sequence[tuple[Path, Event]], point_duration: float | None
) -> list[tuple[Path, Event]]:
    """Return the events with a label and a duration, after a warning that names the others."""
    unlabelled = [event.place for _, event in events if not event.label]
    points = [event.place for _, event in events if event.label and event.end == event.start]
    if unlabelled:
        warn_user(f"{len(unlabelled)} parts have no label and are left out: {join_first(unlabelled)}")
    if points and point_duration is None:
        warn_user(
            f"{len(points)} labels are at a point in time and are left out: {join_first(points)}. Pass "
            "point_duration, in seconds, to cut clips around them"
        )
    if point_duration is not None:
        events = [(file, _widen(event, point_duration)) for file, event in events]
    return [(file, event) for file, event in events if event.label and event.end != event.start]


def _widen(event: Event, duration: float) -> Event:
    """Return an event at a point in time as a part of a recording around it."""
    if not 0 < duration < math.inf:
        raise ValueError(f"point_duration={duration!r} must be a positive number of seconds")
    if event.end != event.start:
        return event
    start = max(0.0, event.start - duration / 2)
    return event._replace(start=start, end=start + duration)


def _describe(files: Sequence[Path]) -> str:
    """Return what errors call the files."""
    return str(files[0]) if len(files) == 1 else f"{len(files)} files of annotations"
