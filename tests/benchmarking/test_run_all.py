"""Files and output of a run."""

import json
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from skfewaudio.benchmarking import main, write_run_report
from skfewaudio.benchmarking._adapt_pipelines import resample
from skfewaudio.benchmarking._suites import SUITES


def test_writes_scores_predictions_settings_plot_and_report(finished):
    folder, *_ = finished
    assert {path.name for path in folder.iterdir()} == {
        *("results.jsonl", "predictions.jsonl", "config.json", "clips.jsonl"),
        *("curve.png", "leaks.csv", "embedding.csv", "times.csv", "report.html"),
    }


def test_report_shows_predictions_and_provenance(options, tmp_path):
    main([*options, "--report", "markdown", "--n-shots", "1", "2", "4"])
    report = (tmp_path / "out" / "report.md").read_text()
    for section in ("mfcc-1nn", "noise", "More clips", "Provenance", "scikit-learn"):
        assert section in report
    assert str(tmp_path) not in report.split("Provenance")[0]


def test_predictions_of_every_fit_are_stored(finished):
    folder, *_ = finished
    fits = pd.read_json(folder / "predictions.jsonl", lines=True)
    rows = pd.read_json(folder / "results.jsonl", lines=True)
    accuracy = [np.mean(np.equal(fit.true, fit.predicted)) for fit in fits.itertuples()]
    key = ["pipeline", "n_shots", "repeat", "fold"]
    found = rows.merge(fits[key].assign(accuracy=accuracy), on=key)
    assert len(found) == len(rows)
    np.testing.assert_allclose(found["value"], found["accuracy"])


def test_duplicates_in_different_folds_are_reported(options, clips, tmp_path, capsys):
    folder = tmp_path / "with_duplicates"
    shutil.copytree(clips, folder)
    for k in range(4):
        shutil.copy(folder / "tone" / "0.wav", folder / "tone" / f"again-{k}.wav")
    assert main([*options, "--data-home", str(folder)]) == 0
    assert "Warning: possible leakage between folds" in capsys.readouterr().err
    assert "duplicate" in (tmp_path / "out" / "leaks.csv").read_text()


def test_report_none_writes_no_report(options, tmp_path):
    assert main([*options, "--report", "none"]) == 0
    assert not list((tmp_path / "out").glob("report*"))


def test_report_can_be_written_again(first_run):
    (first_run / "report.html").unlink()
    path = write_run_report(first_run)
    assert path.name == "report.html"
    assert "audio" in path.read_text()


def test_report_without_results_names_the_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no results"):
        write_run_report(tmp_path)


def test_every_fit_has_one_row(finished):
    rows = pd.read_json(finished[0] / "results.jsonl", lines=True)
    fits = rows[["dataset", "pipeline", "n_shots", "repeat", "fold", "metric"]].drop_duplicates()
    assert len(rows) == len(fits) == 2 * 2 * 2 * 5


def test_prints_a_table_within_80_columns(finished):
    _, out, _ = finished
    assert "mfcc-1nn" in out
    table = out[: out.index("Written")].splitlines()
    assert max(map(len, table)) <= 80


def test_without_a_terminal_each_finished_pipeline_is_printed(finished):
    *_, err = finished
    assert "mfcc-1nn: 20 fits" in err


def test_mfcc_pipeline_classifies_tones_and_noises(finished):
    rows = pd.read_json(finished[0] / "results.jsonl", lines=True)
    assert rows.groupby("pipeline")["value"].mean()["mfcc-1nn"] > 0.9


def test_only_the_requested_folds_are_tested(options, tmp_path):
    main([*options, "--folds", "2", "4"])
    assert set(pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)["fold"]) == {2, 4}


def test_settings_contain_pipelines_and_versions(finished):
    config = json.loads((finished[0] / "config.json").read_text())
    assert set(config["pipelines"]) == {"random", "mfcc-1nn"}
    assert "scikit-learn" in config["versions"]


def test_without_matplotlib_only_the_plot_is_missing(options, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(options) == 0
    assert "skfewaudio[plot]" in capsys.readouterr().err
    assert not (tmp_path / "out" / "curve.png").exists()


def test_network_of_the_suite_is_trained_and_scored(options, tmp_path, monkeypatch):
    build = SUITES["few-data"]["timbre"]
    monkeypatch.setitem(
        SUITES["few-data"],
        "timbre",
        lambda **params: build(**params).set_params(skorchcnn__max_epochs=2),
    )
    assert main([*options[:-3], "--pipelines", "timbre", "--folds", "1", "--mixed-precision"]) == 0
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    assert len(rows) == 4


def test_waveforms_are_resampled():
    clip = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    (found,) = resample([clip], old_rate=22050, new_rate=12000)
    assert len(found) == 12000
    assert np.argmax(np.abs(np.fft.rfft(found))) == 440


@pytest.mark.slow
def test_local_dask_workers_compute_the_same_rows(options, first_run, tmp_path):
    pytest.importorskip("distributed")
    with_dask = [
        *options[:5],
        str(tmp_path / "dask"),
        *options[6:],
        "--scheduler",
        "local",
        "--n-workers",
        "1",
    ]
    assert main(with_dask) == 0
    local, by_dask = (
        pd.read_json(tmp_path / name / "results.jsonl", lines=True)
        .drop(columns=["fit_time", "score_time", "feature_time"])
        .sort_values(["pipeline", "n_shots", "repeat", "fold"], ignore_index=True)
        for name in ("out", "dask")
    )
    pd.testing.assert_frame_equal(local, by_dask)
