"""Short sounds of three classes, and features of them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from skfewaudio.labelling import ActiveLabeller
from skfewaudio.labelling.block_features import BlockFeatures

RATE = 8000
CLASSES = ("tone", "noise", "clicks")


def make_sound(name, rng):
    time = np.arange(RATE // 2) / RATE
    if name == "tone":
        return 0.3 * np.sin(2 * np.pi * rng.uniform(300, 600) * time)
    if name == "noise":
        return 0.1 * rng.normal(size=len(time))
    return 0.5 * (np.arange(len(time)) % rng.integers(300, 500) == 0) + 0.001 * rng.normal(size=len(time))


def write_sounds(folder, n_clips):
    """Write sounds whose names begin with their class."""
    rng = np.random.default_rng(0)
    for i in range(n_clips):
        name = CLASSES[i % 3]
        soundfile.write(folder / f"{name}{i}.wav", make_sound(name, rng), RATE)


@pytest.fixture(scope="session")
def sounds(tmp_path_factory):
    """Folder of twelve sounds."""
    folder = tmp_path_factory.mktemp("sounds")
    write_sounds(folder, 12)
    return folder


@pytest.fixture
def paths(sounds):
    return sorted(map(str, sounds.iterdir()))


def class_of(path):
    return Path(path).name.rstrip("0123456789.wav")


@pytest.fixture
def true_class():
    """Function that returns the class of a path."""
    return class_of


@pytest.fixture(scope="session")
def clusters():
    """Features of 90 clips in three clusters of 60, 24 and 6 clips, as the four blocks, and their classes."""
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], [60, 24, 6])
    centres = rng.normal(size=(3, 40)) * 3
    x = centres[np.searchsorted(["a", "b", "c"], y)] + rng.normal(size=(len(y), 40))
    sizes = (2432, 992, 992, 4608)  # of the recommended classifier
    blocks = [(x @ rng.normal(size=(40, size))).astype(np.float32) for size in sizes]
    return blocks, y


@pytest.fixture
def make_labeller(clusters):
    """Function that makes a labeller of the clusters."""
    blocks, y = clusters

    def make(n_clips=None, **options):
        rows = slice(None) if n_clips is None else np.linspace(0, len(y) - 1, n_clips).astype(int)
        features = BlockFeatures.from_arrays([block[rows] for block in blocks])
        clips = [(np.ones(8), RATE)] * len(features)
        options = {"background": False, **options}
        return ActiveLabeller(clips, features=features, **options), y[rows]

    return make
