"""Smaller sections of the report: time, extrapolation, leakage and provenance."""

import json
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from skfewaudio._version import __version__

from .media import clip_name
from .scores import MetricScores
from .table import Cell, Table, duration, listing, to_frame, to_table

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

EXTRAPOLATION_COLUMNS = ("pipeline", "n_shots", "mean")
KNOWN_SETTINGS = ("dataset", "licence", "citation", "n_clips", "classes", "n_shots", "n_repeats")


def time_table(results: pd.DataFrame) -> Table | None:
    """Create the table of times for features, fits and scoring; None without times in `results`."""
    if not {"fit_time", "score_time"} <= set(results.columns):
        return None
    keys = ["pipeline", "n_shots", "repeat", "fold"]
    fits = results.drop_duplicates(keys)  # a fit has one row per metric
    grouped = fits.groupby("pipeline", sort=False)
    totals = {
        "fitting": grouped["fit_time"].sum(min_count=1),
        "scoring": grouped["score_time"].sum(min_count=1),
    }
    if "feature_time" in fits:
        totals = {"features": grouped["feature_time"].max(), **totals}
    last = fits[fits["n_shots"] == fits["n_shots"].max()].groupby("pipeline", sort=False)["fit_time"].mean()
    longest = max(float(column.max()) for column in totals.values())
    rows = [
        [
            Cell(str(name)),
            *(_time_cell(float(column.loc[str(name)]), longest) for column in totals.values()),
            _time_cell(float(last.get(name, np.nan)), None),
            Cell(f"{size:,}", float(size)),
        ]
        for name, size in grouped.size().items()
    ]
    heads = ["method", *totals, f"one fit of {fits['n_shots'].max()} per class", "fits"]
    notes = [
        "Fitting and scoring are sums over all fits"
        + (
            "; features are computed once for all clips."
            if "features" in totals
            else "; the time for features was not recorded."
        )
    ]
    return Table("Computing time", heads, rows, kind="bars", notes=notes)


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


def leak_table(leaks: Any, dataset: "AudioDataset | None") -> Table:
    """Create the table of leakage findings, with file names; it has no rows if nothing was found."""
    frame = to_frame(leaks, "finding")
    if dataset is not None:
        for column in {"first", "second"} & set(frame.columns):
            if pd.api.types.is_integer_dtype(frame[column]):
                frame = frame.assign(**{column: [clip_name(dataset, int(clip)) for clip in frame[column]]})
    return to_table(frame, "Findings", column="finding")


def provenance_table(
    results: pd.DataFrame, dataset: "AudioDataset | None", config: Mapping[str, Any]
) -> Table:
    """Create the table of dataset, protocol and software versions."""
    facts = {
        "dataset": _first_known(
            getattr(dataset, "name", None), config.get("dataset"), _first_value(results, "dataset")
        ),
        "licence": _first_known(getattr(dataset, "licence", None), config.get("licence")),
        "citation": _first_known(getattr(dataset, "citation", None), config.get("citation")),
        "clips": _first_known(None if dataset is None else len(dataset), config.get("n_clips")),
        "classes": listing(_first_known(getattr(dataset, "target_names", None), config.get("classes")) or []),
        "labelled clips per class": listing(sorted(results["n_shots"].unique().tolist())),
        "folds": listing(pd.unique(results["fold"]).tolist()),
        "draws": str(results["repeat"].nunique()),
        "seeds": _number_range(results["seed"].unique()) if "seed" in results else "",
        "test clips per fold": _number_range(results["n_test"].unique()) if "n_test" in results else "",
        "report written with": f"skfewaudio {__version__}, Python {platform.python_version()}",
    }
    rows = [[Cell(name), Cell(str(value))] for name, value in facts.items() if value not in (None, "")]
    return Table("Data and protocol", ["property", "value"], rows, sortable=False)


def settings_table(config: Mapping[str, Any]) -> Table | None:
    """Create the table of settings that are not in `provenance_table`; None if there are no others."""
    rest = {key: value for key, value in config.items() if key not in KNOWN_SETTINGS and value is not None}
    rows = []
    for key, value in rest.items():
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        rows += [[Cell(f"{key}: {name}" if name else str(key)), _setting_cell(item)] for name, item in inner]
    return Table("Settings of the run", ["setting", "value"], rows, sortable=False) if rows else None


def _setting_cell(value: Any) -> Cell:
    """Create a cell for a setting, as JSON unless it is a string; numbers have no separators."""
    if isinstance(value, str):
        return Cell(value)
    return Cell(json.dumps(value, ensure_ascii=False, default=str))


def _time_cell(seconds: float, longest: float | None) -> Cell:
    known = not np.isnan(seconds)
    share = seconds / longest if longest and known else None
    return Cell(duration(seconds), seconds if known else None, share=share)


def _first_known(*values: Any) -> Any:
    """Return the first value that is neither None nor empty."""
    return next((value for value in values if value is not None and value != ""), None)


def _first_value(results: pd.DataFrame, column: str) -> Any:
    return results[column].iloc[0] if column in results else None


def _number_range(values: np.ndarray) -> str:
    """Format integers, consecutive ones as a range."""
    numbers = sorted({int(value) for value in values})
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers[:20])) + (" …" if len(numbers) > 20 else "")
