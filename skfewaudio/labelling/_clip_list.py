"""The clips to label: sound files of a folder, cut into windows where they are long."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skfewaudio._names import escape
from skfewaudio.audio import audio_info
from skfewaudio.audio.clips import FilePart, as_file_part, is_file_part, is_path
from skfewaudio.datasets import list_audio_files, list_clips
from skfewaudio.exceptions import AudioLoadError

TABLE_SUFFIXES = frozenset({".csv", ".textgrid", ".tsv", ".txt"})
# A recording is cut if it lasts longer than this many windows: the last window is then at least half as long.
LONGEST = 1.5


@dataclass
class FoundClips:
    """Clips, and the files that cannot be used.

    Attributes
    ----------
    parts : list of FilePart
        The clips.
    problems : list of str
        One message for each file that is left out.
    """

    parts: list[FilePart] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def find_clips(sources: Iterable[str | os.PathLike[str]], *, window: float | None = 5.0) -> FoundClips:
    """Find the clips of folders, sound files and tables, and cut long recordings into windows.

    Parameters
    ----------
    sources : iterable of path-like
        Folders, which are searched with their subfolders; sound files; and tables with a column of paths.
    window : float or None, default=5.0
        Length of a window in seconds. Recordings longer than one and a half windows are cut into windows of
        this length. Parts that a table names are not cut. None does not cut recordings.

    Returns
    -------
    FoundClips

    Raises
    ------
    ValueError
        If `window` is not above 0, or a table cannot be read.
    OSError
        If a source does not exist.
    """
    if window is not None and not window > 0:
        raise ValueError(f"window={window!r}; expected seconds above 0, or None")
    found = FoundClips()
    for part in dict.fromkeys(_list_sources(sources)):
        if problem := find_name_problem(part.path):
            found.problems.append(problem)
        elif window is None or not part.is_whole:
            found.parts.append(part)
        else:
            _cut(part.path, window, found)
    found.problems = list(dict.fromkeys(found.problems))
    return found


def absolute_path(path: str | os.PathLike[str]) -> str:
    """Return an absolute path without "..", in which links stay as they are."""
    return os.path.abspath(path)  # noqa: PTH100


def _list_sources(sources: Iterable[str | os.PathLike[str]]) -> Iterable[FilePart]:
    for source in sources:
        path = Path(source)
        if path.is_dir():
            yield from (FilePart(absolute_path(file)) for file in list_audio_files(path))
        elif path.suffix.lower() in TABLE_SUFFIXES:
            parts = map(as_file_part, list_clips(path))
            yield from (FilePart(absolute_path(part.path), part.start, part.end) for part in parts)
        else:
            path.stat()
            yield FilePart(absolute_path(path))


def _cut(path: str, window: float, found: FoundClips) -> None:
    """Add the windows of a file, or the file if it is short."""
    try:
        duration = audio_info(path).duration
    except AudioLoadError as error:
        found.problems.append(str(error))
        return
    if duration is None or duration <= LONGEST * window:
        found.parts.append(FilePart(path))
        return
    n_windows = max(1, round(duration / window))
    for k in range(n_windows):
        end = (k + 1) * window if k < n_windows - 1 else duration
        found.parts.append(FilePart(path, round(k * window, 3), int(end * 1000) / 1000))


def find_name_problem(path: str) -> str:
    """Return why a path cannot be written to a table; nothing if it can."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return f"{escape(path)!r}: its name is not in UTF-8; rename the file"
    if escape(path) != path or path != path.strip():
        return f"{escape(path)!r}: its name has control characters or ends with white space; rename the file"
    return ""


def as_parts(clips: Sequence[Any]) -> list[FilePart] | None:
    """Return clips as parts of files; None if a clip is not from a file.

    Parameters
    ----------
    clips : sequence
        Clips in any form.

    Returns
    -------
    list of FilePart or None
    """
    if not all(is_path(clip) or is_file_part(clip) for clip in clips):
        return None
    return [as_file_part(clip, f"clips[{i}]") for i, clip in enumerate(clips)]


def as_sound_clip(part: FilePart) -> Any:
    """Return a part in the form that transformers accept: its path if it is a whole file."""
    return part.path if part.is_whole else tuple(part)
