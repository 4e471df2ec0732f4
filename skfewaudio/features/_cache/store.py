"""Storage of cached features, with one file per entry."""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from skfewaudio._files import read_regular
from skfewaudio._json import parse_json
from skfewaudio._threads import ProcessLock
from skfewaudio._weights import weights_home

from .files import (
    PARTIAL_SUFFIX,
    CachedFile,
    encode,
    iter_files,
    list_folder,
    read_and_touch,
    remove,
    size_on_disk,
    write_atomically,
)
from .secret import load_secret

# Layout: <directory>/<first two letters of key>/<key>.features, with one directory per transformer and
# parameters, and memos/<hash of folder>.memo. Files with other names are left alone.
DIRECTORY_NAME = re.compile(r"\w+-[0-9a-f]{16}")
ENTRY_SUFFIX, MEMO_DIRECTORY, MEMO_SUFFIX, DESCRIPTION_FILE = ".features", "memos", ".memo", "settings.json"

STALE_AFTER = 3600.0  # seconds after which a partial file is assumed to be left by a killed process
# A process measures the size of the cache at its first write, and again after writing RECOUNT_SHARE of the
# limit. If the cache exceeds the limit, files are removed until KEPT_SHARE of the limit is left.
RECOUNT_SHARE, KEPT_SHARE = 0.02, 0.9
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class FeatureStore:
    """Files of a cache; see `FeatureCache`, which has the same parameters."""

    def __init__(self, location: str | os.PathLike[str] | None, max_size: int | str | None) -> None:
        default = weights_home().parent / "features"
        self.location = (default if location is None else Path(location).expanduser()).absolute()
        self.max_size = parse_size(max_size)

    def get(self, directory: str, key: str) -> NDArray[Any] | None:
        """Return the features of an entry, or None if it does not exist.

        Raises
        ------
        DamagedEntryError
            If the entry is corrupted or cannot be read.
        """
        return self.read_array(self._entry_path(directory, key), f"{directory}/{key}")

    def put(self, directory: str, key: str, features: NDArray[Any]) -> None:
        """Store the features of an entry, unless it would replace nearly the whole cache.

        Raises
        ------
        OSError
            If the entry cannot be written.
        """
        self.write_array(self._entry_path(directory, key), f"{directory}/{key}", features)

    def write_description(self, directory: str, description: Mapping[str, Any]) -> None:
        """Write the description of the transformer of a directory, for `FeatureCache.info`."""
        path = self.location / directory / DESCRIPTION_FILE
        if not path.exists():
            self._write(str(path), json.dumps(description, indent=1).encode())

    def read_array(self, path: str, name: str) -> NDArray[Any] | None:
        """Read a file of the cache; return None if it does not exist, or if there is no secret to verify it.

        Raises
        ------
        DamagedEntryError
            If the file is corrupted, cannot be read, or was written under another name or by another user.
        """
        if not os.path.exists(path):  # noqa: PTH110  # a secret is only created when something is written
            return None
        try:
            secret = load_secret()
        except OSError:  # raised again when features are written, which issues a warning
            return None
        return read_and_touch(path, name, secret, self.max_size)

    def write_array(self, path: str, name: str, array: NDArray[Any]) -> None:
        """Write a file of the cache, unless it would replace nearly all others.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        content = encode(array, name, load_secret())
        if self.max_size is None or size_on_disk(len(content)) <= KEPT_SHARE * self.max_size:
            self._write(path, content)

    def _write(self, path: str, content: bytes) -> None:
        """Write a file, and remove other files if the cache exceeds its limit."""
        write_atomically(path, content)
        limit = self.max_size
        if limit is not None and _cache_sizes.add_written(self.location, size_on_disk(len(content)), limit):
            self.reduce(limit, int(KEPT_SHARE * limit))

    def memo_path(self, name: str) -> str:
        """Return the path of a memo file."""
        return f"{self.location}/{MEMO_DIRECTORY}/{name}{MEMO_SUFFIX}"

    def read_description(self, directory: str) -> dict[str, Any]:
        """Read the description of the transformer of a directory; empty if it cannot be read."""
        try:
            description = parse_json(read_regular(self.location / directory / DESCRIPTION_FILE))
        except (OSError, ValueError):  # the description is only informative
            return {}
        return description if isinstance(description, dict) else {}

    def files(self) -> Iterator[CachedFile]:
        """Yield entries and memos, and remove partial files that killed processes left."""
        stale = time.time() - STALE_AFTER
        for folder, ending, directory in self._iter_folders():
            for file in iter_files(folder, (ending, PARTIAL_SUFFIX), directory):
                if not file.path.endswith(PARTIAL_SUFFIX):
                    yield file
                elif file.last_used < stale:
                    remove(file.path)

    def _iter_folders(self) -> Iterator[tuple[str, str, str]]:
        """Yield each folder of files, the ending of its files, and the directory of its transformer."""
        yield f"{self.location}/{MEMO_DIRECTORY}", MEMO_SUFFIX, ""
        for entry in list_folder(self.location):
            if DIRECTORY_NAME.fullmatch(entry.name):
                for part in list_folder(entry.path):
                    if len(part.name) == 2:
                        yield part.path, ENTRY_SUFFIX, entry.name

    def reduce(self, limit: int, target: int) -> int:
        """Remove the least recently used files down to `target` bytes if the cache exceeds `limit`."""
        files = sorted(self.files())
        before = n_bytes = sum(file.n_bytes for file in files)
        for file in files if n_bytes > limit else ():
            if n_bytes <= target:
                break
            if remove(file.path):
                n_bytes -= file.n_bytes
        _cache_sizes.set(self.location, n_bytes)
        return before - n_bytes

    def tidy(self) -> None:
        """Remove empty folders, and measure the size of the cache again at the next write."""
        _cache_sizes.forget(self.location)
        for entry in list_folder(self.location):
            if DIRECTORY_NAME.fullmatch(entry.name):
                for part in list_folder(entry.path):
                    with suppress(OSError):  # not empty, or another process has just written to it
                        Path(part.path).rmdir()
                if {item.name for item in list_folder(entry.path)} == {DESCRIPTION_FILE}:
                    remove(f"{entry.path}/{DESCRIPTION_FILE}")
                with suppress(OSError):
                    Path(entry.path).rmdir()

    def _entry_path(self, directory: str, key: str) -> str:
        return f"{self.location}/{directory}/{key[:2]}/{key}{ENTRY_SUFFIX}"


def parse_size(size: int | str | None) -> int | None:
    """Return a number of bytes from an int, a string such as "500M", or None for no limit."""
    if size is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", str(size).strip(), re.IGNORECASE)
    if match is None or float(match[1]) == 0:
        raise ValueError(
            f"max_size={size!r}; expected a positive number of bytes, a string such as '500M', or None for "
            "no limit"
        )
    return int(float(match[1]) * UNITS[match[2].upper()])


class _CacheSizes:
    """Last measured size of each cache, and the bytes that this process has written since."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._sizes: dict[Path, tuple[int | None, int]] = {}

    def add_written(self, location: Path, n_bytes: int, limit: int) -> bool:
        """Add written bytes, and return whether the cache must be measured again."""
        with self._lock:
            measured, written = self._sizes.get(location, (None, 0))
            written += n_bytes
            self._sizes[location] = (measured, written)
        return measured is None or measured <= limit < measured + written or written > RECOUNT_SHARE * limit

    def set(self, location: Path, n_bytes: int) -> None:
        """Set the measured size of a cache."""
        with self._lock:
            self._sizes[location] = (n_bytes, 0)

    def forget(self, location: Path) -> None:
        """Measure the cache again at the next write."""
        with self._lock:
            self._sizes.pop(location, None)


_cache_sizes = _CacheSizes()
