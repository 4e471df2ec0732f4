"""Your own recordings: a folder per class, or a table of paths and labels."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from skfewaudio.exceptions import DatasetNotFoundError

from ._base import AudioDataset
from ._tables import (
    AUDIO_SUFFIXES,
    OnMissing,
    PathLike,
    check_filled,
    expand,
    is_audio,
    parse_integers,
    read_table,
    shorten,
    table_dataset,
    visible_files,
)

# What people keep beside their recordings.
_NOTES = frozenset({"", ".csv", ".json", ".md", ".rst", ".tsv", ".txt", ".yaml", ".yml"})
# Column names that are taken for granted if exactly one of them is there.
_PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath")
_LABEL_COLUMNS = ("label", "class", "category", "target")
_FOLD_COLUMNS = ("fold", "folds")
_GROUP_COLUMNS = ("group", "groups", "recording", "recording_id")


def load_folder(root: PathLike) -> AudioDataset:
    """Load a folder that has a folder of sound files for each class.

    Parameters
    ----------
    root : path-like
        The folder. The name of each folder in it is a class; folders within those belong to the class. Hidden
        files and folders are passed over.

    Returns
    -------
    AudioDataset
        Clips in the order of class and path; without folds or groups.

    Raises
    ------
    DatasetNotFoundError
        If `root` is not a folder, or holds no sound files in folders.

    Warns
    -----
    UserWarning
        If a class has no sound files, sound files lie outside the class folders, or files are neither sound
        (by their suffix) nor notes.

    See Also
    --------
    load_csv : For clips with folds or groups.
    """
    root = expand(root)
    if not root.is_dir():
        raise DatasetNotFoundError(
            f"{root} is not a folder; expected one with a folder of sound files for each class"
        )
    classes = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    files = {folder.name: visible_files(folder) for folder in classes}
    sounds = {name: [file for file in found if is_audio(file)] for name, found in files.items()}
    loose = sorted(file for file in root.iterdir() if file.is_file() and is_audio(file))
    others = [file for found in files.values() for file in found if not is_audio(file)]
    others = [file for file in others if file.suffix.lower() not in _NOTES]
    if not any(sounds.values()):
        raise DatasetNotFoundError(
            f"{root} holds no sound files in folders: it has {len(classes)} folders and {len(loose)} sound "
            f"files beside them. Expected {root / 'CLASS' / 'CLIP.wav'}, with one of the suffixes "
            f"{' '.join(sorted(AUDIO_SUFFIXES))}"
        )
    _warn_of(loose, "sound files are in no class folder and are left out")
    _warn_of(others, "files are not sound files, by their suffix, and are left out")
    _warn_of([name for name, found in sounds.items() if not found], "class folders hold no sound files")
    return AudioDataset(
        [str(file) for found in sounds.values() for file in found],
        [name for name, found in sounds.items() for _ in found],
        name=root.resolve().name,
    )


def list_audio_files(root: PathLike) -> list[str]:
    """List the sound files in a folder, such as recordings without labels.

    Parameters
    ----------
    root : path-like
        The folder. Hidden files and folders are passed over.

    Returns
    -------
    list of str
        Paths of the files whose names end as those of sounds do, sorted; those in folders within, too.

    Raises
    ------
    DatasetNotFoundError
        If it is not a folder, or holds no sound files.

    See Also
    --------
    load_folder : The same with a class for each folder within.
    """
    root = expand(root)
    files = [str(file) for file in visible_files(root) if is_audio(file)]
    if not files:
        what = "holds no sound files" if root.is_dir() else "is not a folder"
        raise DatasetNotFoundError(
            f"{root} {what}; expected one with files that end in {' '.join(sorted(AUDIO_SUFFIXES))}"
        )
    return files


def _warn_of(names: Sequence[object], what: str) -> None:
    """Warn that the things named are so, if there are any."""
    if names:
        warnings.warn(f"{len(names)} {what}: {shorten(names)}", stacklevel=3)


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
    """Load the clips that a table names, one a row.

    Parameters
    ----------
    csv_path : path-like
        The table, in UTF-8 with a header; separated by commas, or by tabs if its suffix is ``.tsv``.
    audio_root : path-like or None, default=None
        What relative paths in the table start from. None is the table's own folder.
    path_column, label_column : str or None, default=None
        The columns of paths and of classes. None takes the only one of the usual names: path, file, filename,
        file_name, filepath; label, class, category, target.
    fold_column, group_column : str or None, default=None
        The columns of folds (integers of at least -1) and of recordings. None takes the only one of the usual
        names (fold, folds; group, groups, recording, recording_id) and does without if there is none.
    on_missing : {"raise", "warn", "ignore"}, default="raise"
        What to do about rows without audio; but for "raise" they are left out.
    on_extra : {"raise", "warn", "ignore"}, default="warn"
        What to do about sound files without a row in the folders of those that have one.

    Returns
    -------
    AudioDataset
        Clips in the order of the table.

    Raises
    ------
    DatasetNotFoundError
        If the table, or audio of a row, is not there.
    ValueError
        If a column is not there or not to be guessed, a value is missing or is no fold, or a file has two
        rows.

    Warns
    -----
    LeakageWarning
        If clips of one class from one recording lie in several folds.

    See Also
    --------
    load_folder : For a folder per class.
    """
    source = expand(csv_path)
    root = source.parent if audio_root is None else expand(audio_root)
    sep = "\t" if source.suffix.lower() == ".tsv" else ","
    table = read_table(source, (), sep=sep)
    present = list(table.columns)
    path = _choose(path_column, _PATH_COLUMNS, present, source, "path_column")
    label = _choose(label_column, _LABEL_COLUMNS, present, source, "label_column")
    fold = _choose(fold_column, _FOLD_COLUMNS, present, source, "fold_column", optional=True)
    group = _choose(group_column, _GROUP_COLUMNS, present, source, "group_column", optional=True)
    check_filled(table, [name for name in (path, label, fold, group) if name], source)
    return table_dataset(
        [root / expand(name) for name in table[path]],
        table,
        source=source,
        label=str(label),
        folds=parse_integers(pd.Series(table[fold]), source, minimum=-1) if fold else None,
        group=group,
        on_missing=on_missing,
        on_extra=on_extra,
        name=source.stem,
    )


def _choose(
    wanted: str | None,
    usual: Sequence[str],
    present: Sequence[str],
    source: Path,
    parameter: str,
    *,
    optional: bool = False,
) -> str | None:
    """Give the column asked for, or the only one with a usual name."""
    if wanted is not None:
        return wanted
    found = [name for name in present if name.lower() in usual]
    if len(found) == 1:
        return found[0]
    if optional and not found:
        return None
    which = f"{' and '.join(found)} could be it" if found else f"none is called {', '.join(usual)}"
    raise ValueError(f"{source} has the columns {', '.join(present)}; {which}: name the {parameter}")
