"""Loader of own recordings listed in a table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._base import AudioDataset
from ._home import PathLike, expand_user
from ._reading.columns import FOLD_NAMES, GROUP_NAMES, PATH_NAMES, Chosen, choose_column
from ._reading.delimited import read_delimited
from ._reading.labels import read_labels
from ._reading.lookup import AudioLookup
from ._reading.rows import dataset_from_rows
from ._reading.times import read_times
from ._tables import OnMissing, check_filled, parse_integers


def load_csv(
    path: PathLike,
    *,
    audio_root: PathLike | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    label_columns: Sequence[str] | None = None,
    label_separator: str | None = None,
    start_column: Chosen = None,
    end_column: Chosen = None,
    fold_column: Chosen = None,
    group_column: Chosen = None,
    sep: str | None = None,
    encoding: str | None = None,
    on_missing: OnMissing = "raise",
    on_extra: OnMissing = "warn",
) -> AudioDataset:
    r"""Load the clips listed in a table, one per row.

    Parameters
    ----------
    path : path-like
        The table: a text file with a header, such as a CSV file from a spreadsheet. Lines before the header
        that start with ``#`` are comments.
    audio_root : path-like or None, default=None
        The folder that relative paths in the table refer to. None uses the table's folder. An absolute path
        that does not exist, such as one of another computer, is searched in this folder by its last parts.
    path_column, label_column : str or None, default=None
        Names of the columns with paths and classes. None uses the only column with a usual name, such as
        path, file, filename, audio; label, class, category, species. In all names of columns, case, spaces
        and punctuation are ignored.
    label_columns : list of str or None, default=None
        Names of several columns of 0 and 1, one per label, for clips with several labels or no label.
    label_separator : str or None, default=None
        Text between several labels in the column of labels, such as ``";"``. None reads one class per clip.
    start_column, end_column : str, False or None, default=None
        Names of the columns with the start and end of each clip in its file, in seconds. None uses the only
        columns with usual names (start, begin, onset, "Begin Time (s)"; end, stop, offset, or duration), if
        any. False ignores them, so that each clip is a whole file.
    fold_column, group_column : str, False or None, default=None
        Names of the columns with folds (integers of at least -1) and recordings. None uses the only column
        with a usual name (fold; group, recording, recording_id, site), if any. False ignores it.
    sep : str or None, default=None
        Character between columns. None finds it among comma, semicolon, tab and ``|``.
    encoding : str or None, default=None
        Encoding of the table. None uses its byte order mark or, if it has none, UTF-8 or else Windows-1252.
    on_missing : {"raise", "warn", "ignore", "keep"}, default="raise"
        How to handle rows without audio: raise an error, leave them out with or without a warning, or keep
        them for :func:`find_unreadable`. If all rows are without audio, an error is raised.
    on_extra : {"raise", "warn", "ignore"}, default="warn"
        How to handle sound files that have no row but lie in the same folders as listed files.

    Returns
    -------
    AudioDataset
        Clips in the order of the table. With start and end, they are tuples ``(path, start, end)``, and the
        groups are the files unless there is a column of groups.

    Raises
    ------
    DatasetNotFoundError
        If the table, or the audio of a row, is not found.
    ValueError
        If the file is not a table, a column does not exist or cannot be determined, a value is missing or
        invalid, or a file has two rows without start and end.

    Warns
    -----
    LeakageWarning
        If clips of one class and one recording lie in several folds.
    UserWarning
        If the table is read as Windows-1252, labels differ only in case or white space or seem to be several
        labels, or rows are repeated.

    See Also
    --------
    load_annotations : Load files of annotations, one per recording.
    load_folder : Load a folder with one subfolder per class.

    Notes
    -----
    Paths are found although they are written for Windows, differ in case or Unicode form from the file, or
    have no suffix, provided that only one file matches. Numbers may have a decimal comma unless the columns
    are separated by commas.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skfewaudio.datasets import load_csv
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "night.wav").write_bytes(b"")
    ...     table = Path(folder, "events.csv")
    ...     _ = table.write_text("File;Begin;End;Species\nnight.WAV;1,5;2,75;owl\nnight.WAV;8;9;fox\n")
    ...     dataset = load_csv(table)
    >>> dataset
    <AudioDataset events: 2 clips from 1 files, 2 classes, 1 recordings>
    >>> [(start, end) for _, start, end in dataset.X]
    [(1.5, 2.75), (8.0, 9.0)]
    """
    source = expand_user(path)
    table = read_delimited(source, sep=sep, encoding=encoding)
    present = list(table.columns)
    file = choose_column(path_column, PATH_NAMES, present, source, "path_column")
    fold = choose_column(fold_column, FOLD_NAMES, present, source, "fold_column", optional=True)
    others = [name for name in present if name != file]
    group = choose_column(group_column, GROUP_NAMES, others, source, "group_column", optional=True)
    check_filled(table, [name for name in (file, fold, group) if name], source)
    target = read_labels(
        table,
        source,
        label_column=label_column,
        label_columns=label_columns,
        label_separator=label_separator,
    )
    lookup = AudioLookup(source.parent if audio_root is None else expand_user(audio_root))
    return dataset_from_rows(
        [lookup.find(name) for name in table[str(file)]],
        target,
        times=read_times(table, source, start_column, end_column),
        lines=[f"line {line}" for line in table.index],
        source=source,
        lookup=lookup,
        on_missing=on_missing,
        on_extra=on_extra,
        folds=_parse_folds(table[fold], source) if fold else None,
        groups=list(table[group]) if group else None,
        name=source.stem,
    )


def _parse_folds(column: pd.Series, source: Path) -> NDArray[np.int64]:
    """Convert a column to folds; spreadsheets may have written 1 as 1.0."""
    whole = column.str.replace(r"[.,]0+$", "", regex=True)
    return parse_integers(whole, source, minimum=-1)
