"""VGGish with made-up weights: those of the reference numbers, and constants whose result is known."""

import gc
import os
import pickle
import subprocess
import sys
from math import prod

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import torch
from safetensors.torch import save_file
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from skfewaudio import VGGishEmbed
from skfewaudio._checkpoint import LAYERS
from skfewaudio.exceptions import AudioLoadWarning, WeightsNotFoundError
from skfewaudio.features import LogMel, _vggish
from skfewaudio.plugins import EMBEDDINGS

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
SECOND = 16000


def noise(n_samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)


@pytest.fixture(scope="session")
def state():
    """The weights of the reference numbers, by the recipe that stands beside them."""
    rng = np.random.default_rng(0)
    state = {}
    for name, weight in SHAPES.items():
        for kind, shape in (("weight", weight), ("bias", weight[:1])):
            x = rng.standard_normal(shape, dtype=np.float32)
            x *= np.sqrt(2 / prod(shape[1:])) if len(shape) > 1 else 0.01
            state[f"{name}.{kind}"] = torch.from_numpy(x)
    return state


@pytest.fixture(scope="session")
def weights(state, tmp_path_factory):
    """Those weights as a file."""
    path = tmp_path_factory.mktemp("weights") / "vggish.pth"
    torch.save(state, path)
    return path


@pytest.fixture(scope="module", autouse=True)
def embedder(weights):
    """An embedder that lives, with its weights, as long as the tests: others share them."""
    embedder = VGGishEmbed(weights)
    embedder.transform([noise(SECOND)])
    return embedder


@pytest.fixture(scope="session")
def reference(shared_data):
    with np.load(shared_data / "golden" / "vggish_reference.npz") as arrays:
        return dict(arrays)


@pytest.fixture
def pca_params(tmp_path):
    """PCA that turns around the order of the dimensions and takes one off each."""
    path = tmp_path / "pca.npz"
    np.savez(path, pca_eigen_vectors=np.eye(128)[::-1], pca_means=np.ones((128, 1)))
    return path


@pytest.fixture
def constant(tmp_path):
    """Write weights, a few kB of them, with which every patch has the embedding given."""

    def _write(embedding, name="constant.pth", **changes):
        state = {}
        for layer, shape in SHAPES.items():
            # One number stands for all, in the file too.
            state[f"{layer}.weight"] = torch.zeros(1).expand(shape)
            state[f"{layer}.bias"] = torch.zeros(1).expand(shape[:1])
        state["embeddings.4.bias"] = torch.as_tensor(embedding, dtype=torch.float32).expand(128)
        state |= {key.replace("__", "."): value for key, value in changes.items()}
        torch.save({key: value for key, value in state.items() if value is not None}, tmp_path / name)
        return tmp_path / name

    return _write


def assert_embeddings_close(ours, expected):
    """Compare to 1e-4 of the embeddings' own size: single numbers may be near zero."""
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


# Reference numbers


def test_patches_are_the_published_examples(reference):
    log_mel = LogMel.from_preset("vggish").transform([reference["waveform"]])[0]
    (patches,) = _vggish.iter_patches(torch.from_numpy(log_mel), 96, n_at_once=16)
    np.testing.assert_allclose(patches[:, 0].transpose(1, 2), reference["examples"], atol=1e-4)


def test_embeddings_are_the_published_ones(reference, weights):
    (ours,) = VGGishEmbed(weights, pooling=None).transform([reference["waveform"]])
    assert_embeddings_close(ours.T, reference["embeddings"])


def test_bytes_are_the_published_ones(reference, weights, tmp_path):
    names = ("pca_eigen_vectors", "pca_means")
    np.savez(tmp_path / "pca.npz", **{name: reference[name] for name in names})
    embed = VGGishEmbed(weights, pca_params=tmp_path / "pca.npz", output="pca_uint8", pooling=None)
    (ours,) = embed.transform([reference["waveform"]])
    assert ours.dtype == np.uint8
    np.testing.assert_allclose(ours.T.astype(int), reference["postprocessed"], atol=1)


def test_embeddings_from_a_file_are_the_published_ones(reference, weights, tmp_path):
    sf.write(tmp_path / "x.wav", reference["waveform"], int(reference["sample_rate"]), subtype="FLOAT")
    ours = VGGishEmbed(weights).transform([tmp_path / "x.wav"])
    assert_embeddings_close(ours, reference["embeddings"].mean(axis=0, keepdims=True))


