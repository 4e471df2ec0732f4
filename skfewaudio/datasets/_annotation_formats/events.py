"""Events of annotation files, before their recordings are searched for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Event(NamedTuple):
    """A labelled part of a recording; it is a point in time if `end` is `start`."""

    start: float
    end: float | None  # None for the end of the recording
    label: str
    place: str  # in the file, such as "line 3"
    audio: tuple[str, ...] = ()  # names of the recording, the most precise first


@dataclass(frozen=True)
class Options:
    """Choices that some formats need."""

    label_column: str | None = None
    tiers: Sequence[str] | None = None
