"""Clips, labels, groups and folds that the results of a run depend on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skfewaudio._describe import digest
from skfewaudio._json import parse_json

if TYPE_CHECKING:
    import numpy as np

    from skfewaudio.datasets import AudioDataset

# What a difference is called, by the column of the clips.
COLUMNS = {"content": "sounds", "label": "labels", "group": "groups", "fold": "folds"}

Record = dict[str, Any]


def list_clips(dataset: "AudioDataset", folds: "np.ndarray", location: Path | None) -> list[Record]:
    """Return one record per clip: its file, the digest of its content, its label, group and fold.

    Parameters
    ----------
    dataset : AudioDataset
        Dataset of the run.
    folds : array of shape (n_clips,)
        All folds of the dataset.
    location : Path or None
        Directory of the feature cache, which stores the digests of files.

    Returns
    -------
    list of dict
        The columns clip, path, start, end, content, label (several: a list), group and fold.
    """
    from skfewaudio.features.clip_digests import digest_clips

    groups = [None] * len(dataset) if dataset.groups is None else dataset.groups.tolist()
    columns = zip(
        map(_locate, dataset.X),
        digest_clips(dataset.X, location=location),
        _list_labels(dataset),
        groups,
        folds.tolist(),
        strict=True,
    )
    return [
        {"clip": number, **where, "content": content, "label": label, "group": group, "fold": fold}
        for number, (where, content, label, group, fold) in enumerate(columns)
    ]


def read_clips(content: bytes) -> list[Record] | None:
    """Parse stored records; return None if they are damaged, because they only serve to name differences."""
    try:
        records = [parse_json(line) for line in content.splitlines()]
        _comparable(records)
        _ = [_name_clip(record) for record in records]
    except (ValueError, TypeError, KeyError):
        return None
    return records


def _locate(clip: Any) -> Record:
    """Return the file of a clip, and the part of it."""
    path, start, end = (clip, None, None) if isinstance(clip, str) else (None, None, None)
    if isinstance(clip, tuple) and isinstance(clip[0], str):
        path, start, end = clip
    return {"path": path, "start": start, "end": end}


def _list_labels(dataset: "AudioDataset") -> list[Any]:
    """Return the class of each clip, or the list of its labels."""
    if dataset.y.ndim == 1:
        return dataset.y.tolist()
    names = dataset.target_names
    return [[name for name, is_set in zip(names, row, strict=True) if is_set] for row in dataset.y]


def digest_columns(records: Sequence[Record]) -> dict[str, str]:
    """Return a digest of each column that results depend on."""
    return {name: digest(values) for name, values in _comparable(records).items()}


def _comparable(records: Sequence[Record]) -> dict[str, list[Any]]:
    """Return the columns that results depend on; groups are numbered, so that their names are free."""
    columns = {name: [record[name] for record in records] for name in COLUMNS}
    numbers: dict[Any, int] = {}
    columns["group"] = [numbers.setdefault(group, len(numbers)) for group in columns["group"]]
    return columns


def find_changed_clips(before: Sequence[Record], now: Sequence[Record]) -> list[str]:
    """Describe how clips differ from those of earlier results."""
    if len(before) != len(now):
        return [f"{len(now)} clips instead of {len(before)}"]
    old, new = _comparable(before), _comparable(now)
    changes = []
    for name, what in COLUMNS.items():
        changed = [clip for clip in range(len(now)) if old[name][clip] != new[name][clip]]
        if changed:
            first = now[changed[0]]
            values = f", {first[name]!r} instead of {before[changed[0]][name]!r}" if name != "content" else ""
            changes.append(
                f"the {what} of {len(changed)} of {len(now)} clips, such as {_name_clip(first)}{values}"
            )
    return changes


def _name_clip(record: Record) -> str:
    return f"clip {record['clip']}" if record["path"] is None else str(record["path"])