# Files of weights


def test_safetensors_give_the_same(state, embedder, tmp_path):
    save_file(state, tmp_path / "x.safetensors")
    clips = [noise(SECOND)]
    np.testing.assert_array_equal(
        VGGishEmbed(tmp_path / "x.safetensors").transform(clips), embedder.transform(clips)
    )


@pytest.mark.parametrize("version", [1, 2])
def test_tensorflows_checkpoints_give_the_same(version, state, embedder, tmp_path, monkeypatch):
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
def test_weights_of_another_network_name_the_file_and_the_tensor(constant, changes, message):
    with pytest.raises(ValueError, match=rf"constant\.pth does not hold .* VGGish; .*{message}"):
        VGGishEmbed(constant(0.0, **changes)).transform([noise(SECOND)])


def test_truncated_weights_are_named(constant):
    path = constant(0.0)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(WeightsNotFoundError, match=r"constant\.pth cannot be read as a PyTorch file"):
        VGGishEmbed(path).transform([noise(SECOND)])


def test_missing_weights_are_named_by_transform_and_not_before():
    embed = VGGishEmbed("nowhere.pth").fit([noise(SECOND)])
    with pytest.raises(WeightsNotFoundError, match=r"weights='nowhere\.pth'"):
        embed.transform([noise(SECOND)])


def test_missing_pca_parameters_are_named(weights):
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
def test_other_arrays_than_pca_parameters_are_named(arrays, error, message, weights, tmp_path):
    np.savez(tmp_path / "pca.npz", **arrays)
    with pytest.raises(error, match=rf"pca\.npz.*{message}"):
        VGGishEmbed(weights, output="pca", pca_params=tmp_path / "pca.npz").transform([noise(SECOND)])


# When weights are read, and what has them


@pytest.fixture
def reads(monkeypatch):
    """The files that weights are read from while a test runs."""
    paths = []

    def read(path):
        paths.append(os.fspath(path))
        return read_state_dict(path)

    read_state_dict = _vggish.read_state_dict
    monkeypatch.setattr(_vggish, "read_state_dict", read)
    return paths


def test_weights_are_read_at_the_first_transform_and_once(constant, reads):
    embed = VGGishEmbed(constant(1.0), n_threads=2).fit([noise(SECOND)])
    assert reads == []
    embed.transform([noise(SECOND)] * 4)
    embed.transform([noise(SECOND)])
    assert reads == [os.fspath(embed.weights)]


def test_embedders_in_use_share_weights(constant, reads):
    first = VGGishEmbed(constant(1.0))
    first.transform([noise(SECOND)])
    clone(first).set_params(pooling="max").transform([noise(SECOND)])
    assert len(reads) == 1


def test_weights_are_released_with_the_embedder(constant):
    gc.collect()
    before = len(_vggish._networks)
    embed = VGGishEmbed(constant(1.0))
    embed.transform([noise(SECOND)])
    assert len(_vggish._networks) == before + 1
    del embed
    gc.collect()
    assert len(_vggish._networks) == before


def test_weights_written_anew_are_read_anew(constant):
    embed = VGGishEmbed(constant(1.0))
    before = embed.transform([noise(SECOND)])
    constant(np.arange(128.0))
    np.testing.assert_array_equal(embed.transform([noise(SECOND)])[0], np.arange(128))
    np.testing.assert_array_equal(before[0], np.ones(128))


def test_other_weights_can_be_set(constant):
    embed = VGGishEmbed(constant(1.0))
    embed.transform([noise(SECOND)])
    embed.set_params(weights=constant(2.0, name="other.pth"))
    np.testing.assert_array_equal(embed.transform([noise(SECOND)])[0], np.full(128, 2))


def test_transform_leaves_the_embedder_as_it_was(weights):
    embed = VGGishEmbed(weights)
    before = dict(vars(embed))
    embed.transform([noise(SECOND)])
    assert vars(embed) == before


