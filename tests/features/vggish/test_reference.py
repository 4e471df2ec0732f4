"""Embeddings compared with reference values, and on a GPU."""

from math import prod

import numpy as np
import pytest
import soundfile as sf
import torch
from sklearn.base import clone

from skfewaudio import VGGishEmbed
from skfewaudio.features import LogMel, _vggish


@pytest.fixture(scope="module")
def reference(shared_data):
    with np.load(shared_data / "golden" / "vggish_reference.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def weights(reference, shapes, tmp_path_factory):
    """File with the weights of the reference values, drawn as by the script that generated them."""
    rng = np.random.default_rng(0)
    state = {}
    for name, weight in shapes.items():
        for kind, shape in (("weight", weight), ("bias", weight[:1])):
            x = rng.standard_normal(shape, dtype=np.float32)
            x *= np.sqrt(2 / prod(shape[1:])) if len(shape) > 1 else 0.01
            state[f"{name}.{kind}"] = torch.from_numpy(x)
    path = tmp_path_factory.mktemp("weights") / "vggish.pth"
    torch.save(state, path)
    return path


def test_patches_equal_the_reference(reference):
    log_mel = LogMel.from_preset("vggish").transform([reference["waveform"]])[0]
    (patches,) = _vggish.iter_patches(torch.from_numpy(log_mel), 96, n_at_once=16)
    np.testing.assert_allclose(patches[:, 0].transpose(1, 2), reference["examples"], atol=1e-4)


def test_embeddings_equal_the_reference(reference, embedder, assert_embeddings_close):
    (ours,) = clone(embedder).set_params(pooling=None).transform([reference["waveform"]])
    assert_embeddings_close(ours.T, reference["embeddings"])


def test_uint8_output_equals_the_reference(reference, embedder, tmp_path):
    names = ("pca_eigen_vectors", "pca_means")
    np.savez(tmp_path / "pca.npz", **{name: reference[name] for name in names})
    bytes_of = {"pca_params": tmp_path / "pca.npz", "output": "pca_uint8", "pooling": None}
    (ours,) = clone(embedder).set_params(**bytes_of).transform([reference["waveform"]])
    assert ours.dtype == np.uint8
    np.testing.assert_allclose(ours.T.astype(int), reference["postprocessed"], atol=1)


def test_embeddings_of_a_file_equal_the_reference(reference, embedder, tmp_path, assert_embeddings_close):
    sf.write(tmp_path / "x.wav", reference["waveform"], int(reference["sample_rate"]), subtype="FLOAT")
    ours = embedder.transform([tmp_path / "x.wav"])
    assert_embeddings_close(ours, reference["embeddings"].mean(axis=0, keepdims=True))


@pytest.mark.gpu
def test_gpu_equals_cpu(weights, noise):
    clips = [noise(n, seed=n) for n in (100, 50_000, 200_000)]
    for ours, expected in zip(
        VGGishEmbed(weights, pooling=None, device="cuda").transform(clips),
        VGGishEmbed(weights, pooling=None, device="cpu").transform(clips),
        strict=True,
    ):
        np.testing.assert_allclose(ours, expected, rtol=0.01, atol=0.01 * np.abs(expected).max())
