"""Loaders that find out whether a file is a table or holds annotations of a recording."""

import warnings
from typing import Any

from ._annotations import find_format, load_annotations
from ._base import AudioDataset
from ._csv import load_csv
from ._home import PathLike, expand_user
from ._reading.columns import PATH_NAMES, choose_column, find_usual
from ._reading.delimited import read_delimited, read_header
from ._reading.lookup import AudioLookup
from ._reading.text import read_text
from ._reading.times import read_times
from ._tables import OnMissing, check_filled


def load_labels(
    path: PathLike,
    *,
    audio_root: PathLike | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    on_missing: OnMissing = "raise",
) -> AudioDataset:
    """Load the clips of a table or of a file of annotations, whichever it is.

    Parameters
    ----------
    path : path-like
        A table as for :func:`load_csv`, or a file of annotations as for :func:`load_annotations`. Label
        tracks of Audacity, selection tables of Raven and TextGrids are recognised by their content. Another
        table is read by :func:`load_csv` if it has a column of paths, and by :func:`load_annotations`
        otherwise.
    audio_root : path-like or None, default=None
        The folder in which recordings are searched. None uses the folder of the file.
    path_column, label_column : str or None, default=None
        Names of the columns with paths and classes. None uses columns with usual names.
    on_missing : {"raise", "warn", "ignore", "keep"}, default="raise"
        As in :func:`load_csv`.

    Returns
    -------
    AudioDataset

    Raises
    ------
    DatasetNotFoundError
        If the file, or the audio of a row, is not found.
    ValueError
        If the file cannot be read as a table or annotations.

    See Also
    --------
    list_clips : List the clips without their labels.
    """
    if _has_annotations(path, path_column):
        return load_annotations(path, audio_root=audio_root, label_column=label_column, on_missing=on_missing)
    return load_csv(
        path,
        audio_root=audio_root,
        path_column=path_column,
        label_column=label_column,
        on_missing=on_missing,
        on_extra="ignore",
    )


def list_clips(
    path: PathLike, *, audio_root: PathLike | None = None, path_column: str | None = None
) -> list[Any]:
    """List the clips of a table or of a file of annotations, without their labels.

    Parameters
    ----------
    path : path-like
        A table with a column of paths and, for parts of files, columns of start and end in seconds; or a file
        of annotations as for :func:`load_annotations`. Labels are not needed in a table, and ignored.
    audio_root : path-like or None, default=None
        The folder in which recordings are searched. None uses the folder of the file.
    path_column : str or None, default=None
        Name of the column with paths. None uses the only column with a usual name.

    Returns
    -------
    list of str, or of tuple
        Paths, or parts of files ``(path, start, end)`` if the table has times. Files need not exist.

    Raises
    ------
    DatasetNotFoundError
        If the file is not found.
    ValueError
        If the file cannot be read as a table or annotations.

    See Also
    --------
    load_labels : Load the clips with their labels.
    """
    if _has_annotations(path, path_column):
        return list(load_annotations(path, audio_root=audio_root, on_missing="keep").X)
    source = expand_user(path)
    table = read_delimited(source)
    column = str(choose_column(path_column, PATH_NAMES, list(table.columns), source, "path_column"))
    check_filled(table, [column], source)
    lookup = AudioLookup(source.parent if audio_root is None else expand_user(audio_root))
    paths = [lookup.find(name) for name in table[column]]
    times = read_times(table, source)
    return paths if times is None else [(path, *part) for path, part in zip(paths, times, strict=True)]


def _has_annotations(path: PathLike, path_column: str | None) -> bool:
    """Return whether a file is for `load_annotations`, not a table with a column of paths."""
    if path_column is not None:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the encoding; repeated when the file is loaded
        text = read_text(expand_user(path))
    found = find_format(text)
    return found is not None and (found != "table" or not find_usual(PATH_NAMES, read_header(text)))
