"""JSON of unknown origin: any fault of a text is a ValueError, and NaN and infinity are faults."""

import json
import math
from collections.abc import Mapping
from typing import Any


def parse_json(content: bytes) -> Any:
    """Parse JSON in UTF-8.

    Raises
    ------
    ValueError
        If the content is not JSON; the message is a clause such as ``"is not JSON: ..."``.
    """
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8: byte {error.start + 1} is {content[error.start]:#04x}") from error
    except RecursionError as error:
        raise ValueError("is not JSON: it is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def to_json_value(value: Any) -> Any:
    """Convert NumPy numbers and arrays to Python's, and NaN and infinity to None, at any depth."""
    if isinstance(value, Mapping):
        return {name: to_json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_value(item) for item in value]
    if hasattr(value, "tolist"):
        return to_json_value(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
