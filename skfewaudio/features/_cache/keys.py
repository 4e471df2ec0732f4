"""Cache keys from the content of sounds, and descriptions of transformers and their parameters."""

import hashlib
import inspect
import json
import os
import re
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial, singledispatch
from pathlib import Path
from threading import Lock
from types import MethodType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skfewaudio._files import digest_file
from skfewaudio._json import parse_json
from skfewaudio._weights import weight_files
from skfewaudio.audio.clips import FilePart, as_file_part, as_sound, is_file_part, is_path, is_sound

from .files import DamagedEntryError
from .store import FeatureStore

N_HEX = 40  # hexadecimal digits of a hash, 160 bits
HEX_DIGITS = re.compile(rf"[0-9a-f]{{{N_HEX}}}")
# A file that changes twice within a clock tick keeps its times. Digests of recent files are not remembered.
SETTLED_AFTER = 2 * 10**9  # ns

FileStat = tuple[int, int, int, int]  # size, modification and change time in ns, inode


def read_file_stat(path: str) -> FileStat | None:
    """Return the size, times and inode of a regular file, or None if it does not exist."""
    try:
        state = os.stat(path)  # noqa: PTH116  # three times as fast as Path.stat
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return None
    if not stat.S_ISREG(state.st_mode):  # reading from a pipe could block forever
        return None
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


