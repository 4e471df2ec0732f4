"""Tests of skfewaudio detect."""

import csv
import io
import os
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from skfewaudio.audio import load_audio
from skfewaudio.cli import _detect, main
from skfewaudio.detection import _tasks

RATE = 16000
COLUMNS = ["path", "start", "end", "label", "probability"]


def find_tones(model, recordings, *, labels=None, threshold=None, **_):
    """Stand in for detect_events: find loud stretches."""
    (path,) = recordings
    loud = np.abs(load_audio(path, sample_rate=RATE)) > 0.1
    edges = np.flatnonzero(np.diff(loud.astype(int), prepend=0, append=0)) / RATE
    kept = (labels is None or "tone" in labels) and (threshold or 0) <= 0.9
    rows = [
        (path, *pair, "tone", 0.9) for pair in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    ]
    return pd.DataFrame(rows if kept else [], columns=COLUMNS)


@pytest.fixture
def fake(monkeypatch):
    """Search without a detector."""
    monkeypatch.setattr(_tasks, "detect_events", find_tones)
    monkeypatch.setattr(_detect, "_check_search", lambda *_: None)


@pytest.fixture
def recordings(tmp_path):
    """Folder with two recordings."""
    for name, start in (("a.wav", 0.5), ("site/b.wav", 1.25)):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = np.zeros(2 * RATE)
        sound[int(start * RATE) : int((start + 0.5) * RATE)] = 0.5
        soundfile.write(path, sound, RATE)
    return tmp_path / "in"


def run(capsys, *argv):
    status = main(["detect", *map(str, argv)])
    out, err = capsys.readouterr()
    return status, out, err


def test_writes_a_table_to_stdout(fake, model, recordings, capsys):
    status, out, err = run(capsys, model, recordings)
    assert (status, err) == (0, "")
    assert out.split("\r\n") == [
        "path,start,end,label,probability",
        f"{recordings / 'a.wav'},0.5,1.0,tone,0.900000",
        f"{recordings / 'site' / 'b.wav'},1.25,1.75,tone,0.900000",
        "",
    ]


def test_events_are_written_as_each_recording_is_done(fake, model, recordings, monkeypatch, capsys):
    seen = []

    def find(model, recordings, **options):
        seen.append(capsys.readouterr().out)
        return find_tones(model, recordings)

    monkeypatch.setattr(_tasks, "detect_events", find)
    main(["detect", str(model), str(recordings)])
    assert [text.count("\r\n") for text in seen] == [1, 1]


def test_each_recording_is_searched_once(fake, model, recordings, capsys):
    table = recordings / "list.csv"
    table.write_text("path,start,end\na.wav,0,1\na.wav,1,2\n")
    _, out, _ = run(capsys, model, recordings / "a.wav", table, recordings)
    assert out.count("a.wav") == 1


@pytest.mark.parametrize(
    ("options", "n_events"),
    [(["--threshold", "0.95"], 0), (["--labels", "noise"], 0), (["--labels", "tone"], 2)],
)
def test_options_are_passed_on(fake, model, recordings, capsys, options, n_events):
    assert run(capsys, model, recordings, *options)[1].count("\r\n") == n_events + 1


def test_one_recording_may_be_written_as_a_label_track(fake, model, recordings, capsys):
    _, out, _ = run(capsys, model, recordings / "a.wav", "--format", "audacity")
    assert out == "0.500000\t1.000000\ttone\n"
    _, out, _ = run(capsys, model, recordings / "a.wav", "--format", "raven")
    assert out.startswith("Selection\tView")
    assert len(out.splitlines()) == 2


def test_folder_holds_a_file_for_each_recording_and_a_table(fake, model, recordings, tmp_path, capsys):
    status, out, err = run(capsys, model, recordings, "-o", tmp_path / "out", "--format", "csv", "audacity")
    assert (status, err) == (0, "")
    assert out == f"2 recordings searched\n2 events written to {tmp_path / 'out'}\n"
    names = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert names == {
        *("csv/a.csv", "csv/site/b.csv", "audacity/a.txt", "audacity/site/b.txt"),
        *("detections.csv", "progress.jsonl"),
    }


def test_table_of_all_is_what_stdout_has(fake, model, recordings, tmp_path, capsys):
    _, out, _ = run(capsys, model, recordings)
    run(capsys, model, recordings, "-o", tmp_path / "out")
    assert (tmp_path / "out" / "detections.csv").read_bytes().decode() == out


def test_search_is_resumed(fake, model, recordings, tmp_path, capsys):
    run(capsys, model, recordings / "a.wav", "-o", tmp_path / "out")
    _, out, _ = run(capsys, model, recordings, "-o", tmp_path / "out")
    assert out.startswith("2 recordings searched, 1 of them before\n2 events")


