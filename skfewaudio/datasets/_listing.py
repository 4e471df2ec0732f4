"""Files in a folder and its subfolders."""

import os
import unicodedata
from collections import deque
from pathlib import Path
from typing import NamedTuple

from ._home import is_ignored


class Listing(NamedTuple):
    """Contents of a folder and its subfolders, without hidden and system files."""

    folders: list[Path]
    files: list[Path]  # regular files and links to them
    special: list[Path]  # pipes, sockets and devices
    broken: list[Path]  # links that lead nowhere
    unreadable: list[Path]  # folders that cannot be opened
    links: list[Path]  # linked files and folders


def list_files(root: Path) -> Listing:
    """List the files under `root`, sorted by their names in Unicode's composed form.

    Links are followed, except to a folder that contains them. A folder with several paths is listed once:
    where it stands, or else under its first link.
    """
    found = Listing([], [], [], [], [], [])
    seen: set[str] = set()
    own, linked = deque([root]), deque[Path]()
    while own or linked:
        is_link = not own
        folder = (own or linked).popleft()
        real = os.path.realpath(folder)
        if real in seen or (is_link and _contains(real, root, folder.parent)):
            continue
        seen.add(real)
        found.folders.append(folder)
        for entry in _scan(folder, found):
            path = Path(entry.path)
            kind = _kind_of(entry)
            if entry.is_symlink() and kind in ("folders", "files"):
                found.links.append(path)
            if kind == "folders":
                (linked if entry.is_symlink() else own).append(path)
            else:
                getattr(found, kind).append(path)
    for paths in found:
        paths.sort(key=_sort_key)
    return found


def visible_files(folder: Path) -> list[Path]:
    """Return the sorted regular files under `folder`, without hidden and system files."""
    return list_files(folder).files


def _contains(real: str, *folders: Path) -> bool:
    """Return whether a real folder is one of the folders, or contains it."""
    return any(Path(real) in (inner, *inner.parents) for inner in map(Path, map(os.path.realpath, folders)))


def _scan(folder: Path, found: Listing) -> list[os.DirEntry[str]]:
    """Return the visible entries of a folder, sorted by name; note it if it cannot be opened."""
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not is_ignored(e.name)), key=lambda entry: entry.name)
    except OSError:
        found.unreadable.append(folder)
        return []


def _kind_of(entry: os.DirEntry[str]) -> str:
    """Return the field of a listing that an entry belongs to."""
    try:
        if entry.is_dir():
            return "folders"
        if entry.is_file():
            return "files"
    except OSError:  # such as a link to itself
        return "broken" if entry.is_symlink() else "unreadable"
    return "broken" if entry.is_symlink() and not Path(entry.path).exists() else "special"


def _sort_key(path: Path) -> tuple[tuple[str, ...], str]:
    """Sort by folder and name, in the same order for both Unicode forms of a name."""
    return Path(unicodedata.normalize("NFC", str(path))).parts, str(path)
