"""Suggestions of unlabelled clips to label next."""

import numpy as np
import pandas as pd
import pytest

from skfewaudio.benchmarking import main
from skfewaudio.benchmarking._suites import SUITES
from skfewaudio.datasets import AudioDataset
from skfewaudio.plugins import DATASETS


def test_clips_of_an_unlabelled_folder_are_suggested(options, clips, tmp_path, monkeypatch):
    build = SUITES["few-data"]["prototypical"]
    monkeypatch.setitem(
        SUITES["few-data"],
        "prototypical",
        lambda **params: build(**params).set_params(prototypicalclassifier__max_epochs=2),
    )
    assert main([*options[:-3], "--pipelines", "prototypical", "--unlabelled", str(clips)]) == 0
    suggested = pd.read_csv(tmp_path / "out" / "suggestions.csv")
    assert suggested["clip"].str.endswith(".wav").all()
    assert len(suggested) == 10


def test_clips_are_suggested_by_the_best_pipeline_with_predict_proba(options, clips, tmp_path):
    assert main([*options[:-3], "--pipelines", "random-cnn-ridge", "random", "--unlabelled", str(clips)]) == 0
    assert set(pd.read_csv(tmp_path / "out" / "suggestions.csv")["pipeline"]) == {"random"}


@pytest.mark.slow
def test_files_are_suggested_for_a_dataset_of_waveforms(options, clips, tmp_path):
    def load_toy():
        X = np.random.default_rng(0).normal(size=(8, 4000))
        return AudioDataset(X, ["a", "b"] * 4, name="toy", folds=[1, 1, 2, 2] * 2, sample_rate=8000)

    DATASETS.register("run-all-unlabelled", load_toy)
    assert main(["--dataset", "run-all-unlabelled", *options[4:], "--unlabelled", str(clips)]) == 0
    assert len(pd.read_csv(tmp_path / "out" / "suggestions.csv")) == 10


def test_missing_unlabelled_folder_is_named(options, tmp_path, capsys):
    assert main([*options, "--unlabelled", str(tmp_path / "nothing")]) == 2
    assert "nothing is not a folder" in capsys.readouterr().err
