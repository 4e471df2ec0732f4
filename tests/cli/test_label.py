"""The command label: its options, and what it writes at the end."""

import csv
import http.client
import json
import os
import signal
import subprocess
import sys

import pytest

from skfewaudio.cli import main

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


@pytest.fixture
def answering(monkeypatch):
    """Replace the serving of the page by answers to all questions; return what was asked."""
    from skfewaudio.labelling import LabellingPage

    asked = []

    def run(page):
        labeller = page.session.labeller
        while (question := labeller.ask(timeout=10)) is not None:
            asked.append(question.sound)
            path = question.sound if isinstance(question.sound, str) else question.sound[0]
            labeller.tell("tone" if "tone" in path else "noise")
        page.stop()

    monkeypatch.setattr(LabellingPage, "run", run)
    return asked


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_labels_are_written_exported_and_taken_up_again(answering, clips, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    table = tmp_path / "labels.csv"
    command = ["label", str(clips), "-o", str(table), "--no-browser", "--export", "audacity", "raven"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "8 clips, 0 labelled already" in out
    assert "http://127.0.0.1:" in out
    assert len(read(table)) == 9
    assert len(list((tmp_path / "labels-audacity").rglob("*.txt"))) == 8
    assert len(list((tmp_path / "labels-raven").rglob("*.txt"))) == 8
    n_asked = len(answering)
    assert main(command) == 0
    assert "8 clips, 8 labelled already" in capsys.readouterr().out
    assert len(answering) == n_asked == 8


def test_table_is_read_by_train(answering, clips, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    table = tmp_path / "labels.csv"
    assert main(["label", str(clips), "-o", str(table), "--no-browser", "--window", "0.1"]) == 0
    assert read(table)[0] == ["path", "label", "start", "end"]
    assert main(["train", str(table), "-o", str(tmp_path / "a.model"), "--no-evaluate", "--no-detector"]) == 0
    assert "noise" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--window", "-1"], "--window -1"),
        (["--port", "99999"], "--port 99999"),
        (["--labels", "=1"], "begins with '='"),
        (["--model", "missing.model"], "does not exist"),
        (["--save-to", "missing/a.model"], "does not exist"),
    ],
)
def test_invalid_requests_are_refused(clips, tmp_path, capsys, options, problem):
    assert main(["label", str(clips), "-o", str(tmp_path / "labels.csv"), "--no-browser", *options]) == 2
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "labels.csv").exists()


def test_folder_without_sounds_is_refused(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["label", str(tmp_path / "empty"), "-o", str(tmp_path / "labels.csv"), "--no-browser"]) == 2
    assert "no sound files" in capsys.readouterr().err


@pytest.mark.slow
def test_interrupt_stops_the_page_and_exports(clips, tmp_path):
    table = tmp_path / "labels.csv"
    command = [sys.executable, "-m", "skfewaudio", "label", str(clips), "-o", str(table), "--no-browser"]
    env = {**os.environ, "SKFEWAUDIO_CACHE": str(tmp_path / "cache")}
    process = subprocess.Popen(
        [*command, "--export", "audacity"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )
    url = next(line.strip() for line in iter(process.stdout.readline, "") if line.startswith("http"))
    origin, token = url.rstrip("/").rsplit("/", 1)
    wire = http.client.HTTPConnection(origin.removeprefix("http://"), timeout=60)
    body = json.dumps({"action": "label", "clip": 0, "label": "noise"})
    wire.request("POST", f"/{token}/answer", body, {"Origin": origin, "Content-Type": "application/json"})
    assert wire.getresponse().status == 200
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    wire.close()
    assert (process.returncode, err) == (0, "")
    assert "1 labels in" in out
    assert len(list((tmp_path / "labels-audacity").rglob("*.txt"))) == 1
