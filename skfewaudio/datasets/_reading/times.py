"""Start and end of clips in seconds, as columns of tables."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .._warnings import warn_user
from .columns import (
    DURATION_NAMES,
    END_NAMES,
    START_NAMES,
    Chosen,
    choose_column,
    find_usual,
    plain_name,
    split_unit,
)

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_OTHER_TIMES = re.compile(
    "(start|begin|onset|end|stop|offset)(time|pos|position)?(samples?|frames?|index|minutes?|min|us)"
)

Times = list[tuple[float, float | None]]


def read_times(
    table: pd.DataFrame,
    source: Path,
    start_column: Chosen = None,
    end_column: Chosen = None,
    *,
    allow_points: bool = False,
) -> Times | None:
    """Return the start and end of each row's clip in seconds; None if the table has no times.

    A row without both is a whole file, from 0 to None. With `allow_points`, both may be the same.
    """
    start, end, is_duration = _choose_times(table, source, start_column, end_column)
    if start is None or end is None:
        if start_column is None:
            _warn_of_other_times(list(table.columns), source)
        return None
    if ((table[start] == "") & (table[end] == "")).all():
        return None
    decimal_comma = table.attrs.get("sep") != ","
    units = split_unit(start)[1], split_unit(end)[1]
    times: Times = []
    for line, first, last in zip(table.index, table[start], table[end], strict=True):
        if not first and not last:
            times.append((0.0, None))
            continue
        where = f"{source}, line {line}: "
        begin = parse_seconds(first, f"{where}{start}", units[0], decimal_comma=decimal_comma)
        stop = parse_seconds(last, f"{where}{end}", units[1], decimal_comma=decimal_comma)
        stop = begin + stop if is_duration else stop
        if stop < begin or (stop == begin and not allow_points):
            raise ValueError(
                f"{where}{end} is {last!r} and {start} is {first!r}; expected an end after the start, in "
                "seconds"
            )
        times.append((begin, stop))
    return times


def is_number(text: str) -> bool:
    """Return whether a text is a number, which may have a decimal comma."""
    return _NUMBER.fullmatch(text.replace(",", ".")) is not None


def parse_seconds(text: str, name: str, unit: float = 1.0, *, decimal_comma: bool = False) -> float:
    """Convert a text to a time of at least 0; `name` is what errors call it."""
    number = text.replace(".", "").replace(",", ".") if decimal_comma and text.count(",") == 1 else text
    value = float(number) * unit if _NUMBER.fullmatch(number) else math.nan
    if not (math.isfinite(value) and value >= 0):
        advice = _advise(text)
        raise ValueError(
            f"{name} is {text!r}; expected seconds, a number of at least 0, such as 83.5{advice}"
        )
    return abs(value)


def _advise(text: str) -> str:
    """Return a clause about a text that is no number of seconds."""
    if ":" in text:
        return ". Convert hours and minutes to seconds"
    if "," in text:
        return ". Write a decimal point, or separate the columns by semicolons"
    return ""


def _choose_times(
    table: pd.DataFrame, source: Path, start_column: Chosen, end_column: Chosen
) -> tuple[str | None, str | None, bool]:
    """Return the columns of start and end, and whether the latter is a duration."""
    present = list(table.columns)
    if start_column is False or end_column is False:
        return None, None, False
    start = choose_column(start_column, START_NAMES, present, source, "start_column", optional=True)
    if start is None and end_column is None and find_usual(DURATION_NAMES, present):
        # Without an onset, an offset beside a duration is where the clip starts.
        offsets = [name for name in present if split_unit(name)[0] in ("offset", "offsettime")]
        start = offsets[0] if len(offsets) == 1 else None
        if start is not None:
            return start, _choose_duration(present, source), True
    others = [name for name in present if name != start]
    end = choose_column(end_column, END_NAMES, others, source, "end_column", optional=True)
    if start is not None and end is None:
        return start, _choose_duration(others, source), True
    if start is None and end is not None and (start_column, end_column) != (None, None):
        raise ValueError(f"{source} has the columns {', '.join(present)}; name the start_column, too")
    is_duration = end is not None and split_unit(end)[0] in DURATION_NAMES[0]
    return start, end, is_duration


def _choose_duration(present: Sequence[str], source: Path) -> str:
    """Return the column of durations."""
    found = find_usual(DURATION_NAMES, present)
    if len(found) != 1:
        raise ValueError(
            f"{source} has a column of starts, but none of ends: its columns are {', '.join(present)}. Name "
            "the end_column, or pass start_column=False to load whole files"
        )
    return found[0]


def _warn_of_other_times(present: Sequence[str], source: Path) -> None:
    """Warn if columns look like times of a unit that is not read."""
    found = [name for name in present if _OTHER_TIMES.fullmatch(plain_name(name))]
    if len(found) > 1:
        warn_user(
            f"{source}: the columns {' and '.join(found)} are not read, and each clip is a whole file. If "
            "these are times in seconds, pass them as start_column and end_column; otherwise pass "
            "start_column=False"
        )
