"""The sound files in a folder."""

from collections.abc import Sequence
from pathlib import Path

from skfewaudio.audio.formats import is_audio_file
from skfewaudio.exceptions import DatasetNotFoundError

from ._home import PathLike, expand_user, join_first, printable
from ._listing import Listing, list_files
from ._warnings import warn_user

EXAMPLES = "wav, flac, ogg, mp3, m4a or another format"


def list_audio_files(root: PathLike) -> list[str]:
    """Return the paths of all sound files in a folder, such as unlabelled recordings.

    Parameters
    ----------
    root : path-like
        The folder. Links are followed. Hidden files and folders and those of operating systems are ignored.

    Returns
    -------
    list of str
        Sorted paths of the sound files, including files in subfolders. Files without a suffix are recognised
        by their content.

    Raises
    ------
    DatasetNotFoundError
        If `root` is not a folder, or contains no sound files.

    Warns
    -----
    UserWarning
        If links lead nowhere, or folders cannot be opened.

    See Also
    --------
    load_folder : Load the same files with the names of the subfolders as classes.
    """
    root = expand_user(root)
    found = list_files(root)
    check_opened(root, found)
    files = [str(file) for file in found.files if is_audio_file(file)]
    if not files:
        what = "holds no sound files" if root.is_dir() else "is not a folder"
        raise DatasetNotFoundError(f"{printable(root)} {what}; expected one with files in {EXAMPLES}")
    warn_about(found.broken, "links lead nowhere and are left out")
    warn_about(found.unreadable, "folders cannot be opened and are left out")
    return files


def check_opened(root: Path, found: Listing) -> None:
    """Raise if the folder itself exists but cannot be opened."""
    if root in found.unreadable and root.is_dir():
        raise DatasetNotFoundError(f"{printable(root)} cannot be opened: the right to read it may be missing")


def warn_about(names: Sequence[object], what: str) -> None:
    """Warn with the number of `names`, the statement `what` and the first names, if there are any."""
    if names:
        warn_user(f"{len(names)} {what}: {join_first([printable(name) for name in names])}")
