"""The answers of a person, in the order in which they were given."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["label", "unknown", "bad", "skip"]
KINDS: tuple[Kind, ...] = ("label", "unknown", "bad", "skip")


@dataclass(frozen=True)
class Answer:
    """The answer to one question.

    Attributes
    ----------
    clip : int
        Index of the clip.
    kind : {"label", "unknown", "bad", "skip"}
        Whether the clip was labelled, or why it was not.
    label : str
        Class of the clip; empty unless `kind` is "label".
    start, end : float or None
        Part of the clip that the label refers to, in seconds of its file; None if it was not trimmed.
    """

    clip: int
    kind: Kind
    label: str = ""
    start: float | None = None
    end: float | None = None


class Change(NamedTuple):
    """One step that can be undone: the answer of a clip before and after."""

    clip: int
    before: Answer | None
    after: Answer | None


class AnswerBook:
    """The current answer of each clip, with the steps that led there."""

    def __init__(self) -> None:
        self._current: dict[int, Answer] = {}
        self._changes: list[Change] = []
        self.version = 0

    def __len__(self) -> int:
        return len(self._current)

    def __iter__(self) -> Iterator[Answer]:
        return iter(list(self._current.values()))

    def __contains__(self, clip: int) -> bool:
        return clip in self._current

    def get(self, clip: int) -> Answer | None:
        """Return the answer of a clip; None if it has none."""
        return self._current.get(clip)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return bool(self._changes)

    @property
    def last(self) -> Change | None:
        """The last step; None if there is none."""
        return self._changes[-1] if self._changes else None

    def put(self, answer: Answer) -> None:
        """Set or replace the answer of a clip."""
        self._changes.append(Change(answer.clip, self._current.get(answer.clip), answer))
        self._set(answer.clip, answer)

    def restore(self, answer: Answer) -> None:
        """Add an answer of an earlier session, which cannot be undone."""
        self._set(answer.clip, answer)

    def undo(self) -> Change | None:
        """Undo the last step, and return it; None if there is no step."""
        if not self._changes:
            return None
        change = self._changes.pop()
        self._set(change.clip, change.before)
        return change

    def redo(self, change: Change) -> None:
        """Repeat a step that was taken back."""
        self._changes.append(change)
        self._set(change.clip, change.after)

    def with_kind(self, kind: Kind) -> list[Answer]:
        """Return the answers of a kind, in the order in which they were given."""
        return [answer for answer in self._current.values() if answer.kind == kind]

    def _set(self, clip: int, answer: Answer | None) -> None:
        self.version += 1
        if answer is None:
            self._current.pop(clip, None)
            return
        if answer.kind == "skip":  # asked about again after all others; a corrected answer keeps its place
            self._current.pop(clip, None)
        self._current[clip] = answer
