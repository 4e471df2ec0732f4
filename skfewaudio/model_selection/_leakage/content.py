"""Representations of clips for the search for duplicates."""

import hashlib
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skfewaudio._validation import check_spectrograms
from skfewaudio.audio import iter_clips
from skfewaudio.audio.clips import is_file_part, is_path, is_sound
from skfewaudio.audio.waveforms import Waveforms, check_waveforms

from .fingerprint import HOP_LENGTH, SAMPLE_RATE, double_difference, fingerprint
from .near_duplicates import Pair, PairFilter, find_similar_sequences, find_similar_vectors

# Minimum similarity of near-duplicates by kind of content, measured on ESC-10: docs/benchmarks/leakage.md.
MIN_SIMILARITY = {"sound": 0.75, "spectrogram": 0.5, "vector": 0.98}


class Content(NamedTuple):
    """Digests of the clips, and their fingerprints, spectrogram differences or feature vectors."""

    kind: str
    data: Any
    digests: list[bytes]

    def __len__(self) -> int:
        return len(self.digests)

    def find_near_duplicates(self, pair_filter: PairFilter, min_similarity: float | None) -> list[Pair]:
        """Find similar pairs among those that `pair_filter` selects."""
        minimum = MIN_SIMILARITY[self.kind] if min_similarity is None else min_similarity
        search = find_similar_vectors if self.kind == "vector" else find_similar_sequences
        return search(self.data, pair_filter, minimum)

    def describe_lag(self, lag: int) -> str:
        """Describe the lag between two clips in words."""
        if lag == 0:
            return ""
        amount = (
            f"{abs(lag) * HOP_LENGTH / SAMPLE_RATE:.2f} s" if self.kind == "sound" else f"{abs(lag)} frames"
        )
        return f"the {'second' if lag > 0 else 'first'} starts {amount} into the other"


def holds_recordings(X: Any) -> bool:
    """Return whether X is a sequence of paths, parts of files, or sound with its sample rate."""
    if is_path(X) or getattr(X, "ndim", 1) != 1 or not len(X):
        return False
    first = next(iter(X))
    return is_path(first) or is_file_part(first) or is_sound(first)


def read_content(X: Any, sample_rate: int | None, **reading: Any) -> Content:
    """Compute digests and representations of clips, whose kind is detected.

    `reading` are parameters of `iter_clips`.
    """
    if is_path(X) or holds_recordings(X) or sample_rate is not None:
        rate = SAMPLE_RATE if sample_rate is None or holds_recordings(X) else sample_rate
        return _read_sounds(X, rate, reading)
    if not hasattr(X, "ndim") and len(X) and np.ndim(X[0]) == 1:
        raise ValueError(
            "X is a list of one-dimensional arrays; give their sample_rate in Hz if they are waveforms, or "
            "an array of shape (n_clips, n_features) if they are features"
        )
    data = check_spectrograms(BaseEstimator(), X, reset=True)
    digests = [_content_digest(clip) for clip in data]
    if isinstance(data, list):
        return Content("spectrogram", [double_difference(clip) for clip in data], digests)
    return Content("vector", data, digests)


def _read_sounds(X: Any, sample_rate: int, reading: dict[str, Any]) -> Content:
    """Compute fingerprints and digests, with few clips in memory at a time."""
    read = partial(iter_clips, sample_rate=sample_rate, **reading)
    sounds: Waveforms = check_waveforms(BaseEstimator(), X, reset=True, read=read)
    both = [(fingerprint(sound, sample_rate), _content_digest(sound)) for sound in sounds]
    return Content("sound", [prints for prints, _ in both], [digest for _, digest in both])


def _content_digest(values: NDArray) -> bytes:
    """Compute a hash of shape, data type and values."""
    array = np.ascontiguousarray(values)
    return hashlib.sha256(repr((array.shape, array.dtype.str)).encode() + array.tobytes()).digest()
