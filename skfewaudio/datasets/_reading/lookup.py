"""The sound files that tables and annotations name, as they are called on this disk."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from .._home import expand_user, is_audio, is_there

N_SEARCHED = 20_000  # files of a folder that are compared with a name that is not found
N_HINTS = 3
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|[^\\]*\\")


class Listing(NamedTuple):
    """The entries of a folder by their key, and its sound files by the key of their stem."""

    entries: dict[str, list[str]]
    sounds: dict[str, list[str]]


class AudioLookup:
    """Search for files under a folder by names that were written on another system.

    Parameters
    ----------
    root : Path
        The folder that relative names refer to. Absolute names of other systems are searched by their last
        parts.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.find = cache(self._find)
        self._list = cache(list_entries)

    def _find(self, name: str) -> str:
        """Return the path of the file with a name; if there is none, the path where it should be."""
        expected = os.path.normpath(self.root / expand_user(name))
        if is_there(Path(expected).is_file):
            return expected
        places = list(self._places(name))
        for folder, parts in places:
            if found := self._walk(folder, parts):
                return os.path.normpath(found)
        return os.path.normpath(Path(places[0][0], *places[0][1])) if places else expected

    def _places(self, name: str) -> Iterator[tuple[str, Sequence[str]]]:
        """Yield folders and the parts of the path in them, the most likely ones first."""
        windows = _WINDOWS.match(name) is not None
        path: PurePath = PureWindowsPath(name) if windows else PurePosixPath(os.fspath(expand_user(name)))
        parts = [part for part in path.parts if part not in (path.anchor, ".")]
        if not windows or not path.anchor:
            yield path.anchor or str(self.root), parts
        for k in range(len(parts) if path.anchor else 0):
            yield str(self.root), parts[k:]

    def _walk(self, folder: str, parts: Sequence[str]) -> str | None:
        """Return the file that is reached by names that may differ in Unicode form, case and suffix."""
        for k, part in enumerate(parts):
            match = ".." if part == ".." else self._match(folder, part, is_file=k == len(parts) - 1)
            if match is None:
                return None
            folder = os.path.join(folder, match)  # noqa: PTH118
        return folder if parts and is_there(Path(folder).is_file) else None

    def _match(self, folder: str, name: str, *, is_file: bool) -> str | None:
        """Return the only entry with a name; Unicode form and case may differ, the suffix may be missing."""
        listing = self._list(folder)
        same = listing.entries.get(key_of(name), [])
        exact = [entry for entry in same if compose(entry) == compose(name)]
        other_suffix = [entry for entry in same if compose(Path(entry).stem) == compose(Path(name).stem)]
        without_suffix = listing.sounds.get(key_of(name), [])
        for found in (exact, other_suffix, same, without_suffix) if is_file else (exact, same):
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def hint(self, missing: Sequence[str]) -> str:
        """Return sentences about files that are there and have names like the missing ones."""
        known = self._search()
        found = [best for path in missing[:N_HINTS] if (best := _find_similar(path, known))]
        if found:
            return f" Did you mean {', '.join(dict.fromkeys(found))}?"
        absent = [
            folder for folder in map(str, (Path(path).parent for path in missing)) if not _is_folder(folder)
        ]
        if absent:
            return f" There is no folder {absent[0]}: pass audio_root, the folder that paths start from."
        first = sorted(path for paths in known.values() for path in paths)[:N_HINTS]
        what = ", ".join(os.path.relpath(path, self.root) for path in first) or "no sound files"
        return f" {self.root} holds {what}."

    def _search(self) -> dict[str, list[str]]:
        """Return the sound files under the root by their key, among its first `N_SEARCHED` files or so."""
        known: dict[str, list[str]] = defaultdict(list)
        n_files = 0
        for where, folders, names in os.walk(self.root):
            folders.sort()
            for name in sorted(names):
                if is_audio(Path(where, name)):
                    known[key_of(name)].append(str(Path(where, name)))
            n_files += len(names)
            if n_files > N_SEARCHED:
                break
        return dict(known)


def _find_similar(path: str, known: dict[str, list[str]]) -> str | None:
    """Return the file whose name is like the one of a missing file, the nearest one if there are several."""
    name = key_of(Path(path).name)
    keys = [key for key in known if Path(key).stem == Path(name).stem]
    keys = keys or get_close_matches(name, known, n=N_HINTS, cutoff=0.75)
    found = get_close_matches(path, [file for key in keys for file in known[key]], n=1, cutoff=0.0)
    return found[0] if found else None


def _is_folder(path: str) -> bool:
    return is_there(Path(path).is_dir)


def list_entries(folder: str) -> Listing:
    """Return the entries of a folder, none if it cannot be read."""
    entries: dict[str, list[str]] = defaultdict(list)
    sounds: dict[str, list[str]] = defaultdict(list)
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except (OSError, ValueError):
        names = []
    for name in names:
        entries[key_of(name)].append(name)
        if is_audio(Path(folder, name)):
            sounds[key_of(Path(name).stem)].append(name)
    return Listing(dict(entries), dict(sounds))


def compose(name: str) -> str:
    """Return a name in Unicode's composed form; bytes that are not UTF-8 are read as Windows-1252."""
    try:
        name.encode()
    except UnicodeEncodeError:
        name = os.fsencode(name).decode("cp1252", "replace")
    return unicodedata.normalize("NFC", name)


def key_of(name: str) -> str:
    """Return a name without the differences that the search ignores: Unicode form and case."""
    return compose(name).casefold()
