"""Lookup of clips in the cache: read cached features, compute and store missing ones."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skfewaudio.audio.clips import as_file_part
from skfewaudio.audio.io import load_audio
from skfewaudio.exceptions import AudioLoadError, FeatureCacheWarning

from .files import STORABLE, DamagedEntryError
from .keys import (
    FileDigests,
    FileStat,
    describe_transformer,
    directory_name,
    key_of_clip,
    read_file_stat,
)
from .store import FeatureStore

# Caches for which this process has already warned that they are not writable.
_warned_locations: set[Path] = set()


@dataclass
class _Sound:
    """A distinct sound and the indices of its clips; the key is None if its file cannot be read."""

    key: str | None
    file_stat: FileStat | None
    indices: list[int]


class Lookup:
    """Lookup of the features of some clips.

    Parameters
    ----------
    transformer : transformer
        Computes the features of each clip independently of the other clips.
    store : FeatureStore
        The cache.
    clips : ndarray of shape (n_clips, n_samples), or list of ndarray or of str
        Validated clips.
    callback : callable
        Called with the index and the features of each clip, in any order.
    """

    def __init__(
        self,
        transformer: Any,
        store: FeatureStore,
        clips: Sequence[Any],
        callback: Callable[[int, NDArray[Any]], object],
    ) -> None:
        self.transformer = transformer
        self.store = store
        self.clips = clips
        self.callback = callback
        self.digests = FileDigests(store)
        self.description = describe_transformer(transformer, self.digests)
        self.directory = directory_name(transformer, self.description)
        self.is_writable = True

    def run(self, n_at_once: int) -> dict[str, int]:
        """Pass the features of all clips to the callback, and return the numbers of sounds."""
        sounds = self._group_equal_clips()
        self._try_to_write(self.digests.save)
        missing, n_damaged = self._read_cached(sounds)
        if missing:
            self._try_to_write(self.store.write_description, self.directory, self.description)
        unreadable: list[_Sound] = []
        for first in range(0, len(missing), n_at_once):
            unreadable += self._compute(missing[first : first + n_at_once])
        if unreadable:  # in one call, which issues a single warning
            self._transform_sounds(unreadable, self.transformer)
        return {
            "n_hits": len(sounds) - len(missing),
            "n_computed": len(missing) - len(unreadable),
            "n_damaged": n_damaged,
        }

    def _group_equal_clips(self) -> list[_Sound]:
        """Group equal clips, so that their features are computed once."""
        sounds: dict[str | int, _Sound] = {}
        for index, clip in enumerate(self.clips):
            # The transformer raises an error about a file that cannot be read.
            key, file_stat = key_of_clip(clip, self.digests)
            sounds.setdefault(index if key is None else key, _Sound(key, file_stat, [])).indices.append(index)
        return list(sounds.values())

    def _read_cached(self, sounds: list[_Sound]) -> tuple[list[_Sound], int]:
        """Pass on cached features, and return the missing sounds and the number of damaged entries."""
        missing, n_damaged = [], 0
        for sound in sounds:
            features = None
            try:
                if sound.key is not None:
                    features = self.store.get(self.directory, sound.key)
            except DamagedEntryError:
                n_damaged += 1
            if features is None:
                missing.append(sound)
            else:
                self._pass_on(sound, features)
        if n_damaged:
            warnings.warn(
                f"{self.store.location}: the features of {n_damaged} sound(s) are damaged, or were stored by "
                "an earlier version or another user; they are computed again and replaced",
                FeatureCacheWarning,
                stacklevel=2,
            )
        return missing, n_damaged

    def _compute(self, sounds: list[_Sound]) -> list[_Sound]:
        """Compute, store and pass on features, and return the sounds whose files cannot be read."""
        try:
            rows = self._transform_sounds(sounds, self._strict_transformer)
        except AudioLoadError:
            readable = [sound for sound in sounds if self._is_readable(sound)]
            if self._strict_transformer is self.transformer or len(readable) == len(sounds):
                raise
            unreadable = [sound for sound in sounds if sound not in readable]
            return unreadable + (self._compute(readable) if readable else [])
        for sound, row in zip(sounds, rows, strict=True):
            # If the file changed after it was hashed, its features belong to another key.
            if sound.key is not None and sound.file_stat == self._current_file_stat(sound):
                self._try_to_write(self.store.put, self.directory, sound.key, row)
        return []

    @cached_property
    def _strict_transformer(self) -> Any:
        """Transformer with `on_error="raise"`, so that features of silence are never stored."""
        if getattr(self.transformer, "on_error", "raise") == "raise":
            return self.transformer
        return clone(self.transformer).set_params(on_error="raise")

    def _transform_sounds(self, sounds: list[_Sound], transformer: Any) -> list[NDArray[Any]]:
        """Compute features, pass them on and return them."""
        indices = [sound.indices[0] for sound in sounds]
        try:
            result = transformer.transform(select_clips(self.clips, indices))
        except ValueError as error:
            if indices != list(range(len(indices))):
                error.add_note(f"Clip numbers above, if any, refer to these clips of X: {indices}")
            raise
        rows = _check_features(result, len(sounds), transformer)
        for sound, row in zip(sounds, rows, strict=True):
            self._pass_on(sound, row)
        return rows

    def _pass_on(self, sound: _Sound, features: NDArray[Any]) -> None:
        """Call the callback for every clip of a sound, each with its own array."""
        first, *others = sound.indices
        self.callback(first, features)
        for index in others:
            self.callback(index, features.copy())

    def _is_readable(self, sound: _Sound) -> bool:
        try:
            load_audio(
                self.clips[sound.indices[0]],
                sample_rate=None,
                channel=getattr(self.transformer, "channel", "mean"),
                allow_truncated=getattr(self.transformer, "allow_truncated", False),
            )
        except AudioLoadError:
            return False
        return True

    def _current_file_stat(self, sound: _Sound) -> FileStat | None:
        if sound.file_stat is None:
            return None
        return read_file_stat(as_file_part(self.clips[sound.indices[0]]).path)

    def _try_to_write(self, write: Callable[..., None], *args: Any) -> None:
        """Write to the cache; after a failure, warn once and stop writing."""
        if not self.is_writable:
            return
        try:
            write(*args)
        except OSError as error:
            self.is_writable = False
            if self.store.location not in _warned_locations:
                _warned_locations.add(self.store.location)
                warnings.warn(
                    f"{self.store.location} cannot be written ({error}): features are computed but not "
                    "cached. Free disk space, or set another location in CachedFeatures or SKFEWAUDIO_CACHE",
                    FeatureCacheWarning,
                    stacklevel=2,
                )


def select_clips(clips: Sequence[Any], indices: list[int]) -> Any:
    """Return some of the clips, as an array or a list like `clips`."""
    return clips[indices] if isinstance(clips, np.ndarray) else [clips[index] for index in indices]


def _check_features(result: Any, n_clips: int, transformer: Any) -> list[NDArray[Any]]:
    """Check the output of a transformer, and return one array per clip."""
    rows = result if isinstance(result, list) else np.asarray(result)
    if (isinstance(rows, np.ndarray) and not rows.ndim) or len(rows) != n_clips:
        raise TypeError(
            f"{transformer!r} returned a {type(result).__name__} for {n_clips} clips; expected an array or a "
            "list with one row per clip"
        )
    arrays = [np.asarray(row) for row in rows]
    kinds = {array.dtype for array in arrays if array.dtype.kind not in STORABLE}
    if kinds:
        raise TypeError(
            f"{transformer!r} returned features of type {', '.join(map(str, kinds))}; only numbers can be "
            "cached"
        )
    return arrays
