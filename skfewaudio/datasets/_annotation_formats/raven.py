"""Selection tables of Raven, and of programs that write them, such as BirdNET-Analyzer."""

from pathlib import Path

import pandas as pd

from .._reading.columns import choose_label_column, split_unit
from .._reading.delimited import parse_delimited, read_header
from .._reading.times import Times, parse_seconds, read_times
from .._warnings import warn_user
from .events import Event, Options

_OWN_COLUMNS = frozenset({"selection", "view", "channel", "lowfreq", "highfreq"})


def looks_like_raven(text: str) -> bool:
    """Return whether the first line names the columns of a selection table."""
    names = {split_unit(name)[0] for name in read_header(text)}
    return {"begintime", "endtime"} <= names and not _OWN_COLUMNS.isdisjoint(names)


def parse_raven(text: str, path: Path, options: Options) -> list[Event]:
    """Return the selections of a table, each once, although it may have a row for each view and channel."""
    table = parse_delimited(text, path)
    label_column = choose_label_column(options.label_column, table, path)
    columns = {split_unit(name)[0]: name for name in reversed(table.columns)}
    audio = [columns[name] for name in ("beginpath", "beginfile") if name in columns]
    times = _read_times(table, columns, path)
    ids = [columns["selection"], *audio] if "selection" in columns else None
    events: dict[tuple[object, ...], Event] = {}
    for k, (row, line) in enumerate(zip(table.to_dict("records"), table.index, strict=True)):
        names = tuple(row[name] for name in audio if row[name])
        key = (*times[k], *(row[name] for name in ids)) if ids else (line,)
        if key not in events or not events[key].label:
            events[key] = Event(*times[k], row[label_column], f"line {line}", names)
    return list(events.values())


def _read_times(table: pd.DataFrame, columns: dict[str, str], path: Path) -> Times:
    """Return start and end of each selection in the file that it starts in.

    If several files were opened as one sequence, the times of the table refer to the sequence.
    """
    times = read_times(table, path, "Begin Time (s)", "End Time (s)", allow_points=True) or []
    if "beginfile" in columns and "fileoffset" not in columns:
        _warn_of_sequence(times, table[columns["beginfile"]].tolist(), path)
    return [
        _shift_to_file(
            start, end, {name: table[columns[name]].iloc[k] for name in columns}, f"{path}, line {line}"
        )
        for k, (line, (start, end)) in enumerate(zip(table.index, times, strict=True))
    ]


def _shift_to_file(
    start: float, end: float | None, row: dict[str, str], where: str
) -> tuple[float, float | None]:
    """Return the times of a selection in its file, up to the end of the file if it ends in another one."""
    if end is not None and row.get("fileoffset"):
        offset = parse_seconds(row["fileoffset"], f"{where}: File Offset (s)", decimal_comma=True)
        start, end = offset, offset + end - start
    if row.get("endfile") and row.get("beginfile") and row["endfile"] != row["beginfile"]:
        end = None
    return start, end


def _warn_of_sequence(times: Times, files: list[str], path: Path) -> None:
    """Warn if times go on from file to file, as in a sequence of files."""
    starts = pd.DataFrame({"file": files, "start": [start for start, _ in times]})
    spans = starts.groupby("file")["start"].agg(["min", "max"]).sort_values("min").to_numpy()
    if len(spans) > 1 and (spans[1:, 0] > spans[:-1, 1]).all():
        warn_user(
            f"{path} names {len(spans)} files, and times go on from one to the next. They are read as times "
            "in each file. If they are times in a sequence of files, add the measurement File Offset (s) in "
            "Raven"
        )
