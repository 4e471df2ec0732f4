"""Results on disk: JSON Lines, a row at a time."""

import json
import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

KEY = ("dataset", "pipeline", "n_shots", "repeat", "fold", "metric")


class ResultStore:
    """Rows of results in a file of JSON Lines, safe against a kill at any moment.

    Each call of `append` is one write, forced to disk. The file reads back with pandas alone:
    ``pandas.read_json(path, lines=True)``.

    Parameters
    ----------
    path : path-like
        The file. It and its folder are made at the first `append`. A last line that was cut off by a kill is
        removed at once, with a warning.
    key : sequence of str, default=("dataset", "pipeline", "n_shots", "repeat", "fold", "metric")
        What every row has, and no two rows have in common.

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

    def __init__(self, path: str | PathLike[str], *, key: Sequence[str] = KEY) -> None:
        self.path = Path(path)
        self.key = list(key)
        if self.path.exists():
            self._drop_torn_line()

    def __repr__(self) -> str:
        return f"ResultStore({str(self.path)!r})"

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows, all of them or none.

        Parameters
        ----------
        rows : iterable of dict
            Each with the columns of the key, and whatever else.

        Raises
        ------
        ValueError
            If a row lacks one of these.
        OSError
            If the file cannot be written.
        """
        lines = "".join(json.dumps(_plain(row, self.key)) + "\n" for row in rows).encode()
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
            Without index; empty, with the columns of the key, before the first `append`. Of rows with one
            key the last counts.

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
        """Read one line."""
        try:
            return json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{self.path}: line {number} is not JSON ({error}); remove it") from error

    def _drop_torn_line(self) -> None:
        """Cut off what follows the last line end: a row that a kill left half written."""
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            warnings.warn(f"{self.path}: the last row is incomplete and was removed", stacklevel=3)
            os.truncate(self.path, whole)


def _plain(row: Mapping[str, Any], key: list[str]) -> dict[str, Any]:
    """Check the key of a row and turn its values into what JSON holds; NaN is null."""
    missing = [name for name in key if name not in row]
    if missing:
        raise ValueError(f"a row of results lacks {', '.join(missing)}; got {dict(row)!r}")
    plain = {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in plain.items()
    }
