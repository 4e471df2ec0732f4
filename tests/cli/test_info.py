"""Tests of skfewaudio info."""

import json
import subprocess
import sys

import pytest

from skfewaudio import PrototypicalClassifier, save_model
from skfewaudio.cli import main
from skfewaudio.persistence import read_card


def test_text_shows_how_the_model_was_trained(clips, tmp_path, capsys):
    path = tmp_path / "sounds.model"
    options = ["--pipeline", "mfcc-1nn", "--device", "cpu", "--sample-rate", "8000", "--random-state", "3"]
    main(["train", str(clips), "-o", str(path), *options])
    capsys.readouterr()
    assert main(["info", str(path)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == str(path)
    assert "pipeline mfcc-1nn" in lines
    assert "steps MFCC, KNeighborsClassifier" in lines
    assert "sample rate 8000 Hz" in lines
    assert "scores accuracy 100.0 % (95 % interval 67.6 to 100.0 %), 8 of 8 clips" in lines
    assert "random state 3" in lines
    assert lines[-2:] == ["noise 4", "tone 4"]


def test_json_is_the_card(model, capsys):
    assert main(["info", str(model), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == read_card(model)


def test_card_of_another_program_is_shown(tmp_path, capsys):
    classifier = PrototypicalClassifier().fit([[0.0, 0.0], [4.0, 4.0]], ["bark", "horn"])
    card = {"licence": "CC0\x1b", "data_set": "mine", "scores": [1]}
    save_model(classifier, tmp_path / "m", card=card)
    assert main(["info", str(tmp_path / "m")]) == 0
    out = capsys.readouterr().out
    assert "licence       CC0\\x1b" in out
    assert "classes: bark, horn" in out


@pytest.mark.parametrize("command", ["info", "predict", "evaluate"])
def test_missing_model_is_reported_in_a_sentence(command, clips, tmp_path, capsys):
    path = tmp_path / "nope.model"
    assert main([command, str(path), *([] if command == "info" else [str(clips)])]) == 2
    assert capsys.readouterr().err == (
        f"skfewaudio {command}: {path} does not exist; expected a file written by skfewaudio train or "
        "save_model\n"
    )


def test_folder_is_no_model(tmp_path, capsys):
    assert main(["info", str(tmp_path)]) == 2
    assert "is a folder; expected a file" in capsys.readouterr().err


def test_card_is_read_without_torch(model):
    code = f"import sys; from skfewaudio.cli import main; main(['info', {str(model)!r}]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "sklearn"}.isdisjoint(done.stdout.splitlines()[-1].split())
