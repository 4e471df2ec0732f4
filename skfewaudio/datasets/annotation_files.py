"""Files of annotations: one for each recording, in folders as the recordings lie, or one of all."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path, PurePath

import pandas as pd

from skfewaudio._files import write_file
from skfewaudio._missing import is_missing
from skfewaudio.audio import audio_suffixes

from ._annotation_formats.writers import FORMATS, Annotation, encode

__all__ = [
    "SUFFIXES",
    "Annotation",
    "FileNames",
    "as_annotations",
    "check_format",
    "common_folder",
    "format_annotations",
    "write_annotations",
]

SUFFIXES = {"csv": ".csv", "audacity": ".txt", "raven": ".selections.txt"}
NEEDED = ("path", "start", "end", "label")


def check_format(name: str) -> str:
    """Return the name of a format; raise ValueError if it is unknown."""
    if name not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(map(repr, FORMATS))}; got {name!r}")
    return name


def as_annotations(table: pd.DataFrame) -> list[Annotation]:
    """Check the columns and times of a table, and return its rows."""
    missing = [name for name in NEEDED if name not in table]
    if missing:
        raise ValueError(
            f"the table has no column {' and no column '.join(missing)}; its columns are "
            f"{', '.join(map(str, table.columns))}. Expected path, start, end and label"
        )
    probabilities = table["probability"] if "probability" in table else [None] * len(table)
    columns = [table[name] for name in NEEDED]
    return [_check_row(number, *row) for number, row in enumerate(zip(*columns, probabilities, strict=True))]


def format_annotations(table: pd.DataFrame, format: str, *, with_header: bool = True) -> str:
    """Return a table with probabilities as text in a format, for one recording or, in CSV, for several."""
    return FORMATS[format](as_annotations(table), with_probability=True, with_header=with_header)


def write_annotations(
    rows: Sequence[Annotation],
    path: Path,
    format: str,
    *,
    with_probability: bool = True,
    clean: bool = True,
) -> None:
    """Write a file whole, or not at all; folders are created.

    Parameters
    ----------
    rows : sequence of Annotation
        Parts of one recording, or of several for CSV.
    path : Path
        File to write.
    format : {"csv", "audacity", "raven"}
        Format of the file.
    with_probability : bool, default=True
        Write the probabilities, if the format has them.
    clean : bool, default=True
        As in :func:`~skfewaudio._files.replace_file`.
    """
    content = encode(FORMATS[format](rows, with_probability=with_probability))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, content, clean=clean)


class FileNames:
    """Names for the files that belong to recordings, in folders as the recordings lie.

    Parameters
    ----------
    root : str
        Folder that the names are relative to.

    Examples
    --------
    >>> from skfewaudio.datasets.annotation_files import FileNames
    >>> names = FileNames("recordings")
    >>> [names.add(f"recordings/{name}") for name in ("site1/night.wav", "site1/night.flac", "day.wav")]
    ['site1/night', 'site1/night.flac', 'day']
    """

    def __init__(self, root: str) -> None:
        self._root = os.path.abspath(root)  # noqa: PTH100
        self._taken: set[str] = set()

    def reserve(self, name: str) -> None:
        """Keep a name from being used again."""
        self._taken.add(name.casefold())  # many file systems ignore case

    def add(self, recording: str) -> str:
        """Return a new name, without a suffix: that of the recording, longer if it is taken."""
        name = next(name for name in self._candidates(recording) if name.casefold() not in self._taken)
        self.reserve(name)
        return name

    def _candidates(self, recording: str) -> Iterator[str]:
        relative = os.path.relpath(os.path.abspath(recording), self._root)  # noqa: PTH100
        whole = PurePath(*(part for part in PurePath(relative).parts if part not in ("..", os.sep)))
        if whole.suffix.lower() in audio_suffixes():
            yield whole.with_suffix("").as_posix()
        yield whole.as_posix()
        yield from (f"{whole.as_posix()}-{number}" for number in count(2))


def common_folder(paths: Iterable[str]) -> str:
    """Return the deepest folder that contains all files."""
    folders = {os.path.dirname(os.path.abspath(path)) for path in paths}  # noqa: PTH100, PTH120
    try:
        return os.path.commonpath(folders)
    except ValueError:  # several drives of Windows
        return os.sep


def _check_row(
    number: int, path: object, start: float, end: float, label: object, probability: float | None
) -> Annotation:
    first = 0.0 if is_missing(start) else float(start)
    last = None if is_missing(end) else float(end)
    if not 0 <= first < float("inf") or (last is not None and not first <= last < float("inf")):
        raise ValueError(
            f"row {number} of the table, of {path}, is from {start} to {end}; expected 0 <= start <= end, in "
            "seconds"
        )
    name = os.fspath(path) if isinstance(path, os.PathLike) else str(path)
    return Annotation(
        name, first, last, str(label), None if is_missing(probability) else float(probability or 0.0)
    )
