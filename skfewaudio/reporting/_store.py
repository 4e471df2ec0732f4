"""Storage of result rows in JSON Lines files."""

import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import IO, Any

import pandas as pd

from skfewaudio._files import locked, open_regular, read_regular, sync_folder, write_all
from skfewaudio._json import parse_json, to_json_value

KEY_COLUMNS = ("dataset", "pipeline", "n_shots", "repeat", "fold", "metric")
BLOCK = 2**16  # bytes read at a time to find the last line


class ResultStore:
    """Store of result rows in a JSON Lines file that survives if the process is killed or the disk is full.

    Each call of `append` writes all of its rows or none, and flushes them to disk. pandas can read the file
    without skfewaudio: ``pandas.read_json(path, lines=True)``.

    Parameters
    ----------
    path : path-like
        The file. It and its directory are created by the first `append`. If the last line of an existing file
        is incomplete because a process was killed, a warning is issued: `frame` ignores the line, and the
        next `append` removes it.
    key : sequence of str, default=("dataset", "pipeline", "n_shots", "repeat", "fold", "metric")
        Columns that every row must have and that together identify a row.

    Warns
    -----
    UserWarning
        If the last line of the file is incomplete.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skfewaudio.reporting import ResultStore
    >>> row = {"dataset": "toy", "pipeline": "1-nn", "n_shots": 1, "repeat": 0, "fold": 0}
    >>> with TemporaryDirectory() as folder:
    ...     store = ResultStore(f"{folder}/results.jsonl")
    ...     store.append([row | {"metric": "accuracy", "value": 0.5}])
    ...     store.frame()
      dataset pipeline  n_shots  repeat  fold    metric  value
    0     toy     1-nn        1       0     0  accuracy    0.5
    """

    def __init__(self, path: str | PathLike[str], *, key: Sequence[str] = KEY_COLUMNS) -> None:
        self.path = Path(path)
        self.key = list(key)
        if self.path.exists():
            # With the lock, a row that another process is writing is not taken for the rest of one.
            with open_regular(self.path) as file, locked(file):
                is_incomplete = _end_of_lines(file) < file.seek(0, os.SEEK_END)
            if is_incomplete:
                warnings.warn(f"{self.path}: the last row is incomplete and is ignored", stacklevel=2)

    def __repr__(self) -> str:
        return f"ResultStore({str(self.path)!r})"

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows, all or none.

        Parameters
        ----------
        rows : iterable of dict
            Rows with the columns of the key and any other columns. NaN and infinity are stored as null.

        Raises
        ------
        ValueError
            If a row lacks a column of the key; no row is written then.
        OSError
            If the file cannot be written, for example because the disk is full; no row is written then.
        """
        lines = "".join(json.dumps(_to_json_row(row, self.key)) + "\n" for row in rows).encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists()
        with open_regular(self.path, "a+b", buffering=0) as file, locked(file):
            end = _end_of_lines(file)
            try:
                file.truncate(end)  # a process was killed while writing a row
                write_all(file, lines)
                os.fsync(file.fileno())
            except BaseException as error:
                with suppress(OSError):
                    file.truncate(end)
                if isinstance(error, OSError):
                    raise OSError(error.errno, error.strerror, str(self.path)) from error
                raise
        if is_new:
            sync_folder(self.path.parent)

    def frame(self) -> pd.DataFrame:
        """Read all rows.

        Returns
        -------
        DataFrame
            All rows; empty, with the columns of the key, before the first `append`. Of rows with the same
            key, the last one is kept.

        Raises
        ------
        ValueError
            If a line is not a row. The message names the line and the remedy.
        OSError
            If the file cannot be read, or is not a regular file.
        """
        rows = []
        if self.path.exists():
            *lines, _ = read_regular(self.path).split(b"\n")
            rows = [self._parse(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
        frame = pd.DataFrame(rows, columns=None if rows else self.key)
        return frame.drop_duplicates(self.key, keep="last", ignore_index=True)

    def _parse(self, number: int, line: bytes) -> dict[str, Any]:
        """Parse one line."""
        try:
            return _check_row(parse_json(line), self.key)
        except ValueError as error:
            raise ValueError(
                f"{self.path}: line {number} {error}. Remove this line; a benchmark then computes its result "
                "again"
            ) from error


def _end_of_lines(file: IO[bytes]) -> int:
    """Return the number of bytes up to the end of the last complete line."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _check_row(row: Any, key: list[str]) -> dict[str, Any]:
    """Return a row if it is an object with a plain value in each column of the key."""
    if not isinstance(row, dict):
        raise ValueError(f"is not a row: expected a JSON object; got {_shorten(row)}")
    missing = [name for name in key if name not in row]
    if missing:
        raise ValueError(f"is not a row: it lacks {', '.join(missing)}")
    nested = [name for name in key if isinstance(row[name], dict | list)]
    if nested:
        raise ValueError(f"is not a row: expected one value of {nested[0]}; got {_shorten(row[nested[0]])}")
    return row


def _shorten(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _to_json_row(row: Mapping[str, Any], key: list[str]) -> dict[str, Any]:
    """Check the key of a row and convert its values to JSON types; NaN and infinity become null."""
    missing = [name for name in key if name not in row]
    if missing:
        raise ValueError(f"a row of results lacks {', '.join(missing)}; got {dict(row)!r}")
    return to_json_value(row)
