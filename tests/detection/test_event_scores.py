"""Event-based scores: matching, conditions, rates and invalid tables."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from skfewaudio.datasets import AudioDataset
from skfewaudio.detection import event_scores

HOUR = 3600.0


def events(*rows, label="owl", path="night.wav"):
    """Return a table of (start, end) or (start, end, label)."""
    return pd.DataFrame(
        [{"path": path, "start": row[0], "end": row[1], "label": (*row, label)[2]} for row in rows],
        columns=["path", "start", "end", "label"],
    )


def test_equal_events_score_one():
    true = events((1, 2), (3, 5), (7, 9, "fox"))
    scores = event_scores(true, true)
    assert (scores.precision, scores.recall, scores.f_score, scores.macro_f_score) == (1, 1, 1, 1)


@pytest.mark.parametrize(("end", "n_matched"), [(1.31, 1), (1.30, 1), (1.29, 0)])
def test_overlap_is_intersection_over_union(end, n_matched):
    scores = event_scores(events((1, 2)), events((1, end)), min_overlap=0.3)
    assert scores.n_matched == n_matched


def test_another_label_does_not_match():
    scores = event_scores(events((1, 2)), events((1, 2, "fox")))
    assert scores.by_class["n_matched"].tolist() == [0, 0]
    assert scores.by_class.loc["fox", ["n_true", "n_found", "precision"]].tolist() == [0, 1, 0]


def test_another_recording_does_not_match():
    found = pd.concat([events((1, 2), path="day.wav"), events((5, 6))])
    assert event_scores(events((1, 2)), found).n_matched == 0


def test_an_event_is_matched_once():
    scores = event_scores(events((0, 10)), events((0, 5), (5, 10)))
    assert (scores.n_matched, scores.precision, scores.recall) == (1, 0.5, 1)


def test_matching_is_the_largest_not_the_first():
    # The first found event overlaps both annotated events best, and must be left to the second of them.
    true, found = events((0, 10), (4, 14)), events((3, 12), (0, 7))
    assert event_scores(true, found).n_matched == 2
    assert event_scores(true, found).matches.tolist() == [[0, 1], [1, 0]]


def largest_matching(allowed):
    """Try all assignments of rows to columns."""
    small, large = allowed if len(allowed) <= len(allowed.T) else allowed.T, max(allowed.shape)
    return max(
        sum(small[i, j] for i, j in enumerate(chosen)) for chosen in permutations(range(large), len(small))
    )


def test_number_of_matches_equals_that_of_all_assignments():
    rng = np.random.default_rng(0)
    for _ in range(20):
        spans = [np.sort(rng.uniform(0, 12, (n_events, 2)), axis=1) for n_events in rng.integers(1, 6, 2)]
        shared = np.minimum(spans[0][:, None, 1], spans[1][:, 1]) - np.maximum(
            spans[0][:, None, 0], spans[1][:, 0]
        )
        lengths = [np.diff(span, axis=1).ravel() for span in spans]
        union = lengths[0][:, None] + lengths[1] - np.maximum(shared, 0)
        allowed = np.maximum(shared, 0) / union >= 0.3
        scores = event_scores(*(events(*map(tuple, span)) for span in spans))
        assert scores.n_matched == largest_matching(allowed)


def test_matches_are_positions_in_both_tables():
    true, found = events((5, 6), (1, 2)), events((1, 2), (20, 21), (5, 6))
    found.index = [7, 7, 9]
    assert event_scores(true, found).matches.tolist() == [[0, 2], [1, 0]]


def test_matches_are_positions_also_with_chosen_labels():
    true = events((1, 2, "fox"), (5, 6))
    scores = event_scores(true, true, labels=["owl"])
    assert scores.matches.tolist() == [[1, 1]]


def test_tolerances_replace_the_overlap():
    true, found = events((1, 2)), events((1.2, 9))
    assert event_scores(true, found, min_overlap=None, onset_tolerance=0.2).n_matched == 1
    assert event_scores(true, found, min_overlap=None, onset_tolerance=0.19).n_matched == 0
    ends = {"min_overlap": None, "onset_tolerance": 0.2, "offset_tolerance": 1.0}
    assert event_scores(true, found, **ends).n_matched == 0
    assert event_scores(true, events((1.2, 3.0)), **ends).n_matched == 1


def test_share_of_the_length_widens_the_tolerance_of_ends():
    options = {"min_overlap": None, "onset_tolerance": 0.2, "offset_tolerance": 0.2}
    true, found = events((0, 10)), events((0, 14))
    assert event_scores(true, found, **options).n_matched == 0
    assert event_scores(true, found, **options, offset_share=0.5).n_matched == 1


def test_all_conditions_hold_together():
    true, found = events((1, 2)), events((1.1, 1.2))
    assert event_scores(true, found, min_overlap=0.3, onset_tolerance=0.2).n_matched == 0


def test_rounding_errors_do_not_decide():
    assert 4.2 - 4.0 > 0.2
    scores = event_scores(events((4.0, 5)), events((4.2, 5)), min_overlap=None, onset_tolerance=0.2)
    assert scores.n_matched == 1


def test_false_alarms_are_counted_per_hour_of_all_recordings():
    found = events((1, 2), (5, 6), (8, 9, "fox"))
    durations = {"night.wav": HOUR, "silent.wav": HOUR}
    scores = event_scores(events((1, 2)), found, durations=durations)
    assert scores.false_alarms_per_hour == 1.0
    assert scores.by_class["false_alarms_per_hour"].to_dict() == {"fox": 0.5, "owl": 0.5}
    assert event_scores(events((1, 2)), found, durations=2 * HOUR).false_alarms_per_hour == 1.0


def test_false_alarms_per_hour_are_undefined_without_durations():
    assert np.isnan(event_scores(events((1, 2)), events((1, 2))).false_alarms_per_hour)


def test_background_alone_has_false_alarms_only():
    scores = event_scores(events(), events((1, 2)), durations=HOUR)
    assert np.isnan(scores.recall)
    assert (scores.precision, scores.f_score, scores.false_alarms_per_hour) == (0, 0, 1)


def test_nothing_found_has_no_precision_and_no_f_score():
    scores = event_scores(events((1, 2)), events(), durations=HOUR)
    assert np.isnan(scores.precision)
    assert (scores.recall, scores.f_score, scores.false_alarms_per_hour) == (0, 0, 0)


def test_nothing_annotated_and_nothing_found_is_undefined():
    scores = event_scores(events(), events(), labels=["owl"], durations=HOUR)
    assert np.isnan([scores.precision, scores.recall, scores.f_score, scores.macro_f_score]).all()
    assert scores.false_alarms_per_hour == 0


def test_last_row_of_the_frame_has_the_sums():
    frame = event_scores(events((1, 2), (3, 4, "fox")), events((1, 2))).frame()
    assert frame.index.tolist() == ["fox", "owl", "all classes"]
    assert frame.loc["all classes", ["n_true", "n_found", "n_matched"]].tolist() == [2, 1, 1]
    assert frame.loc["all classes", "recall"] == 0.5


def test_a_dataset_of_parts_is_scored_as_a_table():
    dataset = AudioDataset([("a.wav", 1.0, 2.0), ("a.wav", 4.0, 5.0)], ["owl", "fox"], name="a")
    scores = event_scores(dataset, events((1, 2), path="a.wav"))
    assert (scores.n_true, scores.n_matched) == (2, 1)


def test_tables_of_different_recordings_warn():
    with pytest.warns(
        UserWarning, match="no recording in common: the first are 'night.wav' and '/a/night.wav'"
    ):
        event_scores(events((1, 2)), events((1, 2), path="/a/night.wav"))


def test_many_events_are_matched_in_seconds():
    start = np.arange(100_000) * 1.5
    table = pd.DataFrame({"path": "a.wav", "start": start, "end": start + 1, "label": "owl"})
    moved = table.assign(start=start + 0.2, end=start + 1.2).sample(frac=1.0, random_state=0)
    assert event_scores(table, moved).f_score == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"end": 1.0}, "row 0 of found holds 1.0; expected an end after the start"),
        ({"start": -1.0}, "row 0 of found holds -1.0; expected seconds, a number of at least 0"),
        ({"start": np.nan}, "row 0 of found holds nan; expected seconds"),
        ({"end": "late"}, "row 0 of found holds 'late'; expected seconds"),
        ({"end": np.inf}, "row 0 of found holds inf; expected seconds"),
        ({"label": None}, "row 0 of found holds None; expected a value in the column label"),
    ],
)
def test_invalid_rows_are_named(change, message):
    table = events((1, 2)).astype(object).assign(**change)
    with pytest.raises(ValueError, match=message):
        event_scores(events((1, 2)), table)


def test_missing_columns_are_named():
    with pytest.raises(ValueError, match="true lacks the columns end, label"):
        event_scores(events((1, 2))[["path", "start"]], events((1, 2)))


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="found is list; expected a DataFrame"):
        event_scores(events((1, 2)), [(1, 2)])


def test_a_dataset_of_whole_clips_is_refused():
    with pytest.raises(ValueError, match="true is a dataset of whole clips"):
        event_scores(AudioDataset(["a.wav"], ["owl"], name="a"), events((1, 2)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_overlap": None}, "min_overlap and onset_tolerance are None"),
        ({"min_overlap": 0}, "min_overlap=0; expected a number above 0"),
        ({"min_overlap": 1.1}, "min_overlap=1.1; expected"),
        ({"onset_tolerance": -1}, "onset_tolerance=-1; expected a number of at least 0"),
        ({"offset_share": 0.5}, "offset_share=0.5 needs offset_tolerance"),
        ({"durations": 0}, "durations is 0; expected seconds"),
        ({"durations": {"day.wav": 1.0}}, "durations lacks the recording night.wav"),
        ({"durations": {"night.wav": -2}}, "the duration of night.wav is -2; expected"),
    ],
)
def test_invalid_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        event_scores(events((1, 2)), events((1, 2)), **options)
