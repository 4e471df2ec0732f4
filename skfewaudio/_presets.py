"""Presets, which are published settings with a name."""

from collections.abc import Mapping
from typing import Any


def choose_preset(
    presets: Mapping[str, Mapping[str, Any]], name: str, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the parameters of a preset, updated by `overrides`.

    Raises
    ------
    ValueError
        If the preset is unknown.
    """
    if name not in presets:
        raise ValueError(f"preset {name!r} is not known; expected one of {sorted(presets)}")
    return {**presets[name], **overrides}
