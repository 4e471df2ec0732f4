"""The recordings that annotation files belong to."""

import re
from collections import defaultdict
from functools import cache
from pathlib import Path, PureWindowsPath

from skfewaudio.audio.formats import audio_suffixes

from .._home import is_audio, is_there, join_first
from .._listing import visible_files
from .._reading.lookup import AudioLookup, key_of, list_entries
from .events import Event

# Endings that programs and people add to the name of the recording.
_ENDINGS = re.compile(
    r"([._ -]+(table[._ ]?\d+|selections?|labels?|annotations?|annot|events|audacity|raven|praat|birdnet"
    r"|results?))+$",
    re.IGNORECASE,
)


class RecordingFinder:
    """Search for the recordings of annotation files.

    Parameters
    ----------
    root : Path or None
        The folder in which, and in whose subfolders, recordings are searched. None uses the folder of each
        annotation file, without subfolders.
    """

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._lookup = cache(AudioLookup)
        self._sounds = cache(_list_below if root else _list_beside)
        self._find = cache(self._search)

    def find(self, event: Event, file: Path) -> str:
        """Return the path of the recording; if there is none, the path where it should be."""
        return self._find(event.audio, file)

    def lookup(self, file: Path) -> AudioLookup:
        """Return the search by name in the folder of the recordings of an annotation file."""
        return self._lookup(self._root or file.parent)

    def _search(self, names: tuple[str, ...], file: Path) -> str:
        lookup = self.lookup(file)
        for name in names:
            path = lookup.find(name)
            if is_there(Path(path).is_file):
                return path
        # The recording may lie in a subfolder, or have been converted to another format.
        named = [PureWindowsPath(name).name for name in names]
        stems = [Path(name).stem for name in named] or stems_of(file)
        for stem in stems:
            found = self._sounds(lookup.root).get(key_of(stem), [])
            found = [path for path in found if key_of(path.name) in map(key_of, named)] or found
            found = [path for path in found if path.parent.name == file.parent.name] or found
            if len(found) > 1:
                raise ValueError(f"{file} could belong to {join_first(found)}: pass the recording as audio")
            if found:
                return str(found[0])
        return lookup.find(names[0]) if names else str(lookup.root / f"{stems[-1]}.wav")


def stems_of(file: Path) -> list[str]:
    """Return the names, without suffix, that the recording of an annotation file may have."""
    stem = file.stem
    stems = [stem]
    for _ in range(2):  # night.wav.txt, night.labels.txt, night.wav.labels.txt
        stem = _ENDINGS.sub("", stem) or stem
        stem = Path(stem).stem if Path(stem).suffix.lower() in audio_suffixes() else stem
        stems.append(stem)
    return list(dict.fromkeys(stems))


def _list_beside(folder: Path) -> dict[str, list[Path]]:
    """Return the sound files of a folder by the key of their stem."""
    sounds = list_entries(str(folder)).sounds
    return {key: [folder / name for name in names] for key, names in sounds.items()}


def _list_below(folder: Path) -> dict[str, list[Path]]:
    """Return the sound files of a folder and its subfolders by the key of their stem."""
    sounds: dict[str, list[Path]] = defaultdict(list)
    for file in visible_files(folder):
        if is_audio(file):
            sounds[key_of(file.stem)].append(file)
    return dict(sounds)
