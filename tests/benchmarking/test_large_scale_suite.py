"""Suite large-scale: networks for multi-label tagging."""

import pandas as pd
import pytest

from skfewaudio.benchmarking import main
from skfewaudio.benchmarking._large_scale import scores, studies


@pytest.fixture
def quick_networks(monkeypatch):
    """Replace all networks of the suite by fully connected ones, trained for two epochs; return options."""
    monkeypatch.setattr(scores, "N_EPOCHS", 2)
    for name, study in studies.STUDIES.items():
        training, source = study.training, study.training.source
        training = training._replace(
            architecture="fully_connected", source=source and source._replace(architecture="fully_connected")
        )
        monkeypatch.setitem(studies.STUDIES, name, study._replace(training=training))
    return ["--suite", "large-scale", "--scale", "0.005", "--n-jobs", "1", "--device", "cpu"]


@pytest.mark.slow
def test_scores_are_printed_in_the_tables_of_the_paper(quick_networks, tmp_path, capsys):
    wanted = ["architectures/fully*", "labels/20", "labels/20-bottleneck", "clips/5", "events/[lr]*"]
    request = [*quick_networks, "--output", str(tmp_path), "--pipelines", *wanted]
    with pytest.warns(UserWarning, match="do not sound in every fold"):
        assert main(request) == 0
    rows = pd.read_json(tmp_path / "results.jsonl", lines=True)
    assert len(rows) == 6 * 3  # one fold, one seed, three metrics
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


def test_network_shared_by_several_studies_is_trained_once(quick_networks, tmp_path):
    wanted = ["--pipelines", "architectures/alexnet", "labels/all", "clips/100"]
    with pytest.warns(UserWarning, match="do not sound in every fold"):
        main([*quick_networks, "--output", str(tmp_path), *wanted])
    rows = pd.read_json(tmp_path / "results.jsonl", lines=True)
    assert rows["fit_time"].nunique() == 1
    found = rows.pivot_table(index="pipeline", columns="metric", values="value")
    assert found.loc["architectures/alexnet"].equals(found.loc["clips/100"])
    assert not found.loc["architectures/alexnet"].equals(found.loc["labels/all"])  # fewer labels are scored


def test_classes_are_treated_as_one_label_per_clip(quick_networks, options, tmp_path):
    request = [*options[:4], *quick_networks, "--scale", "1", "--pipelines", "architectures/fully*"]
    assert main([*request, "--output", str(tmp_path / "out")]) == 0
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    assert set(rows["n_labels"]) == {2}


@pytest.mark.parametrize("scale", ["0", "2"])
def test_scale_out_of_range_is_a_usage_error(quick_networks, scale):
    with pytest.raises(SystemExit, match="2"):
        main([*quick_networks, "--scale", scale])
