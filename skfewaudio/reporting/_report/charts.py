"""Geometry of the report's charts, which the templates draw as SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._plotting import separate_labels
from .scores import MetricScores, Unit

N_COLORS = 7  # --c0 to --c6 of the style sheet
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
STAR_PATH = "M0,-11L3,-3.8L10.5,-3.4L4.7,1.5L6.5,8.9L0,4.8L-6.5,8.9L-4.7,1.5L-10.5,-3.4L-3,-3.8Z"
LABEL_GAP = 17.0  # pixels between the labels at the ends of lines
LETTER_WIDTH = 8.2  # average width of a bold letter in pixels
MAX_NAMES = 20  # more prototype labels would cover the chart
MAX_POINTS = 1500
MAX_LABEL_LENGTH = 22  # in characters; the tables contain the full names


class Style(NamedTuple):
    """Colour index and marker outline of a line or class."""

    color: int
    marker: str

    @classmethod
    def of(cls, position: int) -> "Style":
        """Return the style for an index; markers shift each time the colours repeat."""
        return cls(position % N_COLORS, MARKER_PATHS[(position + position // N_COLORS) % len(MARKER_PATHS)])


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
    def all_named(self) -> bool:
        """Whether all lines are labelled with their full names, so that no legend is needed."""
        return self.labelled and all(truncate_label(line.name) == line.name for line in self.lines)


@dataclass(frozen=True)
class ScatterChart:
    """Chart of embedded clips and prototypes, in pixel coordinates."""

    width: int
    height: int
    points: Sequence[tuple[Point, Style]]
    stars: Sequence[tuple[Point, Style]]
    labels: Sequence[Point]
    axes: tuple[str, str]


def curve_chart(
    scores: MetricScores, width: int, height: int, expected: pd.DataFrame | None = None
) -> CurveChart:
    """Compute the chart of the learning curves, continued by `expected` (with columns mean, low and high)."""
    labelled = width > 500
    data = _with_limits(scores.summary)
    if expected is not None:
        data = pd.concat([data, expected.assign(expected=True)], ignore_index=True)
    longest = max(len(truncate_label(name)) for name in scores.pipelines)
    left, right, top, bottom = 46.0, width - 14.0, 28.0, height - 46.0
    if labelled:
        right -= 14 + LETTER_WIDTH * longest
    x = _log_scale(data["n_shots"].to_numpy(dtype=float), left, right)
    heights = _y_tick_values(scores, data)
    y = _linear_scale(heights[0], heights[-1], bottom, top)
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


def scatter_chart(
    frame: pd.DataFrame, projection: str, styles: dict[str, Style], width: int, height: int
) -> ScatterChart:
    """Compute the chart of embedded clips (at most MAX_POINTS, evenly spaced) and prototypes."""
    margin = 26.0
    x = _linear_scale(frame["x"].min(), frame["x"].max(), margin, width - margin)
    y = _linear_scale(frame["y"].min(), frame["y"].max(), height - margin, margin)
    clips = frame[frame["kind"] == "clip"]
    clips = clips.iloc[:: max(1, -(-len(clips) // MAX_POINTS))]
    stars = frame[frame["kind"] == "prototype"]
    points, marked = (
        [
            (Point(x(px), y(py), truncate_label(str(label))), styles[str(label)])
            for px, py, label in zip(part["x"], part["y"], part["label"], strict=True)
        ]
        for part in (clips, stars)
    )
    axis = projection.capitalize() or "Dimension"
    names = _place_names([point for point, _ in marked], width) if len(marked) <= MAX_NAMES else []
    return ScatterChart(width, height, points, marked, names, (f"{axis} 1", f"{axis} 2"))


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


def _place_names(stars: Sequence[Point], width: float) -> list[Point]:
    """Place the label of each prototype so that it overlaps no prototype or other label, if possible."""
    taken = [(star.x - 11, star.y - 9, star.x + 11, star.y + 9) for star in stars]
    names = []
    for star in stars:
        length = LETTER_WIDTH * len(star.text)
        steps = [0, *(sign * step for step in range(14, 140, 7) for sign in (-1, 1))]
        corners = [
            (x, star.y + step)
            for step in steps
            for x in (star.x + 13, star.x - 13 - length)
            if 0 <= x <= width - length
        ] or [(0.0, star.y)]
        boxes = [(x, y - 8, x + length, y + 8) for x, y in corners]
        free = [not any(_overlaps(box, other) for other in taken) for box in boxes]
        chosen = free.index(True) if True in free else 0
        taken.append(boxes[chosen])
        names.append(Point(corners[chosen][0], corners[chosen][1] + 4.5, star.text))
    return names


def _overlaps(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Return whether two boxes (left, top, right, bottom) overlap."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


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


def _linear_scale(low: float, high: float, start: float, stop: float) -> Callable[[float], float]:
    if high == low:
        return lambda value: (start + stop) / 2
    return lambda value: float(start + (value - low) / (high - low) * (stop - start))


def _log_scale(values: NDArray[np.floating], start: float, stop: float) -> Callable[[float], float]:
    scale = _linear_scale(np.log(values.min()), np.log(values.max()), start + 12, stop - 12)
    return lambda value: scale(float(np.log(value)))
