"""Helpers for plots: colours, markers, axes and label positions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colour-blind safe palette of Okabe and Ito without yellow, which is too pale for lines on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def style_of(position: int) -> dict[str, Any]:
    """Return colour and marker for an index; markers shift each time the colours repeat."""
    return {
        "color": COLORS[position % len(COLORS)],
        "marker": MARKERS[(position + position // len(COLORS)) % len(MARKERS)],
    }


def get_axes(ax: "Axes | None", figsize: Sequence[float]) -> "Axes":
    """Return `ax`, or the axes of a new figure of `figsize` inches."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("Plots need matplotlib: pip install skfewaudio[plot]") from error
    return plt.subplots(figsize=tuple(figsize), layout="constrained")[1] if ax is None else ax


def separate_labels(heights: Sequence[float], gap: float = 5.5, top: float = 100.0) -> NDArray[np.floating]:
    """Return label heights, in the order given, that are at least `gap` apart and at most `top`."""
    order = np.argsort(heights, kind="stable")
    shown = np.asarray(heights, dtype=float)[order]
    for k in range(1, len(shown)):
        shown[k] = max(shown[k], shown[k - 1] + gap)
    for k in reversed(range(len(shown))):
        shown[k] = min(shown[k], top - gap * (len(shown) - 1 - k))
    result = np.empty_like(shown)
    result[order] = shown
    return result
