"""Dataset folders and the sound files in them."""

import errno
import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pooch

from skfewaudio.audio.formats import is_audio_file
from skfewaudio.exceptions import DatasetNotFoundError

PathLike = str | os.PathLike[str]

# Files and folders of operating systems, in lower case; hidden ones, such as .Trashes, need no entry.
SYSTEM_NAMES = frozenset(
    (
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx"),
        *("$recycle.bin", "recycler", "#recycle", "system volume information", "found.000"),
        *("lost+found", "lost.dir", "@eadir"),
    )
)


def get_data_home(data_home: PathLike | None = None) -> Path:
    """Return the folder in which datasets are stored and searched for.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder; ``~`` is the user's home. None uses the environment variable ``SKFEWAUDIO_DATA`` or, if it
        is not set, the cache folder of the operating system.

    Returns
    -------
    Path
        The folder, which need not exist.
    """
    if data_home is None:
        data_home = os.environ.get("SKFEWAUDIO_DATA")
    if not data_home:
        return Path(pooch.os_cache("skfewaudio"))
    return expand_user(data_home)


def expand_user(path: PathLike) -> Path:
    """Replace ``~`` by the user's home; an unknown ``~user`` stays unchanged, as in a shell."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def find_root(data_home: PathLike | None, subfolders: Sequence[str], name: str, remedy: str) -> Path:
    """Return the first of the `subfolders` of the data home that contains the file or folder `name`."""
    home = get_data_home(data_home)
    roots = [home / subfolder for subfolder in subfolders]
    for root in roots:
        if (root / name).exists():
            return root
    raise DatasetNotFoundError(f"no {name} in {' nor '.join(str(root) for root in roots)}: {remedy}")


def is_there(test: Callable[[], bool]) -> bool:
    """Return the result of a test such as ``path.is_file``, or False if the path is too long."""
    try:
        return test()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False


def is_ignored(name: str) -> bool:
    """Return whether a file or folder is hidden, or belongs to an operating system."""
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


def is_audio(file: Path) -> bool:
    """Return whether a file is a regular sound file that is not hidden; pipes and devices are not opened."""
    try:
        is_regular = stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return False
    return is_regular and not is_ignored(file.name) and is_audio_file(file)


def printable(name: object) -> str:
    """Return the name of a file in a form that can be printed: bytes that are not UTF-8 become escapes."""
    text = re.sub("[\udc80-\udcff]", lambda match: f"\\x{ord(match[0]) - 0xDC00:02x}", str(name))
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def join_first(names: Sequence[object], limit: int = 5) -> str:
    """Join the first `limit` names by commas, and add the number of the remaining ones."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(str(name) for name in names[:limit]) + more
