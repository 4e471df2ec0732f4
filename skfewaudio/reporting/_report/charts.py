"""Geometry of the report's charts, which the templates draw as SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._plotting import separate_labels
from .scores import MetricScores, Unit

# SVG outlines around (0, 0) of about equal area, distinguishable without colour.
MARKER_PATHS = (
    "M-4.5,0a4.5,4.5 0 1,0 9,0a4.5,4.5 0 1,0 -9,0Z",
    "M-4,-4H4V4H-4Z",
    "M0,-5.4L5,3.8H-5Z",
    "M0,-5.6L5.2,0L0,5.6L-5.2,0Z",
    "M0,5.4L5,-3.8H-5Z",
    "M-1.8,-5.2H1.8V-1.8H5.2V1.8H1.8V5.2H-1.8V1.8H-5.2V-1.8H-1.8Z",
    "M-5.2,-2.8L-2.8,-5.2L0,-2.4L2.8,-5.2L5.2,-2.8L2.4,0L5.2,2.8L2.8,5.2L0,2.4L-2.8,5.2L-5.2,2.8L-2.4,0Z",
)
WIDE, NARROW = (860, 440), (340, 330)  # sizes of charts in pixels, for screens and for phones
LABEL_GAP = 17.0  # pixels between the labels at the ends of lines
LETTER_WIDTH = 8.2  # average width of a bold letter in pixels
MAX_LABEL_LENGTH = 22  # in characters; the tables contain the full names


class Style(NamedTuple):
    """Colour index and marker outline of a line or class."""

    color: int
    marker: str

    @classmethod
    def of(cls, position: int) -> "Style":
        """Return the style for an index; markers shift each time that they repeat."""
        shift = position // len(MARKER_PATHS)
        return cls(position, MARKER_PATHS[(position + shift) % len(MARKER_PATHS)])


class Tick(NamedTuple):
    """Tick of an axis with its label."""

    at: float
    text: str


class Point(NamedTuple):
    """Marker with its tooltip."""

    x: float
    y: float
    text: str
    expected: bool = False


@dataclass(frozen=True)
class Line:
    """Line of one method with measured and expected points and the band of their intervals."""

    name: str
    style: Style
    points: Sequence[Point]
    path: str
    expected_path: str
    band: str
    label_y: float


@dataclass(frozen=True)
class CurveChart:
    """Chart of scores against clips per class, in pixel coordinates."""

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    lines: Sequence[Line]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    y_title: str
    chance: Tick | None
    labelled: bool

    @property
    def chance_text_y(self) -> float:
        """Height of the text on chance, below the line, which the markers of random guesses cover."""
        if self.chance is None:
            return 0.0
        return self.chance.at + (18 if self.bottom - self.chance.at > 26 else -12)

    @property
    def all_named(self) -> bool:
        """Whether all lines are labelled with their full names, so that no legend is needed."""
        return self.labelled and all(truncate_label(line.name) == line.name for line in self.lines)


def curve_chart(
    scores: MetricScores, width: int, height: int, expected: pd.DataFrame | None = None
) -> CurveChart:
    """Compute the chart of the learning curves, continued by `expected` (with columns mean, low and high)."""
    labelled = width > 500
    data = _with_limits(scores.summary)
    if expected is not None:
        data = pd.concat([data, expected.assign(expected=True)], ignore_index=True)
    if scores.unit.suffix:  # a share cannot be outside 0 to 1, whatever the interval
        data = data.assign(low=data["low"].clip(lower=0.0), high=data["high"].clip(upper=1.0))
    longest = max(len(truncate_label(name)) for name in scores.pipelines)
    left, right, top, bottom = 46.0, width - 14.0, 28.0, height - 46.0
    if labelled:
        right -= 14 + LETTER_WIDTH * longest
    x = _log_scale(data["n_shots"].to_numpy(dtype=float), left, right)
    heights = _y_tick_values(scores, data)
    y = linear_scale(heights[0], heights[-1], bottom, top)
    lines = [
        _make_line(name, Style.of(k), data[data["pipeline"] == name], x, y, scores.unit)
        for k, name in enumerate(scores.pipelines)
    ]
    chance = scores.chance
    return CurveChart(
        width,
        height,
        left,
        right,
        top,
        bottom,
        _separate_line_labels(lines, bottom),
        _drop_close_ticks([Tick(x(n), f"{n:g}") for n in sorted(data["n_shots"].unique())]),
        [Tick(y(value), f"{scores.unit.factor * value:g}") for value in heights],
        f"{scores.label.capitalize()} ({scores.unit.suffix.strip()})".replace(" ()", ""),
        None if chance is None else Tick(y(chance), f"chance {scores.unit.write(chance)}"),
        labelled,
    )


def truncate_label(name: str) -> str:
    """Shorten a name to MAX_LABEL_LENGTH characters."""
    return name if len(name) <= MAX_LABEL_LENGTH else name[: MAX_LABEL_LENGTH - 1] + "…"


def _with_limits(summary: pd.DataFrame) -> pd.DataFrame:
    known = summary.dropna(subset="mean")
    return known.assign(
        low=known["mean"] - known["half_width"], high=known["mean"] + known["half_width"], expected=False
    )


def _make_line(
    name: str,
    style: Style,
    rows: pd.DataFrame,
    x: Callable[[float], float],
    y: Callable[[float], float],
    unit: Unit,
) -> Line:
    """Compute the markers and the band of one method."""
    rows = rows.sort_values("n_shots")
    points = []
    for n, mean, low, high, expected in rows[["n_shots", "mean", "low", "high", "expected"]].itertuples(
        index=False, name=None
    ):
        text = f"{name}, {n:g} per class: {'expected ' if expected else ''}{unit.write(mean)}"
        text += "" if np.isnan(low) else f" ({unit.interval(low, high)})"
        points.append(Point(x(n), y(mean), text, bool(expected)))
    measured = [point for point in points if not point.expected]
    ahead = [*measured[-1:], *(point for point in points if point.expected)]
    known = rows.dropna(subset=["low", "high"])
    rim = [(x(n), y(v)) for n, v in zip(known["n_shots"], known["high"], strict=True)]
    rim += [(x(n), y(v)) for n, v in zip(known["n_shots"][::-1], known["low"][::-1], strict=True)]
    end = points[-1].y if points else 0.0
    return Line(
        name,
        style,
        points,
        _svg_path([(p.x, p.y) for p in measured]),
        _svg_path([(p.x, p.y) for p in ahead]) if len(ahead) > 1 else "",
        _svg_path(rim) + "Z" if len(known) > 1 else "",
        end,
    )


def _separate_line_labels(lines: Sequence[Line], bottom: float) -> list[Line]:
    """Move the labels at the ends of lines apart."""
    heights = separate_labels(
        [bottom - line.label_y for line in lines], gap=LABEL_GAP, top=bottom - LABEL_GAP
    )
    return [
        Line(**{**vars(line), "label_y": float(bottom - height)})
        for line, height in zip(lines, heights, strict=True)
    ]


def _svg_path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points) if points else ""


def _y_tick_values(scores: MetricScores, data: pd.DataFrame) -> NDArray[np.floating]:
    """Return tick values, including the limits: 0 to 100 % for shares, else the range of the data."""
    if scores.unit.suffix:
        return np.linspace(0, 1, 6)
    values = data[["mean", "low", "high"]].to_numpy(dtype=float)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    least = max(high - low, 1e-9) / 4
    power = 10.0 ** np.floor(np.log10(least))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least)
    return np.round(np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step, 12)


def _drop_close_ticks(ticks: Sequence[Tick], gap: float = 24.0) -> list[Tick]:
    """Drop ticks that are closer than `gap` to the next one; the last tick is kept."""
    kept: list[Tick] = []
    for tick in reversed(ticks):
        if not kept or kept[-1].at - tick.at >= gap:
            kept.append(tick)
    return kept[::-1]


def linear_scale(low: float, high: float, start: float, stop: float) -> Callable[[float], float]:
    """Return the function that maps `low` to `start` and `high` to `stop`."""
    if high == low:
        return lambda value: (start + stop) / 2
    return lambda value: float(start + (value - low) / (high - low) * (stop - start))


def _log_scale(values: NDArray[np.floating], start: float, stop: float) -> Callable[[float], float]:
    scale = linear_scale(np.log(values.min()), np.log(values.max()), start + 12, stop - 12)
    return lambda value: scale(float(np.log(value)))
