"""Published settings by name."""

from collections.abc import Mapping
from typing import Any


def choose_preset(
    presets: Mapping[str, Mapping[str, Any]], name: str, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the parameters of a preset, some of them replaced.

    Raises
    ------
    ValueError
        If there is no such preset.
    """
    if name not in presets:
        raise ValueError(f"preset {name!r} is not known; expected one of {sorted(presets)}")
    return {**presets[name], **overrides}
