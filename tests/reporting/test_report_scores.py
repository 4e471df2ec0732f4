import numpy as np
import pandas as pd
import pytest

from skfewaudio.reporting._report.charts import curve_chart
from skfewaudio.reporting._report.scores import MetricScores, headline, score_table, summary_sentences
from skfewaudio.reporting._report.sections import time_table
from skfewaudio.reporting._report.table import duration, listing, to_table


def make_scores(values, *, metric="accuracy", n_classes=4):
    """Make scores from `values`: pipeline -> n_shots -> one value per repeat."""
    rows = [
        (pipeline, n, repeat, 0, metric, value, n * n_classes)
        for pipeline, by_shots in values.items()
        for n, repeats in by_shots.items()
        for repeat, value in enumerate(repeats)
    ]
    columns = ["pipeline", "n_shots", "repeat", "fold", "metric", "value", "n_train"]
    return MetricScores.from_results(pd.DataFrame(rows, columns=columns), metric)


# b is above a by about 0.02 in every draw, although the draws differ by far more.
PAIRED = {"a": {5: [0.30, 0.50, 0.70]}, "b": {5: [0.32, 0.521, 0.72]}}
TIED = {"a": {5: [0.30, 0.50, 0.70]}, "b": {5: [0.32, 0.47, 0.73]}}


def test_comparison_is_paired_over_draws():
    assert make_scores(PAIRED).tied_with_best(5) == []


def test_pipeline_not_distinguishable_from_the_best_is_tied():
    assert make_scores(TIED).tied_with_best(5) == ["a"]


def test_gap_has_the_interval_of_paired_differences():
    gap = make_scores(TIED).gap(("b", 5), ("a", 5))
    differences = np.array([0.02, -0.03, 0.03])
    # Student's t for two degrees of freedom: 4.3027.
    assert gap.mean == pytest.approx(differences.mean())
    assert gap.half_width == pytest.approx(4.3027 * differences.std(ddof=1) / np.sqrt(3), rel=1e-4)


def test_gap_uses_the_draws_available_for_both():
    assert make_scores({"a": {5: [0.5, 0.5]}, "b": {5: [0.6, 0.6, 0.0]}}).gap(("b", 5), ("a", 5)).mean == (
        pytest.approx(0.1)
    )


def test_one_draw_marks_no_ties():
    scores = make_scores({"a": {5: [0.50]}, "b": {5: [0.51]}})
    assert scores.tied_with_best(5) == []
    assert "one draw of clips does not show how certain this is" in summary_sentences(scores)[0]


def test_table_marks_best_and_tied():
    rows = score_table(make_scores(TIED)).rows
    assert [row[1].mark for row in rows] == ["tied", "best"]


def test_missing_cell_is_a_dash():
    scores = make_scores({"a": {1: [0.4, 0.5], 5: [0.6, 0.7]}, "b": {5: [0.3, 0.4]}})
    assert score_table(scores).rows[1][1].text == "-"


def test_headline_names_the_best_for_the_largest_number_of_clips():
    assert headline(make_scores(PAIRED)) == "b reaches 52.0 % accuracy with 5 labelled clips per class."


def test_columns_with_the_same_best_method_share_a_sentence():
    scores = make_scores(
        {
            "a": {1: [0.4, 0.41, 0.4], 2: [0.5, 0.52, 0.5], 5: [0.6, 0.61, 0.6]},
            "b": {n: [0.3] * 3 for n in (1, 2, 5)},
        }
    )
    assert (
        summary_sentences(scores)[0]
        == "With 1 to 5 labelled clips per class, a is clearly better than every other method."
    )


def test_gain_is_paired():
    scores = make_scores({"a": {1: [0.2, 0.4, 0.3], 5: [0.4, 0.6, 0.5]}})
    assert summary_sentences(scores)[0] == (
        "From 1 to 5 clips per class, a gains 20.0 points (95 % interval 20.0 to 20.0)."
    )


def test_chance_sentence_names_methods_not_above_chance():
    scores = make_scores({"a": {5: [0.8, 0.82]}, "guess": {5: [0.2, 0.3]}})
    assert "Guessing at random scores 25.0 %; guess is not clearly above that." in summary_sentences(scores)


def test_metric_outside_0_to_1_is_not_in_per_cent():
    scores = make_scores({"a": {5: [1.5, 1.7]}}, metric="d_prime")
    assert headline(scores) == "a reaches 1.600 d prime with 5 labelled clips per class."
    assert not any("at random" in sentence for sentence in summary_sentences(scores))


