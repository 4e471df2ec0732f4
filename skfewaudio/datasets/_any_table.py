"""Loaders that find out whether a source is a folder, a table, or annotations of a recording."""

import warnings
from dataclasses import replace
from typing import Any

from skfewaudio.audio.formats import has_audio_signature
from skfewaudio.exceptions import DatasetNotFoundError

from ._annotations import find_annotations, find_format, load_annotations
from ._base import AudioDataset
from ._csv import load_csv
from ._folder import load_folder
from ._home import PathLike, expand_user, printable
from ._reading.columns import PATH_NAMES, choose_column, find_usual
from ._reading.delimited import read_delimited, read_header
from ._reading.lookup import AudioLookup
from ._reading.text import read_text
from ._reading.times import read_times
from ._tables import OnMissing, check_filled
from .recording_names import recordings_of_files


def load_labels(
    source: PathLike,
    *,
    audio_root: PathLike | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    check_layout: bool = True,
    on_missing: OnMissing = "raise",
) -> AudioDataset:
    """Load the clips of a folder, a table or a file of annotations, whichever it is.

    Parameters
    ----------
    source : path-like
        A folder as for :func:`load_folder`, a table as for :func:`load_csv`, or a file or folder of
        annotations as for :func:`load_annotations`. A folder is one of annotations if it, or a subfolder, has
        a file of Audacity, Raven or Praat that is named after a recording beside it. Label tracks of
        Audacity, selection tables of Raven and TextGrids are recognised by their content. Another table is
        read by :func:`load_csv` if it has a column of paths, and by :func:`load_annotations` otherwise.
    audio_root : path-like or None, default=None
        The folder in which the recordings of a file are searched. None uses the folder of the file.
    path_column, label_column : str or None, default=None
        Names of the columns with paths and classes. None uses columns with usual names.
    check_layout : bool, default=True
        As in :func:`load_folder`. False also uses the subfolders as classes if there are files of annotations
        in them.
    on_missing : {"raise", "warn", "ignore", "keep"}, default="raise"
        How to handle rows without audio, as in :func:`load_csv`.

    Returns
    -------
    AudioDataset
        As from the other loaders. If a table has no column of groups, recordings are identified by file names
        and metadata, as in :func:`load_folder`.

    Raises
    ------
    DatasetNotFoundError
        If the source, or the audio of a row, is not found.
    ValueError
        If a file cannot be read as a table or annotations.

    See Also
    --------
    list_clips : List the clips of a table without their labels.
    """
    path = expand_user(source)
    found = find_annotations(path) if check_layout and path.is_dir() else []
    if path.is_dir() and not found:
        return load_folder(path, check_layout=check_layout)
    if not path.exists():
        raise DatasetNotFoundError(
            f"{printable(path)} does not exist; expected a folder with one folder of sound files per class, "
            "a table or a file of annotations"
        )
    common: dict[str, Any] = {
        "audio_root": audio_root,
        "label_column": label_column,
        "on_missing": on_missing,
    }
    if found or _has_annotations(path, path_column):
        return _add_recordings(load_annotations(found or path, **common))
    return _add_recordings(load_csv(path, path_column=path_column, on_extra="ignore", **common))


def _add_recordings(dataset: AudioDataset) -> AudioDataset:
    """Identify recordings by file names and metadata, as in folders, unless a table has a column of them."""
    files = dataset.paths
    if dataset.groups is not None and dataset.groups.tolist() != files:
        return dataset
    recordings = recordings_of_files(files)
    if not any(recordings):
        return dataset
    groups = [name or printable(file) for name, file in zip(recordings, files, strict=True)]
    return replace(dataset, groups=groups)


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
    source = expand_user(path)
    if has_audio_signature(source):
        raise ValueError(f"{printable(source)} is a sound file; expected a table or a file of annotations")
    if path_column is not None:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the encoding; repeated when the file is loaded
        text = read_text(source)
    found = find_format(text)
    return found is not None and (found != "table" or not find_usual(PATH_NAMES, read_header(text)))
