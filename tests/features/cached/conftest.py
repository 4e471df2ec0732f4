"""Fixtures: clips of noise, and a cached transformer that counts computed clips."""

import sys

import numpy as np
import pytest
import soundfile as sf

from skfewaudio import MFCC, CachedFeatures

RATE = 8000
COUNTS = ("n_hits", "n_computed", "n_damaged")
CALLS = []  # global, because an attribute would be lost when transformers are cloned
hook = None  # called while features are computed


class CountedMFCC(MFCC):
    """MFCC that records the number of clips of each call."""

    def transform(self, X):
        CALLS.append(len(X))
        if hook is not None:
            hook(X)
        return super().transform(X)


@pytest.fixture
def calls():
    CALLS.clear()
    return CALLS


@pytest.fixture
def while_computing(monkeypatch):
    return lambda function: monkeypatch.setattr(sys.modules[__name__], "hook", function)


@pytest.fixture
def location(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def cached(location):
    return CachedFeatures(CountedMFCC(sample_rate=RATE), location=location)


@pytest.fixture(scope="session")
def noise():
    """Function that returns a clip of noise."""

    def make(n_samples=2000, seed=0):
        return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def clips(noise):
    """Five clips of equal length."""
    return np.stack([noise(seed=seed) for seed in range(5)])


@pytest.fixture(scope="session")
def ragged(noise):
    """Four clips of different lengths."""
    return [noise(n, seed=n) for n in (1, 900, 3000, 2500)]


@pytest.fixture
def paths(clips, tmp_path):
    """Paths of files with the five clips."""
    paths = [str(tmp_path / f"{index}.wav") for index in range(len(clips))]
    for path, clip in zip(paths, clips, strict=True):
        sf.write(path, clip, RATE, subtype="FLOAT")
    return paths


@pytest.fixture(scope="session")
def counts():
    """Function that returns the numbers of hits, computed features and damaged entries."""

    def count(cached, X):
        found = cached.warm(X)
        return tuple(found[name] for name in COUNTS)

    return count


@pytest.fixture(scope="session")
def assert_same():
    """Function that checks that features are bit-identical and of the same type."""

    def check(found, expected):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)

    return check
