"""Files that are read only if they are regular, and written whole or not at all."""

import errno
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PathLike = str | os.PathLike[str]

_PARTIAL_NAME = re.compile(r"\.partial-[0-9a-f]{32}")
STALE_AFTER = 3600.0  # seconds without a change, after which a killed process is assumed to have left a file


def open_regular(path: PathLike, mode: str = "rb", *, buffering: int = -1) -> IO[bytes]:
    """Open a file; refuse pipes and devices, which could block forever or never end.

    Raises
    ------
    OSError
        If the file cannot be opened, or is neither a regular file nor a link to one.
    """
    with suppress(FileNotFoundError):  # raised below, unless the mode creates the file
        # A device must not even be opened. The second check is for a file that is replaced in between.
        _check_regular(os.stat(path), path)  # noqa: PTH116  # three times as fast as Path.stat
    file = open(path, mode, buffering, opener=_open_without_waiting)  # noqa: SIM115
    try:
        _check_regular(os.fstat(file.fileno()), path)
    except OSError:
        file.close()
        raise
    return file


def read_regular(path: PathLike) -> bytes:
    """Return the content of a file; errors as for `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def digest_file(path: PathLike) -> str:
    """Return the SHA-256 of the content of a file as hexadecimal digits; errors as for `open_regular`."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it is buffered


def _check_regular(state: os.stat_result, path: PathLike) -> None:
    # Opening a folder raises an error of its own.
    if not stat.S_ISREG(state.st_mode) and not stat.S_ISDIR(state.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file", os.fspath(path))


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe without a writer is opened at once instead of waiting for one."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def write_all(file: IO[bytes], content: bytes) -> None:
    """Write all bytes to an unbuffered file, whose `write` may write only some of them."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def write_file(path: PathLike, content: bytes, *, clean: bool = True) -> None:
    """Write a file whole; see `replace_file`."""
    with replace_file(path, clean=clean) as file:
        file.write(content)


@contextmanager
def replace_file(path: PathLike, *, clean: bool = True) -> Iterator[IO[bytes]]:
    """Yield a file that replaces `path` once it is complete and on the disk.

    If the process is killed, the system crashes or the disk is full at any moment, `path` is either the old
    or the new file. If `path` is a link, its target is replaced.

    Parameters
    ----------
    path : path-like
        File to replace.
    clean : bool, default=True
        Remove the files that killed processes left in the folder. This takes time in proportion to its size.

    Raises
    ------
    OSError
        If the file cannot be written. The error names it, and nothing is left.
    """
    target = Path(os.path.realpath(path))
    partial = target.with_name(partial_name())
    try:
        if clean:
            remove_stale(target.parent)
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        own_names = (None, partial, target.parent)
        if error.errno is None or str(error.filename) not in map(str, own_names):
            raise  # of another file, which the block reads
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    sync_folder(target.parent)


def partial_name() -> str:
    """Return a new name for a file or folder that is not complete; `remove_stale` removes forgotten ones."""
    return f".partial-{uuid4().hex}"


def remove_stale(folder: Path) -> None:
    """Remove the incomplete files and folders that killed processes left in a folder."""
    for entry in os.scandir(folder):
        if _PARTIAL_NAME.fullmatch(entry.name):
            with suppress(OSError):  # another process removes it, or it belongs to another user
                _remove_if_stale(Path(entry.path))


def _remove_if_stale(path: Path) -> None:
    is_folder = path.is_dir() and not path.is_symlink()
    parts = [path, *path.rglob("*")] if is_folder else [path]
    # Not the modification time, which an unpacked file has from its archive.
    if max(part.lstat().st_ctime for part in parts) < time.time() - STALE_AFTER:
        shutil.rmtree(path) if is_folder else path.unlink()


def sync_folder(folder: PathLike) -> None:
    """Write the entries of a folder to the disk, on systems where folders can be opened."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@contextmanager
def locked(file: IO[Any]) -> Iterator[None]:
    """Exclude other processes that lock the same file, on systems and disks that have locks."""
    with suppress(OSError, AttributeError):  # AttributeError: Windows
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError, AttributeError):
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)
