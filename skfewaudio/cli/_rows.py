"""Predictions as lines of text, CSV or JSON, and the rows that an interrupted command has left of them."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from skfewaudio._names import as_cell, as_path_cell, escape, from_path_cell

from ._common import shorten, shorten_path
from ._data import Clip, Part, as_part
from ._models import UNKNOWN, Prediction

MIN_PATH_WIDTH = 14
JSON_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})

Write = Callable[[Prediction], None]


class Sink(Protocol):
    """What takes text: the standard output or a file."""

    def write(self, text: str) -> Any:
        """Write text."""
        ...


class RowFormat(NamedTuple):
    """Form of the rows.

    Parameters
    ----------
    name : {"text", "csv", "json"}
        Format.
    n_shown : int
        Number of classes in a row.
    has_parts : bool
        Whether rows have start and end.
    """

    name: str
    n_shown: int
    has_parts: bool

    @property
    def columns(self) -> list[str]:
        """Names of the columns of a table."""
        more = [f"{name}_{rank}" for rank in range(2, self.n_shown + 1) for name in ("label", "probability")]
        times = ["start", "end"] if self.has_parts else []
        return ["path", *times, "label", "probability", *more]

    def make_writer(self, sink: Sink, *, with_header: bool = True) -> Write:
        """Return a function that writes a row of CSV or JSON; the header of CSV is written here."""
        if self.name == "json":
            return lambda prediction: _write_json(sink, self, prediction)
        rows = csv.writer(sink)  # RFC 4180: CRLF, quotes where needed
        if with_header:
            rows.writerow(self.columns)
        return lambda prediction: rows.writerow(
            [
                *_identify(as_cell_part(prediction.clip), self),
                *map(as_cell, _flatten(prediction, self.n_shown, digits=6)),
            ]
        )


def make_text_writer(sink: Sink, form: RowFormat, names: Sequence[str], width: int | None) -> Write:
    """Return a function that writes fields separated by tabs, or columns that fit the width of a terminal."""
    if width is None:
        return lambda prediction: sink.write(
            "\t".join(
                [
                    *(escape(field) for field in _identify(prediction.clip, form)),
                    *(escape(field) for field in _flatten(prediction, form.n_shown, digits=3)),
                ]
            )
            + "\n"
        )
    # 9: probability and spaces
    widest = max(map(len, map(escape, [*names, UNKNOWN])))
    widest = max(6, min(widest, (width - MIN_PATH_WIDTH) // form.n_shown - 9))

    def write(prediction: Prediction) -> None:
        fields = [escape(field) for field in _flatten(prediction, form.n_shown, digits=3)]
        rest = "  ".join(
            shorten(text, widest).ljust(widest) if i % 2 == 0 else text for i, text in enumerate(fields)
        )
        path_width = max(MIN_PATH_WIDTH, width - len(rest) - 2)
        name = shorten_path(describe_clip(prediction.clip), path_width)
        sink.write(f"{name.ljust(path_width)}  {rest}".rstrip() + "\n")

    return write


def describe_clip(clip: Clip) -> str:
    """Return the name of a clip on one line, with its start and end."""
    if isinstance(clip, str):
        return escape(clip)
    end = "" if clip[2] is None else f"{clip[2]:g}"
    return f"{escape(clip[0])} {clip[1]:g}-{end} s"


def as_cell_part(clip: Clip) -> Part:
    """Return a clip as path, start and end; the path cannot be taken for a formula by a spreadsheet."""
    path, start, end = as_part(clip)
    return as_path_cell(path), start, end


def _identify(clip: Clip, form: RowFormat) -> list[str]:
    """Return the path of a clip and, if rows have times, start and end, which are empty for a whole file."""
    path, start, end = as_part(clip)
    if not form.has_parts:
        return [path]
    is_whole = not start and end is None
    return [path, "" if is_whole else repr(start), "" if end is None else repr(float(end))]


def _flatten(prediction: Prediction, n_shown: int, *, digits: int) -> list[str]:
    """List the predicted class and its probability, then the next classes and theirs."""
    shown = prediction.ranking[:n_shown]
    fields = [prediction.label, f"{shown[0][1]:.{digits}f}" if shown else ""]
    for label, probability in shown[1:]:
        fields += [label, f"{probability:.{digits}f}"]
    return fields


def _write_json(sink: Sink, form: RowFormat, prediction: Prediction) -> None:
    """Write an object on one line, in ASCII so that every file name can be encoded."""
    path, start, end = as_part(prediction.clip)
    line: dict[str, Any] = {"path": path}
    if form.has_parts:
        line |= {"start": start, "end": end}
    line |= {"label": prediction.label, "probability": None}
    shown = prediction.ranking[: form.n_shown]
    if shown:
        line["probability"] = shown[0][1]
        line["top"] = [{"label": label, "probability": probability} for label, probability in shown]
    sink.write(json.dumps(line, allow_nan=False) + "\n")


class Found(NamedTuple):
    """Complete rows of a file: their clips, and the number of bytes that they take."""

    clips: set[Part]
    n_bytes: int


def read_rows(path: Path, form: RowFormat) -> Found:
    """Read the rows that an interrupted command has written.

    Parameters
    ----------
    path : Path
        An existing file.
    form : RowFormat
        Form that the rows must have.

    Returns
    -------
    Found
        A last row without its end is not counted.

    Raises
    ------
    ValueError
        If the file has other columns, or is no such file.
    """
    from skfewaudio._files import read_regular

    text = read_regular(path).decode("utf-8", "surrogateescape")
    kept = _cut_last_line(text) if form.name == "json" else _cut_last_row(text)
    read = _read_json if form.name == "json" else _read_csv
    return Found(read(kept, path, form), len(kept.encode("utf-8", "surrogateescape")))


def _cut_last_line(text: str) -> str:
    return text[: text.rfind("\n") + 1]


def _cut_last_row(text: str) -> str:
    """Return the complete rows of CSV: a line that ends within quotation marks goes on."""
    position = n_quotes = end = 0
    while (found := text.find("\r\n", position)) >= 0:
        n_quotes += text.count('"', position, found)
        position = found + 2
        if n_quotes % 2 == 0:
            end = position
    return text[:end]


def _read_csv(text: str, path: Path, form: RowFormat) -> set[Part]:
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows, None)
    if header is not None and header != form.columns:
        raise ValueError(
            f"{path} has the columns {', '.join(map(escape, header))}, and these options write "
            f"{', '.join(form.columns)}; use the options of the first run, or another file"
        )
    return {_parse_part(row, form, path) for row in rows}


def _parse_part(row: Sequence[str], form: RowFormat, path: Path) -> Part:
    try:
        if len(row) != len(form.columns):
            raise ValueError(f"{len(row)} fields")
        if not form.has_parts:
            return from_path_cell(row[0]), 0.0, None
        return from_path_cell(row[0]), float(row[1] or 0), float(row[2]) if row[2] else None
    except ValueError as error:
        line = escape(",".join(row))
        raise ValueError(f"{path} is not a table of predictions: {error} in {line}") from error


def _read_json(text: str, path: Path, form: RowFormat) -> set[Part]:
    clips = set()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            row = json.loads(line)
            end = row["end"] if form.has_parts else None
            clips.add((row["path"], float(row["start"]) if form.has_parts else 0.0, end))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(
                f"{path}, line {number}: is not a prediction in JSON ({error!r}); use another file"
            ) from error
    return clips
