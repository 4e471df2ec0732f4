"""The card of a model file: entries of the library and of the caller."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skfewaudio import SubsampledClassifier, save_model
from skfewaudio.exceptions import ModelSaveError
from skfewaudio.persistence import read_card


def test_card_has_the_librarys_entries(clips, log_mel, small_cnn, path):
    save_model(make_pipeline(log_mel, small_cnn()).fit(*clips), path)
    card = read_card(path)
    assert (card["format_version"], card["sample_rate"]) == (1, 8000)
    assert card["classes"] == ["horn", "wind"]
    (front_end,) = card["front_end"]
    assert (front_end["name"], front_end["type"], front_end["parameters"]["hop_length"]) == (
        "logmel",
        "LogMel",
        "64",
    )
    assert card["classifier"]["parameters"]["architecture"] == "'vgg'"
    assert set(card["versions"]) == {"skfewaudio", "scikit-learn", "torch", "skorch", "numpy", "python"}


def test_card_counts_the_networks_parameters(spectrograms, small_cnn, path):
    model = small_cnn().fit(*spectrograms)
    save_model(model, path)
    n_parameters = sum(weights.numel() for weights in model.network_.parameters())
    assert read_card(path)["n_parameters"] == n_parameters


def test_card_keeps_the_callers_entries(neighbours, path):
    card = {"licence": "CC0", "scores": {"accuracy": np.float32(0.5)}, "folds": np.arange(2)}
    save_model(neighbours, path, card=card)
    kept = read_card(path)
    assert (kept["licence"], kept["scores"], kept["folds"]) == ("CC0", {"accuracy": 0.5}, [0, 1])


def test_card_of_a_wrapped_pipeline_has_the_front_end(clips, log_mel, small_cnn, path):
    few_shots = SubsampledClassifier(make_pipeline(log_mel, small_cnn()), n_shots=2)
    save_model(few_shots.fit(*clips), path)
    card = read_card(path)
    assert [step["type"] for step in card["front_end"]] == ["LogMel"]
    assert card["classifier"]["type"] == "SubsampledClassifier"


def test_card_is_read_without_torch_or_scikit_learn(saved):
    code = (
        "import sys; from skfewaudio.persistence import read_card; read_card(sys.argv[1]); "
        "print({'torch', 'sklearn', 'skops', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, saved], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"classes": 2}, "card has classes, which save_model fills in"),
        ({"set": {1}}, r"card\['set'\]=\{1\} cannot be stored as JSON: a set is not a string"),
        ({"score": float("nan")}, r"card\['score'\]=nan cannot be stored as JSON"),
    ],
)
def test_invalid_card_entry_is_named(card, message, neighbours, path):
    with pytest.raises(ModelSaveError, match=message):
        save_model(neighbours, path, card=card)
    assert not path.exists()


def test_card_is_json(saved):
    with zipfile.ZipFile(saved) as archive:
        assert json.loads(archive.read("card.json")) == read_card(saved)
