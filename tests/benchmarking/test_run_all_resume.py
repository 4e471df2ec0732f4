"""Runs that resume earlier runs."""

import numpy as np
import pandas as pd
import pytest

import skfewaudio.model_selection
from skfewaudio.benchmarking import main
from skfewaudio.datasets import AudioDataset
from skfewaudio.features import MFCC
from skfewaudio.plugins import DATASETS


@pytest.mark.slow
def test_fits_without_stored_predictions_run_again(options, first_run):
    (first_run / "predictions.jsonl").unlink()
    assert main(options) == 0
    assert len(pd.read_json(first_run / "predictions.jsonl", lines=True)) == 2 * 2 * 2 * 5


def test_second_run_uses_cached_features(options, tmp_path, monkeypatch):
    cached = [*options, "--cache", "--cache-dir", str(tmp_path / "cache")]
    main(cached)

    def refuse(*args):
        raise AssertionError("computed again")

    monkeypatch.setattr(MFCC, "transform", refuse)
    # The time for features is measured without the cache.
    monkeypatch.setattr("skfewaudio.benchmarking._run_report.write_times", lambda run: None)
    assert main([*cached, "--overwrite"]) == 0


def test_second_run_keeps_finished_fits_and_adds_new_ones(options, first_run):
    before = (first_run / "results.jsonl").read_text()
    assert main([*options, "--n-repeats", "3"]) == 0
    after = (first_run / "results.jsonl").read_text()
    assert after.startswith(before)
    assert after.count("\n") == before.count("\n") * 3 // 2


def test_finished_run_on_waveforms_from_a_plugin_is_not_run_again(options, tmp_path):
    def load_toy():
        rng = np.random.default_rng(0)
        return AudioDataset(
            rng.normal(size=(8, 4000)), ["a", "b"] * 4, name="toy", folds=[1, 1, 2, 2] * 2, sample_rate=8000
        )

    DATASETS.register("run-all-toy", load_toy)
    toy = ["--dataset", "run-all-toy", *options[4:]]
    assert main(toy) == 0
    before = (tmp_path / "out" / "results.jsonl").read_text()
    assert main(toy) == 0
    assert (tmp_path / "out" / "results.jsonl").read_text() == before


def test_other_settings_are_not_mixed_with_earlier_results(options, first_run, capsys):
    assert main([*options, "--random-state", "5"]) == 2
    assert "random_state differ" in capsys.readouterr().err


@pytest.mark.slow
def test_overwrite_discards_earlier_results(options, first_run):
    assert main([*options, "--random-state", "5", "--overwrite"]) == 0
    assert set(pd.read_json(first_run / "results.jsonl", lines=True)["seed"]) == {5, 6}


def test_interrupt_prints_how_to_resume(options, monkeypatch, capsys):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(skfewaudio.model_selection, "few_shot_curve", interrupt)
    assert main(options) == 130
    assert "resume with the same command" in capsys.readouterr().err
