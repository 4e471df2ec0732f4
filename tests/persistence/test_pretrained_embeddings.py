"""Model files of pipelines with pre-trained embeddings, whose weights they do not contain."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skfewaudio import CalibratedRidgeClassifier, LogMel, load_model, save_model
from skfewaudio.classifiers import BlockClassifier
from skfewaudio.exceptions import ModelFileError, WeightsNotFoundError
from skfewaudio.features import (
    BlockScaler,
    PretrainedEmbed,
    SpectrogramWithEmbeddings,
    TimeNormalizedSpectrogram,
)
from skfewaudio.persistence import read_card

RATE = 8000
Y = np.repeat(["low", "high"], 3)
CLIPS = np.random.default_rng(0).normal(size=(6, 2000)).astype(np.float32)
CLIPS[3:] += np.sin(np.arange(2000))


class FileBackend:
    """Network whose weights are the numbers in a file."""

    sample_rate, window = RATE, None

    def __init__(self, weights):
        self._weights = weights

    @classmethod
    def open(cls, location, **options):
        return cls(np.frombuffer(Path(location).read_bytes(), np.float32))

    @classmethod
    def files(cls, location):
        return [Path(location)]

    def embed(self, batch):
        return np.abs(np.fft.rfft(batch, 64))[:, : len(self._weights)] * self._weights


@pytest.fixture(autouse=True)
def weights(monkeypatch, tmp_path):
    """File of weights, which is run without a library, and an empty cache."""
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    for module in ("source", "loaded"):
        monkeypatch.setattr(
            f"skfewaudio.features._pretrained.{module}.find_backend", lambda scheme: FileBackend
        )
    path = tmp_path / "network.tflite"
    path.write_bytes(np.arange(1, 33, dtype=np.float32).tobytes())
    return path


@pytest.fixture
def saved(weights, tmp_path):
    """Fitted model, and its file."""
    both = SpectrogramWithEmbeddings(
        LogMel(sample_rate=RATE, n_mels=8), [("network", PretrainedEmbed(weights))]
    )
    blocks = [("order", TimeNormalizedSpectrogram(n_steps=4)), ("network", "passthrough")]
    model = make_pipeline(
        both, BlockClassifier(blocks, CalibratedRidgeClassifier(), scaler=BlockScaler())
    ).fit(CLIPS, Y)
    save_model(model, tmp_path / "sounds.model")
    return model, tmp_path / "sounds.model"


def test_loaded_model_predicts_the_same(saved):
    model, path = saved
    np.testing.assert_array_equal(load_model(path).predict_proba(CLIPS), model.predict_proba(CLIPS))


def test_embedder_alone_is_restored_with_its_checksum(weights, tmp_path):
    model = make_pipeline(PretrainedEmbed(weights), CalibratedRidgeClassifier()).fit(CLIPS, Y)
    save_model(model, tmp_path / "alone.model")
    loaded = load_model(tmp_path / "alone.model")
    assert loaded[0].checksum_ == hashlib.sha256(weights.read_bytes()).hexdigest()
    np.testing.assert_array_equal(loaded.predict_proba(CLIPS), model.predict_proba(CLIPS))


def test_card_names_the_embedding_and_its_checksum(saved, weights):
    (described,) = read_card(saved[1])["embeddings"]
    assert described["name"] == str(weights)
    assert described["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_file_does_not_contain_the_weights(saved, weights):
    assert weights.read_bytes() not in saved[1].read_bytes()


def test_missing_weights_are_named(saved, weights):
    weights.unlink()
    with pytest.raises(
        WeightsNotFoundError, match=r"sounds\.model needs an embedding.*network\.tflite does not"
    ):
        load_model(saved[1])


def test_moved_weights_are_found_in_the_cache(saved, weights, tmp_path):
    (tmp_path / "cache" / "weights").mkdir(parents=True)
    weights.rename(tmp_path / "cache" / "weights" / weights.name)
    assert load_model(saved[1]).predict(CLIPS).tolist() == saved[0].predict(CLIPS).tolist()


def test_changed_weights_are_refused_when_loading_and_predicting(saved, weights):
    model, path = saved
    weights.write_bytes(np.ones(32, dtype=np.float32).tobytes())
    with pytest.raises(WeightsNotFoundError, match="the weights have changed"):
        load_model(path)
    with pytest.raises(WeightsNotFoundError, match="the weights have changed"):
        model.predict(CLIPS)


def save_with(tmp_path, **changes):
    """Save a fitted embedder with other attributes, as in a forged file."""
    embedder = PretrainedEmbed(tmp_path / "network.tflite").fit(CLIPS)
    vars(embedder).update(changes)
    save_model(embedder, tmp_path / "forged.model")
    return tmp_path / "forged.model"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "hear:antigravity"}, "runs code of its author"),
        ({"model": "torch:network.pt"}, "runs code of its author"),
        ({"hop": 1e-9}, "hop"),
        ({"batch_size": 10**9}, "batch_size"),
        ({"checksum_": "abc"}, "64 hexadecimal digits"),
        ({"pooling": "sum"}, "pooling"),
    ],
)
def test_forged_parameters_are_refused(changes, message, tmp_path):
    with pytest.raises(ModelFileError, match=message):
        load_model(save_with(tmp_path, **changes))


def test_network_that_runs_code_is_loaded_if_its_name_is_trusted(tmp_path):
    network = f"torch:{tmp_path / 'network.tflite'}"
    assert load_model(save_with(tmp_path, model=network), trusted=[network]).model == network
