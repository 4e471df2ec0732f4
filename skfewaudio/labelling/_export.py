"""Export of the labels as annotations of other programs."""

import os
from pathlib import Path
from typing import Literal

import pandas as pd

from skfewaudio.audio import audio_info
from skfewaudio.audio.clips import as_file_part
from skfewaudio.datasets import save_annotations

from ._labeller import ActiveLabeller


def export_annotations(
    labeller: ActiveLabeller,
    folder: str | os.PathLike[str],
    *,
    format: Literal["audacity", "raven"],
) -> list[Path]:
    """Write a file of annotations for each recording that has a labelled clip.

    Parameters
    ----------
    labeller : ActiveLabeller
        The labelled clips, which must be files or parts of files.
    folder : path-like
        Folder to write to, which is created. Files are named after the recordings.
    format : {"audacity", "raven"}
        Label tracks or selection tables.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    AudioLoadError
        If the length of a recording is needed and it cannot be read.
    OSError
        If a file cannot be written.

    See Also
    --------
    skfewaudio.datasets.save_annotations : Saves any table of labelled parts.
    """
    X, y, _ = labeller.training_set()
    if not X:
        return []
    rows: list[tuple[str, float, float | None, str]] = []
    for clip, label in zip(X, y, strict=True):
        part = as_file_part(clip)
        end = audio_info(part.path).duration if part.end is None else part.end
        rows.append((part.path, part.start, end, label))
    table = pd.DataFrame(rows, columns=["path", "start", "end", "label"])
    Path(folder).mkdir(exist_ok=True)
    return save_annotations(table, folder, format=format, per_recording=True)
