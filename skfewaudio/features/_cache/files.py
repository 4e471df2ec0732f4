"""Files of the cache: arrays with a checksum, atomic writes, and file sizes and access times."""

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
# Magic number, and CRC-32 of the name and everything after the header.
HEADER = struct.Struct("<8sI")
DESCRIPTION_SIZE = struct.Struct("<I")  # of the description of the array, which follows it
ALIGNMENT = 64  # of the values in a file; the array returned is a view of the bytes read
PARTIAL_SUFFIX = ".partial"
DISK_BLOCK = 4096  # assumed unit of disk space, in bytes
TOUCH_AFTER = 60.0  # seconds; minimum interval between two updates of a file's time of last use


class DamagedEntryError(Exception):
    """Raised if a cache file is corrupted or cannot be read."""


class CachedFile(NamedTuple):
    """A file of the cache; files are sorted in the order of removal."""

    last_used: float  # seconds since 1970
    n_bytes: int  # on disk
    path: str
    directory: str = ""


def encode(array: NDArray[Any], name: str) -> bytes:
    """Serialise an array to bytes, with a checksum that includes `name`."""
    description = json.dumps([array.dtype.str, array.shape]).encode()
    padding = -(HEADER.size + DESCRIPTION_SIZE.size + len(description)) % ALIGNMENT
    description = description.ljust(len(description) + padding)
    body = DESCRIPTION_SIZE.pack(len(description)) + description + np.ascontiguousarray(array).tobytes()
    return HEADER.pack(MAGIC, _compute_checksum(body, name)) + body


def decode(content: bytearray, name: str) -> NDArray[Any]:
    """Deserialise an array without copying its values or unpickling.

    Raises
    ------
    DamagedEntryError
        If the bytes are damaged, or were written under another name.
    """
    if len(content) < HEADER.size:
        raise DamagedEntryError(f"{name} has only {len(content)} bytes")
    magic, checksum = HEADER.unpack_from(content)
    body = memoryview(content)[HEADER.size :]
    if magic != MAGIC or checksum != _compute_checksum(body, name):
        raise DamagedEntryError(f"{name} does not match its checksum")
    (n_description,) = DESCRIPTION_SIZE.unpack_from(body)
    start = DESCRIPTION_SIZE.size + n_description
    dtype, shape = json.loads(bytes(body[DESCRIPTION_SIZE.size : start]))
    return np.ndarray(shape, np.dtype(dtype), content, HEADER.size + start)


def _compute_checksum(body: bytes | memoryview, name: str) -> int:
    """Compute the CRC-32 of a name followed by the body of a file."""
    return zlib.crc32(body, zlib.crc32(name.encode(errors="surrogatepass")))


def read_and_touch(path: str) -> bytearray | None:
    """Read a file and update its time of last use; return None if the file does not exist.

    Raises
    ------
    DamagedEntryError
        If the file exists and cannot be read.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # Path.open takes as long as reading the file
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
        with suppress(OSError):  # in a read-only cache, no files are removed anyway
            os.utime(path)
    return content


def write_atomically(path: str, content: bytes) -> None:
    """Write to a temporary file and rename it to `path`.

    Raises
    ------
    OSError
        If the file cannot be written. The temporary file is then removed.
    """
    # In the same folder, because the kernel serialises renames from one folder to another.
    partial = f"{path}.{uuid4().hex}{PARTIAL_SUFFIX}"
    try:
        try:
            _write_and_rename(partial, path, content)
        except FileNotFoundError:  # the folder does not exist yet
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            _write_and_rename(partial, path, content)
    except OSError:
        remove(partial)
        raise


def _write_and_rename(partial: str, path: str, content: bytes) -> None:
    """Write a file completely and rename it."""
    with open(partial, "wb", buffering=0) as file:  # noqa: PTH123
        if file.write(content) != len(content):
            raise OSError(f"{path} could not be written completely; is the disk full?")
    os.replace(partial, path)  # noqa: PTH105


def list_folder(folder: str | os.PathLike[str]) -> list[os.DirEntry[str]]:
    """List the items of a folder; return an empty list if it does not exist."""
    try:
        with os.scandir(folder) as items:
            return list(items)
    except (FileNotFoundError, NotADirectoryError):
        return []


def iter_files(
    folder: str | os.PathLike[str], endings: tuple[str, ...], directory: str = ""
) -> Iterator[CachedFile]:
    """Yield the files of a folder whose names have one of the endings."""
    for item in list_folder(folder):
        if item.name.endswith(endings):
            with suppress(FileNotFoundError):  # removed by another process
                state = item.stat()
                yield CachedFile(state.st_mtime, size_on_disk(state.st_size), item.path, directory)


def remove(path: str) -> bool:
    """Remove a file, and return whether it no longer exists."""
    try:
        Path(path).unlink(missing_ok=True)
    except OSError:  # the file is open in another process, or belongs to another user
        return False
    return True


def size_on_disk(n_bytes: int) -> int:
    """Return the disk space that a file of `n_bytes` bytes occupies."""
    return -(-n_bytes // DISK_BLOCK) * DISK_BLOCK
