"""Tests of skfewaudio evaluate with annotated recordings."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

from skfewaudio.audio import load_audio
from skfewaudio.cli import main
from skfewaudio.detection import _tasks

RATE = 16000
TONES = {"a.wav": [0.5, 3.0], "site/b.wav": [1.25], "quiet.wav": []}


def find_tones(model, recordings, *, threshold=None, **_):
    """Stand in for detect_events: find loud stretches."""
    (path,) = recordings
    loud = np.abs(load_audio(path, sample_rate=RATE)) > 0.1
    edges = np.flatnonzero(np.diff(loud.astype(int), prepend=0, append=0)) / RATE
    rows = [
        (path, *pair, "tone", 0.9) for pair in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    ]
    kept = rows if (threshold or 0) <= 0.9 else []
    return pd.DataFrame(kept, columns=["path", "start", "end", "label", "probability"])


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    """Search without a detector."""
    monkeypatch.setattr(_tasks, "detect_events", find_tones)


@pytest.fixture
def recordings(tmp_path):
    """Folder with three recordings of six seconds."""
    for name, starts in TONES.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = np.zeros(6 * RATE)
        for start in starts:
            sound[int(start * RATE) : int((start + 0.5) * RATE)] = 0.5
        soundfile.write(path, sound, RATE)
    return tmp_path / "in"


@pytest.fixture
def labels(tmp_path, recordings):
    """Label tracks in a folder of their own: one event was found, one was missed, one is a false alarm."""
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0.5\t1.0\ttone\n5.0\t5.5\ttone\n")
    shutil.move(recordings / "site" / "b.wav", recordings / "b.wav")
    (tmp_path / "labels" / "b.txt").write_text("1.3\t1.8\ttone\n")
    return tmp_path / "labels"


def run(capsys, *argv):
    status = main(["evaluate", *map(str, argv)])
    out, err = capsys.readouterr()
    return status, out, err


def test_scores_of_all_recordings_are_written(model, recordings, labels, capsys):
    status, out, err = run(capsys, model, recordings, "--annotations", labels, "--json")
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert [found[name] for name in ("n_true", "n_found", "n_matched", "n_recordings")] == [3, 3, 2, 3]
    assert found["f_score"] == pytest.approx(2 / 3)
    # Recordings without events count: one false alarm in three times six seconds.
    assert found["hours"] == pytest.approx(18 / 3600)
    assert found["false_alarms_per_hour"] == pytest.approx(200)
    assert [row["label"] for row in found["classes"]] == ["tone"]


def test_text_has_a_row_for_each_class(model, recordings, labels, capsys):
    out = run(capsys, model, recordings, "--annotations", labels)[1]
    assert "F-score 66.7 %, precision 66.7 %, recall 66.7 %, 200.0 false alarms per hour" in out
    assert "2 of 3 annotated events found in 3 recordings" in out
    assert [line.split() for line in out.splitlines() if line.startswith("tone")] == [
        ["tone", "3", "3", "2", "66.7", "%", "66.7", "%", "66.7", "%", "200.0"]
    ]


def test_threshold_is_passed_to_the_search(model, recordings, labels, capsys):
    options = ["--annotations", labels, "--threshold", "0.95", "--json"]
    found = json.loads(run(capsys, model, recordings, *options)[1])
    assert (found["n_found"], found["precision"], found["f_score"]) == (0, None, 0)


def test_overlap_decides_what_is_right(model, recordings, labels, capsys):
    options = ["--annotations", labels, "--min-overlap", "0.9", "--json"]
    assert json.loads(run(capsys, model, recordings, *options)[1])["n_matched"] == 1


def test_annotations_may_lie_beside_the_recordings(model, recordings, capsys):
    (recordings / "site" / "b.txt").write_text("1.25\t1.75\ttone\n")
    found = json.loads(run(capsys, model, recordings, "--annotations", recordings, "--json")[1])
    assert (found["n_true"], found["n_matched"], found["n_recordings"]) == (1, 1, 3)


def test_one_recording_may_have_annotations_of_any_name(model, recordings, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("0.5\t1.0\ttone\n")
    options = ["--annotations", tmp_path / "mine.txt", "--json"]
    found = json.loads(run(capsys, model, recordings / "a.wav", *options)[1])
    assert (found["n_true"], found["n_found"], found["n_matched"]) == (1, 2, 1)


def test_a_table_of_all_events_is_read(model, recordings, tmp_path, capsys):
    table = pd.DataFrame([("in/a.wav", 0.5, 1.0, "tone"), ("in/site/b.wav", 1.25, 1.75, "tone")])
    table.columns = ["path", "start", "end", "label"]
    table.to_csv(tmp_path / "events.csv", index=False)
    options = ["--annotations", tmp_path / "events.csv", "--audio-root", tmp_path, "--json"]
    found = json.loads(run(capsys, model, recordings, *options)[1])
    assert (found["n_true"], found["n_matched"]) == (2, 2)


def test_unknown_classes_are_named_and_left_out(model, recordings, labels, capsys):
    with (labels / "b.txt").open("a") as file:
        file.write("3.0\t4.0\twhistle\n5.0\t6.0\tnoise\n")
    status, out, _ = run(capsys, model, recordings, "--annotations", labels)
    assert status == 1
    assert "whistle: unknown to the model, 1 events left out" in out
    assert "2 of 3 annotated events" in out
    assert "noise" not in out


def test_unreadable_recordings_are_named_and_left_out(model, recordings, labels, capsys):
    (recordings / "b.wav").write_bytes(b"RIFF")
    status, out, err = run(capsys, model, recordings, "--annotations", labels)
    assert status == 1
    assert "b.wav" in err
    assert "1 of 2 annotated events found in 2 recordings" in out
    assert "1 recordings could not be read" in out


def test_annotations_of_other_recordings_are_refused(model, recordings, labels, capsys):
    status, _, err = run(
        capsys, model, recordings / "quiet.wav", "--annotations", labels, "--audio-root", recordings
    )
    assert status == 2
    assert "has events of 2 recordings that are not in" in err


def test_missing_annotations_are_refused(model, recordings, tmp_path, capsys):
    status, _, err = run(capsys, model, recordings, "--annotations", tmp_path / "none")
    assert status == 2
    assert "none" in err


@pytest.mark.parametrize(
    ("option", "value"), [("--threshold", "2"), ("--min-overlap", "0"), ("--min-overlap", "1.5")]
)
def test_invalid_numbers_are_refused(model, recordings, labels, capsys, option, value):
    status, _, err = run(capsys, model, recordings, "--annotations", labels, option, value)
    assert status == 2
    assert f"{option} {value}: expected" in err
