"""Reliability diagram of the report."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._reliability import Reliability, bin_predictions
from .predictions import Predictions
from .table import Cell, Table

N_BINS = 10
SIZE, LEFT, TOP, SIDE = 380, 48.0, 14.0, 316.0  # of the diagram in pixels: whole, and the square inside
MAX_RADIUS, MIN_RADIUS = 15.0, 3.0


@dataclass(frozen=True)
class Calibration:
    """Reliability diagram of one method and number of clips, in pixel coordinates.

    The marks of all bins exist, with radius 0 if the bin is empty, so that the page can update them.
    """

    caption: str
    marks: list[tuple[float, float, float, float]]  # x, y, radius, and height of the diagonal at x
    table: Table
    size: int = SIZE
    left: float = LEFT
    top: float = TOP
    side: float = SIDE

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Positions along an axis, from its start, and their labels in per cent."""
        return [(SIDE * share, f"{100 * share:.0f}") for share in np.linspace(0, 1, 6)]


def reliability_of(predictions: Predictions, pipeline: str, n_shots: int) -> Reliability | None:
    """Count the predictions of a method by their probability; None if it gives no probabilities."""
    part = predictions.select(pipeline, n_shots).dropna(subset="probability")
    if part.empty:
        return None
    return bin_predictions(part["probability"], part["true"] == part["predicted"], N_BINS)


def build_calibration(predictions: Predictions, pipeline: str, n_shots: int) -> Calibration | None:
    """Create the reliability diagram of a method, or None if no method gives probabilities."""
    if predictions.frame["probability"].isna().all():
        return None
    found = reliability_of(predictions, pipeline, n_shots)
    empty = np.zeros(N_BINS)
    bins = Reliability(empty.astype(int), empty, empty) if found is None else found
    caption = f"{pipeline}, {n_shots} per class: " + (
        "no probabilities" if found is None else f"expected calibration error {100 * bins.error:.1f} %"
    )
    return Calibration(caption, [_place(bins, k) for k in range(N_BINS)], _calibration_table(bins, caption))


def all_calibrations(predictions: Predictions) -> list[list[dict[str, Any] | None]]:
    """Return the bins by pipeline and number of clips as lists, for the page's controls."""
    return [
        [_to_lists(reliability_of(predictions, pipeline, n)) for n in predictions.shots]
        for pipeline in predictions.pipelines
    ]


def _to_lists(bins: Reliability | None) -> dict[str, Any] | None:
    if bins is None:
        return None
    return {
        "counts": bins.counts.tolist(),
        "confidence": np.nan_to_num(bins.confidence).round(4).tolist(),
        "accuracy": np.nan_to_num(bins.accuracy).round(4).tolist(),
        "error": round(bins.error, 4),
    }


def _place(bins: Reliability, k: int) -> tuple[float, float, float, float]:
    """Return the place of a bin in the diagram, and the radius of its mark, whose area shows its number."""
    if not bins.counts[k]:
        return LEFT, TOP + SIDE, 0.0, TOP + SIDE
    radius = MIN_RADIUS + (MAX_RADIUS - MIN_RADIUS) * np.sqrt(bins.counts[k] / bins.counts.max())
    x, on_diagonal = LEFT + SIDE * bins.confidence[k], TOP + SIDE * (1 - bins.confidence[k])
    return float(x), float(TOP + SIDE * (1 - bins.accuracy[k])), float(radius), float(on_diagonal)


def _calibration_table(bins: Reliability, caption: str) -> Table:
    """Create the table of the bins, empty ones included."""
    edges = np.linspace(0, 100, N_BINS + 1)
    rows = [
        [
            Cell(f"{edges[k]:.0f} to {edges[k + 1]:.0f} %", k),
            _mean_cell(bins.accuracy[k], int(count)),
            _mean_cell(bins.confidence[k], int(count)),
            Cell(f"{count:,}", float(count)),
        ]
        for k, count in enumerate(bins.counts)
    ]
    heads = ["probability", "right (%)", "mean probability (%)", "predictions"]
    return Table(caption, heads, rows, sortable=False)


def _mean_cell(mean: float, count: int) -> Cell:
    return Cell(str(int(100 * mean + 0.5)), float(mean)) if count else Cell("-", -1.0)
