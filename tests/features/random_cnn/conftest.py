"""Fixtures: clips of noise, and transformers with few filters."""

import numpy as np
import pytest

from skfewaudio import RandomCNNFeatures

SECOND = 12000


@pytest.fixture(scope="session")
def noise():
    """Function that returns a clip of noise."""

    def make(n_samples, seed=0):
        return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def clips(noise):
    """Three clips of one second."""
    return np.stack([noise(SECOND, seed) for seed in range(3)])


@pytest.fixture(scope="session")
def make():
    """Function that returns a transformer with four filters, unless `n_features` is given."""

    def make(architecture="single_layer", n_filters=4, **params):
        if "n_features" in params:
            n_filters = None
        return RandomCNNFeatures(architecture, n_filters=n_filters, **params)

    return make


@pytest.fixture(scope="session")
def assert_features_close():
    """Function that compares features relative to the largest one, because single ones may be near zero."""

    def check(ours, expected, tolerance=1e-5):
        np.testing.assert_allclose(ours, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())

    return check
