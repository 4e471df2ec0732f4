"""The folder that cached features are kept in, file by file."""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from numpy.typing import NDArray

from skfewaudio._weights import weights_home

from .files import (
    PARTIAL,
    CachedFile,
    decode,
    encode,
    files_in,
    on_disk,
    read_used,
    remove,
    scan,
    write_whole,
)

# The layout: <shelf>/<two letters>/<sound>.features, with a shelf for each transformer with its parameters,
# and memos/<folder of sounds>.memo. Files of other names are nobody's business.
SHELF = re.compile(r"\w+-[0-9a-f]{16}")
ENTRY, MEMOS, MEMO, SETTINGS = ".features", "memos", ".memo", "settings.json"

STALE_AFTER = 3600.0  # seconds after which a file half written is one that a killed process left
# A process looks through the cache at its first write, and again whenever it has itself written this share of
# the limit. What is over the limit is removed down to the second share.
RECOUNT_SHARE, KEPT_SHARE = 0.02, 0.9
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class FeatureStore:
    """The files of a cache; see `FeatureCache`, which has the same parameters."""

    def __init__(self, location: str | os.PathLike[str] | None, max_size: int | str | None) -> None:
        default = weights_home().parent / "features"
        self.location = (default if location is None else Path(location).expanduser()).absolute()
        self.max_size = parse_size(max_size)

    def get(self, shelf: str, sound: str) -> NDArray[Any] | None:
        """Give the features of a sound; None if they are not here.

        Raises
        ------
        DamagedEntryError
            If they are not what was written, or cannot be read.
        """
        content = self.read(self._place(shelf, sound))
        return None if content is None else decode(content, f"{shelf}/{sound}")

    def put(self, shelf: str, sound: str, features: NDArray[Any]) -> None:
        """Keep the features of a sound; not those that would push out nearly all others.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        content = encode(features, f"{shelf}/{sound}")
        if self.max_size is None or on_disk(len(content)) <= KEPT_SHARE * self.max_size:
            self.write(self._place(shelf, sound), content)

    def describe(self, shelf: str, params: Mapping[str, Any]) -> None:
        """Note for `info` what the transformer of a shelf is."""
        place = self.location / shelf / SETTINGS
        if not place.exists():
            self.write(str(place), json.dumps(params, indent=1).encode())

    def read(self, path: str) -> bytearray | None:
        """Read a file of the cache; None if it is not there.

        Raises
        ------
        DamagedEntryError
            If it cannot be read.
        """
        return read_used(path)

    def write(self, path: str, content: bytes) -> None:
        """Write a file of the cache, and remove others if there are too many bytes.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        write_whole(path, content)
        limit = self.max_size
        if limit is not None and _sizes.add(self.location, on_disk(len(content)), limit):
            self.reduce(limit, int(KEPT_SHARE * limit))

    def memo_place(self, digest: str) -> str:
        """Give the path of the memo that has this name."""
        return f"{self.location}/{MEMOS}/{digest}{MEMO}"

    def params(self, shelf: str) -> dict[str, Any]:
        """Give what was noted of a shelf's transformer."""
        try:
            return json.loads((self.location / shelf / SETTINGS).read_bytes())
        except (OSError, ValueError):  # of use to people alone
            return {}

    def files(self) -> Iterator[CachedFile]:
        """List entries and memos, and remove on the way what killed processes left half written."""
        stale = time.time() - STALE_AFTER
        for folder, ending, shelf in self._folders():
            for file in files_in(folder, (ending, PARTIAL), shelf):
                if not file.path.endswith(PARTIAL):
                    yield file
                elif file.used < stale:
                    remove(file.path)

    def _folders(self) -> Iterator[tuple[str, str, str]]:
        """Give the folders of files, the ending of these, and their shelf."""
        yield f"{self.location}/{MEMOS}", MEMO, ""
        for shelf in scan(self.location):
            if SHELF.fullmatch(shelf.name):
                for part in scan(shelf.path):
                    if len(part.name) == 2:
                        yield part.path, ENTRY, shelf.name

    def reduce(self, limit: int, target: int) -> int:
        """If there is more than `limit`, remove files, the longest unused first, down to `target`."""
        files = sorted(self.files())
        before = n_bytes = sum(file.n_bytes for file in files)
        for file in files if n_bytes > limit else ():
            if n_bytes <= target:
                break
            if remove(file.path):
                n_bytes -= file.n_bytes
        _sizes.set(self.location, n_bytes)
        return before - n_bytes

    def tidy(self) -> None:
        """Remove folders without entries, and look at the size again before the next write."""
        _sizes.forget(self.location)
        for shelf in scan(self.location):
            if SHELF.fullmatch(shelf.name):
                for part in scan(shelf.path):
                    with suppress(OSError):  # another process has just written there
                        Path(part.path).rmdir()
                if {item.name for item in scan(shelf.path)} == {SETTINGS}:
                    remove(f"{shelf.path}/{SETTINGS}")
                with suppress(OSError):
                    Path(shelf.path).rmdir()

    def _place(self, shelf: str, sound: str) -> str:
        return f"{self.location}/{shelf}/{sound[:2]}/{sound}{ENTRY}"


def parse_size(size: int | str | None) -> int | None:
    """Give a number of bytes: 500_000_000, "500M", or None for no limit."""
    if size is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", str(size).strip(), re.IGNORECASE)
    if match is None or float(match[1]) == 0:
        raise ValueError(
            f"max_size={size!r}; expected a positive number of bytes, a string such as '500M', or None for "
            "no limit"
        )
    return int(float(match[1]) * UNITS[match[2].upper()])


class _Sizes:
    """How large each cache was when this process last looked, and what it has written since."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: dict[Path, tuple[int | None, int]] = {}

    def add(self, location: Path, n_bytes: int, limit: int) -> bool:
        """Count what was written; tell whether it is time to look again."""
        with self._lock:
            found, written = self._held.get(location, (None, 0))
            written += n_bytes
            self._held[location] = (found, written)
        return found is None or found <= limit < found + written or written > RECOUNT_SHARE * limit

    def set(self, location: Path, n_bytes: int) -> None:
        """Take what was found."""
        with self._lock:
            self._held[location] = (n_bytes, 0)

    def forget(self, location: Path) -> None:
        """Look again at the next write."""
        with self._lock:
            self._held.pop(location, None)


_sizes = _Sizes()
