"""Predictions in CSV that spreadsheets do not run, and predictions that are no numbers."""

import csv
import shutil

import numpy as np
import pytest

from skfewaudio import load_model
from skfewaudio.cli import _models, main

FORMULA = "=cmd|calc.wav"


@pytest.fixture
def formulas(other_clips, monkeypatch):
    """Current folder with two sound files, one named like a formula."""
    monkeypatch.chdir(other_clips)
    shutil.copy("tone/0.wav", FORMULA)
    shutil.copy("tone/1.wav", "plain.wav")


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_names_like_formulas_are_made_safe(formulas, model, tmp_path):
    output = tmp_path / "rows.csv"
    assert main(["predict", str(model), FORMULA, "plain.wav", "-o", str(output)]) == 0
    assert [row[0] for row in read_csv(output)[1:]] == [f"./{FORMULA}", "plain.wav"]


def test_names_like_formulas_are_found_again_on_resume(formulas, model, tmp_path, capsys):
    output = tmp_path / "rows.csv"
    main(["predict", str(model), FORMULA, "-o", str(output)])
    assert main(["predict", str(model), FORMULA, "plain.wav", "-o", str(output), "--resume"]) == 0
    assert "1 rows written" in capsys.readouterr().out
    assert len(read_csv(output)) == 3


def test_classes_like_formulas_are_made_safe(formulas, model, tmp_path, monkeypatch):
    def predict(model, batch):
        return ["=1+1" for _ in batch], None

    monkeypatch.setattr(_models, "_predict", predict)
    output = tmp_path / "rows.csv"
    main(["predict", str(model), "plain.wav", "-o", str(output)])
    assert read_csv(output)[1][1] == "'=1+1"


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_probabilities_that_are_no_numbers_are_an_error(form, formulas, model, monkeypatch, capsys):
    classes = load_model(model).classes_

    def predict(model, batch):
        return [str(classes[0]) for _ in batch], np.full((len(batch), len(classes)), np.nan)

    monkeypatch.setattr(_models, "_predict", predict)
    assert main(["predict", str(model), "plain.wav", *form]) == 2
    out, err = capsys.readouterr()
    assert "nan" not in out.lower()
    assert "plain.wav: the model's probabilities are not finite numbers" in err


@pytest.mark.parametrize("content", [b"[" * 10**5 + b"\n", b"5\n", b"null\n", b"[1]\n", b'{"path": [1]}\n'])
def test_damaged_predictions_are_named_on_resume(content, formulas, model, tmp_path, capsys):
    output = tmp_path / "rows.jsonl"
    output.write_bytes(content)
    assert main(["predict", str(model), "plain.wav", "-o", str(output), "--resume"]) == 2
    assert "rows.jsonl, line 1: is not a prediction in JSON" in capsys.readouterr().err
    assert output.read_bytes() == content