def test_other_options_are_refused_in_one_line(fake, model, recordings, tmp_path, capsys):
    run(capsys, model, recordings, "-o", tmp_path / "out")
    status, out, err = run(capsys, model, recordings, "-o", tmp_path / "out", "--threshold", "0.8")
    assert (status, out) == (2, "")
    assert "threshold was null and is 0.8. Use the model and the options of the first search" in err
    assert err.count("\n") == 1


def test_another_model_is_refused(fake, model, other_clips, recordings, tmp_path, capsys):
    same, other = tmp_path / "same.model", tmp_path / "other.model"
    shutil.copy(model, same)
    main(["train", str(other_clips), "-o", str(other), "--pipeline", "mfcc-1nn", "--no-evaluate"])
    run(capsys, model, recordings, "-o", tmp_path / "out")
    assert run(capsys, same, recordings, "-o", tmp_path / "out")[0] == 0
    status, _, err = run(capsys, other, recordings, "-o", tmp_path / "out")
    assert status == 2
    assert "results of another search: model was" in err


@pytest.mark.parametrize("options", [[], ["-o", "out"]])
def test_unreadable_recordings_are_named_at_the_end(
    fake, model, recordings, tmp_path, monkeypatch, capsys, options
):
    monkeypatch.chdir(tmp_path)
    bad = recordings / "a\nb.wav"
    bad.write_bytes(b"")
    status, out, err = run(capsys, model, recordings, recordings / "none.wav", *options)
    assert status == 1
    lines = err.splitlines()
    assert len(lines) == 3
    assert "a\\nb.wav: is empty" in lines[0]
    assert "none.wav: cannot be opened" in lines[1]
    assert lines[2] == "skfewaudio detect: 2 of 4 recordings could not be read"
    assert (out.count("tone") if not options else pd.read_csv("out/detections.csv").shape[0]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--threshold", "2"], "--threshold 2: expected a probability from 0 to 1"),
        (["--min-duration", "-1"], "--min-duration -1: expected a number of seconds, at least 0"),
        (["--window", "0"], "--window 0: expected a number of seconds, more than 0"),
        (["--n-jobs", "0"], "--n-jobs 0: expected a number of processes, or -1"),
        (["--labels", "tune"], "--labels tune: the model does not know this class; did you mean tone?"),
        (["--labels", "xyz"], "the model does not know this class; it knows noise, tone"),
        (["--format", "raven"], "--format raven: 2 recordings need a folder; add -o FOLDER"),
        (["--format", "csv", "raven"], "2 formats need a folder; add -o FOLDER"),
        (["--format", "ravne"], "did you mean raven?"),
        (["-o", "none/out"], "-o none/out: folder none does not exist; create it first"),
        (["--scheduler", "nowhere"], "nowhere"),
    ],
)
def test_invalid_options_are_reported_in_one_line(fake, model, recordings, capsys, options, message):
    try:
        status = main(["detect", str(model), str(recordings), *options])
    except SystemExit as ended:
        status = ended.code
    err = capsys.readouterr().err
    assert status == 2
    assert message in err
    assert err.count("\n") == 1


def test_output_must_be_a_folder(fake, model, recordings, tmp_path, capsys):
    (tmp_path / "out").write_text("")
    status, _, err = run(capsys, model, recordings, "-o", tmp_path / "out")
    assert status == 2
    assert "out: is a file; expected a folder" in err


def test_names_keep_their_characters_in_csv(fake, model, recordings, capsys):
    odd = recordings / 'a "b",\nc.wav'
    shutil.move(recordings / "a.wav", odd)
    _, out, _ = run(capsys, model, odd)
    assert next(csv.DictReader(io.StringIO(out, newline="")))["path"] == str(odd)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True

    def reconfigure(self, **_):
        pass


def test_control_characters_are_escaped_on_a_terminal(fake, model, recordings, monkeypatch):
    odd = recordings / "a\x1b[31m\n.wav"
    shutil.move(recordings / "a.wav", odd)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert main(["detect", str(model), str(odd)]) == 0
    text = sys.stdout.getvalue()
    assert "a\\x1b[31m\\n.wav,0.5,1.0,tone" in text
    assert "\x1b" not in text


def test_closed_pipe_ends_quietly(fake, model, recordings, monkeypatch, capfd):
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as pipe, monkeypatch.context() as patch:  # noqa: PTH123
        patch.setattr(sys, "stdout", pipe)
        assert main(["detect", str(model), str(recordings)]) == 1
    assert capfd.readouterr().err == ""


def test_quiet_suppresses_warnings(fake, model, recordings, monkeypatch, capsys):
    def warn(model, recordings, **options):
        import warnings

        warnings.warn("cut off", UserWarning, stacklevel=2)
        return find_tones(model, recordings)

    monkeypatch.setattr(_tasks, "detect_events", warn)
    assert run(capsys, model, recordings)[2] == "skfewaudio detect: warning: cut off\n"
    assert run(capsys, model, recordings, "-q")[2] == ""
