"""Segment-based scores."""

import numpy as np
import pandas as pd
import pytest

from skfewaudio.detection import segment_scores


def events(*rows, path="night.wav"):
    return pd.DataFrame([(path, *row) for row in rows], columns=["path", "start", "end", "label"])


def test_a_segment_that_an_event_touches_is_active():
    scores = segment_scores(events((1.9, 3.1, "owl")), events((1.0, 4.0, "owl")))
    assert scores.by_class.loc["owl", ["n_true", "n_found", "n_matched"]].tolist() == [3, 3, 3]


def test_ends_on_a_border_do_not_reach_the_next_segment():
    assert 0.3 / 0.1 < 3
    scores = segment_scores(events((0.1, 0.3, "owl")), events((0.3, 0.4, "owl")), segment_length=0.1)
    assert scores.by_class.loc["owl", ["n_true", "n_found", "n_matched"]].tolist() == [2, 1, 0]


def test_overlapping_events_of_a_label_count_once():
    scores = segment_scores(events((0, 2, "owl"), (1, 3, "owl")), events((0, 3, "owl")))
    assert scores.f_score == 1
    assert scores.by_class.loc["owl", "n_true"] == 3


def test_confusions_are_substitutions_and_the_rest_missed_or_inserted():
    true = events((0, 3, "owl"), (4, 5, "owl"))
    found = events((0, 2, "fox"), (7, 8, "fox"))
    scores = segment_scores(true, found)
    assert (scores.n_substituted, scores.n_missed, scores.n_inserted) == (2, 2, 1)
    assert scores.error_rate == 5 / 4


def test_segments_of_different_recordings_are_different():
    scores = segment_scores(events((0, 1, "owl")), events((0, 1, "owl"), path="day.wav"))
    assert (scores.precision, scores.recall) == (0, 0)


def test_scores_without_any_event_are_undefined():
    scores = segment_scores(events(), events(), labels=["owl"])
    assert np.isnan([scores.precision, scores.recall, scores.f_score, scores.error_rate]).all()


def test_chosen_labels_alone_are_scored():
    true = events((0, 1, "owl"), (0, 1, "fox"))
    frame = segment_scores(true, true, labels=["owl"]).frame()
    assert frame.index.tolist() == ["owl", "all classes"]
    assert frame["n_true"].tolist() == [1, 1]


@pytest.mark.parametrize("length", [0, -1, np.inf, "1"])
def test_invalid_lengths_are_refused(length):
    with pytest.raises(ValueError, match=r"segment_length=.* expected seconds"):
        segment_scores(events(), events(), segment_length=length)
