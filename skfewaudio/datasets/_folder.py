"""Loaders of own recordings: one folder per class, or a folder without classes."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from skfewaudio.audio.formats import has_audio_signature, is_audio_file
from skfewaudio.exceptions import DatasetNotFoundError

from ._audio_files import EXAMPLES, check_opened, warn_about
from ._base import AudioDataset
from ._home import PathLike, expand_user, printable
from ._labels import clean_label, warn_of_similar_labels
from ._layouts import find_other_layout
from ._listing import Listing, list_files
from .recording_names import recordings_of_files

# Suffixes of files that often lie beside recordings. Files without a suffix are recognised by their content.
_NOTE_SUFFIXES = frozenset({"", ".csv", ".json", ".md", ".rst", ".tsv", ".txt", ".yaml", ".yml"})


def load_folder(root: PathLike, *, check_layout: bool = True) -> AudioDataset:
    r"""Load a folder that contains one folder of sound files per class.

    Parameters
    ----------
    root : path-like
        The folder. The names of its subfolders are the classes. Files in deeper folders belong to the class
        too. Links are followed. Hidden files and folders are ignored, and so are those of operating systems,
        such as Thumbs.db and $RECYCLE.BIN.
    check_layout : bool, default=True
        Raise an error if the subfolders do not look like classes, but like the parts of a dataset, such as
        fold1 and fold2, or train/dog and test/dog. False uses them as classes.

    Returns
    -------
    AudioDataset
        Clips sorted by class and path, without folds. If file names or metadata identify the recordings of
        clips, these are the groups, and every other clip is a group of its own: see :ref:`the user guide
        <recording-names>`.

    Raises
    ------
    DatasetNotFoundError
        If `root` is not a folder, its subfolders contain no sound files, or `check_layout` finds another
        layout.

    Warns
    -----
    UserWarning
        If a class has no sound files, classes differ only in case or white space, sound files lie outside the
        class folders, links lead nowhere, or other files than notes are found.

    See Also
    --------
    load_csv : Load clips with folds or groups from a table.

    Notes
    -----
    Classes are normalised to Unicode's composed form (NFC), so that a folder has the same class on every
    system. In names that are not UTF-8, the other bytes are replaced by escapes such as ``\xe4``.
    """
    root = expand_user(root)
    if not root.is_dir():
        raise DatasetNotFoundError(
            f"{printable(root)} is not a folder; expected one with a folder of sound files for each class"
        )
    found = list_files(root)
    check_opened(root, found)
    sounds = [file for file in found.files if is_audio_file(file)]
    clips = [file for file in sounds if file.parent != root]
    loose = [file for file in sounds if file.parent == root]
    if check_layout and (message := find_other_layout(root, clips, loose)):
        raise DatasetNotFoundError(message)
    classes = [folder for folder in found.folders if folder.parent == root and folder != root]
    if not clips:
        raise DatasetNotFoundError(
            f"{printable(root)} holds no sound files in folders: it has {len(classes)} folders and "
            f"{len(loose)} sound files beside them. Expected {printable(root / 'CLASS' / 'CLIP.wav')}, in "
            f"{EXAMPLES}"
        )
    clips.sort(key=lambda file: _class_of(file, root))
    labels = [_class_of(file, root) for file in clips]
    warn_about(loose, "sound files are in no class folder and are left out")
    _warn_about_others(found, set(sounds), [file for file in found.files if file.parent != root])
    empty = {_class_of(folder / "file", root) for folder in classes}.difference(labels)
    warn_about(sorted(empty), "class folders hold no sound files")
    warn_of_similar_labels(labels, printable(root))
    return AudioDataset(
        [str(file) for file in clips],
        labels,
        name=printable(unicodedata.normalize("NFC", root.resolve().name)),
        groups=_find_recordings(clips, found.links),
    )


def _class_of(file: Path, root: Path) -> str:
    """Return the class of a file: the name of the subfolder of `root` that contains it."""
    return clean_label(printable(file.relative_to(root).parts[0]))


def _find_recordings(clips: Sequence[Path], links: Sequence[Path]) -> list[str] | None:
    """Return the recording of each clip; None if nothing is known and no file is linked a second time."""
    files = [str(file) for file in clips]
    recordings = recordings_of_files(files)
    if links:  # a link may have another name than its file
        files = [os.path.realpath(file) for file in files]
        pairs = zip(recordings, recordings_of_files(files), strict=True)
        recordings = [by_name or by_file for by_name, by_file in pairs]
    if not any(recordings) and len(set(files)) == len(files):
        return None
    return [name or printable(file) for name, file in zip(recordings, files, strict=True)]


def _warn_about_others(found: Listing, sounds: set[Path], files: Sequence[Path]) -> None:
    """Warn about links that lead nowhere, folders that cannot be opened, and files that are not used."""
    others = [file for file in files if file not in sounds and file.suffix.lower() not in _NOTE_SUFFIXES]
    renamed = [file for file in others if has_audio_signature(file)]
    others = [file for file in others if file not in renamed]
    special = [file for file in found.special if file.suffix]
    warn_about(renamed, "files begin like sound files, but not their suffixes, and are left out: rename them")
    warn_about(others, "files are not sound files, by their suffix, and are left out")
    warn_about(special, "files are pipes, sockets or devices and are left out")
    warn_about(found.broken, "links lead nowhere and are left out")
    warn_about(found.unreadable, "folders cannot be opened and are left out")
