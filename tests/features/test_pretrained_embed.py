"""Transformer of waveforms by pre-trained networks."""

import pickle
import threading

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skfewaudio import CalibratedRidgeClassifier
from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning
from skfewaudio.features import CachedFeatures, PretrainedEmbed, VGGishEmbed
from skfewaudio.testing import check_embedding

RATE = 8000


class Levels:
    """Network of the levels of four parts of every window of half a second."""

    sample_rate, window = RATE, 0.5
    digest = "levels-1"

    def __init__(self):
        self.batches = []

    def embed(self, batch):
        self.batches.append(batch.shape)
        return np.abs(batch).reshape(len(batch), 4, -1).max(axis=2)


class Frames:
    """Network that embeds every frame of 100 samples of a clip of any length."""

    sample_rate, window, min_duration, fill = RATE, None, 0.025, "repeat"

    def embed(self, batch):
        frames = batch[:, : batch.shape[1] // 100 * 100].reshape(len(batch), -1, 100)
        return np.stack([frames.mean(axis=2), frames.max(axis=2), frames.min(axis=2)], axis=2)


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return [rng.normal(0, 0.1, n).astype(np.float32) for n in (4000, 8000, 9000, 1000)]


@pytest.fixture
def paths(clips, tmp_path):
    for i, clip in enumerate(clips):
        soundfile.write(tmp_path / f"{i}.wav", clip, RATE, subtype="FLOAT")
    return [tmp_path / f"{i}.wav" for i in range(len(clips))]


@pytest.mark.parametrize("network", [Levels(), Frames()])
def test_contract_of_embeddings_is_kept(network):
    check_embedding(PretrainedEmbed(network), sample_rate=RATE)


def test_every_form_of_a_clip_has_the_same_embedding(clips, paths):
    embedder = PretrainedEmbed(Levels())
    expected = embedder.fit_transform(clips)
    for forms in (
        [str(path) for path in paths],
        [(str(path), 0.0, None) for path in paths],
        [(clip, RATE) for clip in clips],
        [{"array": clip, "sampling_rate": RATE} for clip in clips],
        pd.Series(paths, index=list("abcd")),
    ):
        np.testing.assert_allclose(embedder.transform(forms), expected, atol=1e-6)


def test_result_is_the_mean_over_windows_that_cover_the_clip(clips):
    found = PretrainedEmbed(Levels()).fit_transform(clips)
    windows = [clips[2][:4000], clips[2][4000:8000], clips[2][5000:]]
    np.testing.assert_allclose(found[2], Levels().embed(np.stack(windows)).mean(axis=0), rtol=1e-6)
    filled = np.pad(clips[3], (0, 3000))
    np.testing.assert_array_equal(found[3], Levels().embed(filled[None])[0])


def test_maximum_over_frames(clips):
    found = PretrainedEmbed(Frames(), pooling="max").fit_transform(clips)
    np.testing.assert_allclose(found[1], Frames().embed(clips[1][None])[0].max(axis=0))


def test_without_pooling_every_window_has_a_column(clips):
    found = PretrainedEmbed(Levels(), pooling=None, hop=0.25).fit_transform(clips)
    assert [rows.shape for rows in found] == [(4, 1), (4, 3), (4, 4), (4, 1)]
    np.testing.assert_allclose(found[1][:, 1], Levels().embed(clips[1][None, 2000:6000])[0])
    same = PretrainedEmbed(Levels(), pooling=None).fit_transform(np.stack([clips[1], clips[1]]))
    assert same.shape == (2, 4, 2)


def test_clips_shorter_than_the_network_allows_are_repeated():
    found = PretrainedEmbed(Frames()).fit_transform([np.arange(1.0, 51.0)])
    assert found[0, 2] == 1.0


def test_windows_of_several_clips_share_batches(clips):
    network = Levels()
    PretrainedEmbed(network, batch_size=3).fit_transform(clips)
    assert network.batches == [(3, 4000), (3, 4000), (1, 4000)]


def test_another_rate_changes_what_the_network_hears(paths):
    slow = PretrainedEmbed(Levels(), sample_rate=4000, pooling=None).fit_transform(paths)
    assert [rows.shape[1] for rows in slow] == [1, 1, 2, 1]  # a window has as many samples, and lasts longer


def test_long_recordings_are_read_in_blocks_with_the_same_result(tmp_path, monkeypatch):
    clip = np.random.default_rng(0).normal(0, 0.1, 70 * RATE).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", clip, RATE, subtype="FLOAT")
    whole = PretrainedEmbed(Levels(), pooling=None, hop=0.3).fit_transform([clip])
    in_blocks = PretrainedEmbed(Levels(), pooling=None, hop=0.3).fit_transform([tmp_path / "long.wav"])
    np.testing.assert_array_equal(in_blocks[0], whole[0])


def test_unreadable_files_raise_or_become_silence(clips, paths):
    paths[1].write_bytes(b"no sound")
    with pytest.raises(AudioLoadError, match=r"1\.wav"):
        PretrainedEmbed(Levels()).fit_transform(paths)
    with pytest.warns(AudioLoadWarning, match=r"1\.wav"):
        found = PretrainedEmbed(Levels(), on_error="warn").fit_transform(paths)
    assert not found[1].any()
    np.testing.assert_allclose(found[2], PretrainedEmbed(Levels()).fit_transform(clips)[2], atol=1e-6)


def test_pandas_output_has_the_names_of_the_dimensions(clips):
    table = PretrainedEmbed(Levels()).set_output(transform="pandas").fit_transform(clips)
    assert list(table.columns) == ["levels_0", "levels_1", "levels_2", "levels_3"]


def test_clones_share_an_object_instead_of_copying_its_weights():
    network = Levels()
    assert clone(PretrainedEmbed(network)).model is network


def test_pickle_of_a_named_network_is_small_and_needs_no_weights(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(bytes(2**20))
    embedder = PretrainedEmbed(f"{path}?sample_rate=8000")
    embedder.checksum_ = "0" * 64
    content = pickle.dumps(embedder)
    assert len(content) < 2000
    assert pickle.loads(content).checksum_ == "0" * 64


def test_features_are_cached_by_the_digest_of_an_object(clips, tmp_path):
    network = Levels()
    cached = CachedFeatures(PretrainedEmbed(network), location=tmp_path)
    first = cached.fit_transform(clips)
    n_batches = len(network.batches)
    np.testing.assert_array_equal(cached.transform(clips), first)
    assert len(network.batches) == n_batches
    other = Levels()
    other.digest = "levels-2"
    assert CachedFeatures(PretrainedEmbed(other), location=tmp_path).warm(clips)["n_computed"] == 4


def test_object_without_a_digest_cannot_be_cached(clips, tmp_path):
    with pytest.raises(TypeError, match="cannot be cached: model="):
        CachedFeatures(PretrainedEmbed(Frames()), location=tmp_path).fit_transform(clips)


def test_object_is_called_from_one_thread_at_a_time(clips):
    class Busy(Levels):
        n_callers = most = 0

        def embed(self, batch):
            self.n_callers += 1
            self.most = max(self.most, self.n_callers)
            found = super().embed(batch)
            self.n_callers -= 1
            return found

    network = Busy()
    embedder = PretrainedEmbed(network, batch_size=1).fit(clips)
    expected = embedder.transform(clips)
    found = []
    threads = [threading.Thread(target=lambda: found.append(embedder.transform(clips))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert network.most == 1
    for rows in found:
        np.testing.assert_array_equal(rows, expected)


def faulty(**changes):
    """Return a network with other attributes."""
    network = Levels()
    for name, value in changes.items():
        setattr(network, name, value)
    return network


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (faulty(sample_rate=None), r"levels does not state its sample rate \(sample_rate=None\)"),
        (faulty(window=-1.0), r"levels has window=-1.0; expected seconds above 0"),
        (faulty(fill="mirror"), "levels has fill='mirror'; expected 'zeros', 'repeat' or None"),
        (faulty(embed=lambda batch: batch[0]), r"embed returned float32 values of shape \(4000,\) for 2"),
        (faulty(embed=lambda batch: np.array(["a", "b"])), "embed returned <U1 values"),
        (faulty(embed=lambda batch: batch * np.nan), "levels computes NaN or infinity for clip 0"),
    ],
)
def test_faults_of_objects_are_named(network, message, clips):
    with pytest.raises(ValueError, match=message):
        PretrainedEmbed(network).fit_transform([clips[1]])


def test_hop_requires_windows(clips):
    with pytest.raises(ValueError, match=r"hop=0.5: frames has no windows"):
        PretrainedEmbed(Frames(), hop=0.5).fit_transform(clips)
    assert PretrainedEmbed(Frames(), window=0.5, hop=0.25).fit_transform(clips).shape == (4, 3)


def test_embeddings_are_the_first_step_of_a_pipeline(clips):
    model = make_pipeline(PretrainedEmbed(Levels()), CalibratedRidgeClassifier())
    X = [scale * clip for scale in (0.1, 1.0) for clip in clips]
    assert model.fit(X, ["soft"] * 4 + ["loud"] * 4).score(X, ["soft"] * 4 + ["loud"] * 4) == 1.0


@pytest.mark.slow
def test_vggish_by_name_equals_its_own_transformer(tmp_path):
    """With random weights, which are expanded from one row each."""
    import torch

    from skfewaudio.architectures import VGGish

    torch.manual_seed(0)
    shapes = {name: value.shape for name, value in VGGish(1).to("meta").state_dict().items()}
    state = {
        name: (0.1 * torch.randn(shape[:1])).reshape(-1, *[1] * (len(shape) - 1)).expand(shape)
        for name, shape in shapes.items()
        if not name.startswith("output")
    }
    torch.save(state, tmp_path / "vggish.pth")
    rng = np.random.default_rng(0)
    clips = [rng.normal(0, 0.1, n).astype(np.float32) for n in (16000, 40000)]
    for options in ({"output": "preactivation"}, {"pooling": "max"}):
        own = VGGishEmbed(tmp_path / "vggish.pth", **options).fit_transform(clips)
        named = PretrainedEmbed(f"vggish:{tmp_path / 'vggish.pth'}", **options).fit_transform(clips)
        np.testing.assert_allclose(named, own, rtol=1e-5)
