"""Loaders of own recordings: one folder per class, or a table of paths and labels."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from skfewaudio.exceptions import DatasetNotFoundError

from ._base import AudioDataset
from ._home import AUDIO_SUFFIXES, PathLike, expand_user, is_audio, visible_files
from ._tables import OnMissing, check_filled, dataset_from_table, join_first, parse_integers, read_table

# Suffixes of files that often lie beside recordings.
_NOTE_SUFFIXES = frozenset({"", ".csv", ".json", ".md", ".rst", ".tsv", ".txt", ".yaml", ".yml"})
# Usual column names; one is chosen automatically if it is the only one in the table.
_PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath")
_LABEL_COLUMNS = ("label", "class", "category", "target")
_FOLD_COLUMNS = ("fold", "folds")
_GROUP_COLUMNS = ("group", "groups", "recording", "recording_id")


def load_folder(root: PathLike) -> AudioDataset:
    """Load a folder that contains one folder of sound files per class.

    Parameters
    ----------
    root : path-like
        The folder. The names of its subfolders are the classes. Files in deeper folders belong to the class
        too. Hidden files and folders are ignored.

    Returns
    -------
    AudioDataset
        Clips sorted by class and path, without folds and groups.

    Raises
    ------
    DatasetNotFoundError
        If `root` is not a folder, or its subfolders contain no sound files.

    Warns
    -----
    UserWarning
        If a class has no sound files, sound files lie outside the class folders, or other files than notes
        are found (by suffix).

    See Also
    --------
    load_csv : Load clips with folds or groups from a table.
    """
    root = expand_user(root)
    if not root.is_dir():
        raise DatasetNotFoundError(
            f"{root} is not a folder; expected one with a folder of sound files for each class"
        )
    classes = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    files = {folder.name: visible_files(folder) for folder in classes}
    sounds = {name: [file for file in found if is_audio(file)] for name, found in files.items()}
    loose = sorted(file for file in root.iterdir() if file.is_file() and is_audio(file))
    others = [file for found in files.values() for file in found if not is_audio(file)]
    others = [file for file in others if file.suffix.lower() not in _NOTE_SUFFIXES]
    if not any(sounds.values()):
        raise DatasetNotFoundError(
            f"{root} holds no sound files in folders: it has {len(classes)} folders and {len(loose)} sound "
            f"files beside them. Expected {root / 'CLASS' / 'CLIP.wav'}, with one of the suffixes "
            f"{' '.join(sorted(AUDIO_SUFFIXES))}"
        )
    _warn_about(loose, "sound files are in no class folder and are left out")
    _warn_about(others, "files are not sound files, by their suffix, and are left out")
    _warn_about([name for name, found in sounds.items() if not found], "class folders hold no sound files")
    return AudioDataset(
        [str(file) for found in sounds.values() for file in found],
        [name for name, found in sounds.items() for _ in found],
        name=root.resolve().name,
    )


def list_audio_files(root: PathLike) -> list[str]:
    """Return the paths of all sound files in a folder, such as unlabelled recordings.

    Parameters
    ----------
    root : path-like
        The folder. Hidden files and folders are ignored.

    Returns
    -------
    list of str
        Sorted paths of the files with the suffix of a sound file, including files in subfolders.

    Raises
    ------
    DatasetNotFoundError
        If `root` is not a folder, or contains no sound files.

    See Also
    --------
    load_folder : Load the same files with the names of the subfolders as classes.
    """
    root = expand_user(root)
    files = [str(file) for file in visible_files(root) if is_audio(file)]
    if not files:
        what = "holds no sound files" if root.is_dir() else "is not a folder"
        raise DatasetNotFoundError(
            f"{root} {what}; expected one with files that end in {' '.join(sorted(AUDIO_SUFFIXES))}"
        )
    return files


def _warn_about(names: Sequence[object], what: str) -> None:
    """Warn with the number of `names`, the statement `what` and the first names, if there are any."""
    if names:
        warnings.warn(f"{len(names)} {what}: {join_first(names)}", stacklevel=3)


def load_csv(
    csv_path: PathLike,
    *,
    audio_root: PathLike | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    fold_column: str | None = None,
    group_column: str | None = None,
    on_missing: OnMissing = "raise",
    on_extra: OnMissing = "warn",
) -> AudioDataset:
    """Load the clips listed in a table, one per row.

    Parameters
    ----------
    csv_path : path-like
        The table, in UTF-8 with a header. Columns are separated by tabs if the suffix is ``.tsv``, otherwise
        by commas.
    audio_root : path-like or None, default=None
        The folder that relative paths in the table refer to. None uses the table's folder.
    path_column, label_column : str or None, default=None
        Names of the columns with paths and classes. None uses the only column with a usual name: path, file,
        filename, file_name, filepath; label, class, category, target.
    fold_column, group_column : str or None, default=None
        Names of the columns with folds (integers of at least -1) and recordings. None uses the only column
        with a usual name (fold, folds; group, groups, recording, recording_id), if any.
    on_missing : {"raise", "warn", "ignore"}, default="raise"
        How to handle rows without audio: raise an error, or leave them out with or without a warning.
    on_extra : {"raise", "warn", "ignore"}, default="warn"
        How to handle sound files that have no row but lie in the same folders as listed files.

    Returns
    -------
    AudioDataset
        Clips in the order of the table.

    Raises
    ------
    DatasetNotFoundError
        If the table, or the audio of a row, is not found.
    ValueError
        If a column does not exist or cannot be determined, a value is missing, a fold is not a valid integer,
        or a file has two rows.

    Warns
    -----
    LeakageWarning
        If clips of one class and one recording lie in several folds.

    See Also
    --------
    load_folder : Load a folder with one subfolder per class.
    """
    source = expand_user(csv_path)
    root = source.parent if audio_root is None else expand_user(audio_root)
    sep = "\t" if source.suffix.lower() == ".tsv" else ","
    table = read_table(source, (), sep=sep)
    present = list(table.columns)
    path = _choose_column(path_column, _PATH_COLUMNS, present, source, "path_column")
    label = _choose_column(label_column, _LABEL_COLUMNS, present, source, "label_column")
    fold = _choose_column(fold_column, _FOLD_COLUMNS, present, source, "fold_column", optional=True)
    group = _choose_column(group_column, _GROUP_COLUMNS, present, source, "group_column", optional=True)
    check_filled(table, [name for name in (path, label, fold, group) if name], source)
    return dataset_from_table(
        [root / expand_user(name) for name in table[path]],
        table,
        source=source,
        label=str(label),
        folds=parse_integers(pd.Series(table[fold]), source, minimum=-1) if fold else None,
        group=group,
        on_missing=on_missing,
        on_extra=on_extra,
        name=source.stem,
    )


def _choose_column(
    wanted: str | None,
    usual: Sequence[str],
    present: Sequence[str],
    source: Path,
    parameter: str,
    *,
    optional: bool = False,
) -> str | None:
    """Return the requested column, or the only column with a usual name."""
    if wanted is not None:
        return wanted
    found = [name for name in present if name.lower() in usual]
    if len(found) == 1:
        return found[0]
    if optional and not found:
        return None
    which = f"{' and '.join(found)} could be it" if found else f"no column is named {', '.join(usual)}"
    raise ValueError(f"{source} has the columns {', '.join(present)}; {which}: name the {parameter}")
