"""Background between annotated events."""

import numpy as np
import pytest
import soundfile

from skfewaudio.datasets import AudioDataset
from skfewaudio.detection import annotated_clips

RATE = 8000


@pytest.fixture
def path(tmp_path):
    name = str(tmp_path / "night.wav")
    soundfile.write(name, np.zeros(20 * RATE), RATE)
    return name


def background_of(dataset, **params):
    clips = annotated_clips(dataset, **params)
    return [
        (start, end) for (_, start, end), label in zip(clips.X, clips.y, strict=True) if label == "background"
    ]


def test_background_lies_between_events_with_a_margin(path):
    events = AudioDataset([(path, 4.0, 5.0), (path, 12.0, 13.0)], ["owl", "fox"], "night")
    assert background_of(events) == [(0.0, 3.75), (5.25, 11.75), (13.25, 20.0)]


def test_long_gaps_are_split_into_equal_parts(path):
    events = AudioDataset([(path, 0.0, 1.0)], ["owl"], "night")
    parts = background_of(events, max_duration=5.0, margin=0.0)
    np.testing.assert_allclose(parts, [(1, 5.75), (5.75, 10.5), (10.5, 15.25), (15.25, 20)])


def test_overlapping_events_and_events_at_the_edges_leave_no_gap(path):
    events = AudioDataset(
        [(path, 0.0, 6.0), (path, 2.0, 3.0), (path, 5.0, 19.9)], ["owl", "fox", "owl"], "night"
    )
    assert background_of(events) == []


def test_event_to_the_end_of_the_file_leaves_only_the_start(path):
    assert background_of(AudioDataset([(path, 2.0, None)], ["owl"], "night")) == [(0.0, 1.75)]


def test_event_beyond_the_end_is_an_error_that_names_the_file(path):
    events = AudioDataset([(path, 4.0, 25.0)], ["owl"], "night")
    with pytest.raises(ValueError, match=r"night\.wav: an event ends at 25 s, and the recording at 20\.00 s"):
        annotated_clips(events)


def test_groups_of_the_background_are_those_of_its_recording(path, tmp_path):
    other = str(tmp_path / "day.wav")
    soundfile.write(other, np.zeros(5 * RATE), RATE)
    events = AudioDataset(
        [(path, 4.0, 5.0), (other, 1.0, 2.0)], ["owl", "fox"], "both", groups=np.array(["a", "b"])
    )
    clips = annotated_clips(events)
    by_path = {clip[0]: group for clip, group in zip(clips.X, clips.groups, strict=True)}
    assert by_path == {path: "a", other: "b"}
    assert len(set(zip([clip[0] for clip in clips.X], clips.groups, strict=True))) == 2


def test_no_background_on_request(path):
    events = AudioDataset([(path, 4.0, 5.0)], ["owl"], "night")
    assert len(annotated_clips(events, background=None)) == 1


def test_background_far_longer_than_the_events_is_drawn_at_random(tmp_path):
    name = str(tmp_path / "long.wav")
    soundfile.write(name, np.zeros(1000 * 1000), 1000)
    events = AudioDataset([(name, 4.0, 5.0)], ["owl"], "night")
    first, again, other = (background_of(events, random_state=seed) for seed in (0, 0, 1))
    total = sum(end - start for start, end in first)
    assert first == again != other
    assert 110 < total < 140


def test_dataset_of_whole_files_is_an_error(path):
    with pytest.raises(ValueError, match="no parts of recordings"):
        annotated_clips(AudioDataset([path], ["owl"], "night"))
