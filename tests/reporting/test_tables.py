import numpy as np
import pandas as pd
import pytest

from skfewaudio.reporting import accuracy_table, summarize


def make_results(values, *, pipelines=("b", "a"), n_shots=(1, 20)):
    """Make results from `values` of shape (n_repeats, n_folds), equal for all pipelines and shots."""
    return pd.DataFrame(
        [
            (p, n, r, f, "accuracy", value)
            for p in pipelines
            for n in n_shots
            for r, row in enumerate(values)
            for f, value in enumerate(row)
        ],
        columns=["pipeline", "n_shots", "repeat", "fold", "metric", "value"],
    )


def test_interval_is_over_repeats_of_means_over_folds():
    row = summarize(make_results([[0.2, 0.4], [0.4, 0.6], [0.6, 0.8]])).iloc[0]
    # Means 0.3, 0.5, 0.7; Student's t for two degrees of freedom: 4.3027.
    assert row["mean"] == pytest.approx(0.5)
    assert row["half_width"] == pytest.approx(4.3027 * 0.2 / np.sqrt(3), rel=1e-4)
    assert row["n_repeats"] == 3


@pytest.mark.parametrize("values", [[[0.2, 0.4]], [[0.2, 0.4], [0.3, 0.5]]])
def test_fewer_than_three_repeats_have_no_interval(values):
    assert summarize(make_results(values))["half_width"].isna().all()


def test_pipelines_keep_their_order_and_shots_are_sorted():
    summary = summarize(make_results([[0.5]], n_shots=(20, 1, 5)))
    assert summary["pipeline"].tolist() == ["b"] * 3 + ["a"] * 3
    assert summary["n_shots"].tolist() == [1, 5, 20] * 2


def test_other_metrics_are_ignored():
    results = make_results([[0.5]])
    assert (
        summarize(pd.concat([results, results.assign(metric="f1", value=9)]), metric="f1")["mean"].eq(9).all()
    )


def test_unknown_metric_error_lists_known_metrics():
    with pytest.raises(ValueError, match="no metric 'auc'; they hold: accuracy"):
        summarize(make_results([[0.5]]), metric="auc")


def test_missing_column_is_named():
    with pytest.raises(ValueError, match="repeat"):
        summarize(make_results([[0.5]]).drop(columns="repeat"))


def test_table_is_in_per_cent_with_half_widths():
    table = accuracy_table(make_results([[0.4], [0.41], [0.42]], pipelines=["1-nn"], n_shots=[5]))
    assert table.splitlines()[1].split(maxsplit=1) == ["1-nn", "41.0 ± 2.5"]


def test_table_of_one_repeat_has_only_means():
    assert "±" not in accuracy_table(make_results([[0.5]]))


def test_table_of_the_usual_run_fits_80_columns_in_one_block():
    pipelines = ("random", "mfcc-1nn", "prototypical", "prototypical-paper")
    table = accuracy_table(make_results([[0.4], [0.5], [0.6]], pipelines=pipelines, n_shots=(1, 2, 5, 10)))
    assert max(map(len, table.splitlines())) <= 80
    assert len(table.splitlines()) == 5


def test_wide_table_is_continued_below_with_every_cell_once():
    table = accuracy_table(make_results([[0.5], [0.6], [0.7]], n_shots=range(1, 12)), width=60)
    assert max(map(len, table.splitlines())) <= 60
    assert table.count("±") == 22


def test_missing_cell_is_a_dash():
    results = make_results([[0.5]])
    partial = results[(results["pipeline"] == "b") | (results["n_shots"] == 1)]
    assert accuracy_table(partial).splitlines()[2].split() == ["a", "50.0", "-"]


def test_markdown_has_equal_numbers_of_bars_in_every_line():
    lines = accuracy_table(make_results([[0.5], [0.6]]), style="markdown").splitlines()
    assert {line.count("|") for line in lines} == {4}
    assert len({len(line) for line in lines}) == 1


def test_unknown_style_is_an_error():
    with pytest.raises(ValueError, match="'latex'"):
        accuracy_table(make_results([[0.5]]), style="latex")
