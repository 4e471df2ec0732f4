"""Writer of annotation files: CSV tables, label tracks and selection tables."""

from pathlib import Path
from typing import Literal

import pandas as pd

from ._annotation_formats.writers import Annotation
from ._home import PathLike, expand_user, join_first
from .annotation_files import (
    SUFFIXES,
    FileNames,
    as_annotations,
    check_format,
    common_folder,
    write_annotations,
)


def save_annotations(
    table: pd.DataFrame,
    path: PathLike,
    *,
    format: Literal["csv", "audacity", "raven"] = "csv",
    per_recording: bool = False,
) -> list[Path]:
    r"""Save labelled parts of recordings as a table, a label track of Audacity or a selection table of Raven.

    Parameters
    ----------
    table : DataFrame
        Columns path, start, end, label and, optionally, probability, with times in seconds; for example the
        events from :func:`~skfewaudio.detection.detect_events`. Other columns are not saved.
    path : path-like
        File to write, or a folder if `per_recording`.
    format : {"csv", "audacity", "raven"}, default="csv"
        Format of the file. Label tracks and selection tables belong to one recording; a CSV table may have
        several.
    per_recording : bool, default=False
        Write a file for each recording, named after it, in folders as the recordings lie: ``night.csv``,
        ``night.txt`` (Audacity) or ``night.selections.txt`` (Raven) for ``night.wav``. Two recordings of one
        name, such as night.wav and night.flac, give ``night.txt`` and ``night.flac.txt``.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ValueError
        If a column is missing, times are not 0 <= start <= end, an end is missing in a label track or
        selection table, or one of these would hold several recordings.
    OSError
        If a file cannot be written.

    See Also
    --------
    load_annotations : Load such files.

    Notes
    -----
    Each file is written whole or not at all. In CSV, paths that spreadsheets would run as formulas begin with
    ``./``, and such labels with ``'``. Label tracks hold no probabilities. Tabs and line breaks in labels
    become spaces in label tracks and selection tables. Selections span the frequencies from 0 to half the
    sample rate of the recording, or to 22050 Hz if the recording cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from skfewaudio.datasets import save_annotations
    >>> events = pd.DataFrame(
    ...     [("night.wav", 1.5, 2.75, "owl", 0.9), ("night.wav", 8.0, 9.25, "fox", 0.8)],
    ...     columns=["path", "start", "end", "label", "probability"],
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     (file,) = save_annotations(events, Path(folder, "night.csv"))
    ...     print(file.read_text())
    path,start,end,label,probability
    night.wav,1.5,2.75,owl,0.900000
    night.wav,8.0,9.25,fox,0.800000
    """
    check_format(format)
    rows = as_annotations(table)
    with_probability = "probability" in table
    target = expand_user(path)
    recordings = list(dict.fromkeys(row.path for row in rows))
    if not per_recording:
        if len(recordings) > 1 and format != "csv":
            raise ValueError(
                f"the table has {len(recordings)} recordings, {join_first(recordings)}, and a file in the "
                f"format {format} belongs to one; pass a folder and per_recording=True"
            )
        write_annotations(rows, target, format, with_probability=with_probability)
        return [target]
    return _write_each(rows, recordings, target, format, with_probability=with_probability)


def _write_each(
    rows: list[Annotation], recordings: list[str], folder: Path, format: str, *, with_probability: bool
) -> list[Path]:
    """Write a file for each recording."""
    names = FileNames(common_folder(recordings) if recordings else ".")
    of_recording: dict[str, list[Annotation]] = {recording: [] for recording in recordings}
    for row in rows:
        of_recording[row.path].append(row)
    files = []
    for recording, parts in of_recording.items():
        files.append(folder / f"{names.add(recording)}{SUFFIXES[format]}")
        write_annotations(parts, files[-1], format, with_probability=with_probability)
    return files
