"""Tables of the report, before they are HTML or Markdown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .._tables import lay_out

MARKS = {"best": "★", "level": "≈"}
_MARKDOWN_SPECIALS = re.compile(r"([\\`*_{}\[\]<>|#~])")


class Cell(NamedTuple):
    """One cell: what it says, what it is sorted by (None: its text), and how it is dressed."""

    text: str
    value: float | None = None
    mark: str = ""  # a key of MARKS
    share: float | None = None  # 0 to 1: depth of the background, or length of the bar


@dataclass(frozen=True)
class Table:
    """A table with a caption; the first column names the rows."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    kind: str = "plain"  # "plain", "heat", "matrix" (heat, its diagonal boxed) or "bars": how shares show
    notes: Sequence[str] = field(default_factory=list)
    sortable: bool = True

    def markdown(self) -> str:
        """Lay the table out with bars, marks beside the cells they belong to."""
        lines = [list(map(escape_markdown, self.heads))]
        lines += [[escape_markdown(cell.text) + _mark(cell) for cell in row] for row in self.rows]
        return lay_out([list(column) for column in zip(*lines, strict=True)], style="markdown")


def escape_markdown(text: str) -> str:
    """Take from a string whatever Markdown, or HTML in it, would make of its characters."""
    return _MARKDOWN_SPECIALS.sub(r"\\\1", " ".join(text.split()))


def table_of(things: Any, caption: str, *, column: str, limit: int = 200) -> Table:
    """Lay out a DataFrame, something whose `frame()` gives one, or a sequence of names or records.

    `column` heads the names of a plain sequence; rows beyond `limit` are left out, and the notes say so.
    """
    frame = frame_of(things, column)
    if frame.shape[1] == 1:
        frame = frame.assign(number=range(1, len(frame) + 1)).iloc[:, ::-1]
    notes = [f"{len(frame) - limit:,} more rows are left out."] if len(frame) > limit else []
    rows = [list(map(cell_of, row)) for row in frame.head(limit).itertuples(index=False, name=None)]
    return Table(caption, [str(name).replace("_", " ") for name in frame.columns], rows, notes=notes)


def frame_of(things: Any, column: str) -> pd.DataFrame:
    """Turn what `table_of` takes into a DataFrame."""
    if hasattr(things, "frame"):
        things = things.frame()
    if isinstance(things, pd.DataFrame):
        return things
    items = [things] if isinstance(things, str) else list(things)
    plain = all(isinstance(item, str | Real) or hasattr(item, "__fspath__") for item in items)
    return pd.DataFrame({column: [str(item) for item in items]}) if plain else pd.DataFrame(items)


def cell_of(value: Any) -> Cell:
    """Write any value; numbers sort as such."""
    if isinstance(value, Real) and not isinstance(value, bool | np.bool_):
        number = float(value)
        if np.isnan(number):
            return Cell("-")
        text = f"{int(number):,}" if number.is_integer() and abs(number) < 1e15 else f"{number:.4g}"
        return Cell(text, number)
    if isinstance(value, list | tuple | set | np.ndarray):
        return Cell(", ".join(map(str, value)))
    return Cell("-" if value is None or value is pd.NA else str(value))


def duration(seconds: float) -> str:
    """Write a time in the unit that suits it."""
    if np.isnan(seconds):
        return "-"
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def listing(names: Sequence[Any], last: str = "and") -> str:
    """Join names as a sentence does: a, b and c."""
    words = list(map(str, names))
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _mark(cell: Cell) -> str:
    return f" {MARKS[cell.mark]}" if cell.mark else ""
