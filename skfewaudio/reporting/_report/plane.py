"""Embedded clips of the report: charts, points and a table of class centres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .charts import LETTER_WIDTH, NARROW, WIDE, Point, Style, linear_scale, truncate_label
from .media import clip_name
from .table import Cell, Table, to_cell, to_frame

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

EMBEDDING_COLUMNS = ("x", "y", "label", "kind")
MARGIN = 26.0  # of a chart in pixels, which the titles of the axes need
MAX_NAMES = 20  # more prototype labels would cover the chart
MAX_STEP = 64  # pixels from a point to its name
MAX_POINTS = 1500
MAX_OBSTACLES = 300  # clips that labels avoid; between more there is no room
STAR_PATH = "M0,-11L3,-3.8L10.5,-3.4L4.7,1.5L6.5,8.9L0,4.8L-6.5,8.9L-4.7,1.5L-10.5,-3.4L-3,-3.8Z"


@dataclass(frozen=True)
class ScatterChart:
    """Chart of embedded clips and prototypes, in pixel coordinates."""

    width: int
    height: int
    points: Sequence[tuple[Point, Style]]
    stars: Sequence[tuple[Point, Style]]
    labels: Sequence[Point]
    axes: tuple[str, str]


@dataclass(frozen=True)
class Embedding:
    """Charts of embedded clips, their names, and a table of the class centres.

    Parameters
    ----------
    wide, narrow : ScatterChart
        Charts for screens and for phones, with the same points in the same order.
    legend : list of (str, Style)
        The classes.
    table : Table
        Class centres.
    caption : str
        Which classifier and which clips are shown; empty if unknown.
    points : list of dict
        For each point, its ``label``, ``name``, ``clip`` (position in the dataset or None) and ``predicted``
        (class or None).
    """

    wide: ScatterChart
    narrow: ScatterChart
    legend: list[tuple[str, Style]]
    table: Table
    caption: str
    points: list[dict[str, Any]]

    @property
    def has_stars(self) -> bool:
        """Whether prototypes are shown."""
        return bool(self.wide.stars)

    @property
    def n_wrong(self) -> int | None:
        """Number of misclassified clips; None if the predictions are not known."""
        known = [point for point in self.points if point["predicted"] is not None]
        return sum(point["predicted"] != point["label"] for point in known) if known else None

    @property
    def clips(self) -> list[int]:
        """Positions of the shown clips in the dataset."""
        return [point["clip"] for point in self.points if point["clip"] is not None]


def build_embedding(embedding: Any, dataset: "AudioDataset | None") -> Embedding:
    """Create the charts of the embedding and the table of class centres."""
    frame = to_frame(embedding, "label")
    missing = [name for name in EMBEDDING_COLUMNS if name not in frame]
    if missing:
        raise ValueError(
            f"embedding lacks the columns {', '.join(missing)}; expected an EmbeddingDisplay, or a DataFrame "
            f"with {', '.join(EMBEDDING_COLUMNS)}"
        )
    frame = frame.assign(label=frame["label"].astype(str).replace("", "no class"))
    styles = {name: Style.of(k) for k, name in enumerate(sorted(frame["label"].unique()))}
    projection = getattr(embedding, "projection", "")
    shown = _thin_out(frame)
    wide, narrow = (scatter_chart(shown, projection, styles, *size) for size in (WIDE, NARROW))
    caption = getattr(embedding, "description", "")
    return Embedding(
        wide, narrow, list(styles.items()), _neighbour_table(frame), caption, _list_points(shown, dataset)
    )


def _thin_out(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the prototypes and at most MAX_POINTS clips, evenly spaced."""
    clips = frame[frame["kind"] == "clip"]
    return pd.concat([clips.iloc[:: max(1, -(-len(clips) // MAX_POINTS))], frame[frame["kind"] != "clip"]])


def _list_points(frame: pd.DataFrame, dataset: "AudioDataset | None") -> list[dict[str, Any]]:
    """Describe the clips of the chart, in its order."""
    clips = frame[frame["kind"] == "clip"]
    known = pd.to_numeric(clips["clip"]).fillna(-1).astype(int) if "clip" in clips else [-1] * len(clips)
    n_clips = np.inf if dataset is None else len(dataset)
    if len(clips) and max(known) >= n_clips:
        raise ValueError(
            f"embedding contains clip {max(known)}, but the dataset has {n_clips} clips (0 to "
            f"{n_clips - 1}): pass the dataset that it belongs to"
        )
    predicted = clips["predicted"] if "predicted" in clips else [None] * len(clips)
    return [
        {
            "label": label,
            "name": clip_name(dataset, clip) if clip >= 0 else "",
            "clip": int(clip) if clip >= 0 else None,
            "predicted": None if guess is None or guess != guess or guess == "" else str(guess),
        }
        for label, clip, guess in zip(clips["label"], known, predicted, strict=True)
    ]


def scatter_chart(
    frame: pd.DataFrame, projection: str, styles: dict[str, Style], width: int, height: int
) -> ScatterChart:
    """Compute the chart of embedded clips and prototypes."""
    x = linear_scale(frame["x"].min(), frame["x"].max(), MARGIN, width - MARGIN)
    y = linear_scale(frame["y"].min(), frame["y"].max(), height - MARGIN, MARGIN)
    clips = frame[frame["kind"] == "clip"]
    stars = frame[frame["kind"] == "prototype"]
    points, marked = (
        [
            (Point(x(px), y(py), truncate_label(str(label))), styles[str(label)])
            for px, py, label in zip(part["x"], part["y"], part["label"], strict=True)
        ]
        for part in (clips, stars)
    )
    axis = projection.capitalize() or "Dimension"
    named = [point for point, _ in marked] or _class_middles(points)
    few = [point for point, _ in points] if len(points) <= MAX_OBSTACLES else []
    stars_only = [point for point, _ in marked]
    names = _place_names(named, width, height, stars_only, few) if len(named) <= MAX_NAMES else []
    return ScatterChart(width, height, points, marked, names, (f"{axis} 1", f"{axis} 2"))


def _class_middles(points: Sequence[tuple[Point, Style]]) -> list[Point]:
    """Return a point with the name of each class in the middle of its clips; none for a single class."""
    frame = pd.DataFrame([(point.text, point.x, point.y) for point, _ in points], columns=["text", "x", "y"])
    middles = frame.groupby("text", sort=False).median()
    if len(middles) < 2:
        return []
    return [Point(x, y, str(text)) for text, x, y in middles.itertuples(name=None)]


def _place_names(
    named: Sequence[Point], width: float, height: float, stars: Sequence[Point], points: Sequence[Point]
) -> list[Point]:
    """Place names beside their points, over no star or other name, and over no clip if possible.

    A name without a place near its point is left out; the legend has it.
    """
    taken = [(star.x - 11, star.y - 9, star.x + 11, star.y + 9) for star in stars]
    clips = [(point.x - 6, point.y - 6, point.x + 6, point.y + 6) for point in points]
    names = []
    for point in named:
        corners = _find_corners(point, LETTER_WIDTH * len(point.text), width, height)
        boxes = [(x, y - 8, x + LETTER_WIDTH * len(point.text), y + 8) for x, y in corners]
        free = [k for k, box in enumerate(boxes) if not any(_overlaps(box, other) for other in taken)]
        best = [k for k in free if not any(_overlaps(boxes[k], clip) for clip in clips)]
        if best or free:
            chosen = (best or free)[0]
            taken.append(boxes[chosen])
            names.append(Point(corners[chosen][0], corners[chosen][1] + 4.5, point.text))
    return names


def _find_corners(point: Point, length: float, width: float, height: float) -> list[tuple[float, float]]:
    """Return the places of a name inside the chart, the nearest to its point first."""
    steps = [0, *(sign * step for step in range(14, MAX_STEP, 7) for sign in (-1, 1))]
    return [
        (x, point.y + step)
        for step in steps
        for x in (point.x + 13, point.x - 13 - length)
        if 0 <= x <= width - length and MARGIN <= point.y + step <= height - MARGIN
    ]


def _overlaps(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Return whether two boxes (left, top, right, bottom) overlap."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _neighbour_table(frame: pd.DataFrame) -> Table:
    """Create the table of class centres (prototypes, or means of clips) and their nearest classes."""
    counts = frame[frame["kind"] == "clip"].groupby("label").size()
    centres = frame[frame["kind"] == "clip"].groupby("label")[["x", "y"]].mean()
    prototypes = frame[frame["kind"] == "prototype"].groupby("label")[["x", "y"]].mean()
    centres = prototypes.combine_first(centres)
    points = centres.to_numpy()
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    rows = [
        [
            Cell(str(name)),
            to_cell(int(counts.get(name, 0))),
            to_cell(x),
            to_cell(y),
            Cell(str(centres.index[distances[k].argmin()]) if len(points) > 1 else "-"),
        ]
        for k, (name, (x, y)) in enumerate(zip(centres.index, points, strict=True))
    ]
    return Table("Class centres", ["class", "clips", "x", "y", "nearest class"], rows)
