"""Tables as text: separators, headers and rows."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from .text import read_text

SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_NAMES = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "vertical bar"}
N_SAMPLED = 20  # rows by which separators are compared
# A last row of its own: it is not found if a quotation mark is open at the end of the text.
END_MARK = "\ufdd0end"

Row = tuple[int, list[str]]


def read_delimited(
    path: Path,
    *,
    sep: str | None = None,
    encoding: str | None = None,
) -> pd.DataFrame:
    """Read a text file with a header as a table of stripped str, indexed by line number.

    ``table.attrs["sep"]`` is the separator. Comments before the header, empty rows and empty last columns are
    left out. Repeated names of columns get a number.
    """
    text = read_text(path, encoding)
    return parse_delimited(text, path, sep)


def read_header(text: str) -> list[str]:
    """Return the names of the columns of a table, or the fields of its first row if it has no header."""
    _, declared, body = _split_preamble(text)
    try:
        return [
            name.strip()
            for name in next(csv.reader(io.StringIO(body), delimiter=declared or _find_separator(body)), [])
        ]
    except csv.Error:
        return []


def parse_delimited(text: str, path: Path, sep: str | None = None) -> pd.DataFrame:
    """Parse the text of a table."""
    if sep is not None and (not isinstance(sep, str) or len(sep) != 1 or sep in '\r\n"\0'):
        raise ValueError(f"sep={sep!r} must be one character, such as ';' or '\\t'")
    n_skipped, declared, body = _split_preamble(text)
    sep = sep or declared or _find_separator(body)
    rows = [(line, row) for line, row in _parse_rows(body, sep, path, n_skipped) if any(row)]
    if not rows:
        raise ValueError(f"{path} is not a readable table: it is empty")
    _, header = rows.pop(0)
    while (
        header
        and not header[-1]
        and all(len(row) < len(header) or not row[len(header) - 1] for _, row in rows)
    ):
        header.pop()
    table = pd.DataFrame(
        [_fit(row, len(header), line, path, sep) for line, row in rows],
        index=[line for line, _ in rows],
        columns=_unique_names(header),
        dtype=object,
    )
    table.attrs["sep"] = sep
    return table


def _split_preamble(text: str) -> tuple[int, str | None, str]:
    """Return the number of lines before the header, the separator that they declare, and the other text."""
    n_skipped, declared, position = 0, None, 0
    for line in io.StringIO(text, newline=""):
        content = line.strip().strip('"')
        if content[:4].lower() == "sep=":  # written for Excel
            declared = line.strip("\r\n").strip('"')[4:5] or None
        elif content and not content.startswith("#"):
            break
        n_skipped += 1
        position += len(line)
    return n_skipped, declared if declared in SEPARATORS else None, text[position:]


def _find_separator(text: str) -> str:
    """Return the separator that divides the header and the first rows into the most columns of one number."""
    lines = [line for line, _ in zip(io.StringIO(text, newline=""), range(N_SAMPLED), strict=False)]
    return max(SEPARATORS, key=lambda sep: _rate_separator(lines, sep))


def _rate_separator(lines: Sequence[str], sep: str) -> tuple[bool, float, int]:
    """Return whether the header has several columns, the share of rows of as many, and their number."""
    try:
        counts = [len(row) for row in csv.reader(lines, delimiter=sep, skipinitialspace=True) if any(row)]
    except csv.Error:
        return False, 0.0, 0
    n_columns = counts[0] if counts else 0
    return n_columns > 1, counts.count(n_columns) / max(len(counts), 1), n_columns


def _parse_rows(text: str, sep: str, path: Path, n_skipped: int) -> Iterator[Row]:
    """Yield the number of each row's first line and the row's stripped fields."""
    lines = io.StringIO(f"{text.rstrip()}\n{END_MARK}\n", newline="")
    reader = csv.reader(lines, delimiter=sep, skipinitialspace=sep != "\t")
    start, following = 1, 1
    try:
        for row in reader:
            start, following = following, reader.line_num + 1
            if row == [END_MARK]:
                return
            yield start + n_skipped, [field.strip() for field in row]
    except csv.Error as error:
        line = following + n_skipped
        raise ValueError(f"{path} is not a readable table: line {line}: {error}") from error
    raise ValueError(
        f"{path} is not a readable table: a quotation mark is opened in line {start + n_skipped} and never "
        'closed. Close it, or write "" for a quotation mark in a value'
    )


def _fit(row: Sequence[str], n_columns: int, line: int, path: Path, sep: str) -> list[str]:
    """Fill up a short row with empty fields and cut off empty ones from a long row."""
    if any(row[n_columns:]):
        name = SEPARATOR_NAMES.get(sep, repr(sep))
        raise ValueError(
            f"{path} is not a readable table: line {line} has {len(row)} fields, more fields than the header "
            f"has columns ({n_columns}). Quote values that contain the separator ({name}), or pass sep"
        )
    return [*row[:n_columns], *[""] * (n_columns - len(row))]


def _unique_names(header: Sequence[str]) -> list[str]:
    """Return the names of the columns, with the column's number after a repeated name or for an empty one."""
    names: list[str] = []
    for number, name in enumerate(header, 1):
        name = name or f"column {number}"
        names.append(f"{name} ({number})" if name in names else name)
    return names
