"""What cached features are found by: the transformer and its parameters, and the content of the sound."""

import hashlib
import inspect
import json
import os
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial, singledispatch
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skfewaudio._weights import weight_files

from .files import DamagedEntryError, decode, encode
from .store import FeatureStore

N_HEX = 40  # of a digest that names a file: 160 bits
# A file changed again within a clock tick keeps its times: younger ones are read anew.
SETTLED_AFTER = 2 * 10**9  # ns

Stamp = tuple[int, int, int, int]


def stamp_of(path: str) -> Stamp | None:
    """Give what changes when a file is written anew; None where there is no file to read."""
    try:
        state = os.stat(path)  # noqa: PTH116  # three times as fast as Path's
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return None
    if not stat.S_ISREG(state.st_mode):  # reading from a pipe could wait for ever
        return None
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


class FileDigests:
    """Digests of files' contents, each read once as long as its stamp stays.

    The memos are in the cache, one for each folder of files.
    """

    def __init__(self, store: FeatureStore) -> None:
        self._store = store
        self._memos: dict[str, dict[str, list[Any]]] = {}
        self._changed: set[str] = set()

    def digest(self, path: str, stamp: Stamp) -> str:
        """Give the digest of a file with this stamp.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100
        if folder not in self._memos:
            self._memos[folder] = self._load(folder)
        memo = self._memos[folder]
        held = memo.get(name)
        if held is not None and tuple(held[1]) == stamp:
            return held[0]
        with open(path, "rb") as file:  # noqa: PTH123
            found = hashlib.file_digest(file, "sha256").hexdigest()[:N_HEX]
        if max(stamp[1:3]) < time.time_ns() - SETTLED_AFTER:
            memo[name] = [found, list(stamp)]
            self._changed.add(folder)
        return found

    def save(self) -> None:
        """Write the memos that have grown.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        while self._changed:
            folder = self._changed.pop()
            memo = self._load(folder) | self._memos[folder]  # what other processes have added stays
            content = np.frombuffer(json.dumps(memo).encode(), np.uint8)
            self._store.write(self._place(folder), encode(content, folder))

    def _load(self, folder: str) -> dict[str, list[Any]]:
        with suppress(DamagedEntryError):  # the files are read again, and the memo is written anew
            content = self._store.read(self._place(folder))
            if content is not None:
                return json.loads(decode(content, folder).tobytes())
        return {}

    def _place(self, folder: str) -> str:
        return self._store.memo_place(_hex(folder.encode()))


def key_of_file(path: str, stamp: Stamp, digests: FileDigests) -> str:
    """Give the key of a sound file: of its content, and of its ending.

    libsndfile goes by the ending where a file has no header.
    """
    ending = os.path.splitext(path)[1].lower()  # noqa: PTH122
    return _hex(f"{digests.digest(path, stamp)}{ending}".encode())


def key_of_array(clip: NDArray[Any]) -> str:
    """Give the key of a waveform."""
    digest = hashlib.sha256(f"{clip.dtype.str}{clip.shape}".encode())
    digest.update(np.ascontiguousarray(clip).data)
    return digest.hexdigest()[:N_HEX]


def describe_transformer(transformer: Any, digests: FileDigests) -> dict[str, Any]:
    """Give, as JSON has it, all that a transformer's features depend on besides the sound.

    Raises
    ------
    TypeError
        If a parameter is nothing that a later process could recognise.
    """
    if hasattr(transformer, "__feature_params__"):
        params = transformer.__feature_params__()
    else:
        params = transformer.get_params(deep=False)
    described = {}
    for name, value in params.items():
        try:
            described[name] = describe(value, digests)
        except TypeError as error:
            raise TypeError(
                f"features of {transformer!r} cannot be cached: {name}={value!r} {error}"
            ) from error
    return {"class": describe(type(transformer), digests), "params": described}


def shelf_of(transformer: Any, described: Mapping[str, Any]) -> str:
    """Give the name of a transformer's part of the cache."""
    return f"{type(transformer).__name__}-{_hex(json.dumps(described, sort_keys=True).encode())[:16]}"


@singledispatch
def describe(value: Any, digests: FileDigests) -> Any:
    """Give what tells a parameter's value from others, in types that JSON has."""
    if hasattr(value, "get_params") and not isinstance(value, type):
        return describe_transformer(value, digests)
    return _describe_named(value)


@describe.register(type(None))
@describe.register(bool)
@describe.register(int)
@describe.register(float)
@describe.register(str)
def _(value: Any, digests: FileDigests) -> Any:
    return value


@describe.register
def _(value: np.generic, digests: FileDigests) -> Any:
    return describe(value.item(), digests)


@describe.register
def _(value: np.ndarray, digests: FileDigests) -> Any:
    return describe(value.tolist(), digests) if value.dtype == object else {"array": key_of_array(value)}


@describe.register(list)
@describe.register(tuple)
def _(value: Any, digests: FileDigests) -> Any:
    return [describe(item, digests) for item in value]


@describe.register
def _(value: Mapping, digests: FileDigests) -> Any:
    return {"mapping": sorted([str(key), describe(item, digests)] for key, item in value.items())}


@describe.register(torch.device)
@describe.register(torch.dtype)
@describe.register(np.dtype)
def _(value: Any, digests: FileDigests) -> Any:
    return str(value)


@describe.register
def _(value: partial, digests: FileDigests) -> Any:
    return {"partial": [describe(part, digests) for part in (value.func, value.args, value.keywords)]}


@describe.register
def _(value: MethodType, digests: FileDigests) -> Any:
    return {"method": [value.__name__, describe(value.__self__, digests)]}


@describe.register
def _(value: Path, digests: FileDigests) -> Any:
    """Take the content of weights, wherever they are."""
    files = [(str(file), stamp_of(str(file))) for file in weight_files(value)]
    return (
        str(value)
        if not files
        else {"files": [digests.digest(path, stamp) for path, stamp in files if stamp is not None]}
    )


def _describe_named(value: Any) -> dict[str, str]:
    """Take the name of a class or function, and its source where it may change under the same name."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if name is None or "<" in name:
        raise TypeError(
            "has no name by which a later process would know it; expected a plain value, or a function or "
            "class of a module rather than a lambda or an inner function"
        )
    module = getattr(value, "__module__", None) or ""
    described = {"name": f"{module}:{name}"}
    if module.partition(".")[0] != __name__.partition(".")[0]:  # ours have a version
        described["source"] = _source(value, module)
    return described


def _source(value: Any, module: str) -> str:
    try:
        return _hex(inspect.getsource(value).encode())
    except (OSError, TypeError) as error:
        if module == "__main__":
            raise TypeError("has no source at hand to tell its versions by; put it into a module") from error
        return ""  # compiled


def _hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:N_HEX]
