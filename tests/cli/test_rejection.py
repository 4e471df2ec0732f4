"""predict and evaluate honour the rejection of a model."""

import json

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from skfewaudio import CalibratedRidgeClassifier
from skfewaudio.cli import main
from skfewaudio.persistence import read_card


@pytest.fixture
def rejecting(clips, tmp_path, capsys):
    """File of a model that rejects clips."""
    path = tmp_path / "rejecting.model"
    command = ["train", str(clips), "-o", str(path), "--false-rejection-rate", "0.2", "--device", "cpu"]
    assert main([*command, "--no-evaluate"]) == 0
    capsys.readouterr()
    return path


@pytest.fixture
def rejects_noise(monkeypatch):
    """Make every model reject exactly the clips whose most probable class is noise."""

    def predict(self, X):
        return np.where(self.predict_proba(X)[:, 0] > 0.5, "unknown", "tone")

    monkeypatch.setattr(CalibratedRidgeClassifier, "predict", predict)


def test_rejected_clip_is_unknown_with_its_highest_probability(rejecting, rejects_noise, other_clips, capsys):
    assert main(["predict", str(rejecting), str(other_clips), "--json", "--top", "2"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["label"] for row in rows] == ["unknown", "unknown", "tone", "tone"]
    assert rows[0]["top"][0]["label"] == "noise"
    assert rows[0]["probability"] == rows[0]["top"][0]["probability"] > 0.5


def test_evaluate_counts_rejected_clips(rejecting, rejects_noise, other_clips, capsys):
    assert main(["evaluate", str(rejecting), str(other_clips)]) == 0
    out = capsys.readouterr().out
    assert "2 of 4 clips" in out
    assert "2 clips rejected as unknown" in out


def test_clips_of_the_unknown_class_are_right_if_rejected(rejecting, rejects_noise, other_clips, capsys):
    (other_clips / "noise").rename(other_clips / "unknown")
    assert main(["evaluate", str(rejecting), str(other_clips), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_right"], found["n_clips"], found["n_rejected"]) == (4, 4, 2)


def test_option_reject_is_applied_in_addition(rejecting, rejects_noise, other_clips, capsys):
    main(["predict", str(rejecting), str(other_clips), "--reject", "1"])
    labels = [line.split("\t")[1] for line in capsys.readouterr().out.splitlines()]
    assert labels == ["unknown"] * 4


def test_rate_is_stored_and_the_score_counts_rejected_clips(clips, tmp_path, capsys):
    command = ["train", str(clips), "-o", str(tmp_path / "m"), "--false-rejection-rate", "0.2"]
    assert main([*command, "--device", "cpu"]) == 0
    assert "clips rejected as unknown" in capsys.readouterr().out
    card = read_card(tmp_path / "m")
    assert card["options"] == {"false_rejection_rate": 0.2}
    assert card["scores"]["n_rejected"] >= 0


def test_label_of_another_classifier_is_what_it_predicts(model, other_clips, monkeypatch, capsys):
    monkeypatch.setattr(KNeighborsClassifier, "predict", lambda self, X: self.classes_[[1] * len(X)])
    main(["predict", str(model), str(other_clips / "noise"), "--top", "2"])
    assert capsys.readouterr().out.splitlines()[0].split("\t")[1:] == ["tone", "0.000", "noise", "1.000"]
