"""Learning curves in events."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import soundfile
from joblib import parallel_config
from sklearn.base import BaseEstimator

from skfewaudio.datasets import AudioDataset
from skfewaudio.detection import TemplateMatching, few_shot_detection_curve
from skfewaudio.exceptions import AudioLoadError
from skfewaudio.reporting import FewShotCurveDisplay

RATE = 8000
CALLS: list[tuple] = []


class Oracle(BaseEstimator):
    """Detector that finds the given events, and notes what it is trained on and searches."""

    def __init__(self, events=None):
        self.events = events

    def fit(self, X, y):
        self.clips_ = list(zip(X, y, strict=True))
        return self

    def detect(self, recording):
        CALLS.append((self.clips_, recording))
        path = recording[0]
        return self.events[self.events["path"] == path].assign(probability=0.9)


@pytest.fixture(autouse=True)
def calls():
    CALLS.clear()
    return CALLS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("recordings")
    for name in ("a.wav", "b.wav"):
        soundfile.write(root / name, np.random.default_rng(0).normal(scale=0.1, size=60 * RATE), RATE)
    return root


@pytest.fixture
def events(folder):
    """Owls at 0, 10, ..., 50 s and foxes at 5, 15, ..., 55 s, each a second long."""
    rows = [
        (str(folder / name), start + shift, start + shift + 1.0, label)
        for name in ("a.wav", "b.wav")
        for start in range(0, 60, 10)
        for shift, label in ((0.0, "owl"), (5.0, "fox"))
    ]
    return pd.DataFrame(rows, columns=["path", "start", "end", "label"])


def score(curve, metric="f_score"):
    return curve[curve["metric"] == metric].set_index(["pipeline", "n_shots", "fold"])["value"]


def test_all_events_found_score_one(events):
    curve = few_shot_detection_curve(Oracle(events), events, n_shots=[1, 2])
    assert score(curve).tolist() == [1.0] * 4
    assert score(curve, "false_alarms_per_hour").tolist() == [0.0] * 4
    assert curve["pipeline"].unique().tolist() == ["Oracle"]


def test_first_events_of_each_class_are_the_shots(events, calls, folder):
    few_shot_detection_curve(Oracle(events), events, n_shots=[2], background=None)
    path = str(folder / "a.wav")
    assert calls[0][0] == [
        ((path, 0.0, 1.0), "owl"),
        ((path, 5.0, 6.0), "fox"),
        ((path, 10.0, 11.0), "owl"),
        ((path, 15.0, 16.0), "fox"),
    ]


def test_the_rest_after_the_last_shot_is_searched_and_scored(events, calls, folder):
    curve = few_shot_detection_curve(Oracle(events), events, n_shots=[2])
    assert [call[1] for call in calls] == [(str(folder / name), 16.0, None) for name in ("a.wav", "b.wav")]
    assert curve["n_true"].unique().tolist() == [8]
    assert curve["n_found"].unique().tolist() == [8]
    assert curve["seconds"].unique() == pytest.approx(44.0)


def test_the_same_part_is_searched_for_all_numbers_of_shots(events, calls):
    curve = few_shot_detection_curve(Oracle(events), events, n_shots=[1, 3])
    assert {call[1][1] for call in calls} == {26.0}
    assert curve["n_true"].unique().tolist() == [6]
    assert [len(clips) for clips, _ in calls[:4:2]] < [len(clips) for clips, _ in calls[2:4]]


def test_background_lies_between_the_events_before_the_last_shot(events, calls):
    few_shot_detection_curve(Oracle(events), events, n_shots=[1])
    background = [clip[1:] for clip, label in calls[0][0] if label == "background"]
    assert background == [(1.25, 4.75)]


def test_long_background_is_cut(events, calls):
    later = events[events["start"] >= 30]
    few_shot_detection_curve(Oracle(events), later, n_shots=[1], background="noise")
    parts = [clip[1:] for clip, label in calls[0][0] if label == "noise"]
    edges = np.linspace(0, 29.75, 4)
    np.testing.assert_allclose(parts, [*pairwise(edges), (31.25, 34.75)])


def test_events_of_other_classes_are_no_background(events, calls, folder):
    rare = pd.DataFrame([{"path": str(folder / "a.wav"), "start": 2.0, "end": 3.0, "label": "cow"}])
    with pytest.warns(UserWarning, match=r"1 classes have no more than 1 events .* cow \(1\) in .*a.wav"):
        curve = few_shot_detection_curve(Oracle(events), pd.concat([events, rare]), n_shots=[1])
    assert [clip[1:] for clip, label in calls[0][0] if label == "background"] == [(1.25, 1.75), (3.25, 4.75)]
    assert score(curve).tolist() == [1.0, 1.0]


def test_missed_and_false_events_count(events, folder):
    found = events.drop(index=[2, 3, 4, 5, 6])
    false = pd.DataFrame([{"path": str(folder / "a.wav"), "start": 58.0, "end": 59.0, "label": "owl"}])
    curve = few_shot_detection_curve(Oracle(pd.concat([found, false])), events, n_shots=[1])
    assert score(curve, "recall").tolist() == [0.5, 1.0]
    assert score(curve, "precision").tolist() == [pytest.approx(5 / 6), 1.0]
    assert score(curve, "false_alarms_per_hour").iloc[0] == pytest.approx(3600 / 54)


def test_options_of_the_scores_are_used(events):
    late = events.assign(start=events["start"] + 0.5)
    curve = few_shot_detection_curve(Oracle(late), events, n_shots=[1], min_overlap=0.6)
    assert score(curve).tolist() == [0.0, 0.0]


def test_a_dataset_of_parts_is_accepted(events):
    clips = list(zip(events["path"], events["start"], events["end"], strict=True))
    dataset = AudioDataset(clips, events["label"], name="night")
    curve = few_shot_detection_curve(Oracle(events), dataset, n_shots=[1])
    assert score(curve).tolist() == [1.0, 1.0]


def test_detectors_have_names_and_the_curve_can_be_drawn(events):
    curve = few_shot_detection_curve(
        {"all": Oracle(events), "none": Oracle(events.head(0))}, events, n_shots=[1, 2]
    )
    display = FewShotCurveDisplay.from_results(curve, metric="f_score")
    assert display.frame().groupby("pipeline", sort=False)["mean"].mean().to_dict() == {"all": 1, "none": 0}
    with pytest.raises(ValueError, match="detectors must have different names"):
        few_shot_detection_curve([("a", Oracle(events)), ("a", Oracle(events))], events)


def test_parallel_searches_give_the_same_rows(events):
    times = ["fit_time", "detect_time"]
    with parallel_config(backend="threading"):
        one, two = (
            few_shot_detection_curve(TemplateMatching(), events, n_shots=[1], n_jobs=n_jobs).drop(
                columns=times
            )
            for n_jobs in (None, 2)
        )
    pd.testing.assert_frame_equal(one, two)


def test_too_few_events_are_named(events):
    with pytest.raises(ValueError, match=r"n_shots=6 needs more than 6 events .* there are owl \(6\) in "):
        few_shot_detection_curve(Oracle(events), events, n_shots=[6])


def test_missing_recordings_are_named(events):
    with pytest.raises(AudioLoadError, match=r"gone\.wav"):
        few_shot_detection_curve(Oracle(events), events.assign(path="gone.wav"), n_shots=[1])


def test_events_after_the_end_of_the_recording_are_refused(events):
    events.loc[11, "end"] = 61.0
    with pytest.raises(ValueError, match=r"a.wav: an event ends at 61 s, and the recording at 60.00 s"):
        few_shot_detection_curve(Oracle(events), events, n_shots=[1])


def test_shots_that_reach_to_the_end_are_refused(events):
    events.loc[0, "end"] = 60.0
    with pytest.raises(ValueError, match=r"a.wav: the last of the first events ends at 60 s"):
        few_shot_detection_curve(Oracle(events), events, n_shots=[1])
