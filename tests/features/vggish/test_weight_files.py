"""Files of weights and PCA parameters."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from skfewaudio import VGGishEmbed
from skfewaudio._checkpoint import LAYERS
from skfewaudio.exceptions import WeightsNotFoundError

SECOND = 16000


@pytest.mark.slow
def test_safetensors_file_gives_same_embeddings(state, embedder, tmp_path, noise):
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, tmp_path / "x.safetensors")
    clips = [noise(SECOND)]
    np.testing.assert_array_equal(
        VGGishEmbed(tmp_path / "x.safetensors").transform(clips), embedder.transform(clips)
    )


@pytest.mark.slow
@pytest.mark.parametrize("version", [1, 2])
def test_tensorflow_checkpoint_gives_same_embeddings(version, state, embedder, tmp_path, monkeypatch, noise):
    tf = pytest.importorskip("tensorflow")
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    kinds = {"weights": "weight", "biases": "bias"}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for theirs, ours in LAYERS.items():
            for kind, our_kind in kinds.items():
                value = state[f"{ours}.{our_kind}"].numpy()
                value = value.transpose({4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[value.ndim])
                tf.compat.v1.get_variable(f"{theirs}/{kind}", initializer=tf.zeros(value.shape)).load(
                    value, session
                )
        saver = tf.compat.v1.train.Saver(write_version=version)
        saver.save(session, str(tmp_path / "vggish_model.ckpt"), write_meta_graph=False)
    clips = [noise(SECOND)]
    np.testing.assert_array_equal(
        VGGishEmbed(tmp_path / "vggish_model.ckpt").transform(clips), embedder.transform(clips)
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"features__3__weight": torch.zeros(128, 64, 5, 5)},
            r"features\.3\.weight has shape \(128, 64, 5, 5\), expected \(128, 64, 3, 3\)",
        ),
        ({"embeddings__2__bias": None}, r"missing: trunk\.embeddings\.2\.bias"),
        ({"features__15__weight": torch.zeros(1)}, r"unexpected: features\.15\.weight"),
    ],
)
def test_error_for_weights_of_another_network_contains_file_and_tensor(constant, changes, message, noise):
    with pytest.raises(ValueError, match=rf"constant\.pth does not hold .* VGGish; .*{message}"):
        VGGishEmbed(constant(0.0, **changes)).transform([noise(SECOND)])


def test_error_for_truncated_weights_contains_the_file(constant, noise):
    path = constant(0.0)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(WeightsNotFoundError, match=r"constant\.pth cannot be read as a PyTorch file"):
        VGGishEmbed(path).transform([noise(SECOND)])


def test_missing_weights_raise_an_error_only_in_transform(noise):
    embed = VGGishEmbed("nowhere.pth").fit([noise(SECOND)])
    with pytest.raises(WeightsNotFoundError, match=r"weights='nowhere\.pth'"):
        embed.transform([noise(SECOND)])


def test_error_for_missing_pca_parameters_contains_the_file(weights, noise):
    embed = VGGishEmbed(weights, output="pca", pca_params="nowhere.npz")
    with pytest.raises(WeightsNotFoundError, match=r"pca_params='nowhere\.npz'"):
        embed.transform([noise(SECOND)])


@pytest.mark.parametrize(
    ("arrays", "error", "message"),
    [
        ({"pca_means": np.ones(128)}, WeightsNotFoundError, "no pca_eigen_vectors, but pca_means"),
        (
            {"pca_means": np.ones(128), "pca_eigen_vectors": np.eye(64)},
            ValueError,
            r"pca_eigen_vectors has shape \(64, 64\), expected \(128, 128\)",
        ),
        (
            {"pca_means": np.ones((2, 128)), "pca_eigen_vectors": np.eye(128)},
            ValueError,
            r"pca_means has shape \(2, 128\), expected \(128,\)",
        ),
    ],
)
def test_file_without_valid_pca_parameters_is_refused(arrays, error, message, weights, tmp_path, noise):
    np.savez(tmp_path / "pca.npz", **arrays)
    with pytest.raises(error, match=rf"pca\.npz.*{message}"):
        VGGishEmbed(weights, output="pca", pca_params=tmp_path / "pca.npz").transform([noise(SECOND)])
