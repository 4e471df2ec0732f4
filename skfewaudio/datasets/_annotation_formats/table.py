"""Tables with the columns start, end, label and, if they describe several recordings, path."""

from pathlib import Path

from .._reading.columns import (
    DURATION_NAMES,
    END_NAMES,
    PATH_NAMES,
    START_NAMES,
    choose_column,
    choose_label_column,
    find_usual,
)
from .._reading.delimited import parse_delimited, read_header
from .._reading.times import read_times
from .events import Event, Options


def looks_like_table(text: str) -> bool:
    """Return whether the text has a header with columns of times."""
    columns = read_header(text)
    return bool(find_usual(START_NAMES, columns)) and bool(find_usual((*END_NAMES, *DURATION_NAMES), columns))


def parse_table(text: str, path: Path, options: Options) -> list[Event]:
    """Return the rows of a table as events."""
    table = parse_delimited(text, path)
    present = list(table.columns)
    file = choose_column(None, PATH_NAMES, present, path, "column of paths", optional=True)
    times = read_times(table, path, allow_points=True)
    if times is None and len(table):
        raise ValueError(
            f"{path} has no times: its columns are {', '.join(present)}; expected columns named start and "
            "end, in seconds"
        )
    labels = table[choose_label_column(options.label_column, table, path)]
    names = table[file] if file else [""] * len(table)
    return [
        Event(start, end, label, f"line {line}", (name,) if name else ())
        for (start, end), label, line, name in zip(times or [], labels, table.index, names, strict=True)
    ]
