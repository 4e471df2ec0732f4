"""detect_archive: results of each recording as they come, resumed, with processes and with Dask."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from skfewaudio.audio import load_audio
from skfewaudio.audio.clips import as_file_part
from skfewaudio.datasets import load_annotations
from skfewaudio.detection import _tasks, detect_archive, searches

RATE = 8000
COLUMNS = ["path", "start", "end", "label", "probability"]


def write_beeps(path, starts, seconds=4.0):
    """Write a quiet recording with beeps of 0.5 s that start at given times."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = np.zeros(int(seconds * RATE))
    for start in starts:
        sound[int(start * RATE) : int((start + 0.5) * RATE)] = 0.5
    soundfile.write(path, sound, RATE)


def find_beeps(model, recordings, **options):
    """Stand in for detect_events: find loud stretches, those of a part if they start in it."""
    (recording,) = recordings
    part = as_file_part(recording)
    loud = np.abs(load_audio(part.path, sample_rate=RATE)) > 0.1
    edges = np.flatnonzero(np.diff(loud.astype(int), prepend=0, append=0)) / RATE
    last = np.inf if part.end is None else part.end
    rows = [
        (part.path, float(start), float(end), "beep", 0.9)
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if part.start <= start < last
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture(autouse=True)
def detect_events(monkeypatch):
    """Calls of the search, which needs no model here."""
    calls = []

    def detect(model, recordings, **options):
        calls.append(recordings[0])
        return find_beeps(model, recordings, **options)

    monkeypatch.setattr(_tasks, "detect_events", detect)
    return calls


@pytest.fixture
def recordings(tmp_path):
    """Folder of three recordings, the last one without events."""
    root = tmp_path / "in"
    write_beeps(root / "site1" / "night.wav", [0.5, 2.0])
    write_beeps(root / "site2" / "night.wav", [1.0])
    write_beeps(root / "silence.wav", [])
    return root


def tree(folder):
    """Return the contents of all files in a folder, except the journal."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "progress.jsonl"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_returns_the_events_in_the_order_of_the_recordings(recordings, tmp_path):
    found = detect_archive(None, recordings, tmp_path / "out")
    assert list(found.events) == COLUMNS
    assert found.events["start"].tolist() == [0.5, 2.0, 1.0]
    assert [Path(path).parent.name for path in found.events["path"]] == ["site1", "site1", "site2"]
    assert (found.unreadable, found.n_found_before) == ({}, 0)


def test_each_recording_has_a_file_in_each_format_beside_a_table_of_all(recordings, tmp_path):
    detect_archive(None, recordings, tmp_path / "out", formats=["csv", "audacity", "raven"])
    assert set(tree(tmp_path / "out")) == {
        *(f"csv/{name}.csv" for name in ("site1/night", "site2/night", "silence")),
        *(f"audacity/{name}.txt" for name in ("site1/night", "site2/night", "silence")),
        *(f"raven/{name}.selections.txt" for name in ("site1/night", "site2/night", "silence")),
        "detections.csv",
    }
    night = str(recordings / "site1" / "night.wav")
    assert (tmp_path / "out" / "csv" / "site1" / "night.csv").read_text().splitlines() == [
        "path,start,end,label,probability",
        f"{night},0.5,1.0,beep,0.900000",
        f"{night},2.0,2.5,beep,0.900000",
    ]


@pytest.mark.parametrize("format", ["audacity", "raven", "table"])
def test_files_are_read_as_annotations(recordings, tmp_path, format):
    name = "csv" if format == "table" else format
    found = detect_archive(None, recordings, tmp_path / "out", formats=[name])
    dataset = load_annotations(tmp_path / "out" / name, audio_root=recordings, format=format)
    assert list(dataset.X) == list(found.events[COLUMNS[:3]].itertuples(index=False, name=None))


def test_a_search_of_nothing_but_silence(recordings, tmp_path):
    found = detect_archive(None, [recordings / "silence.wav"], tmp_path / "out")
    assert found.events["start"].dtype.kind == "f"
    assert (tmp_path / "out" / "detections.csv").read_text().splitlines() == [",".join(COLUMNS)]


def test_unreadable_recordings_are_named_and_passed_over(recordings, tmp_path):
    (recordings / "a bad one.wav").write_bytes(b"RIFF")
    (recordings / "b.wav").write_bytes(b"")
    found = detect_archive(None, recordings, tmp_path / "out")
    assert list(found.unreadable) == [str(recordings / name) for name in ("a bad one.wav", "b.wav")]
    assert len(found.events) == 3
    table = pd.read_csv(tmp_path / "out" / "unreadable.csv")
    assert table["path"].tolist() == list(found.unreadable)
    assert table["error"].str.contains("b.wav: is empty").tolist() == [False, True]


def test_unreadable_recordings_are_tried_again(recordings, tmp_path):
    (recordings / "b.wav").write_bytes(b"")
    detect_archive(None, recordings, tmp_path / "out")
    write_beeps(recordings / "b.wav", [3.0])
    found = detect_archive(None, recordings, tmp_path / "out")
    assert (found.unreadable, found.n_found_before) == ({}, 3)
    assert 3.0 in found.events["start"].tolist()
    assert not (tmp_path / "out" / "unreadable.csv").exists()


def test_finished_recordings_are_not_searched_again(recordings, tmp_path, detect_events):
    first = detect_archive(None, recordings, tmp_path / "out")
    before = tree(tmp_path / "out")
    detect_events.clear()
    again = detect_archive(None, recordings, tmp_path / "out")
    assert detect_events == []
    assert again.n_found_before == 3
    pd.testing.assert_frame_equal(again.events, first.events)
    assert tree(tmp_path / "out") == before


def test_changed_recordings_are_searched_again(recordings, tmp_path, detect_events):
    detect_archive(None, recordings, tmp_path / "out")
    write_beeps(recordings / "site2" / "night.wav", [3.0], seconds=5.0)
    detect_events.clear()
    found = detect_archive(None, recordings, tmp_path / "out")
    assert detect_events == [str(recordings / "site2" / "night.wav")]
    assert found.events["start"].tolist() == [0.5, 2.0, 3.0]
    assert b",3.0," in tree(tmp_path / "out")["csv/site2/night.csv"]


def test_added_recordings_and_formats_are_added(recordings, tmp_path, detect_events):
    detect_archive(None, recordings, tmp_path / "out")
    write_beeps(recordings / "site1" / "night.flac", [1.5])
    detect_events.clear()
    detect_archive(None, recordings, tmp_path / "out", formats=["csv", "audacity"])
    assert detect_events == [str(recordings / "site1" / "night.flac")]
    names = set(tree(tmp_path / "out"))
    assert {"audacity/site2/night.txt", "csv/site1/night.csv", "csv/site1/night.flac.csv"} <= names


@pytest.mark.parametrize("n_done", [0, 1, 2])
def test_an_error_keeps_what_is_done_and_the_same_call_resumes(recordings, tmp_path, monkeypatch, n_done):
    expected = detect_archive(None, recordings, tmp_path / "whole")
    calls = []

    def fail_later(model, recordings, **options):
        calls.append(recordings)
        if len(calls) > n_done:
            raise KeyboardInterrupt
        return find_beeps(model, recordings)

    monkeypatch.setattr(_tasks, "detect_events", fail_later)
    with pytest.raises(KeyboardInterrupt):
        detect_archive(None, recordings, tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "out" / "detections.csv")["path"].unique()) <= n_done
    monkeypatch.setattr(_tasks, "detect_events", find_beeps)
    found = detect_archive(None, recordings, tmp_path / "out")
    assert found.n_found_before == n_done
    pd.testing.assert_frame_equal(found.events, expected.events)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_incomplete_last_line_is_searched_again(recordings, tmp_path):
    whole = detect_archive(None, recordings, tmp_path / "out")
    journal = tmp_path / "out" / "progress.jsonl"
    journal.write_bytes(journal.read_bytes()[:-10])
    found = detect_archive(None, recordings, tmp_path / "out")
    assert found.n_found_before == 2
    pd.testing.assert_frame_equal(found.events, whole.events)
    assert len(journal.read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0.8}, "threshold was null and is 0.8"),
        ({"labels": ["owl"], "min_duration": 1.0}, "min_duration was null and is 1.0; labels was null and"),
        ({"model_digest": "b" * 64}, "model was aaaaaaaaaaaa... and is bbbbbbbbbbbb"),
    ],
)
def test_another_search_is_refused_and_its_differences_are_named(recordings, tmp_path, options, message):
    first = {"model_digest": "a" * 64}
    detect_archive(None, recordings, tmp_path / "out", **first)
    before = tree(tmp_path / "out")
    with pytest.raises(ValueError, match=f"out holds the results of another search: {message}"):
        detect_archive(None, recordings, tmp_path / "out", **{**first, **options})
    assert tree(tmp_path / "out") == before


def test_another_search_may_use_a_folder_without_results(recordings, tmp_path, monkeypatch):
    def refuse(model, recordings, **options):
        raise ValueError("unknown label")

    with monkeypatch.context() as patch:
        patch.setattr(_tasks, "detect_events", refuse)
        with pytest.raises(ValueError, match="unknown label"):
            detect_archive(None, recordings, tmp_path / "out", labels=["boop"])
    assert len(detect_archive(None, recordings, tmp_path / "out", labels=["beep"]).events) == 3


def test_model_is_identified_by_its_content(recordings, tmp_path):
    detect_archive({"weights": np.ones(3)}, recordings, tmp_path / "out")
    detect_archive({"weights": np.ones(3)}, recordings, tmp_path / "out")
    with pytest.raises(ValueError, match="model was"):
        detect_archive({"weights": np.zeros(3)}, recordings, tmp_path / "out")


@pytest.mark.parametrize("line", ["[1]", "{}", "nonsense", '{"path": 1, "rows": 2}'])
def test_damaged_journal_is_named(recordings, tmp_path, line):
    detect_archive(None, recordings, tmp_path / "out")
    with (tmp_path / "out" / "progress.jsonl").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ValueError, match=r"progress.jsonl, line 5: .*remove the line, and its recording"):
        detect_archive(None, recordings, tmp_path / "out")


def test_folder_in_use_is_refused(recordings, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / "progress.jsonl").open("a") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="out is in use by another process; wait for its end"):
            detect_archive(None, recordings, tmp_path / "out")


@pytest.mark.parametrize("given", [[], [3]])
def test_recordings_must_be_paths(tmp_path, given):
    with pytest.raises(ValueError, match="expected paths of sound files"):
        detect_archive(None, given, tmp_path / "out")


def test_unknown_format_is_refused(recordings, tmp_path):
    with pytest.raises(ValueError, match=r"format must be one of .* got 'xls'"):
        detect_archive(None, recordings, tmp_path / "out", formats=["xls"])
    assert not (tmp_path / "out").exists()


def test_a_warning_of_many_recordings_is_issued_once(recordings, tmp_path, monkeypatch):
    def warn(model, recordings, **options):
        import warnings

        warnings.warn("windows of 5 s", UserWarning, stacklevel=2)
        return find_beeps(model, recordings)

    monkeypatch.setattr(_tasks, "detect_events", warn)
    with pytest.warns(UserWarning, match="windows of 5 s") as caught:
        detect_archive(None, recordings, tmp_path / "out")
    assert len(caught) == 1


def test_long_recordings_are_searched_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(searches, "PART_SECONDS", 1.0)
    write_beeps(tmp_path / "long.wav", [0.2, 0.8, 3.0, 3.7], seconds=4.4)
    tasks = list(searches._divide([str(tmp_path / "long.wav")]))
    assert [task.part[1:] for task in tasks] == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, None)]
    assert sum(task.share for task in tasks) == pytest.approx(1.0)


def test_parts_in_any_order_give_the_events_of_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(searches, "PART_SECONDS", 1.0)
    names = [str(tmp_path / name) for name in ("long.wav", "short.wav")]
    write_beeps(Path(names[0]), [0.2, 0.8, 3.0, 3.7], seconds=4.4)
    write_beeps(Path(names[1]), [0.1], seconds=1.0)
    several = searches.Searches(None, n_jobs=2)

    def run_backwards(tasks):
        for task in reversed(list(tasks)):
            yield task, searches.search_task(None, task, {}, 1)

    monkeypatch.setattr(several, "_run", run_backwards)
    long, short = several.iter(names, ordered=True)
    pd.testing.assert_frame_equal(long.events, find_beeps(None, names[:1]))
    pd.testing.assert_frame_equal(short.events, find_beeps(None, names[1:]))


def test_long_recording_with_an_unreadable_part_is_searched_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(searches, "PART_SECONDS", 1.0)
    name = str(tmp_path / "long.wav")
    write_beeps(Path(name), [0.2], seconds=3.0)
    several = searches.Searches(None, n_jobs=2)

    def run(tasks):
        for task in tasks:
            yield task, searches.Found(name, None, "cut off")

    monkeypatch.setattr(several, "_run", run)
    (found,) = several.iter([name], ordered=False)
    assert found.error is None
    assert found.events["start"].tolist() == [0.2]


def test_journal_holds_the_events_as_json(recordings, tmp_path):
    detect_archive(None, recordings, tmp_path / "out", model_digest="abc")
    run, *entries = map(json.loads, (tmp_path / "out" / "progress.jsonl").read_text().splitlines())
    assert (run["model"], run["labels"]) == ("abc", None)
    by_name = {entry["name"]: entry["rows"] for entry in entries}
    assert by_name["site1/night"] == [[0.5, 1.0, "beep", 0.9], [2.0, 2.5, "beep", 0.9]]


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
def test_folder_that_cannot_be_written_is_named(recordings, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        detect_archive(None, recordings, tmp_path / "file")
