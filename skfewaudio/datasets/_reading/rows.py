"""Datasets from the rows of tables and annotations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._base import AudioDataset
from .._home import join_first
from .._tables import OnMissing, report_extra, report_missing
from .._warnings import warn_user
from .labels import Target
from .lookup import AudioLookup
from .times import Times


def dataset_from_rows(
    paths: Sequence[str],
    target: Target,
    *,
    times: Times | None,
    lines: Sequence[str],
    source: Path | str,
    lookup: AudioLookup,
    on_missing: OnMissing,
    on_extra: OnMissing,
    folds: NDArray[np.int64] | None = None,
    groups: Sequence[str] | None = None,
    name: str,
) -> AudioDataset:
    """Build a dataset of files, or of parts of them if there are times.

    `lines` are the places of the rows in errors, such as "line 3".
    """
    labels, label_names = target
    keep = np.ones(len(paths), dtype=bool)
    if times is None:
        _check_unique(paths, lines, source)
    else:
        keep = _drop_duplicates(paths, times, labels, lines, source)
    if on_extra != "ignore":
        report_extra(list(dict.fromkeys(paths)), source, on_extra)
    keep[report_missing(paths, keep, source, on_missing, lookup.hint)] = False
    where = np.flatnonzero(keep).tolist()
    return AudioDataset(
        [paths[i] if times is None else (paths[i], *times[i]) for i in where],
        labels[where],
        name=name,
        folds=None if folds is None else folds[where],
        groups=None if groups is None else np.array(groups, dtype=str)[where],
        label_names=label_names,
    )


def _check_unique(paths: Sequence[str], lines: Sequence[str], source: Path | str) -> None:
    """Raise if two rows name the same file."""
    again = np.flatnonzero(pd.Series(paths).duplicated()).tolist()
    if again:
        named = join_first([f"{Path(paths[i]).name} ({lines[i]})" for i in again])
        raise ValueError(
            f"{source} names {len(again)} files a second time: {named}. Parts of one file need columns named "
            "start and end, in seconds; several labels of one clip belong in one row (see label_separator)"
        )


def _drop_duplicates(
    paths: Sequence[str], times: Times, labels: NDArray[Any], lines: Sequence[str], source: Path | str
) -> NDArray[np.bool_]:
    """Return a mask without repeated rows, after warnings of them and of parts with different labels."""
    parts = pd.DataFrame(
        {
            "path": list(paths),
            "start": [start for start, _ in times],
            "end": [np.inf if end is None else end for _, end in times],
            "label": [label.tobytes() for label in labels] if labels.ndim == 2 else list(labels),
        }
    )
    repeated = parts.duplicated().to_numpy()
    ambiguous = parts.duplicated(["path", "start", "end"]).to_numpy() & ~repeated
    for which, what in (
        (repeated, "repeat an earlier row, and are left out"),
        (ambiguous, "give the same part of a file another label; the clip is in the dataset with both"),
    ):
        if which.any():
            named = join_first([lines[i] for i in np.flatnonzero(which).tolist()])
            warn_user(f"{source}: {which.sum()} rows {what}: {named}")
    return ~repeated
