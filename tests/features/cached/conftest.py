"""A cache for features of noise, and a transformer that tells what it computed."""

import sys

import numpy as np
import pytest
import soundfile as sf

from skfewaudio import MFCC, CachedFeatures

RATE = 8000
COUNTS = ("n_hits", "n_computed", "n_damaged")
CALLS = []  # transformers are cloned, so a count of their own would be lost
hook = None  # what is done while features are computed


class CountedMFCC(MFCC):
    """Keeps what it was given."""

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
    """Make a clip."""

    def make(n_samples=2000, seed=0):
        return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def clips(noise):
    """Five clips of one length."""
    return np.stack([noise(seed=seed) for seed in range(5)])


@pytest.fixture(scope="session")
def ragged(noise):
    """Four clips of other lengths."""
    return [noise(n, seed=n) for n in (1, 900, 3000, 2500)]


@pytest.fixture
def paths(clips, tmp_path):
    """Files of the five clips."""
    paths = [str(tmp_path / f"{index}.wav") for index in range(len(clips))]
    for path, clip in zip(paths, clips, strict=True):
        sf.write(path, clip, RATE, subtype="FLOAT")
    return paths


@pytest.fixture(scope="session")
def counts():
    """Give how many sounds were found, computed and damaged."""

    def count(cached, X):
        found = cached.warm(X)
        return tuple(found[name] for name in COUNTS)

    return count


@pytest.fixture(scope="session")
def assert_same():
    """Compare features to the bit, and by kind."""

    def check(found, expected):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)

    return check
