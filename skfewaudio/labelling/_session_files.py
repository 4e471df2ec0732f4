"""The table of labels and the session file beside it, written after every answer."""

import csv
import hashlib
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from skfewaudio._files import read_regular, write_file
from skfewaudio._json import parse_json
from skfewaudio.audio.clips import FilePart, as_file_part
from skfewaudio.datasets import load_csv

from ._answers import KINDS, Answer
from ._clip_list import absolute_path, find_name_problem
from ._label_names import check_label

FORMAT = 1
COLUMNS = ("path", "label", "start", "end")
ESTIMATE = ("n_labelled", "accuracy", "low", "high")


class Row(NamedTuple):
    """An answer with the part of a file that was asked about."""

    part: FilePart
    answer: Answer


class SessionFiles:
    """The table of labels, and the session file with all answers and their order.

    The table has the rows that `load_csv` and ``skfewaudio train`` read: the labelled clips. The session file
    beside it also holds the clips that are unknown, bad or skipped, and the course of the accuracy. It is
    written first and has the digests of the new and the old table, so that a process that is killed between
    the two leaves a state that can be completed.

    Parameters
    ----------
    path : path-like
        The table.

    Raises
    ------
    ValueError
        If the table has other columns, which would be lost, or one of the files cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() == ".json":
            raise ValueError(f"{self.path}: expected the name of a table, such as labels.csv")
        self.session_path = self.path.with_name(f"{self.path.stem}.session.json")
        self._root = absolute_path(self.path.parent)
        self._digest: str | None = None
        self._state: tuple[int, ...] | None = None

    def load(self) -> tuple[list[Row], list[dict[str, Any]]]:
        """Return the answers so far, in their order, and the course of the accuracy.

        If the table was edited since the last session, its labels are used.
        """
        table = self._read_table()
        self._digest, self._state = _digest(table), self._stat()
        session = self._read_session()
        if session is None:
            return ([] if table is None else self._parse_table(table)), []
        rows, history = self._parse_session(session)
        if table is None and session["previous"] is not None:
            raise ValueError(
                f"{self.path} is missing, and {self.session_path.name} has {len(rows)} answers; restore the "
                "table, or delete this file to start anew"
            )
        if self._digest == session["table"]:
            return rows, history
        if self._digest == session["previous"]:
            self.save(rows, history)  # the process was killed before it wrote the table
            return rows, history
        labelled = [] if table is None else self._parse_table(table)
        named = {row.part for row in labelled}
        others = [row for row in rows if row.answer.kind != "label" and row.part not in named]
        return labelled + others, history

    def save(self, rows: Sequence[Row], history: Sequence[dict[str, Any]]) -> None:
        """Write both files.

        Raises
        ------
        ValueError
            If another program has changed the table.
        OSError
            If a file cannot be written.
        """
        if self._stat() != self._state:
            raise ValueError(
                f"{self.path} was changed by another program; stop, and start again to use the change"
            )
        content = self.format_table(rows)
        digest = _digest(content)
        session = {
            "format": FORMAT,
            "table": digest,
            "previous": self._digest,
            "answers": [self._as_json(row) for row in rows],
            "history": list(history),
        }
        write_file(self.session_path, json.dumps(session, indent=0, allow_nan=False).encode())
        write_file(self.path, content)
        self._digest, self._state = digest, self._stat()

    def format_table(self, rows: Sequence[Row]) -> bytes:
        """Return the table of the labelled clips, with times if a clip is a part of a file."""
        labelled = [row for row in rows if row.answer.kind == "label"]
        parts = [_trimmed(row) for row in labelled]
        n_columns = 2 if all(part.is_whole for part in parts) else 4
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(COLUMNS[:n_columns])
        for row, part in zip(labelled, parts, strict=True):
            times = ["", ""] if part.is_whole else [_format(part.start), _format(part.end)]
            writer.writerow([self._cell(part.path), row.answer.label, *times][:n_columns])
        return buffer.getvalue().encode("utf-8")

    def _cell(self, path: str) -> str:
        """Return a path relative to the folder of the table, in a form that is no formula or comment."""
        try:
            name = os.path.relpath(path, self._root)
        except ValueError:  # another drive
            return path
        return name if name[0].isalnum() or name.startswith("..") else f"./{name}"

    def _as_json(self, row: Row) -> dict[str, Any]:
        part, answer = row
        entry: dict[str, Any] = {"path": self._cell(part.path), "start": part.start, "end": part.end}
        entry |= {"kind": answer.kind, "label": answer.label}
        if answer.start is not None or answer.end is not None:
            entry["trim"] = [answer.start, answer.end]
        return entry

    def _stat(self) -> tuple[int, ...] | None:
        try:
            state = self.path.stat()
        except FileNotFoundError:
            return None
        return state.st_mtime_ns, state.st_size, state.st_ino

    def _read_table(self) -> bytes | None:
        try:
            return read_regular(self.path)
        except FileNotFoundError:
            return None

    def _read_session(self) -> dict[str, Any] | None:
        try:
            content = read_regular(self.session_path)
        except FileNotFoundError:
            return None
        advice = "restore it, or delete it to go on with the labels of the table"
        try:
            session = parse_json(content)
        except ValueError as error:
            raise ValueError(f"{self.session_path} {error}; {advice}") from error
        if not isinstance(session, dict) or session.get("format") != FORMAT:
            raise ValueError(f"{self.session_path} is not a session file of this version; {advice}")
        return session

    def _parse_session(self, session: dict[str, Any]) -> tuple[list[Row], list[dict[str, Any]]]:
        try:
            session["table"], session["previous"]
            history = [{name: float(entry[name]) for name in ESTIMATE} for entry in session["history"]]
            return [self._parse_entry(entry) for entry in session["answers"]], history
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                f"{self.session_path} is damaged ({error}); restore it, or delete it to go on with the "
                "labels of the table"
            ) from error

    def _parse_entry(self, entry: dict[str, Any]) -> Row:
        path = os.path.normpath(os.path.join(self._root, entry["path"]))  # noqa: PTH118
        part = as_file_part((path, entry["start"], entry["end"]))
        if entry["kind"] not in KINDS:
            raise ValueError(f"unknown kind {entry['kind']!r}")
        label = check_label(entry["label"]) if entry["kind"] == "label" else ""
        start, end = entry.get("trim", (None, None))
        return Row(part, Answer(-1, entry["kind"], label, start, end))

    def _parse_table(self, table: bytes) -> list[Row]:
        """Return the rows of a table, which may be of another program."""
        lines = table.decode("utf-8-sig", "replace").splitlines()
        header = next(csv.reader(lines[:1]), [])
        if not [line for line in lines[1:] if line.strip()] and set(header) <= set(COLUMNS):
            return []
        lost = [name for name in header if name.strip().lower() not in COLUMNS]
        if lost:
            raise ValueError(
                f"{self.path} has the columns {', '.join(lost)}, which would be lost; expected a table with "
                f"the columns {', '.join(COLUMNS)}. Choose another file with -o"
            )
        dataset = load_csv(self.path, on_missing="keep", on_extra="ignore")
        parts = [as_file_part(clip) for clip in dataset.X]
        for part in parts:
            if problem := find_name_problem(part.path):
                raise ValueError(f"{self.path}: {problem}")
        return [
            Row(
                FilePart(absolute_path(part.path), part.start, part.end),
                Answer(-1, "label", check_label(label)),
            )
            for part, label in zip(parts, dataset.y.tolist(), strict=True)
        ]


def _trimmed(row: Row) -> FilePart:
    """Return the part of the file that an answer refers to."""
    part, answer = row
    if answer.start is None and answer.end is None:
        return part
    return FilePart(
        part.path,
        part.start if answer.start is None else answer.start,
        part.end if answer.end is None else answer.end,
    )


def _format(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
