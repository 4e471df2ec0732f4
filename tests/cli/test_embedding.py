"""The option --embedding of train, cache warm and benchmark."""

from pathlib import Path

import numpy as np
import pytest

from skfewaudio import load_model
from skfewaudio.benchmarking._options import parse_options
from skfewaudio.cli import main
from skfewaudio.persistence import read_card


class FileBackend:
    """Network whose weights are the numbers in a file."""

    sample_rate, window = 8000, None

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


@pytest.fixture
def network(monkeypatch, tmp_path):
    """File of weights, which is run without a library."""
    for module in ("source", "loaded"):
        monkeypatch.setattr(
            f"skfewaudio.features._pretrained.{module}.find_backend", lambda scheme: FileBackend
        )
    path = tmp_path / "network.tflite"
    path.write_bytes(np.arange(1, 33, dtype=np.float32).tobytes())
    return str(path)


def test_train_joins_the_embedding_and_names_it_in_the_card(clips, network, tmp_path):
    options = ["--embedding", network, "--channel", "first", "--device", "cpu", "--no-evaluate"]
    assert main(["train", str(clips), "-o", str(tmp_path / "m"), *options]) == 0
    model, card = load_model(tmp_path / "m"), read_card(tmp_path / "m")
    assert "network" in model[-1].estimator_.block_weights_
    assert model[0].embeddings[0][1].channel == "first"
    assert card["embedding"] == [network]
    assert card["embeddings"][0]["name"] == network


def test_other_pipelines_refuse_an_embedding(clips, network, tmp_path, capsys):
    options = ["--pipeline", "mfcc-1nn", "--embedding", network]
    assert main(["train", str(clips), "-o", str(tmp_path / "m"), *options]) == 2
    assert "--embedding: mfcc-1nn cannot use it; use --pipeline few-shot" in capsys.readouterr().err


def test_unknown_embedding_is_refused_before_anything_is_read(tmp_path, capsys):
    command = ["train", str(tmp_path / "none"), "-o", str(tmp_path / "m"), "--embedding", "birdnet"]
    assert main(command) == 2
    assert "model='birdnet'; expected a name (birdnet-2.4" in capsys.readouterr().err


def test_cache_is_filled_with_embeddings(clips, network, tmp_path, capsys):
    command = ["cache", "warm", str(clips), "--embedding", network, "--location", str(tmp_path / "cache")]
    for expected in ("0 sounds were in the cache, 8 computed\n", "8 sounds were in the cache, 0 computed\n"):
        assert main(command) == 0
        assert capsys.readouterr().out == expected


def test_missing_weights_are_named_before_the_cache_is_filled(clips, tmp_path, capsys):
    assert main(["cache", "warm", str(clips), "--embedding", str(tmp_path / "none.tflite")]) == 2
    assert "none.tflite does not exist" in capsys.readouterr().err


def test_benchmark_takes_several_embeddings_for_its_few_shot_pipeline():
    assert parse_options(["--embedding", "a.onnx", "--embedding", "b.onnx"]).embedding == ["a.onnx", "b.onnx"]
    with pytest.raises(SystemExit):
        parse_options(["--suite", "random-cnn", "--embedding", "a.onnx"])


def test_plugins_list_networks_with_their_licence_and_the_forms_of_names(capsys):
    assert main(["plugins"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "birdnet-2.4" in text
    assert "CC BY-NC-SA 4.0, no commercial use" in text
    assert "hf:OWNER/NAME" in text
