"""Clips of any kind as what they are compared by."""

import hashlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skfewaudio._validation import Waveforms, check_spectrograms, check_waveforms, is_path
from skfewaudio.audio import iter_clips

from .fingerprint import HOP_LENGTH, SAMPLE_RATE, double_difference, fingerprint
from .near_duplicates import Pair, Wanted, alike_sequences, alike_vectors

# Least similarity of near-copies by kind of content, as measured on ESC-10: docs/benchmarks/leakage.md.
MIN_SIMILARITY = {"sound": 0.75, "spectrogram": 0.5, "vector": 0.98}


class Content(NamedTuple):
    """What clips are compared by: a digest of each, and a fingerprint, a spectrogram's changes or a row."""

    kind: str
    data: Any
    digests: list[bytes]

    def __len__(self) -> int:
        return len(self.digests)

    def near_copies(self, wanted: Wanted, min_similarity: float | None) -> list[Pair]:
        """Find pairs that are alike and wanted."""
        minimum = MIN_SIMILARITY[self.kind] if min_similarity is None else min_similarity
        search = alike_vectors if self.kind == "vector" else alike_sequences
        return search(self.data, wanted, minimum)

    def describe_lag(self, lag: int) -> str:
        """Say where the second of two clips starts in the first."""
        if lag == 0:
            return ""
        amount = (
            f"{abs(lag) * HOP_LENGTH / SAMPLE_RATE:.2f} s" if self.kind == "sound" else f"{abs(lag)} frames"
        )
        return f"the {'second' if lag > 0 else 'first'} starts {amount} into the other"


def holds_paths(X: Any) -> bool:
    """Tell a sequence of paths."""
    return not is_path(X) and getattr(X, "ndim", 1) == 1 and len(X) > 0 and is_path(next(iter(X)))


def read_content(X: Any, sample_rate: int | None) -> Content:
    """Take clips of any kind for what they are."""
    if is_path(X) or holds_paths(X) or sample_rate is not None:
        rate = SAMPLE_RATE if sample_rate is None or holds_paths(X) else sample_rate
        return _read_sounds(X, rate)
    if not hasattr(X, "ndim") and len(X) and np.ndim(X[0]) == 1:
        raise ValueError(
            "X is a list of one-dimensional arrays; give their sample_rate in Hz if they are waveforms, or "
            "an array of shape (n_clips, n_features) if they are features"
        )
    data = check_spectrograms(BaseEstimator(), X, reset=True)
    digests = [_digest(clip) for clip in data]
    if isinstance(data, list):
        return Content("spectrogram", [double_difference(clip) for clip in data], digests)
    return Content("vector", data, digests)


def _read_sounds(X: Any, sample_rate: int) -> Content:
    """Take fingerprints and digests, with the sound of few clips in memory at a time."""
    sounds: Waveforms = check_waveforms(
        BaseEstimator(), X, reset=True, read=lambda paths: iter_clips(paths, sample_rate=sample_rate)
    )
    both = [(fingerprint(sound, sample_rate), _digest(sound)) for sound in sounds]
    return Content("sound", [prints for prints, _ in both], [digest for _, digest in both])


def _digest(values: NDArray) -> bytes:
    """Give equal arrays, and only them, the same bytes."""
    array = np.ascontiguousarray(values)
    return hashlib.sha256(repr((array.shape, array.dtype.str)).encode() + array.tobytes()).digest()
