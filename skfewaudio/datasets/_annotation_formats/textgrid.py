"""TextGrids of Praat, in the long and the short text format.

As in Praat itself, only texts in quotation marks, numbers that stand alone and flags such as ``<exists>``
count. Everything else, such as ``xmin =`` and ``intervals [1]:``, is a comment.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .._reading.times import parse_seconds
from .._warnings import warn_user
from .events import Event, Options

_TOKEN = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|(?<!\S)(?:(?P<flag><\w+>)|(?P<number>[+-]?[0-9][0-9.eE+-]*)|![^\n]*)(?!\S)'
)
_STARTS = ("File type = ", "ooTextFile", '"ooTextFile"', "ooBinaryFile", '"Praat chronological')
HOW_TO_SAVE = "in Praat, choose Save > Save as text file"


class Token(NamedTuple):
    """A text, number or flag, and the line that it begins in."""

    kind: str | None
    value: str
    line: int


class Tier(NamedTuple):
    """A tier of intervals with a label."""

    name: str
    events: list[Event]


def looks_like_textgrid(text: str) -> bool:
    """Return whether the text starts like a file of Praat."""
    return text.lstrip().startswith(_STARTS)


def parse_textgrid(text: str, path: Path, options: Options) -> list[Event]:
    """Return the intervals with a label of one tier, or of the tiers that are named."""
    tiers = _read_tiers(_split(text, path), path)
    names = ", ".join(repr(tier.name) for tier in tiers) or "none"
    if options.tiers is None:
        tiers = [tier for tier in tiers if tier.events]
        if len(tiers) > 1:
            raise ValueError(
                f"{path} has {len(tiers)} tiers with labels; its tiers are {names}: name one or several as "
                "tier"
            )
        return tiers[0].events if tiers else []
    for name in options.tiers:
        if name not in {tier.name for tier in tiers}:
            raise ValueError(f"{path} has no interval tier {name!r}; its tiers are {names}")
    return [event for tier in tiers if tier.name in options.tiers for event in tier.events]


def _split(text: str, path: Path) -> Iterator[Token]:
    """Yield the tokens of a TextGrid in text format."""
    if text.count('"') % 2:
        raise ValueError(f"{path} is not a readable TextGrid: a quotation mark is never closed")
    line, position = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", position, match.start())
        position = match.start()
        if match.lastgroup is not None:
            yield Token(match.lastgroup, match[match.lastgroup].replace('""', '"'), line)
    while True:
        yield Token(None, "", line)


def _read_tiers(tokens: Iterator[Token], path: Path) -> list[Tier]:
    """Return the interval tiers of a TextGrid."""
    types = [next(tokens).value for _ in range(2)]
    if types != ["ooTextFile", "TextGrid"]:
        raise ValueError(f"{path} is not a TextGrid in text format: it starts with {types!r}; {HOW_TO_SAVE}")
    _skip(tokens, path, "number", "number")  # start and end of the recording
    if _take(tokens, path, "flag").value != "<exists>":
        return []
    tiers: list[Tier] = []
    points: list[str] = []
    for _ in range(_take_count(tokens, path)):
        kind, name = _take(tokens, path, "text"), _take(tokens, path, "text").value.strip()
        _skip(tokens, path, "number", "number")  # start and end of the tier
        if kind.value == "IntervalTier":
            tiers.append(Tier(name, _read_intervals(tokens, path)))
        elif kind.value == "TextTier":
            points.append(name)
            for _ in range(_take_count(tokens, path)):
                _skip(tokens, path, "number", "text")
        else:
            raise ValueError(f"{path}, line {kind.line}: {kind.value!r}; expected IntervalTier or TextTier")
    if points:
        warn_user(f"{path}: the point tiers {', '.join(map(repr, points))} are not read")
    return tiers


def _read_intervals(tokens: Iterator[Token], path: Path) -> list[Event]:
    """Return the intervals of a tier that have a label."""
    events = []
    for _ in range(_take_count(tokens, path)):
        first, last, label = (_take(tokens, path, kind) for kind in ("number", "number", "text"))
        if not label.value.strip():
            continue
        start, end = (parse_seconds(time.value, f"{path}, line {time.line}: time") for time in (first, last))
        if end <= start:
            raise ValueError(
                f"{path}, line {first.line}: the interval {label.value!r} starts at {first.value} and ends "
                f"at {last.value}; expected an end after the start"
            )
        events.append(Event(start, end, " ".join(label.value.split()), f"line {first.line}"))
    return events


def _take(tokens: Iterator[Token], path: Path, kind: str) -> Token:
    """Return the next token, which must be of a kind."""
    token = next(tokens)
    if token.kind != kind:
        found = "the end of the file" if token.kind is None else repr(token.value)
        raise ValueError(
            f"{path} is not a readable TextGrid: line {token.line} has {found}; expected a {kind}"
        )
    return token


def _take_count(tokens: Iterator[Token], path: Path) -> int:
    """Return the next token as a count of tiers, intervals or points."""
    token = _take(tokens, path, "number")
    if not re.fullmatch("[0-9]{1,9}", token.value):
        raise ValueError(f"{path}, line {token.line}: {token.value!r} is not a count")
    return int(token.value)


def _skip(tokens: Iterator[Token], path: Path, *kinds: str) -> None:
    """Pass over tokens of some kinds."""
    for kind in kinds:
        _take(tokens, path, kind)
