"""The suite of large networks."""

import pandas as pd
import pytest

from skfewaudio.benchmarking import main
from skfewaudio.benchmarking._large_scale import scores as _tagging_scores
from skfewaudio.benchmarking._large_scale import studies as _large_scale


@pytest.fixture
def quick_networks(monkeypatch):
    """Let fully connected networks stand for the others of the suite large-scale, for two epochs."""
    monkeypatch.setattr(_tagging_scores, "N_EPOCHS", 2)
    for name, study in _large_scale.STUDIES.items():
        training, source = study.training, study.training.source
        training = training._replace(
            architecture="fully_connected", source=source and source._replace(architecture="fully_connected")
        )
        monkeypatch.setitem(_large_scale.STUDIES, name, study._replace(training=training))
    return ["--suite", "large-scale", "--scale", "0.005", "--n-jobs", "1", "--device", "cpu"]


def test_large_networks_are_laid_out_in_the_tables_of_the_paper(quick_networks, tmp_path, capsys):
    wanted = ["architectures/fully*", "labels/20", "labels/20-bottleneck", "clips/5", "events/[lr]*"]
    request = [*quick_networks, "--output", str(tmp_path), "--pipelines", *wanted]
    with pytest.warns(UserWarning, match="do not sound in every fold"):
        assert main(request) == 0
    rows = pd.read_json(tmp_path / "results.jsonl", lines=True)
    assert len(rows) == 6 * 3  # a fold, a seed, three scores
    assert rows["value"].between(-5, 5).all()
    out = capsys.readouterr().out
    for heads in (
        ["Architecture", "Parameters", "Steps", "Time", "AUC", "d-prime", "mAP"],
        ["Bneck.", "Labels", "AUC", "d-prime", "mAP"],
        ["Clips", "AUC", "d-prime", "mAP"],
        ["Input", "AUC", "d-prime", "mAP"],
    ):
        assert heads in [line.split() for line in out.splitlines()]
    assert max(map(len, out[: out.index("Written")].splitlines())) <= 80


def test_a_network_that_several_rows_share_is_trained_once(quick_networks, tmp_path):
    wanted = ["--pipelines", "architectures/alexnet", "labels/all", "clips/100"]
    with pytest.warns(UserWarning, match="do not sound in every fold"):
        main([*quick_networks, "--output", str(tmp_path), *wanted])
    rows = pd.read_json(tmp_path / "results.jsonl", lines=True)
    assert rows["fit_time"].nunique() == 1
    found = rows.pivot_table(index="pipeline", columns="metric", values="value")
    assert found.loc["architectures/alexnet"].equals(found.loc["clips/100"])
    assert not found.loc["architectures/alexnet"].equals(found.loc["labels/all"])  # fewer labels count


def test_classes_are_tagged_as_one_label_a_clip(quick_networks, options, tmp_path):
    request = [*options[:4], *quick_networks, "--scale", "1", "--pipelines", "architectures/fully*"]
    assert main([*request, "--output", str(tmp_path / "out")]) == 0
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    assert set(rows["n_labels"]) == {2}


@pytest.mark.parametrize("scale", ["0", "2"])
def test_impossible_scale_is_a_usage_error(quick_networks, scale):
    with pytest.raises(SystemExit, match="2"):
        main([*quick_networks, "--scale", scale])
