"""Parser of the messages that the page posts."""

import math
from typing import Any, NamedTuple

from skfewaudio._json import parse_json

ACTIONS = ("label", "unknown", "bad", "skip", "undo", "save")
FIELDS = frozenset({"action", "clip", "label", "start", "end"})
NEEDS_CLIP = ("label", "unknown", "bad", "skip")


class Action(NamedTuple):
    """Action of the person who labels."""

    action: str
    clip: int | None
    label: str | None
    start: float | None
    end: float | None


def parse_action(body: bytes) -> Action:
    """Parse a posted action, and check every field.

    Parameters
    ----------
    body : bytes
        JSON object with the field ``action`` and, depending on it, ``clip``, ``label``, ``start`` and
        ``end``.

    Returns
    -------
    Action

    Raises
    ------
    ValueError
        If the body is not such an object.
    """
    fields = parse_json(body)
    if not isinstance(fields, dict) or not set(fields) <= FIELDS:
        raise ValueError(f"expected an object with the fields {', '.join(sorted(FIELDS))}")
    action = fields.get("action")
    if action not in ACTIONS:
        raise ValueError(f"action: expected one of {', '.join(ACTIONS)}")
    clip, label = fields.get("clip"), fields.get("label")
    if (action in NEEDS_CLIP) != (clip is not None) or isinstance(clip, bool):
        raise ValueError(f"clip: expected an index for {', '.join(NEEDS_CLIP)} only")
    if clip is not None and not isinstance(clip, int):
        raise ValueError("clip: expected an integer")
    if (action == "label") != (label is not None) or not isinstance(label, str | None):
        raise ValueError("label: expected a text for the action label only")
    start, end = _parse_seconds(fields, "start"), _parse_seconds(fields, "end")
    if action != "label" and (start, end) != (None, None):
        raise ValueError("start and end belong to the action label")
    return Action(str(action), clip, label, start, end)


def _parse_seconds(fields: dict[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # The comparison also refuses integers that no float can hold.
    if not is_number or not 0 <= value < 1e9 or not math.isfinite(value):
        raise ValueError(f"{name}: expected seconds from 0")
    return float(value)
