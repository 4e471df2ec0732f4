"""Helpers for plots: colours, markers, axes and label positions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import librosa
import numpy as np
from numpy.typing import NDArray

from ._colors import color_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colour-blind safe palette of Okabe and Ito without yellow, which is too pale for lines on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
ROUND_HERTZ = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
MIN_TICK_GAP = 0.06  # between ticks of frequency, relative to the height of a spectrogram
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def style_of(position: int) -> dict[str, Any]:
    """Return colour and marker for an index; markers shift each time that they repeat."""
    return {
        "color": COLORS[position] if position < len(COLORS) else color_of(position),
        "marker": MARKERS[(position + position // len(MARKERS)) % len(MARKERS)],
    }


def get_axes(ax: "Axes | None", figsize: Sequence[float]) -> "Axes":
    """Return `ax`, or the axes of a new figure of `figsize` inches."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("Plots need matplotlib: pip install skfewaudio[plot]") from error
    return plt.subplots(figsize=tuple(figsize), layout="constrained")[1] if ax is None else ax


def hertz_ticks(low: float, high: float) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return round frequencies in Hz between two in mel, and their heights from 0 to 1, not too close."""
    hertz = np.array(ROUND_HERTZ, dtype=float)
    heights = (librosa.hz_to_mel(hertz) - low) / (high - low)
    inside = (heights >= 0) & (heights < 1)
    hertz, heights = hertz[inside], heights[inside]
    is_apart = np.diff(heights, prepend=-1.0) >= MIN_TICK_GAP
    return hertz[is_apart], heights[is_apart]


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
