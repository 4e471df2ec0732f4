"""Storage of result rows in JSON Lines files."""

import json
import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

KEY_COLUMNS = ("dataset", "pipeline", "n_shots", "repeat", "fold", "metric")


class ResultStore:
    """Store of result rows in a JSON Lines file that survives if the process is killed.

    Each call of `append` is a single write that is flushed to disk. pandas can read the file without
    skfewaudio: ``pandas.read_json(path, lines=True)``.

    Parameters
    ----------
    path : path-like
        The file. It and its directory are created by the first `append`. If the last line of an existing file
        is incomplete because a process was killed, it is removed with a warning.
    key : sequence of str, default=("dataset", "pipeline", "n_shots", "repeat", "fold", "metric")
        Columns that every row must have and that together identify a row.

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
            self._drop_incomplete_line()

    def __repr__(self) -> str:
        return f"ResultStore({str(self.path)!r})"

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows in a single write.

        Parameters
        ----------
        rows : iterable of dict
            Rows with the columns of the key and any other columns.

        Raises
        ------
        ValueError
            If a row lacks a column of the key; no row is written then.
        OSError
            If the file cannot be written.
        """
        lines = "".join(json.dumps(_to_json_row(row, self.key)) + "\n" for row in rows).encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as file:
            if file.write(lines) != len(lines):
                raise OSError(f"{self.path}: not all rows could be written; is the disk full?")
            os.fsync(file.fileno())

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
            If a line is not JSON.
        """
        if not self.path.exists():
            return pd.DataFrame(columns=self.key)
        rows = [
            self._parse(number, line)
            for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), start=1)
        ]
        frame = pd.DataFrame(rows, columns=None if rows else self.key)
        return frame.drop_duplicates(self.key, keep="last", ignore_index=True)

    def _parse(self, number: int, line: str) -> dict[str, Any]:
        """Parse one line."""
        try:
            return json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{self.path}: line {number} is not JSON ({error}); remove it") from error

    def _drop_incomplete_line(self) -> None:
        """Remove an incomplete last line, left by a process that was killed while writing."""
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            warnings.warn(f"{self.path}: the last row is incomplete and was removed", stacklevel=3)
            os.truncate(self.path, whole)


def _to_json_row(row: Mapping[str, Any], key: list[str]) -> dict[str, Any]:
    """Check the key of a row and convert its values to JSON types; NaN and infinity become null."""
    missing = [name for name in key if name not in row]
    if missing:
        raise ValueError(f"a row of results lacks {', '.join(missing)}; got {dict(row)!r}")
    plain = {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in plain.items()
    }