class FileDigests:
    """Hashes of the contents of files; a file is read again only if its size, times or inode change.

    The hashes are stored in the cache, in one memo per folder of files. Threads may share an object.
    """

    def __init__(self, store: FeatureStore) -> None:
        self._store = store
        self._lock = Lock()
        self._memos: dict[str, dict[str, list[Any]]] = {}
        self._changed: set[str] = set()

    def digest(self, path: str, file_stat: FileStat) -> str:
        """Return the hash of the content of a file.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100
        with self._lock:
            if folder not in self._memos:
                self._memos[folder] = self._load_memo(folder)
        memo = self._memos[folder]
        known = memo.get(name)
        if known is not None and tuple(known[1]) == file_stat:
            return known[0]
        digest = digest_file(path)[:N_HEX]
        if max(file_stat[1:3]) < time.time_ns() - SETTLED_AFTER:
            memo[name] = [digest, list(file_stat)]
            self._changed.add(folder)
        return digest

    def save(self) -> None:
        """Write the memos that have changed.

        Raises
        ------
        OSError
            If a memo cannot be written.
        """
        while self._changed:
            folder = self._changed.pop()
            memo = self._load_memo(folder) | self._memos[folder]  # keeps what other processes have added
            content = np.frombuffer(json.dumps(memo).encode(), np.uint8)
            self._store.write_array(self._memo_path(folder), folder, content)

    def _load_memo(self, folder: str) -> dict[str, list[Any]]:
        """Load the memo of a folder; empty if it is missing or damaged."""
        with suppress(DamagedEntryError, ValueError):  # the files are read again, and the memo is replaced
            content = self._store.read_array(self._memo_path(folder), folder)
            if content is not None:
                return _check_memo(parse_json(content.tobytes()))
        return {}

    def _memo_path(self, folder: str) -> str:
        return self._store.memo_path(_hash(folder.encode(errors="surrogatepass")))


def _check_memo(memo: Any) -> dict[str, list[Any]]:
    """Return a memo if it maps names to a hash and a list of numbers; raise ValueError otherwise."""
    if not isinstance(memo, dict) or not all(map(_is_memo_entry, memo.values())):
        raise ValueError("it does not map names of files to hashes")
    return memo


def _is_memo_entry(entry: Any) -> bool:
    if not isinstance(entry, list) or [type(item) for item in entry] != [str, list]:
        return False
    return HEX_DIGITS.fullmatch(entry[0]) is not None and [type(item) for item in entry[1]] == [int] * 4


def key_of_clip(clip: Any, digests: FileDigests) -> tuple[str | None, FileStat | None]:
    """Return the key of a clip (None if its file cannot be read), and the size and times of its file."""
    if is_sound(clip):
        return key_of_sound(*as_sound(clip)), None
    if not (is_path(clip) or is_file_part(clip)):
        return key_of_array(clip), None
    part = as_file_part(clip)
    file_stat = read_file_stat(part.path)
    try:
        return (None if file_stat is None else key_of_part(part, file_stat, digests)), file_stat
    except OSError:
        return None, file_stat


def key_of_file(path: str, file_stat: FileStat, digests: FileDigests) -> str:
    """Return the cache key of a sound file, from its content and its extension.

    libsndfile uses the extension to decode files without a header.
    """
    extension = os.path.splitext(path)[1].lower()  # noqa: PTH122
    return _hash(f"{digests.digest(path, file_stat)}{extension}".encode(errors="surrogatepass"))


def key_of_part(part: FilePart, file_stat: FileStat, digests: FileDigests) -> str:
    """Return the cache key of a file, or of a part of one."""
    key = key_of_file(part.path, file_stat, digests)
    return key if part.is_whole else _hash(f"{key}:{part.start!r}:{part.end!r}".encode())


def key_of_sound(samples: NDArray[Any], sample_rate: int) -> str:
    """Return the cache key of a waveform with its sample rate."""
    return _hash(f"{key_of_array(samples)}:{sample_rate}".encode())


def key_of_array(clip: NDArray[Any]) -> str:
    """Return the cache key of a waveform."""
    digest = hashlib.sha256(f"{clip.dtype.str}{clip.shape}".encode())
    digest.update(np.ascontiguousarray(clip).data)
    return digest.hexdigest()[:N_HEX]


def describe_transformer(transformer: Any, digests: FileDigests) -> dict[str, Any]:
    """Return everything that the features of a transformer depend on besides the sound, as JSON types.

    Raises
    ------
    TypeError
        If a parameter cannot be identified in another process.
    """
    if hasattr(transformer, "__feature_params__"):
        params = transformer.__feature_params__()
    else:
        params = transformer.get_params(deep=False)
    described = {}
    for name, value in params.items():
        try:
            described[name] = describe_value(value, digests)
        except TypeError as error:
            raise TypeError(
                f"features of {transformer!r} cannot be cached: {name}={value!r} {error}"
            ) from error
    return {"class": describe_value(type(transformer), digests), "params": described}


def directory_name(transformer: Any, described: Mapping[str, Any]) -> str:
    """Return the name of the directory with the features of a transformer."""
    return f"{type(transformer).__name__}-{_hash(json.dumps(described, sort_keys=True).encode())[:16]}"


@singledispatch
def describe_value(value: Any, digests: FileDigests) -> Any:
    """Describe the value of a parameter in JSON types, such that different values differ."""
    if hasattr(value, "get_params") and not isinstance(value, type):
        return describe_transformer(value, digests)
    return _describe_named(value)


@describe_value.register(type(None))
@describe_value.register(bool)
@describe_value.register(int)
@describe_value.register(float)
@describe_value.register(str)
def _(value: Any, digests: FileDigests) -> Any:
    return value


@describe_value.register
def _(value: np.generic, digests: FileDigests) -> Any:
    return describe_value(value.item(), digests)


@describe_value.register
def _(value: np.ndarray, digests: FileDigests) -> Any:
    if value.dtype == object:
        return describe_value(value.tolist(), digests)
    return {"array": key_of_array(value)}


@describe_value.register(list)
@describe_value.register(tuple)
def _(value: Any, digests: FileDigests) -> Any:
    return [describe_value(item, digests) for item in value]


@describe_value.register
def _(value: Mapping, digests: FileDigests) -> Any:
    return {"mapping": sorted([str(key), describe_value(item, digests)] for key, item in value.items())}


@describe_value.register(torch.device)
@describe_value.register(torch.dtype)
@describe_value.register(np.dtype)
def _(value: Any, digests: FileDigests) -> Any:
    return str(value)


@describe_value.register
def _(value: partial, digests: FileDigests) -> Any:
    return {"partial": [describe_value(part, digests) for part in (value.func, value.args, value.keywords)]}


@describe_value.register
def _(value: MethodType, digests: FileDigests) -> Any:
    return {"method": [value.__name__, describe_value(value.__self__, digests)]}


@describe_value.register
def _(value: Path, digests: FileDigests) -> Any:
    """Describe files of weights by their content, or a path without a file by its name."""
    files = [(str(file), read_file_stat(str(file))) for file in weight_files(value)]
    if not files:
        return str(value)
    return {"files": [digests.digest(path, file_stat) for path, file_stat in files if file_stat is not None]}


def _describe_named(value: Any) -> dict[str, str]:
    """Describe a class or function by its name and, if it is not part of skfewaudio, its source."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if name is None or "<" in name:
        raise TypeError(
            "has no name that identifies it in another process; expected a plain value, or a function or "
            "class of a module instead of a lambda or an inner function"
        )
    module = getattr(value, "__module__", None) or ""
    described = {"name": f"{module}:{name}"}
    if module.partition(".")[0] != __name__.partition(".")[0]:  # our own have a feature_version
        described["source"] = _hash_source(value, module)
    return described


def _hash_source(value: Any, module: str) -> str:
    """Hash the source of a class or function; return an empty string for compiled code."""
    try:
        return _hash(inspect.getsource(value).encode())
    except (OSError, TypeError) as error:
        if module == "__main__":
            raise TypeError("has no source that identifies its version; move it to a module") from error
        return ""  # compiled code


def _hash(content: bytes) -> str:
    """Compute a truncated SHA-256 as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:N_HEX]
