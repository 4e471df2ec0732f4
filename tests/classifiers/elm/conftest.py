"""Fixtures: overlapping classes of feature vectors, and a small extreme learning machine."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from skfewaudio import ELMClassifier

LABELS = np.array(["bark", "horn", "siren"])


@pytest.fixture(scope="session")
def make_data():
    """Make overlapping classes of feature vectors."""

    def make(n_samples=60, n_features=8, seed=0):
        X, y = make_blobs(n_samples, n_features, centers=3, cluster_std=4.0, random_state=seed)
        return X / X.std(axis=0), LABELS[y]

    return make


@pytest.fixture(scope="session")
def small():
    """Make a classifier with few hidden units."""

    def make(n_hidden=30, **params):
        return ELMClassifier(n_hidden, **({"random_state": 0} | params))

    return make


@pytest.fixture(scope="session")
def signs():
    """Return the targets: 1 for the class of a row, and -1 for the others."""
    return lambda y: np.where(y[:, None] == LABELS, 1.0, -1.0)
