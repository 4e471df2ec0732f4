"""The way of clips through the cache: told apart, looked up, computed where they are missing, stored."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skfewaudio._validation import is_path
from skfewaudio.audio.io import load_audio
from skfewaudio.exceptions import AudioLoadError, FeatureCacheWarning

from .files import DamagedEntryError
from .keys import FileDigests, Stamp, describe_transformer, key_of_array, key_of_file, shelf_of, stamp_of
from .store import FeatureStore

STORABLE = "biufc"  # kinds of dtype whose bytes are their values
# Caches of which this process has said that it cannot write there.
_reported: set[Path] = set()


@dataclass
class _Sound:
    """A sound, and where among the clips it is. One without a key is a file that cannot be read."""

    key: str | None
    stamp: Stamp | None
    places: list[int]


class Lookup:
    """Some clips' way through the cache.

    Parameters
    ----------
    transformer : transformer
        Makes the features of a clip by itself.
    store : FeatureStore
        Where they are.
    clips : ndarray of shape (n_clips, n_samples), or list of ndarray or of str
        Checked clips.
    take : callable
        Is given each clip's number and features, in any order.
    """

    def __init__(
        self,
        transformer: Any,
        store: FeatureStore,
        clips: Sequence[Any],
        take: Callable[[int, NDArray[Any]], object],
    ) -> None:
        self.transformer = transformer
        self.store = store
        self.clips = clips
        self.take = take
        self.digests = FileDigests(store)
        self.settings = describe_transformer(transformer, self.digests)
        self.shelf = shelf_of(transformer, self.settings)
        self.is_writable = True

    def run(self, n_at_once: int) -> dict[str, int]:
        """Give away all clips' features; count the sounds."""
        sounds = self._find_sounds()
        self._write(self.digests.save)
        missing, n_damaged = self._look_up(sounds)
        if missing:
            self._write(self.store.describe, self.shelf, self.settings)
        unreadable: list[_Sound] = []
        for first in range(0, len(missing), n_at_once):
            unreadable += self._compute(missing[first : first + n_at_once])
        if unreadable:  # all at once, for one warning
            self._give(unreadable, self.transformer)
        return {
            "n_hits": len(sounds) - len(missing),
            "n_computed": len(missing) - len(unreadable),
            "n_damaged": n_damaged,
        }

    def _find_sounds(self) -> list[_Sound]:
        """Tell the sounds apart: some clips may be equal."""
        sounds: dict[str | int, _Sound] = {}
        for index, clip in enumerate(self.clips):
            key, stamp = self._key_of(clip)
            sounds.setdefault(index if key is None else key, _Sound(key, stamp, [])).places.append(index)
        return list(sounds.values())

    def _key_of(self, clip: Any) -> tuple[str | None, Stamp | None]:
        if not is_path(clip):
            return key_of_array(clip), None
        stamp = stamp_of(clip)
        try:
            return (None if stamp is None else key_of_file(clip, stamp, self.digests)), stamp
        except OSError:  # what is wrong with the file the transformer says
            return None, stamp

    def _look_up(self, sounds: list[_Sound]) -> tuple[list[_Sound], int]:
        """Give away what is in the cache; name the sounds that are not, and count damaged entries."""
        missing, n_damaged = [], 0
        for sound in sounds:
            features = None
            try:
                if sound.key is not None:
                    features = self.store.get(self.shelf, sound.key)
            except DamagedEntryError:
                n_damaged += 1
            if features is None:
                missing.append(sound)
            else:
                self._hand_out(sound, features)
        if n_damaged:
            warnings.warn(
                f"{self.store.location}: the features of {n_damaged} sound(s) are damaged; they are computed "
                "and written anew",
                FeatureCacheWarning,
                stacklevel=2,
            )
        return missing, n_damaged

    def _compute(self, sounds: list[_Sound]) -> list[_Sound]:
        """Compute, store and give away features; name the sounds that silence has to stand in for."""
        try:
            rows = self._give(sounds, self._strict)
        except AudioLoadError:
            readable = [sound for sound in sounds if self._is_readable(sound)]
            if self._strict is self.transformer or len(readable) == len(sounds):
                raise
            unreadable = [sound for sound in sounds if sound not in readable]
            return unreadable + (self._compute(readable) if readable else [])
        for sound, row in zip(sounds, rows, strict=True):
            # A file changed between the two times it was read has not the features of what was found first.
            if sound.key is not None and sound.stamp == self._stamp_now(sound):
                self._write(self.store.put, self.shelf, sound.key, row)
        return []

    @cached_property
    def _strict(self) -> Any:
        """The transformer, raising on a bad file: the silence in its place is not to be stored."""
        if getattr(self.transformer, "on_error", "raise") == "raise":
            return self.transformer
        return clone(self.transformer).set_params(on_error="raise")

    def _give(self, sounds: list[_Sound], transformer: Any) -> list[NDArray[Any]]:
        """Compute features and give them away."""
        places = [sound.places[0] for sound in sounds]
        try:
            result = transformer.transform(subset(self.clips, places))
        except ValueError as error:
            if places != list(range(len(places))):
                error.add_note(f"Clip numbers above, if any, count these clips of X: {places}")
            raise
        rows = _rows(result, len(sounds), transformer)
        for sound, row in zip(sounds, rows, strict=True):
            self._hand_out(sound, row)
        return rows

    def _hand_out(self, sound: _Sound, features: NDArray[Any]) -> None:
        first, *others = sound.places
        self.take(first, features)
        for place in others:
            self.take(place, features.copy())

    def _is_readable(self, sound: _Sound) -> bool:
        try:
            load_audio(
                self.clips[sound.places[0]], sample_rate=getattr(self.transformer, "sample_rate", None)
            )
        except AudioLoadError:
            return False
        return True

    def _stamp_now(self, sound: _Sound) -> Stamp | None:
        return None if sound.stamp is None else stamp_of(self.clips[sound.places[0]])

    def _write(self, write: Callable[..., None], *args: Any) -> None:
        """Write into the cache, until that fails: then do without, and say so once."""
        if not self.is_writable:
            return
        try:
            write(*args)
        except OSError as error:
            self.is_writable = False
            if self.store.location not in _reported:
                _reported.add(self.store.location)
                warnings.warn(
                    f"{self.store.location} cannot be written ({error}): features are computed and not kept. "
                    "Make room or give another location, in CachedFeatures or as SKFEWAUDIO_CACHE",
                    FeatureCacheWarning,
                    stacklevel=2,
                )


def subset(clips: Sequence[Any], places: list[int]) -> Any:
    """Give some of the clips, as an array or a list, as they are."""
    return clips[places] if isinstance(clips, np.ndarray) else [clips[place] for place in places]


def _rows(result: Any, n_clips: int, transformer: Any) -> list[NDArray[Any]]:
    """Give the features of each clip, or say why they cannot be kept."""
    rows = result if isinstance(result, list) else np.asarray(result)
    if (isinstance(rows, np.ndarray) and not rows.ndim) or len(rows) != n_clips:
        raise TypeError(
            f"{transformer!r} gives {n_clips} clips a {type(result).__name__}; expected an array or a list "
            "with a row for each clip"
        )
    arrays = [np.asarray(row) for row in rows]
    kinds = {array.dtype for array in arrays if array.dtype.kind not in STORABLE}
    if kinds:
        raise TypeError(
            f"{transformer!r} gives features of type {', '.join(map(str, kinds))}; expected numbers, which "
            "alone can be cached"
        )
    return arrays
