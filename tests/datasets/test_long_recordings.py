"""The embedded dataset of long recordings."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import soundfile

from skfewaudio.audio import audio_info, load_audio
from skfewaudio.datasets import AudioDataset, load_csv, load_long_recordings, make_long_recordings
from skfewaudio.plugins import DATASETS
from skfewaudio.testing import check_dataset

SMALL = {"n_folds": 2, "duration": 40.0, "events_per_class": (3, 4), "sample_rate": 8000}
RATE = 8000


@pytest.fixture(scope="module")
def made():
    return make_long_recordings(2, **SMALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("long") / "recordings"


@pytest.fixture(scope="module")
def dataset(folder):
    return load_long_recordings(2, **SMALL, folder=folder)


def level(samples):
    """Return the power in dB."""
    return 10 * np.log10(np.mean(np.square(samples, dtype=float)) + 1e-12)


def test_recordings_have_the_given_length_rate_and_peak(made):
    recordings, _, folds = made
    assert folds.tolist() == [1, 2]
    for samples in recordings:
        assert (len(samples), samples.dtype) == (40 * RATE, np.float32)
        assert 0.4 <= np.abs(samples).max() <= 0.95


def test_each_recording_has_the_events_of_each_class(made):
    counts = made[1].groupby(["recording", "label"]).size()
    assert len(counts) == 8
    assert counts.between(3, 4).all()


def test_events_are_apart_and_inside_the_recording(made):
    for _, events in made[1].groupby("recording"):
        gaps = np.r_[events["start"], 40.0] - np.r_[0.0, events["end"]]
        assert gaps.min() >= 0.5 - 2 / RATE
        assert (events["end"] - events["start"]).between(0.02, 2.0).all()


def test_sound_is_louder_in_events_than_between_them():
    recordings, events, _ = make_long_recordings(2, **SMALL, snr_db=(25, 25))
    for number, rows in events.groupby("recording"):
        samples = recordings[int(number)]
        inside = np.zeros(len(samples), dtype=bool)
        after = np.zeros(len(samples), dtype=bool)
        for row in rows.itertuples():
            first, last = round(row.start * RATE), round(row.end * RATE)
            inside[first:last] = True
            after[last : last + RATE] = True
            before = samples[max(0, first - RATE // 4) : first]
            assert level(samples[first : first + RATE // 4]) > level(before)
        assert level(samples[inside]) > level(samples[~inside & ~after]) + 6


def test_same_random_state_yields_identical_recordings(made):
    recordings, events, _ = make_long_recordings(2, **SMALL)
    assert [one.tobytes() for one in recordings] == [one.tobytes() for one in made[0]]
    pd.testing.assert_frame_equal(events, made[1])


def test_other_random_state_yields_other_recordings(made):
    recordings, events, _ = make_long_recordings(2, **SMALL, random_state=1)
    assert not np.array_equal(recordings[0], made[0][0])
    assert events["start"].tolist() != made[1]["start"].tolist()


def test_fewer_recordings_are_the_first_of_more(made):
    recordings, events, _ = make_long_recordings(3, **SMALL)
    np.testing.assert_array_equal(recordings[1], made[0][1])
    pd.testing.assert_frame_equal(events[events["recording"] < 2], made[1])


def test_recordings_of_background_have_no_events():
    recordings, events, _ = make_long_recordings(2, **{**SMALL, "events_per_class": (0, 0)})
    assert events.empty
    assert all(level(samples) > -40 for samples in recordings)


def test_dataset_equals_the_made_recordings(dataset, made):
    recordings, events, _ = made
    assert [clip[1:] for clip in dataset.X] == list(zip(events["start"], events["end"], strict=True))
    assert dataset.y.tolist() == events["label"].tolist()
    assert dataset.folds.tolist() == (events["recording"] + 1).tolist()
    for path, samples in zip(dict.fromkeys(dataset.paths), recordings, strict=True):
        read = load_audio(path, sample_rate=None)
        np.testing.assert_allclose(read, samples, atol=1 / 32768)


def test_dataset_passes_the_checks_of_datasets(dataset, folder):
    check_dataset(load_long_recordings, n_recordings=2, **SMALL, folder=folder)
    assert isinstance(dataset, AudioDataset)
    assert len(np.unique(dataset.groups)) == 2
    assert audio_info(dataset.paths[0]).sample_rate == RATE


def test_table_beside_the_recordings_can_be_loaded(dataset, folder):
    loaded = load_csv(folder / "annotations.csv")
    assert loaded.y.tolist() == dataset.y.tolist()
    assert loaded.X == dataset.X


def test_recordings_are_made_once(dataset, folder):
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = load_long_recordings(2, **SMALL, folder=folder)
    assert again.X == dataset.X
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_an_incomplete_folder_is_completed(tmp_path):
    dataset = load_long_recordings(2, **SMALL, folder=tmp_path)
    content = (tmp_path / "recording-1.flac").read_bytes()
    (tmp_path / "annotations.csv").unlink()
    (tmp_path / "recording-1.flac").unlink()
    assert load_long_recordings(2, **SMALL, folder=tmp_path).X == dataset.X
    assert (tmp_path / "recording-1.flac").read_bytes() == content


def test_a_folder_with_other_recordings_is_refused(dataset, folder):
    with pytest.raises(ValueError, match="holds other files, or recordings made with other arguments"):
        load_long_recordings(2, **SMALL, random_state=1, folder=folder)


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("important")
    with pytest.raises(ValueError, match=re.escape(str(tmp_path))):
        load_long_recordings(2, **SMALL, folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_data_home_is_the_default_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_DATA", str(tmp_path))
    options = {**SMALL, "events_per_class": (1, 1)}
    one = load_long_recordings(2, **options)
    other = load_long_recordings(2, **options, random_state=1)
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert len(folders) == 2
    assert all(name.startswith("long_recordings-") for name in folders)
    assert set(one.paths).isdisjoint(other.paths)


def test_recordings_without_events_make_no_dataset(tmp_path):
    with pytest.raises(ValueError, match="holds recordings without events"):
        load_long_recordings(2, **{**SMALL, "events_per_class": (0, 0)}, folder=tmp_path)
    assert soundfile.info(tmp_path / "recording-2.flac").duration == 40


def test_numbers_of_numpy_are_accepted(tmp_path):
    load_long_recordings(np.int64(2), **{**SMALL, "duration": np.float32(40)}, folder=tmp_path)
    assert json.loads((tmp_path / "settings.json").read_text())["n_recordings"] == 2


def test_the_dataset_is_registered():
    assert DATASETS.get("long_recordings") is load_long_recordings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"duration": 10.0}, "do not fit into duration=10; expected at least"),
        ({"duration": 1.0}, "duration must be finite values of at least 5"),
        ({"classes": ["cow"]}, "classes must be some of air_conditioner, .* got .'cow'."),
        ({"classes": "siren"}, "classes must be some of"),
        ({"events_per_class": (2, 1)}, "events_per_class must be two integers"),
        ({"events_per_class": 3}, "events_per_class must be two integers"),
        ({"n_folds": 1}, "n_folds must be an integer of at least 2"),
        ({"n_folds": 3}, "n_recordings must be an integer of at least n_folds=3"),
    ],
)
def test_invalid_arguments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        make_long_recordings(2, **{**SMALL, **change})
