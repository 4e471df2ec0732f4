"""Texts of annotation files: label tracks of Audacity, selection tables of Raven, and CSV."""

import csv
import io
import os
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from skfewaudio._names import as_cell, as_path_cell
from skfewaudio.audio import audio_info
from skfewaudio.exceptions import AudioLoadError

RAVEN_COLUMNS = (
    *("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"),
    *("Begin Path", "Begin File", "File Offset (s)", "Annotation", "Probability"),
)
_SEPARATORS = re.compile("[\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
UNKNOWN_HIGHEST = 22050.0  # Hz; half of the most usual sample rate, if the recording is not there


class Annotation(NamedTuple):
    """A labelled part of a recording; `probability` is None if it is unknown."""

    path: str
    start: float
    end: float | None  # None for the end of the recording
    label: str
    probability: float | None = None


def format_csv(rows: Iterable[Annotation], *, with_probability: bool, with_header: bool = True) -> str:
    """Return a table in CSV (RFC 4180); texts that spreadsheets would run as formulas are changed."""
    text = io.StringIO()
    writer = csv.writer(text)
    columns = [name for name in Annotation._fields if with_probability or name != "probability"]
    if with_header:
        writer.writerow(columns)
    for row in rows:
        cells = [as_path_cell(row.path), _decimal(row.start), _decimal(row.end), as_cell(row.label)]
        writer.writerow([*cells, _fixed(row.probability)] if with_probability else cells)
    return text.getvalue()


def format_audacity(
    rows: Iterable[Annotation], *, with_probability: bool = False, with_header: bool = False
) -> str:
    """Return a label track; probabilities are left out, because a track holds labels only."""
    lines = [f"{row.start:.6f}\t{_needed_end(row):.6f}\t{_one_line(row.label)}\n" for row in rows]
    return "".join(lines)


def format_raven(rows: Iterable[Annotation], *, with_probability: bool, with_header: bool = True) -> str:
    """Return a selection table; selections span all frequencies of the recording."""
    columns = RAVEN_COLUMNS if with_probability else RAVEN_COLUMNS[:-1]
    lines = ["\t".join(columns)] if with_header else []
    highest: dict[str, float] = {}
    for number, row in enumerate(rows, 1):
        if row.path not in highest:
            highest[row.path] = _highest_frequency(row.path)
        fields = [
            *(str(number), "Spectrogram 1", "1", f"{row.start:.6f}", f"{_needed_end(row):.6f}"),
            *("0.000", f"{highest[row.path]:.3f}", _one_line(os.path.abspath(row.path))),  # noqa: PTH100  # any text
            *(_one_line(os.path.basename(row.path)), f"{row.start:.6f}", _one_line(row.label)),  # noqa: PTH119
            _fixed(row.probability),
        ]
        lines.append("\t".join(fields[: len(columns)]))
    return "".join(f"{line}\n" for line in lines)


FORMATS: dict[str, Callable[..., str]] = {
    "csv": format_csv,
    "audacity": format_audacity,
    "raven": format_raven,
}


def encode(text: str) -> bytes:
    """Return the bytes of a text; names of files keep bytes that are not UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def _highest_frequency(path: str) -> float:
    """Return half of the sample rate of a recording in Hz."""
    try:
        return audio_info(path).sample_rate / 2
    except AudioLoadError:  # annotations may be written where the recordings are not
        return UNKNOWN_HIGHEST


def _needed_end(row: Annotation) -> float:
    if row.end is None:
        raise ValueError(
            f"{row.path}: the annotation {row.label!r} has no end; expected seconds, which label tracks and "
            "selection tables need"
        )
    return row.end


def _one_line(text: str) -> str:
    """Return a text without tabs and line breaks, which separate fields and rows."""
    return _SEPARATORS.sub(" ", text)


def _decimal(seconds: float | None) -> str:
    return "" if seconds is None else repr(round(seconds, 6))


def _fixed(probability: float | None) -> str:
    return "" if probability is None else f"{probability:.6f}"
