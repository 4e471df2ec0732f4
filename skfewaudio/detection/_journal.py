"""Journal of the searched recordings of a folder: which model, which options, which events."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from skfewaudio._files import open_regular, sync_folder, write_all
from skfewaudio._json import parse_json
from skfewaudio._names import escape

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME = "progress.jsonl"
Row = tuple[float, float, str, float]


class Entry(NamedTuple):
    """A recording that has been searched.

    Attributes
    ----------
    path : str
        Recording.
    name : str
        Name of its files, without suffix.
    size, time : int
        Size in bytes, and time of the last change in ns, when it was searched.
    rows : list of (float, float, str, float)
        Start, end, label and probability of each event.
    """

    path: str
    name: str
    size: int
    time: int
    rows: list[Row]

    @property
    def stamp(self) -> tuple[int, int]:
        """Size and time, by which a change of the recording is noticed."""
        return self.size, self.time


class Journal:
    """Journal of a folder; it is locked, and complete lines survive if the process is killed.

    Parameters
    ----------
    file : IO
        The file.
    path : Path
        Its name.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self.path = path
        self.entries: dict[str, Entry] = {}

    @classmethod
    @contextmanager
    def open(cls, folder: Path, run: Mapping[str, Any]) -> Iterator[Self]:
        """Open the journal of a folder, which is created, and read the recordings that are done.

        Parameters
        ----------
        folder : Path
            Folder of the results.
        run : mapping
            JSON values that must be the same when a search is resumed.

        Raises
        ------
        ValueError
            If the journal belongs to another model or other options, is damaged, or another process uses it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / NAME
        with open_regular(path, "a+b", buffering=0) as file:
            _lock(file, path)
            journal = cls(file, path)
            journal._read(dict(run))
            yield journal

    def append(self, entry: Entry) -> None:
        """Add a recording, and write it to the disk."""
        self.entries[entry.path] = entry
        self._write(entry._asdict())

    def _read(self, run: dict[str, Any]) -> None:
        """Read complete lines, and cut off an incomplete one that a killed process has left."""
        self._file.seek(0)
        *lines, rest = self._file.read().split(b"\n")
        if rest:
            self._file.truncate(sum(len(line) + 1 for line in lines))
        if len(lines) < 2:  # no recording is done
            self._file.truncate(0)
            self._write(run)
            sync_folder(self.path.parent)
            return
        _check_same(_parse(lines[0], self.path, 1), run, self.path)
        for number, line in enumerate(lines[1:], 2):
            try:
                entry = Entry(**_parse(line, self.path, number))
                entry = entry._replace(rows=[_as_row(*row) for row in entry.rows])
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"{self.path}, line {number}: is no searched recording ({error}); remove the line, and "
                    "its recording is searched again"
                ) from error
            self.entries[entry.path] = entry

    def _write(self, value: Any) -> None:
        try:
            write_all(self._file, json.dumps(value, allow_nan=False).encode() + b"\n")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error


def stamp_of(path: str) -> tuple[int, int]:
    """Return the size of a file and the time of its last change; -1 if it is missing."""
    try:
        state = Path(path).stat()
    except (OSError, ValueError):
        return -1, -1
    return state.st_size, state.st_mtime_ns


def _as_row(start: float, end: float, label: str, probability: float) -> Row:
    return float(start), float(end), str(label), float(probability)


def _parse(line: bytes, path: Path, number: int) -> dict[str, Any]:
    value = parse_json(line)
    if not isinstance(value, dict):
        raise ValueError(f"{path}, line {number}: expected a JSON object; got {line[:40]!r}")
    return value


def _check_same(old: dict[str, Any], new: dict[str, Any], path: Path) -> None:
    """Raise if the recordings so far were searched in another way."""
    names = [name for name in dict.fromkeys((*new, *old)) if old.get(name) != new.get(name)]
    if names:
        changes = [f"{name} was {_show(old.get(name))} and is {_show(new.get(name))}" for name in names]
        raise ValueError(
            f"{path.parent} holds the results of another search: {'; '.join(changes)}. Use the model and the "
            "options of the first search, or another folder"
        )


def _show(value: Any) -> str:
    """Return a value as text; a digest by its first digits."""
    text = value if isinstance(value, str) else json.dumps(value)
    return escape(re.sub("([0-9a-f]{12})[0-9a-f]{20,}", r"\1...", text))


def _lock(file: IO[bytes], path: Path) -> None:
    """Keep other processes from writing to the same folder, on systems and disks that have locks."""
    if fcntl is None:
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ValueError(f"{path.parent} is in use by another process; wait for its end") from error
    except OSError:  # a disk without locks
        return
