"""Section of the report on more clips: expected scores, and clips to label next."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skfewaudio._names import from_path_cell

from .charts import NARROW, WIDE, CurveChart, curve_chart
from .media import Media, file_media
from .scores import MetricScores
from .table import Cell, Table, to_frame, to_table

EXTRAPOLATION_COLUMNS = ("pipeline", "n_shots", "mean")
MAX_SUGGESTIONS = 50


@dataclass(frozen=True)
class Outlook:
    """Expected scores for more clips, and clips to label next, the first of them with sound."""

    charts: list[CurveChart]
    table: Table | None
    suggestions: Table | None
    players: list[Media]


def build_outlook(extrapolation: Any, suggestions: Any, scores: MetricScores, n_clips: int) -> Outlook | None:
    """Create the section with the sound of `n_clips` suggestions; None without any contents."""
    if extrapolation is None and suggestions is None:
        return None
    expected = None if extrapolation is None else check_extrapolation(extrapolation)
    caption = "Unlabelled clips, the most informative first"
    return Outlook(
        [] if expected is None else [curve_chart(scores, *size, expected) for size in (WIDE, NARROW)],
        None if expected is None else extrapolation_table(expected, scores),
        None if suggestions is None else to_table(suggestions, caption, column="clip", limit=MAX_SUGGESTIONS),
        [] if suggestions is None else _suggested_media(to_frame(suggestions, "clip"), n_clips),
    )


def _suggested_media(frame: pd.DataFrame, n_clips: int) -> list[Media]:
    """Encode the sound of the first suggestions that are files which still exist."""
    if "clip" not in frame:
        return []
    paths = [Path(from_path_cell(str(clip))) for clip in frame["clip"].head(n_clips)]
    return [file_media(path.name, str(path)) for path in paths if path.is_file()]


def check_extrapolation(extrapolation: Any) -> pd.DataFrame:
    """Convert expected scores to columns pipeline, n_shots, mean, low and high."""
    frame = to_frame(extrapolation, "pipeline")
    missing = [name for name in EXTRAPOLATION_COLUMNS if name not in frame]
    if missing:
        raise ValueError(
            f"extrapolation lacks the columns {', '.join(missing)}; expected pipeline, n_shots and mean, and "
            "low and high, or half_width, for the interval"
        )
    half = frame.get("half_width", np.nan)
    low = frame.get("low", frame["mean"] - half)
    high = frame.get("high", frame["mean"] + half)
    limits = frame.assign(low=low, high=high)[[*EXTRAPOLATION_COLUMNS, "low", "high"]]
    return limits.sort_values(["n_shots"], kind="stable", ignore_index=True)


def extrapolation_table(expected: pd.DataFrame, scores: MetricScores) -> Table:
    """Create the table of expected scores with intervals, one column per number of clips."""
    unit = scores.unit
    cells = {
        (name, n): Cell(
            unit.bare(mean) + ("" if np.isnan(low) else f" ({unit.bare(low)} to {unit.bare(high)})"), mean
        )
        for name, n, mean, low, high in expected.itertuples(index=False, name=None)
    }
    shots = sorted(expected["n_shots"].unique())
    rows = [
        [Cell(str(name)), *(cells.get((name, n), Cell("-")) for n in shots)]
        for name in expected["pipeline"].unique()
    ]
    suffix = f" ({unit.suffix.strip()})" if unit.suffix else ""
    caption = f"Expected {scores.label}{suffix} by labelled clips per class, with interval"
    return Table(caption, ["method", *(f"{n:g}" for n in shots)], rows)
