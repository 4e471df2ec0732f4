"""Suite random-cnn: features of untrained networks."""

import pandas as pd
import pytest

from skfewaudio.benchmarking import main
from skfewaudio.benchmarking._suites import SUITES


@pytest.mark.slow
def test_rows_and_table_compare_features_and_classifiers(options, tmp_path, capsys):
    wanted = ["--suite", "random-cnn", "--pipelines", "temporal-8+s*", "mfcc+ridge", "--folds", "1", "3"]
    assert main([*options[:-3], *wanted]) == 0
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    assert set(rows["pipeline"]) == {"temporal-8+svm", "mfcc+ridge"}
    # Two folds and two seeds: two rows each for the study with a grid, one for the study without.
    assert len(rows) == 2 * 2 * 3
    printed = capsys.readouterr()
    assert "hyper-parameters chosen within the training folds" in printed.out
    assert "mfcc+ridge: 4 fits" in printed.err


def test_finished_studies_are_not_scored_again(options, tmp_path):
    request = [*options[:-3], "--suite", "random-cnn", "--pipelines", "mfcc+ridge", "--folds", "1", "3"]
    assert main(request) == 0
    before = (tmp_path / "out" / "results.jsonl").read_text()
    assert main([*request, "--n-repeats", "3"]) == 0
    after = (tmp_path / "out" / "results.jsonl").read_text()
    assert after.startswith(before)
    assert after.count("\n") == before.count("\n") * 3 // 2


def test_network_is_trained_for_comparison_with_random_weights(options, tmp_path, monkeypatch):
    build = SUITES["random-cnn"]["temporal-8+trained"]

    def build_quick(**params):
        study = build(**params)
        return study._replace(classifier=study.classifier.set_params(max_epochs=2))

    monkeypatch.setitem(SUITES["random-cnn"], "temporal-8+trained", build_quick)
    request = ["--suite", "random-cnn", "--pipelines", "temporal-8+trained", "--folds", "1"]
    assert main([*options[:-3], *request]) == 0
    assert len(pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)) == 2