def test_a_pickle_holds_no_weights_and_works_again(constant):
    embed = VGGishEmbed(constant(np.arange(128.0)))
    embed.transform([noise(SECOND)])
    pickled = pickle.dumps(embed)
    assert len(pickled) < 2000
    del embed
    gc.collect()
    np.testing.assert_array_equal(pickle.loads(pickled).transform([noise(SECOND)])[0], np.arange(128))


def test_random_state_stays_as_it_was(constant):
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    VGGishEmbed(constant(1.0)).fit_transform([noise(SECOND)])
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_nothing_is_requested_before_the_weights_are_needed(tmp_path):
    code = """
import socket
def refuse(*args): raise OSError("no network")
socket.socket.connect = socket.getaddrinfo = refuse
import numpy as np, skfewaudio
embed = skfewaudio.VGGishEmbed(output="pca").fit(np.zeros((1, 16000)))
print("fitted")
try:
    embed.transform(np.zeros((1, 16000)))
except skfewaudio.exceptions.WeightsNotFoundError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SKFEWAUDIO_CACHE": str(tmp_path)},
    )
    fitted, message = done.stdout.splitlines()
    assert fitted == "fitted"
    assert "could not download https://" in message
    assert f"put the file into {tmp_path / 'weights'}" in message


# Outputs


def test_array_list_and_paths_agree(embedder, tmp_path):
    clips = np.stack([noise(SECOND, seed) for seed in range(3)])
    paths = [tmp_path / f"{index}.wav" for index in range(3)]
    for path, clip in zip(paths, clips, strict=True):
        sf.write(path, clip, SECOND, subtype="FLOAT")
    expected = embedder.transform(clips)
    assert expected.shape == (3, 128)
    assert expected.dtype == np.float32
    np.testing.assert_allclose(embedder.transform(list(clips)), expected, atol=1e-6)
    np.testing.assert_allclose(embedder.transform(paths), expected, atol=1e-6)
    np.testing.assert_allclose(embedder.transform(clips.astype(np.float64)), expected, atol=1e-6)


def test_company_of_a_clip_and_threads_do_not_change_it(weights):
    clips = [noise(n, seed=n) for n in (1, SECOND, 3 * SECOND)]
    together = VGGishEmbed(weights, n_threads=3).transform(clips)
    for clip, row in zip(clips, together, strict=True):
        np.testing.assert_array_equal(VGGishEmbed(weights, n_threads=1).transform([clip])[0], row)


def test_without_pooling_clips_of_one_length_give_an_array(weights):
    result = VGGishEmbed(weights, pooling=None).transform(np.stack([noise(2 * SECOND)] * 2))
    assert result.shape == (2, 128, 2)


def test_without_pooling_other_lengths_give_a_list(weights):
    result = VGGishEmbed(weights, pooling=None).transform([noise(SECOND), noise(3 * SECOND)])
    assert [clip.shape for clip in result] == [(128, 1), (128, 3)]


@pytest.mark.parametrize(("pooling", "pool"), [("mean", np.mean), ("max", np.max)])
def test_pooling_is_over_patches(pooling, pool, weights):
    clips = [noise(SECOND), noise(4 * SECOND)]
    patches = VGGishEmbed(weights, pooling=None).transform(clips)
    pooled = VGGishEmbed(weights, pooling=pooling).transform(clips)
    np.testing.assert_allclose(pooled, [pool(clip, axis=1) for clip in patches], atol=1e-5)


def test_relu_is_the_preactivation_without_what_is_negative(weights):
    clips = [noise(SECOND)]
    before = VGGishEmbed(weights, output="preactivation", pooling=None).transform(clips)
    assert before.min() < 0
    after = VGGishEmbed(weights, output="relu", pooling=None).transform(clips)
    np.testing.assert_array_equal(after, np.maximum(before, 0))


def test_pca_is_centred_projected_and_clipped(constant, pca_params):
    embedding = np.linspace(-1, 5, 128)
    embed = VGGishEmbed(constant(embedding), pca_params=pca_params, output="pca")
    expected = np.clip(np.maximum(embedding, 0) - 1, -2, 2)[::-1]
    np.testing.assert_allclose(embed.transform([noise(SECOND)])[0], expected, atol=1e-5)


def test_bytes_span_the_clipped_range(constant, pca_params):
    path = constant(np.concatenate([[0, 0.5, 1, 3, 9], np.zeros(123)]))
    embed = VGGishEmbed(path, pca_params=pca_params, output="pca_uint8", pooling=None)
    result = embed.transform([noise(SECOND)])
    assert result.dtype == np.uint8
    assert result[0, ::-1, 0][:5].tolist() == [64, 96, 128, 255, 255]


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_bytes_are_not_pooled(pooling, method):
    embed = VGGishEmbed(output="pca_uint8", pooling=pooling)
    with pytest.raises(ValueError, match=rf"output='pca_uint8' with pooling='{pooling}'.*pooling=None, or"):
        getattr(embed, method)([noise(SECOND)])


def test_hop_is_in_frames_of_10_ms(weights):
    two_seconds = [noise(2 * SECOND)]  # 198 frames
    n_patches = [
        VGGishEmbed(weights, pooling=None, hop_frames=hop).transform(two_seconds).shape[2]
        for hop in (96, 48, 102, 103)
    ]
    assert n_patches == [2, 3, 2, 1]


def test_a_short_clip_is_repeated():
    log_mel = torch.rand(64, 40)
    (patches,) = _vggish.iter_patches(log_mel, 96, n_at_once=16)
    np.testing.assert_array_equal(patches, np.tile(log_mel, 3)[None, None, :, :96])


def test_a_clip_of_one_sample_and_silence_are_finite(embedder):
    clips = [np.zeros(1, dtype=np.float32), np.ones(1, dtype=np.float32), np.zeros(5 * SECOND)]
    result = embedder.transform(clips)
    assert np.isfinite(result).all()
    np.testing.assert_allclose(result[0], result[2], rtol=1e-4, atol=1e-5)  # silence of any length


def test_a_long_clip_in_pieces_is_the_same(weights, monkeypatch):
    clips = [noise(5 * SECOND)]
    expected = VGGishEmbed(weights, pooling=None).transform(clips)
    monkeypatch.setitem(_vggish.PATCHES_AT_ONCE, "cpu", 2)
    assert_embeddings_close(VGGishEmbed(weights, pooling=None).transform(clips), expected)


def test_bad_file_may_be_silence(weights, embedder, tmp_path):
    sf.write(tmp_path / "x.wav", noise(SECOND), SECOND, subtype="FLOAT")
    with pytest.warns(AudioLoadWarning, match="nowhere"):
        result = VGGishEmbed(weights, on_error="warn").transform([tmp_path / "x.wav", "nowhere.wav"])
    np.testing.assert_array_equal(result[1], embedder.transform(np.zeros((1, SECOND)))[0])


def test_pandas_output_has_a_name_for_each_column(weights):
    frame = VGGishEmbed(weights).set_output(transform="pandas").fit_transform(np.stack([noise(SECOND)] * 2))
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == [f"vggish{index}" for index in range(128)]


def test_patches_have_no_feature_names():
    assert not hasattr(VGGishEmbed(pooling=None), "get_feature_names_out")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"weights": 3}, "weights.*must be an instance of 'str'"),
        ({"output": "logits"}, "output.*must be a str among"),
        ({"pooling": "sum"}, "pooling.*must be a str among"),
        ({"hop_frames": 0}, "hop_frames.*must be an int"),
        ({"n_threads": 0}, "n_threads.*must be an int"),
        ({"on_error": "ignore"}, "on_error.*must be a str among"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_bad_parameters_are_refused(params, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(VGGishEmbed(**params), method)([noise(SECOND)])


def test_it_is_a_registered_embedding():
    assert EMBEDDINGS.get("vggish") is VGGishEmbed


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean", None])
def test_scikit_learns_common_checks(pooling, weights):
    results = check_estimator(VGGishEmbed(weights, pooling=pooling), on_skip=None, on_fail=None)
    assert {result["check_name"] for result in results if result["status"] == "failed"} == set()


@pytest.mark.gpu
def test_gpu_equals_cpu(weights):
    clips = [noise(n, seed=n) for n in (100, 50_000, 200_000)]
    for ours, expected in zip(
        VGGishEmbed(weights, pooling=None, device="cuda").transform(clips),
        VGGishEmbed(weights, pooling=None, device="cpu").transform(clips),
        strict=True,
    ):
        np.testing.assert_allclose(ours, expected, rtol=0.01, atol=0.01 * np.abs(expected).max())
