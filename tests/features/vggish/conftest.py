"""Fixtures: random weights in a small file, and constant weights with a known result."""

from math import prod

import numpy as np
import pytest
import torch

from skfewaudio import VGGishEmbed

SHAPES = {
    "features.0": (64, 1, 3, 3),
    "features.3": (128, 64, 3, 3),
    "features.6": (256, 128, 3, 3),
    "features.8": (256, 256, 3, 3),
    "features.11": (512, 256, 3, 3),
    "features.13": (512, 512, 3, 3),
    "embeddings.0": (4096, 12288),
    "embeddings.2": (4096, 4096),
    "embeddings.4": (128, 4096),
}


@pytest.fixture(scope="session")
def noise():
    """Function that returns a clip of noise."""

    def make(n_samples, seed=0):
        return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def shapes():
    """Shape of the weight of each layer."""
    return SHAPES


@pytest.fixture(scope="session")
def state():
    """Random weights; units are overlapping views of the same values, so that they need only 100 kB."""
    rng = np.random.default_rng(0)
    state = {}
    for name, (n_units, *inputs) in SHAPES.items():
        n_inputs = prod(inputs)
        x = torch.from_numpy(rng.standard_normal(n_units + n_inputs, dtype=np.float32))
        strides = [prod(inputs[axis + 1 :]) for axis in range(len(inputs))]
        state[f"{name}.weight"] = (x * np.sqrt(2 / n_inputs)).as_strided((n_units, *inputs), (1, *strides))
        state[f"{name}.bias"] = torch.from_numpy(0.01 * rng.standard_normal(n_units, dtype=np.float32))
    return state


@pytest.fixture(scope="session")
def weights(state, tmp_path_factory):
    """File with these weights."""
    path = tmp_path_factory.mktemp("weights") / "vggish.pth"
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def embedder(weights, noise):
    """Embedder that keeps its weights in memory for all tests of a module, which share them."""
    embedder = VGGishEmbed(weights)
    embedder.transform([noise(16000)])
    return embedder


@pytest.fixture
def pca_params(tmp_path):
    """File with a PCA that subtracts one from each dimension and reverses their order."""
    path = tmp_path / "pca.npz"
    np.savez(path, pca_eigen_vectors=np.eye(128)[::-1], pca_means=np.ones((128, 1)))
    return path


@pytest.fixture
def constant(tmp_path):
    """Function that writes a few kB of weights with which every patch has the given embedding."""

    def write(embedding, name="constant.pth", **changes):
        state = {}
        for layer, shape in SHAPES.items():
            # An expanded tensor stores a single value, in the file too.
            state[f"{layer}.weight"] = torch.zeros(1).expand(shape)
            state[f"{layer}.bias"] = torch.zeros(1).expand(shape[:1])
        state["embeddings.4.bias"] = torch.as_tensor(embedding, dtype=torch.float32).expand(128)
        state |= {key.replace("__", "."): value for key, value in changes.items()}
        torch.save({key: value for key, value in state.items() if value is not None}, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture(scope="session")
def assert_embeddings_close():
    """Function that compares embeddings relative to the largest value, as single ones may be near zero."""

    def check(ours, expected):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())

    return check
