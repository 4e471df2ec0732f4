"""Extraction of zip and tar archives: regular files and folders only, with limits of number and size."""

import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, NamedTuple

# Far more than any of the published archives holds.
MAX_FILES = 200_000
MAX_BYTES = 40 * 2**30


class Member(NamedTuple):
    """File or folder in an archive; `open` is None for a folder."""

    name: str
    n_bytes: int
    open: Callable[[], IO[bytes]] | None


def unpack(file: Path, folder: Path) -> list[Path]:
    """Extract an archive into an empty folder, and return the files.

    The members are written as new files: owners, permissions and times in the archive are ignored.

    Raises
    ------
    ValueError
        If a member is neither a file nor a folder, would be outside of the folder, or if the members exceed
        the limits.
    Exception
        Any error of the modules zipfile and tarfile for a damaged archive.
    """
    files: list[Path] = []
    n_bytes = 0
    for member in _iter_zip(file) if file.suffix == ".zip" else _iter_tar(file):
        target = folder / _check_name(member.name)
        n_bytes += member.n_bytes
        if n_bytes > MAX_BYTES or len(files) == MAX_FILES:
            raise ValueError(f"it unpacks to more than {MAX_BYTES:,} bytes or {MAX_FILES:,} files")
        if member.open is None:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with member.open() as source, target.open("xb") as sink:
            shutil.copyfileobj(source, sink)
        files.append(target)
    return files


def _iter_zip(file: Path) -> Iterator[Member]:
    """Yield the members of a zip file."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > MAX_BYTES:  # before anything is written
            raise ValueError(f"it unpacks to more than {MAX_BYTES:,} bytes")
        for member in members:
            source = None if member.is_dir() else partial(archive.open, member)
            yield Member(member.filename, member.file_size, source)


def _iter_tar(file: Path) -> Iterator[Member]:
    """Yield the members of a tar file."""
    with tarfile.open(file) as archive:
        for member in archive:
            if not member.isfile() and not member.isdir():
                raise ValueError(f"{member.name!r} in it is a link or a device, not a file")
            source: Any = None if member.isdir() else partial(archive.extractfile, member)
            yield Member(member.name, member.size, source)


def _check_name(name: str) -> PurePosixPath:
    """Return the name of a member; raise ValueError if it leads out of the folder, on any system."""
    path, windows = PurePosixPath(name), PureWindowsPath(name)
    if path.is_absolute() or windows.drive or windows.root or ".." in (*path.parts, *windows.parts):
        raise ValueError(f"{name!r} in it would be outside of the folder")
    return path
