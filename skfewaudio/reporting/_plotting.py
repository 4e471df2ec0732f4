"""What the displays share: matplotlib on demand, and colours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart with any colour vision; their yellow is too pale for lines on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def style_of(position: int) -> dict[str, Any]:
    """Give colour and marker number `position`; markers change when the colours start again."""
    return {
        "color": COLORS[position % len(COLORS)],
        "marker": MARKERS[(position + position // len(COLORS)) % len(MARKERS)],
    }


def get_axes(ax: "Axes | None", figsize: Sequence[float]) -> "Axes":
    """Return `ax`, or axes of a new figure of `figsize` inches."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("Pictures need matplotlib: pip install skfewaudio[plot]") from error
    return plt.subplots(figsize=tuple(figsize), layout="constrained")[1] if ax is None else ax
