"""Files of the cache: arrays with a checksum, atomic writes, and file sizes and access times."""

import hashlib
import hmac
import json
import math
import os
import re
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from skfewaudio._files import open_regular, write_all
from skfewaudio._json import parse_json

MAGIC = b"skfewF2\n"
# Magic number, and keyed BLAKE2b of the name and everything after the header.
HEADER = struct.Struct("<8s32s")
DESCRIPTION_SIZE = struct.Struct("<I")  # of the description of the array, which follows it
STORABLE = "biufc"  # kinds of dtype without references to objects
DTYPE_NAME = re.compile(rf"[<>|=][{STORABLE}]\d{{1,2}}")
MAX_DESCRIPTION = 4096  # bytes; far more than that of any array
ALIGNMENT = 64  # of the values in a file; the array returned is a view of the bytes read
LARGE = 2**26  # bytes; larger files are verified before memory is allocated for them
BLOCK = 2**20  # bytes read at a time to verify a large file
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


def encode(array: NDArray[Any], name: str, secret: bytes) -> bytes:
    """Serialise an array to bytes, with a checksum that includes `name`."""
    description = json.dumps([array.dtype.str, array.shape]).encode()
    padding = -(HEADER.size + DESCRIPTION_SIZE.size + len(description)) % ALIGNMENT
    description = description.ljust(len(description) + padding)
    body = DESCRIPTION_SIZE.pack(len(description)) + description + np.ascontiguousarray(array).tobytes()
    checksum = _start_checksum(name, secret)
    checksum.update(body)
    return HEADER.pack(MAGIC, checksum.digest()) + body


def decode(content: bytearray, name: str, secret: bytes) -> NDArray[Any]:
    """Deserialise an array without copying its values or unpickling.

    Raises
    ------
    DamagedEntryError
        If the bytes are damaged, do not describe an array of numbers, or were written under another name or
        with another secret.
    """
    checksum = _start_checksum(name, secret)
    checksum.update(memoryview(content)[HEADER.size :])
    _check_header(content[: HEADER.size], checksum.digest(), name)
    try:
        return _decode_body(content)
    except (ValueError, TypeError, OverflowError, struct.error) as error:
        raise DamagedEntryError(f"{name} is not an array of numbers: {error}") from error


def _start_checksum(name: str, secret: bytes) -> "hashlib.blake2b":
    """Start the checksum of a file with its name; the size of the name separates it from the content."""
    encoded = name.encode(errors="surrogatepass")
    return hashlib.blake2b(len(encoded).to_bytes(8, "little") + encoded, digest_size=32, key=secret)


def _check_header(header: bytes | bytearray, checksum: bytes, name: str) -> None:
    """Raise DamagedEntryError unless a header has the checksum of its file."""
    if not hmac.compare_digest(bytes(header), HEADER.pack(MAGIC, checksum)):
        raise DamagedEntryError(f"{name} does not match its checksum")


def _decode_body(content: bytearray) -> NDArray[Any]:
    """Deserialise an array whose checksum is right, with errors of several kinds."""
    (n_description,) = DESCRIPTION_SIZE.unpack_from(content, HEADER.size)
    start = HEADER.size + DESCRIPTION_SIZE.size
    if n_description > MAX_DESCRIPTION:
        raise ValueError(f"its description has {n_description} bytes")
    dtype, shape = parse_json(bytes(content[start : start + n_description]))
    if not DTYPE_NAME.fullmatch(dtype) or np.dtype(dtype).kind not in STORABLE:
        raise ValueError(f"its values are {dtype}")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"its shape is {shape}")
    n_bytes = len(content) - start - n_description
    if math.prod(shape) * np.dtype(dtype).itemsize != n_bytes:
        raise ValueError(f"its shape is {shape}, but its values have {n_bytes} bytes")
    return np.ndarray(shape, np.dtype(dtype), content, start + n_description)


def read_and_touch(path: str, name: str, secret: bytes, limit: int | None) -> NDArray[Any] | None:
    """Read an array and update its time of last use; return None if the file does not exist.

    Raises
    ------
    DamagedEntryError
        If the file exists and cannot be read, is larger than `limit` bytes, or as for `decode`.
    """
    try:
        with open_regular(path, buffering=0) as file:
            state = os.fstat(file.fileno())
            if limit is not None and state.st_size > limit:
                raise DamagedEntryError(f"{name} is larger than the cache may be")
            if state.st_size > LARGE:
                _verify(file, name, secret)
            content = bytearray(state.st_size)
            n_read = _read_into(file, content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, MemoryError) as error:
        raise DamagedEntryError(f"{path} cannot be read: {error!r}") from error
    if n_read != len(content):
        raise DamagedEntryError(f"{path} was cut short")
    array = decode(content, name, secret)
    if abs(time.time() - state.st_mtime) > TOUCH_AFTER:
        with suppress(OSError):  # in a read-only cache, no files are removed anyway
            os.utime(path)
    return array


def _verify(file: IO[bytes], name: str, secret: bytes) -> None:
    """Check the checksum of a file without keeping its content in memory."""
    checksum = _start_checksum(name, secret)
    header = file.read(HEADER.size)
    while block := file.read(BLOCK):
        checksum.update(block)
    _check_header(header, checksum.digest(), name)
    file.seek(0)


def _read_into(file: IO[bytes], content: bytearray) -> int:
    """Fill a buffer from an unbuffered file, which may return less at a time; return the bytes read."""
    n_read = 0
    while n_read < len(content):
        found = file.readinto(memoryview(content)[n_read:])  # type: ignore[attr-defined]
        if not found:
            break
        n_read += found
    return n_read


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
    except BaseException:
        remove(partial)
        raise


def _write_and_rename(partial: str, path: str, content: bytes) -> None:
    """Write a file completely and rename it.

    It is not flushed to the disk, which would take longer than most features: what a crash of the system
    damages does not match its checksum.
    """
    with open(partial, "xb", buffering=0) as file:  # noqa: PTH123
        write_all(file, content)
    os.replace(partial, path)  # noqa: PTH105


def list_folder(folder: str | os.PathLike[str]) -> list[os.DirEntry[str]]:
    """List the items of a folder, except links; return an empty list if it does not exist."""
    try:
        with os.scandir(folder) as items:
            return [item for item in items if not item.is_symlink()]
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
