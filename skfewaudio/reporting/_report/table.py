"""Tables of the report, independent of the output format."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skfewaudio._names import escape

from ..text_table import format_columns

MARKS = {"best": "★", "tied": "≈"}
_MARKDOWN_SPECIALS = re.compile(r"([\\`*_{}\[\]<>|#~])")


class Cell(NamedTuple):
    """Cell of a table with its text, sort key and style."""

    text: str
    value: float | None = None  # sort key; None sorts by text
    mark: str = ""  # a key of MARKS
    share: float | None = None  # intensity of the background or length of the bar, 0 to 1


@dataclass(frozen=True)
class Table:
    """Table with a caption, whose first column contains the row headers."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    kind: str = "plain"  # style of shares: "plain", "heat", "matrix" (heat with boxed diagonal) or "bars"
    notes: Sequence[str] = field(default_factory=list)
    sortable: bool = True

    def markdown(self) -> str:
        """Format the table as Markdown, with the marks in its cells."""
        lines = [list(map(escape_markdown, self.heads))]
        lines += [[escape_markdown(cell.text) + _mark(cell) for cell in row] for row in self.rows]
        return format_columns([list(column) for column in zip(*lines, strict=True)], style="markdown")


def escape_markdown(text: str) -> str:
    """Escape Markdown and HTML special characters and control characters, and collapse whitespace."""
    return _MARKDOWN_SPECIALS.sub(r"\\\1", escape(" ".join(text.split())))


def to_table(things: Any, caption: str, *, column: str, limit: int = 200) -> Table:
    """Create a table from a DataFrame, an object with a `frame()` method, or a sequence of names or records.

    `column` is the header for a sequence of names. Rows beyond `limit` are omitted and counted in a note.
    """
    frame = to_frame(things, column)
    if frame.shape[1] == 1:
        frame = frame.assign(number=range(1, len(frame) + 1)).iloc[:, ::-1]
    notes = [f"{len(frame) - limit:,} more rows are left out."] if len(frame) > limit else []
    rows = [list(map(to_cell, row)) for row in frame.head(limit).itertuples(index=False, name=None)]
    return Table(caption, [str(name).replace("_", " ") for name in frame.columns], rows, notes=notes)


def to_frame(things: Any, column: str) -> pd.DataFrame:
    """Convert any input of `to_table` to a DataFrame."""
    if hasattr(things, "frame"):
        things = things.frame()
    if isinstance(things, pd.DataFrame):
        return things
    items = [things] if isinstance(things, str) else list(things)
    plain = all(isinstance(item, str | Real) or hasattr(item, "__fspath__") for item in items)
    return pd.DataFrame({column: [str(item) for item in items]}) if plain else pd.DataFrame(items)


def to_cell(value: Any) -> Cell:
    """Create a cell for any value; numbers are sorted numerically."""
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
    """Format a duration in a suitable unit."""
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
    """Join names as in a sentence: a, b and c."""
    words = list(map(str, names))
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _mark(cell: Cell) -> str:
    return f" {MARKS[cell.mark]}" if cell.mark else ""