def test_two_draws_give_no_interval():
    scores = make_scores({"a": {5: [0.5, 0.7]}, "b": {5: [0.4, 0.5]}})
    assert score_table(scores).rows[0][1].text == "60.0"
    assert "2 draws of clips do not show how certain this is" in summary_sentences(scores)[0]


def test_bands_stay_inside_the_axes():
    chart = curve_chart(make_scores({"a": {1: [0.0, 0.5, 1.0], 5: [0.5, 0.9, 1.0]}}), 860, 440)
    heights = [float(place.split(",")[1].rstrip("Z")) for place in chart.lines[0].band[1:].split("L")]
    assert min(heights) >= chart.top
    assert max(heights) <= chart.bottom


def test_random_guesses_are_no_method_to_compare():
    scores = make_scores({"a": {5: [0.8, 0.82, 0.8]}, "random": {5: [0.2, 0.3, 0.25]}})
    assert "Guessing at random scores 25.0 %." in summary_sentences(scores)


def test_curves_rise_with_the_scores_within_the_axes():
    chart = curve_chart(make_scores({"a": {1: [0.2, 0.3], 5: [0.9, 0.95]}}), 860, 440)
    low, high = chart.lines[0].points
    assert chart.left < low.x < high.x < chart.right
    assert chart.top < high.y < low.y < chart.bottom


def test_expected_points_follow_the_measured_points():
    expected = pd.DataFrame({"pipeline": ["a"], "n_shots": [20], "mean": [0.9], "low": [0.8], "high": [0.99]})
    line = curve_chart(make_scores({"a": {1: [0.2, 0.3], 5: [0.6, 0.7]}}), 860, 440, expected).lines[0]
    assert [point.expected for point in line.points] == [False, False, True]
    assert line.expected_path


def test_labels_at_the_ends_of_lines_do_not_overlap():
    scores = make_scores({name: {1: [0.5, 0.5], 5: [0.6, 0.6]} for name in "abcdefgh"})
    heights = sorted(line.label_y for line in curve_chart(scores, 860, 440).lines)
    assert np.diff(heights).min() >= 17 - 1e-6
    assert heights[0] > 0


def test_one_number_of_clips_is_drawn_without_a_band():
    line = curve_chart(make_scores({"a": {5: [0.5]}}), 340, 330).lines[0]
    assert (len(line.points), line.band) == (1, "")


def make_times(**columns):
    """Make the rows of two metrics of one fit to 10 clips, scored on 5."""
    row = {"pipeline": "a", "n_shots": 1, "repeat": 0, "fold": 0, "n_train": 10, "n_test": 5}
    times = {"fit_time": 2.0, "score_time": 0.5}
    return pd.DataFrame([row | times | columns | {"metric": metric} for metric in ("accuracy", "f1")])


def texts_of(table):
    return dict(zip(table.heads, [cell.text for cell in table.rows[0]], strict=True))


def test_times_count_a_fit_once_for_several_metrics():
    texts = texts_of(time_table(make_times()))
    assert texts["all fits, without features"] == "2.5 s"
    assert texts["fits"] == "1"


def test_times_without_features_say_so():
    assert texts_of(time_table(make_times()))["training on 1 per class, without features"] == "2 s"


def test_times_of_features_are_added_to_training_and_classifying():
    texts = texts_of(time_table(make_times(feature_time=20.0), n_clips=200))
    assert texts["features of one clip"] == "100 ms"
    assert texts["training on 1 per class, with features"] == "3 s"
    assert texts["classifying one clip, with features"] == "200 ms"


def test_time_of_features_without_the_cache_is_preferred():
    table = time_table(make_times(feature_time=0.0, clip_feature_time=0.3), n_clips=200)
    assert texts_of(table)["features of one clip"] == "300 ms"
    assert "without the feature cache" in table.notes[0]


def test_results_without_times_have_no_time_table():
    assert time_table(pd.DataFrame({"pipeline": ["a"]})) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0042, "4.2 ms"), (12.34, "12.3 s"), (125, "2 min 5 s"), (7260, "2 h 1 min")]
)
def test_durations_have_a_suitable_unit(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("names", "text"), [([], ""), (["a"], "a"), (["a", "b", "c"], "a, b and c")])
def test_listing_joins_names_as_in_a_sentence(names, text):
    assert listing(names) == text


def test_omitted_rows_of_a_table_are_counted():
    table = to_table(list("abc"), "letters", column="letter", limit=2)
    assert [[cell.text for cell in row] for row in table.rows] == [["1", "a"], ["2", "b"]]
    assert table.notes == ["1 more rows are left out."]
