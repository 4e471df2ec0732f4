"""Fixtures: spectrograms of three classes."""

import numpy as np
import pytest

LABELS = np.array(["bark", "horn", "siren"])


@pytest.fixture(scope="session")
def make_clips():
    """Make noise with a louder band for each class."""

    def make(n_per_class=4, n_mels=12, lengths=(9, 14), seed=0):
        rng = np.random.default_rng(seed)
        X, y = [], []
        for c, label in enumerate(LABELS):
            for i in range(n_per_class):
                clip = rng.standard_normal((n_mels, lengths[i % len(lengths)])).astype(np.float32)
                clip[c * n_mels // 3 : (c + 1) * n_mels // 3] += 3
                X.append(clip)
                y.append(label)
        return X, np.array(y)

    return make


@pytest.fixture(scope="session")
def make_tags(make_clips):
    """Make clips and an indicator matrix of two labels per clip and a third label that no clip has."""

    def make(**shape):
        X, y = make_clips(**shape)
        return X, np.column_stack([y != "horn", y != "bark", y == "none"]).astype(int)

    return make
