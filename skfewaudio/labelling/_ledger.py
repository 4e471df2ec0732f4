"""The clips with their answers, kept on the disk."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skfewaudio.audio import audio_info
from skfewaudio.audio.clips import FilePart

from ._answers import Answer, AnswerBook, Change
from ._clip_list import as_parts, as_sound_clip
from ._session_files import Row, SessionFiles

TIME_TOLERANCE = 1e-3  # seconds by which a part may exceed its clip, for rounding


class Ledger:
    """Clips and answers, which are written to a table after every change.

    Parameters
    ----------
    clips : sequence
        Clips in any form.
    table : path-like or None
        Table of labels. None writes nothing.
    """

    def __init__(self, clips: Sequence[Any], table: str | os.PathLike[str] | None) -> None:
        self.parts = as_parts(clips)
        self.sounds = list(clips) if self.parts is None else [as_sound_clip(part) for part in self.parts]
        self.book = AnswerBook()
        self.history: list[dict[str, Any]] = []
        self.lock = threading.RLock()
        self.files: SessionFiles | None = None
        if table is not None:
            self._open(table)

    def __len__(self) -> int:
        return len(self.sounds)

    def put(self, answer: Answer) -> Change:
        """Record an answer; if it cannot be written, nothing has changed."""
        before = self.book.get(answer.clip)
        change = Change(answer.clip, before, answer)
        self._write(lambda: self.book.put(answer), self.book.undo)
        return change

    def undo(self) -> Change | None:
        """Undo the last change of this session; None if there is no change."""
        change = self.book.last
        if change is not None:
            self._write(self.book.undo, lambda: self.book.redo(change))
        return change

    def _write(self, step: Callable[[], object], back: Callable[[], object]) -> None:
        step()
        if self.files is None:
            return
        try:
            self.files.save(self._rows(), self.history)
        except BaseException:
            back()
            raise

    def add_estimate(self, entry: dict[str, Any]) -> None:
        """Add a point to the course of the accuracy; it is written with the next answer."""
        kept = [old for old in self.history if old["n_labelled"] != entry["n_labelled"]]
        self.history = sorted([*kept, entry], key=lambda old: old["n_labelled"])

    def sound_of(self, answer: Answer) -> Any:
        """Return the clip of an answer, or the part of it that a label refers to."""
        if answer.start is None or self.parts is None:
            return self.sounds[answer.clip]
        return (self.parts[answer.clip].path, answer.start, answer.end)

    def group_of(self, clip: int) -> str:
        """Return the name of the recording of a clip."""
        return str(clip) if self.parts is None else self.parts[clip].path

    def check_clip(self, clip: Any) -> int:
        """Check the index of a clip."""
        is_index = isinstance(clip, int | np.integer) and not isinstance(clip, bool)
        if not is_index or not 0 <= clip < len(self):
            raise ValueError(f"clip={clip!r}; expected an index from 0 to {len(self) - 1}")
        return int(clip)

    def check_trim(
        self, clip: int, start: float | None, end: float | None
    ) -> tuple[float | None, float | None]:
        """Check the part of a clip that a label refers to."""
        if start is None and end is None:
            return None, None
        if self.parts is None:
            raise ValueError("start and end are for clips of files; pass parts of the sounds instead")
        part = self.parts[clip]
        last = audio_info(part.path).duration if part.end is None else part.end
        last = np.inf if last is None else last
        if start is None or end is None or not part.start <= start < end <= last + TIME_TOLERANCE:
            raise ValueError(
                f"start={start!r} and end={end!r}; expected seconds with {part.start:g} <= start < end <= "
                f"{last:g}"
            )
        return round(float(start), 6), round(float(end), 6)

    def _open(self, table: str | os.PathLike[str]) -> None:
        if self.parts is None:
            raise ValueError("table: clips that are not files cannot be written to a table; pass table=None")
        self.files = SessionFiles(table)
        rows, self.history = self.files.load()
        index = {part: i for i, part in enumerate(self.parts)}
        for part, answer in rows:
            if part not in index:  # a row of the table that is no clip becomes one
                index[part] = len(self.parts)
                self.parts.append(part)
                self.sounds.append(as_sound_clip(part))
            self.book.restore(replace(answer, clip=index[part]))

    def _rows(self) -> list[Row]:
        parts: list[FilePart] = self.parts or []
        return [Row(parts[answer.clip], answer) for answer in self.book]
