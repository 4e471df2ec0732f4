"""Invalid options, missing data, and selection of pipelines."""

import numpy as np
import pandas as pd
import pytest

from skfewaudio.benchmarking import main
from skfewaudio.benchmarking._options import parse_options
from skfewaudio.benchmarking._suites import SUITES
from skfewaudio.datasets import AudioDataset
from skfewaudio.plugins import DATASETS


def test_few_data_rejects_clips_with_several_labels(options, capsys):
    def load_tags():
        X = np.random.default_rng(0).normal(size=(4, 4000))
        tags, folds = [[1, 0], [0, 1], [1, 1], [0, 0]], [1, 1, 2, 2]
        return AudioDataset(X, tags, name="tags", label_names=["a", "b"], folds=folds, sample_rate=8000)

    DATASETS.register("run-all-tags", load_tags)
    assert main(["--dataset", "run-all-tags", *options[4:]]) == 2
    assert "--suite large-scale" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--dataset", "esc5"], "'esc5' is not in"),
        (["--data-home", "nowhere"], "nowhere"),
        (["--dataset", "esc50", "--data-home", "nowhere"], "nowhere"),
        (["--dataset", "synthetic", "--subset", "esc10"], "takes no"),
        (["--n-shots", "50"], "noise has 4"),
        (["--folds", "9"], "no fold 9"),
        (["--device", "gpu"], "'gpu'"),
    ],
)
def test_invalid_request_is_reported_in_one_line(options, changes, message, capsys):
    assert main([*options, *changes]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("invalid", [["--pipelines", "svm"], ["--suite", "all"], ["--n-repeats", "0"]])
def test_invalid_option_is_a_usage_error(options, invalid):
    with pytest.raises(SystemExit, match="2"):
        main([*options, *invalid])


def test_slow_pipelines_run_only_when_named():
    assert parse_options([]).pipelines == [
        *("random", "mfcc-1nn", "mfcc-prototypes", "few-shot", "random-cnn-ridge"),
        *("prototypical", "vggish-1nn"),
    ]
    assert parse_options(["--pipelines", "all"]).pipelines == list(SUITES["few-data"])


def test_pipeline_without_weights_is_skipped_with_the_reason(options, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    assert main([*options, "vggish-1nn"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert "Skipped: vggish-1nn; no VGGish weights in the cache" in lines[0]
    assert max(map(len, lines[:2])) <= 80
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    assert set(rows["pipeline"]) == {"random", "mfcc-1nn"}


def test_no_runnable_pipeline_is_an_error(options, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    assert main([*options[:-3], "--pipelines", "vggish-1nn"]) == 2
    assert "no pipeline left to run" in capsys.readouterr().err


def test_pipelines_are_selected_by_patterns():
    found = parse_options(["--suite", "random-cnn", "--pipelines", "7x8?-160+[es]*"]).pipelines
    assert found == ["7x86-160+svm", "7x86-160+elm"]
