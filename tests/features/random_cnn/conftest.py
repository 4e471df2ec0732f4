"""Clips of noise, and transformers of few filters."""

import numpy as np
import pytest

from skfewaudio import RandomCNNFeatures

SECOND = 12000


@pytest.fixture(scope="session")
def noise():
    """Make a clip."""

    def make(n_samples, seed=0):
        return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def clips(noise):
    """Three clips of a second."""
    return np.stack([noise(SECOND, seed) for seed in range(3)])


@pytest.fixture(scope="session")
def make():
    """Make a transformer of four filters, where no number of features is given."""

    def make(architecture="single_layer", n_filters=4, **params):
        if "n_features" in params:
            n_filters = None
        return RandomCNNFeatures(architecture, n_filters=n_filters, **params)

    return make


@pytest.fixture(scope="session")
def assert_features_close():
    """Compare to a share of the features' own size: single ones may be near zero."""

    def check(ours, expected, tolerance=1e-5):
        np.testing.assert_allclose(ours, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())

    return check
