"""Tables of annotated and of found events, with the columns path, start, end and label."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from skfewaudio._arrays import to_python
from skfewaudio.datasets import AudioDataset

COLUMNS = ("path", "start", "end", "label")


def as_event_table(events: Any, name: str) -> pd.DataFrame:
    """Check a table of events, or a dataset of parts of recordings.

    Parameters
    ----------
    events : DataFrame or AudioDataset
        Columns path, start, end (seconds) and label, or clips ``(path, start, end)`` with one class each.
    name : str
        What errors call the events.

    Returns
    -------
    DataFrame
        The events in their order, with the index 0, 1, 2, ... Paths and labels are strings, and times are
        floats. Other columns are kept.

    Raises
    ------
    TypeError
        If `events` is neither a table nor a dataset.
    ValueError
        If a column or a value is missing, or times are invalid.
    """
    if isinstance(events, AudioDataset):
        events = _table_of_dataset(events, name)
    if not isinstance(events, pd.DataFrame):
        raise TypeError(
            f"{name} is {type(events).__name__}; expected a DataFrame with the columns {', '.join(COLUMNS)}, "
            "or an AudioDataset of parts of recordings"
        )
    missing = [column for column in COLUMNS if column not in events]
    if missing:
        raise ValueError(
            f"{name} lacks the columns {', '.join(missing)}; expected {', '.join(COLUMNS)}, with times in "
            "seconds"
        )
    table = events.reset_index(drop=True)
    for column in ("path", "label"):
        _check_rows(table[column].notna(), table[column], f"a value in the column {column}", name)
    times = {column: pd.to_numeric(table[column], errors="coerce").astype(float) for column in COLUMNS[1:3]}
    for column, seconds in times.items():
        valid = np.isfinite(seconds) & (seconds >= 0)
        _check_rows(valid, table[column], f"seconds, a number of at least 0, in the column {column}", name)
    _check_rows(times["end"] > times["start"], times["end"], "an end after the start", name)
    return table.assign(path=table["path"].map(str), label=table["label"].map(str), **times)


def _table_of_dataset(dataset: AudioDataset, name: str) -> pd.DataFrame:
    """Return the parts of recordings of a dataset as a table."""
    if dataset.label_names is not None:
        raise ValueError(f"{name} is a dataset with several labels per clip; expected one row per label")
    if not isinstance(dataset.X[0], tuple) or len(dataset.X[0]) != 3:
        raise ValueError(
            f"{name} is a dataset of whole clips; expected parts of recordings, (path, start, end)"
        )
    table = pd.DataFrame(list(dataset.X), columns=list(COLUMNS[:3]))
    return table.assign(label=dataset.y)


def _check_rows(valid: Any, values: pd.Series, expected: str, name: str) -> None:
    """Raise ValueError for the first row that is not valid."""
    invalid = np.flatnonzero(~np.asarray(valid, dtype=bool))
    if len(invalid):
        row = int(invalid[0])
        raise ValueError(f"row {row} of {name} holds {to_python(values.iloc[row])!r}; expected {expected}")


def select_labels(table: pd.DataFrame, labels: Sequence[str] | None) -> pd.DataFrame:
    """Return the events with some labels, with the index of `table`; None keeps all."""
    return table if labels is None else table[table["label"].isin([str(label) for label in labels])]


def list_labels(true: pd.DataFrame, found: pd.DataFrame, labels: Sequence[str] | None) -> list[str]:
    """Return the given labels, or the sorted labels of both tables."""
    if labels is not None:
        return [str(label) for label in dict.fromkeys(labels)]
    return sorted({*true["label"], *found["label"]})


def total_seconds(durations: Mapping[str, float] | float | None, tables: Sequence[pd.DataFrame]) -> float:
    """Return the length of all searched recordings in seconds; NaN if it is not known.

    Raises
    ------
    ValueError
        If a duration is not a positive number, or a recording of the tables has none.
    """
    if durations is None:
        return float("nan")
    if not isinstance(durations, Mapping):
        return _check_duration(durations, "durations")
    lengths = {
        str(path): _check_duration(value, f"the duration of {path}") for path, value in durations.items()
    }
    for path in dict.fromkeys(path for table in tables for path in table["path"]):
        if path not in lengths:
            raise ValueError(
                f"durations lacks the recording {path}; expected the seconds of every recording that was "
                "searched"
            )
    return float(sum(lengths.values()))


def _check_duration(value: Any, name: str) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < np.inf:
        raise ValueError(f"{name} is {value!r}; expected seconds, a number above 0")
    return float(value)
