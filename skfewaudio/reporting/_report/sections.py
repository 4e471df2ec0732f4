"""Smaller sections of the report: time and leakage."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .media import clip_name
from .table import Cell, Table, duration, to_frame, to_table

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset


def time_table(results: pd.DataFrame, n_clips: int | None = None) -> Table | None:
    """Create the table of times for features, fits and scoring; None without times in `results`.

    `n_clips` is the number of clips whose features were computed; None adds the test clips of the folds.
    """
    if not {"fit_time", "score_time"} <= set(results.columns):
        return None
    keys = ["pipeline", "n_shots", "repeat", "fold"]
    fits = results.drop_duplicates(keys)  # a fit has one row per metric
    times = _seconds_of_methods(fits, n_clips)
    longest = max(float(times[name].max()) for name in ("fit", "test"))
    most = fits["n_shots"].max()
    rows = [
        [
            Cell(str(name)),
            _time_cell(row["feature"], None),
            _time_cell(row["fit"], longest),
            _time_cell(row["test"], longest),
            _time_cell(row["all"], None),
            Cell(f"{row['fits']:,.0f}", float(row["fits"])),
        ]
        for name, row in times.iterrows()
    ]
    with_features = "with features" if times["feature"].notna().any() else "without features"
    heads = [
        "method",
        "features of one clip",
        f"training on {most} per class, {with_features}",
        f"classifying one clip, {with_features}",
        "all fits, without features",
        "fits",
    ]
    return Table("Computing time", heads, rows, kind="bars", notes=_time_notes(fits, times))


def _seconds_of_methods(fits: pd.DataFrame, n_clips: int | None) -> pd.DataFrame:
    """Return the seconds for the features of a clip, for a fit, and for a test clip, by method."""
    grouped = fits.groupby("pipeline", sort=False)
    feature = pd.Series(np.nan, index=list(grouped.groups))
    n_clips = n_clips or int(fits.drop_duplicates("fold").get("n_test", pd.Series(dtype=float)).sum())
    if "clip_feature_time" in fits:
        feature = grouped["clip_feature_time"].max()
    elif "feature_time" in fits and n_clips:
        feature = grouped["feature_time"].max() / n_clips
    largest = fits[fits["n_shots"] == fits["n_shots"].max()]
    n_test = largest.get("n_test", np.nan)
    n_train = largest.get("n_train", np.nan)
    last = largest.assign(test=largest["score_time"] / n_test, n_train=n_train)
    means = last.groupby("pipeline", sort=False)[["fit_time", "test", "n_train"]].mean()
    known = feature.fillna(0.0)
    return pd.DataFrame(
        {
            "feature": feature,
            "fit": means["fit_time"] + (known * means["n_train"]).fillna(0.0),
            "test": means["test"] + known,
            "all": grouped[["fit_time", "score_time"]].sum(min_count=1).sum(axis=1, min_count=1),
            "fits": grouped.size(),
        }
    ).loc[list(dict.fromkeys(fits["pipeline"]))]


def _time_notes(fits: pd.DataFrame, times: pd.DataFrame) -> list[str]:
    """Explain how the times were measured."""
    if "clip_feature_time" in fits:
        how = "The time for features was measured on some clips, without the feature cache."
    elif times["feature"].notna().any():
        how = "Features that were read from a cache count with the time for reading them."
    else:
        how = "The time for features was not recorded."
    return [f"{how} Training and classifying are means over the fits with the most clips."]


def leak_table(leaks: Any, dataset: "AudioDataset | None") -> Table:
    """Create the table of leakage findings, with file names; it has no rows if nothing was found."""
    frame = to_frame(leaks, "finding")
    if dataset is not None:
        for column in {"first", "second"} & set(frame.columns):
            if pd.api.types.is_integer_dtype(frame[column]):
                frame = frame.assign(**{column: [clip_name(dataset, int(clip)) for clip in frame[column]]})
    return to_table(frame, "Findings", column="finding")


def _time_cell(seconds: float, longest: float | None) -> Cell:
    known = not np.isnan(seconds)
    share = seconds / longest if longest and known else None
    return Cell(duration(seconds), seconds if known else None, share=share)
