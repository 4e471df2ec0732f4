"""Files of a cache: arrays with a checksum, written whole, listed by size and time of use."""

import json
import os
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

MAGIC = b"skfewF1\n"
# The magic number, the CRC-32 of the name and of all that follows.
HEAD = struct.Struct("<8sI")
LENGTH = struct.Struct("<I")  # of the description, which stands between it and the values
ALIGNMENT = 64  # of the values in a file: they are used where they were read
PARTIAL = ".partial"
DISK_BLOCK = 4096  # a file of a byte takes this much
TOUCH_AFTER = 60.0  # seconds: used again sooner, a file keeps its time of use, and the disk its peace


class DamagedEntryError(Exception):
    """A file is not what was written, or cannot be read."""


class CachedFile(NamedTuple):
    """A file of the cache; the order is that of removal."""

    used: float  # seconds since 1970
    n_bytes: int  # on disk
    path: str
    shelf: str = ""


def encode(array: NDArray[Any], name: str) -> bytes:
    """Give the bytes of an array, which `decode` takes under the same name alone."""
    description = json.dumps([array.dtype.str, array.shape]).encode()
    padding = -(HEAD.size + LENGTH.size + len(description)) % ALIGNMENT
    description = description.ljust(len(description) + padding)
    body = LENGTH.pack(len(description)) + description + np.ascontiguousarray(array).tobytes()
    return HEAD.pack(MAGIC, _checksum(body, name)) + body


def decode(content: bytearray, name: str) -> NDArray[Any]:
    """Give the array, without a copy of its values; nothing is unpickled.

    Raises
    ------
    DamagedEntryError
        If these are not the bytes that were written under this name.
    """
    if len(content) < HEAD.size:
        raise DamagedEntryError(f"{name} has only {len(content)} bytes")
    magic, checksum = HEAD.unpack_from(content)
    body = memoryview(content)[HEAD.size :]
    if magic != MAGIC or checksum != _checksum(body, name):
        raise DamagedEntryError(f"{name} has another checksum than was written")
    (n_described,) = LENGTH.unpack_from(body)
    start = LENGTH.size + n_described
    dtype, shape = json.loads(bytes(body[LENGTH.size : start]))
    return np.ndarray(shape, np.dtype(dtype), content, HEAD.size + start)


def _checksum(body: bytes | memoryview, name: str) -> int:
    return zlib.crc32(body, zlib.crc32(name.encode()))


def read_used(path: str) -> bytearray | None:
    """Read a file and note that it was used; None if it is not there.

    Raises
    ------
    DamagedEntryError
        If it is there and cannot be read.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # Path.open takes as long as the reading
            state = os.fstat(file.fileno())
            content = bytearray(state.st_size)
            n_read = file.readinto(content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DamagedEntryError(str(error)) from error
    if n_read != len(content):
        raise DamagedEntryError(f"{path} was cut short")
    if abs(time.time() - state.st_mtime) > TOUCH_AFTER:
        with suppress(OSError):  # where nothing can be written nothing is removed either
            os.utime(path)
    return content


def write_whole(path: str, content: bytes) -> None:
    """Write a file beside its place, and put it there when it is whole.

    Raises
    ------
    OSError
        If it cannot be written; then nothing is left.
    """
    # In the same folder: the kernel lets one process at a time rename from folder to folder.
    partial = f"{path}.{uuid4().hex}{PARTIAL}"
    try:
        try:
            _write(partial, path, content)
        except FileNotFoundError:  # the first file of its folder
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            _write(partial, path, content)
    except OSError:
        remove(partial)
        raise


def _write(partial: str, path: str, content: bytes) -> None:
    with open(partial, "wb", buffering=0) as file:  # noqa: PTH123
        if file.write(content) != len(content):
            raise OSError(f"{path}: not all of it could be written; is the disk full?")
    os.replace(partial, path)  # noqa: PTH105


def scan(folder: str | os.PathLike[str]) -> list[os.DirEntry[str]]:
    """List what is in a folder; nothing if there is no folder."""
    try:
        with os.scandir(folder) as items:
            return list(items)
    except (FileNotFoundError, NotADirectoryError):
        return []


def files_in(
    folder: str | os.PathLike[str], endings: tuple[str, ...], shelf: str = ""
) -> Iterator[CachedFile]:
    """Give the files of a folder whose names have one of these endings."""
    for item in scan(folder):
        if item.name.endswith(endings):
            with suppress(FileNotFoundError):  # another process has removed it since
                state = item.stat()
                yield CachedFile(state.st_mtime, on_disk(state.st_size), item.path, shelf)


def remove(path: str) -> bool:
    """Remove a file; tell whether it is gone now."""
    try:
        Path(path).unlink(missing_ok=True)
    except OSError:  # open in another process, or somebody else's
        return False
    return True


def on_disk(n_bytes: int) -> int:
    """Give the bytes that a file takes from the disk."""
    return -(-n_bytes // DISK_BLOCK) * DISK_BLOCK
