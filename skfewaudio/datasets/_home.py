"""Dataset folders and the sound files in them."""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pooch

from skfewaudio.exceptions import DatasetNotFoundError

PathLike = str | os.PathLike[str]

# Formats that libsndfile decodes. Headerless ones are excluded, because they do not store their sample rate.
AUDIO_FORMATS = (
    "aif",
    "aifc",
    "aiff",
    "au",
    "caf",
    "flac",
    "mp3",
    "oga",
    "ogg",
    "opus",
    "rf64",
    "snd",
    "w64",
    "wav",
)
AUDIO_SUFFIXES = frozenset(f".{name}" for name in AUDIO_FORMATS)


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


def visible_files(folder: Path) -> list[Path]:
    """Return the sorted files under `folder`, without hidden files and folders."""
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(where, name) for name in names if not name.startswith(".")]
    return sorted(found)


def is_audio(file: Path) -> bool:
    """Return whether the file name has the suffix of a sound file and is not hidden."""
    return file.suffix.lower() in AUDIO_SUFFIXES and not file.name.startswith(".")
