"""A detector is trained and evaluated from the command line."""

import json

import pandas as pd
import pytest

from skfewaudio.cli import main
from skfewaudio.datasets import load_long_recordings


@pytest.mark.slow
def test_a_trained_detector_is_scored_on_another_recording(tmp_path, capsys):
    options = {"duration": 60.0, "events_per_class": (6, 6), "sample_rate": 16000, "snr_db": (15, 25)}
    classes = ["car_horn", "siren"]
    load_long_recordings(4, n_folds=2, classes=classes, **options, folder=tmp_path / "recordings")
    table = pd.read_csv(tmp_path / "recordings" / "annotations.csv")
    for name, group in (("train", "recording-3"), ("test", "recording-1")):
        table[table["group"] == group].to_csv(tmp_path / f"{name}.csv", index=False)
    root = ["--audio-root", str(tmp_path / "recordings")]
    model = str(tmp_path / "field.model")
    assert main(["train", str(tmp_path / "train.csv"), *root, "-o", model]) == 0
    capsys.readouterr()
    searched = str(tmp_path / "recordings" / "recording-1.flac")
    assert (
        main(["evaluate", model, searched, "--annotations", str(tmp_path / "test.csv"), *root, "--json"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert (found["n_true"], found["n_recordings"]) == (12, 1)
    assert found["hours"] == pytest.approx(1 / 60)
    assert found["f_score"] > 0.6
