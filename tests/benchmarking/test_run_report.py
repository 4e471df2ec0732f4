"""What a run stores for its report: the embedding, times, and where the results come from."""

import json

import pandas as pd

from skfewaudio.benchmarking import _run_config, main
from skfewaudio.benchmarking._run_report import rank_pipelines
from skfewaudio.reporting import ResultStore

ORIGIN = ("date", "command", "commit", "machine")


def read_config(folder):
    return json.loads((folder / "config.json").read_text())


def test_embedding_is_of_the_best_pipeline_with_features(finished):
    embedding = pd.read_csv(finished[0] / "embedding.csv")
    best = rank_pipelines(ResultStore(finished[0] / "results.jsonl").frame())[0]
    assert best == "mfcc-1nn"
    assert set(embedding["pipeline"]) == {best}


def test_embedded_clips_are_test_clips_with_their_predictions(finished):
    embedding = pd.read_csv(finished[0] / "embedding.csv")
    predictions = [json.loads(line) for line in (finished[0] / "predictions.jsonl").read_text().splitlines()]
    same = next(
        fit
        for fit in predictions
        if (fit["pipeline"], fit["n_shots"], fit["repeat"], fit["fold"])
        == ("mfcc-1nn", 2, 0, embedding["fold"].iloc[0])
    )
    assert embedding["clip"].tolist() == same["clip"]
    assert embedding["predicted"].tolist() == same["predicted"]


def test_time_of_features_is_measured_for_every_pipeline(finished):
    times = pd.read_csv(finished[0] / "times.csv").set_index("pipeline")["clip_feature_time"]
    assert times["mfcc-1nn"] > 0
    assert set(times.index) == {"random", "mfcc-1nn"}


def test_report_says_how_to_make_the_best_pipeline(finished, clips):
    page = (finished[0] / "report.html").read_text()
    assert "Recommended classifier: mfcc-1nn" in page
    assert f"skfewaudio train {clips} --pipeline mfcc-1nn -o sounds.model" in page


def test_settings_say_when_and_how_the_results_were_computed(finished, clips):
    config = read_config(finished[0])
    assert config["command"].startswith(f"run_all --dataset folder --data-home {clips}")
    assert all(config[name] for name in ORIGIN)


def test_repeated_run_keeps_its_date(options, first_run, monkeypatch):
    before = read_config(first_run)
    monkeypatch.setattr(_run_config, "_describe_origin", lambda args: dict.fromkeys(ORIGIN, "later"))
    assert main(options) == 0
    assert read_config(first_run) == before
