"""Searches with a fitted detector in processes and on Dask workers, and searches that are killed."""

import json
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

from skfewaudio._threads import available_threads
from skfewaudio.detection import EventDetector, _tasks, detect_archive, searches
from skfewaudio.exceptions import WorkerDiedError
from skfewaudio.persistence import save_model

RATE = 16000
PITCHES = {"low": (500, 520), "high": (3000, 3100)}
needs_kill = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")


def tone(pitch, seconds=0.5):
    return np.sin(2 * np.pi * pitch * np.arange(int(seconds * RATE)) / RATE)


@pytest.fixture(scope="module")
def detector():
    """Detector of low and high tones."""
    clips = [(tone(pitch), RATE) for pitches in PITCHES.values() for pitch in pitches]
    return EventDetector().fit(clips, [label for label in PITCHES for _ in range(2)])


def write_recordings(root, n_recordings, seconds):
    """Write recordings of quiet noise with tones at random times, and one that cannot be read."""
    rng = np.random.default_rng(0)
    for number in range(n_recordings):
        sound = 1e-3 * rng.standard_normal(int(seconds * RATE))
        for start in np.sort(rng.choice(np.arange(1, seconds - 1, 3), max(2, seconds // 10), replace=False)):
            pitch = PITCHES[("low", "high")[rng.integers(2)]][0]
            sound[start * RATE : start * RATE + RATE // 2] += 0.5 * tone(pitch)
        path = root / f"site{number % 3}" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, sound, RATE)
    (root / "bad.wav").write_bytes(b"")


def tree(folder):
    """Return the contents of all files in a folder, except the journal."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "progress.jsonl"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_parts_of_a_long_recording_give_the_events_of_the_whole(detector, tmp_path, monkeypatch):
    write_recordings(tmp_path, 1, 200)
    name = str(tmp_path / "site0" / "0.wav")
    (whole,) = searches.Searches(detector).iter([name], ordered=True)
    monkeypatch.setattr(searches, "PART_SECONDS", 60.0)
    several = searches.Searches(detector, n_jobs=2)
    monkeypatch.setattr(
        several, "_run", lambda tasks: [(task, searches.search_task(detector, task, {}, 1)) for task in tasks]
    )
    (joined,) = several.iter([name], ordered=True)
    assert len(whole.events) == 20
    pd.testing.assert_frame_equal(joined.events, whole.events)


def test_limit_of_threads_holds_for_all_steps_of_a_model(monkeypatch):
    def detect(model, recordings, *, n_threads, **options):
        numbers.append((n_threads, available_threads()))
        return searches.NO_EVENTS

    numbers = []
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    monkeypatch.setattr(_tasks, "detect_events", detect)
    for n_threads in (1, None):
        searches.search_task("model", searches.Task(0, "night.wav"), {}, n_threads)
    assert numbers == [(1, 1), (None, 8)]


@pytest.mark.long
@pytest.mark.parametrize("options", [{"n_jobs": 2}, {"scheduler": "local", "n_jobs": 2}])
def test_workers_find_the_same_events(detector, tmp_path, options):
    write_recordings(tmp_path / "in", 6, 20)
    alone = detect_archive(detector, tmp_path / "in", tmp_path / "alone", formats=["csv", "raven"])
    found = detect_archive(detector, tmp_path / "in", tmp_path / "out", formats=["csv", "raven"], **options)
    assert len(alone.events) == 12
    pd.testing.assert_frame_equal(found.events, alone.events)
    assert list(found.unreadable) == [str(tmp_path / "in" / "bad.wav")]
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")


@pytest.mark.long
def test_scheduler_that_runs_elsewhere(detector, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    write_recordings(tmp_path / "in", 3, 20)
    monkeypatch.chdir(tmp_path)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster:
        found = detect_archive(detector, "in", "out", scheduler=cluster.scheduler_address)
        again = detect_archive(detector, "in", "again", scheduler=cluster.scheduler_address)
    assert found.events["path"].unique().tolist() == [f"in/site{k}/{k}.wav" for k in range(3)]
    pd.testing.assert_frame_equal(found.events, again.events)


def start_search(model, folder, out):
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "skfewaudio", "detect", str(model), str(folder), "-o", str(out), "-q"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_and_resume(detector, tmp_path, n_recordings, n_kills):
    """Kill a search at random moments, and finish it; return the number of kills while it was under way."""
    write_recordings(tmp_path / "in", n_recordings, 30)
    save_model(detector, tmp_path / "m")
    assert start_search(tmp_path / "m", tmp_path / "in", tmp_path / "whole").wait() == 1  # bad.wav
    journal = tmp_path / "out" / "progress.jsonl"
    rng = np.random.default_rng(0)
    n_interrupted = 0
    for _ in range(n_kills):
        n_before = count_lines(journal)
        process = start_search(tmp_path / "m", tmp_path / "in", tmp_path / "out")
        n_more = rng.integers(0, 2 * n_recordings // (n_kills + 1))
        while process.poll() is None and count_lines(journal) <= n_before + n_more:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.1))
        n_interrupted += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not any(b"\n" not in content for content in tree(tmp_path / "out" / "csv").values())
    assert start_search(tmp_path / "m", tmp_path / "in", tmp_path / "out").wait() == 1
    assert complete(tree(tmp_path / "out")) == complete(tree(tmp_path / "whole"))
    paths = [json.loads(line)["path"] for line in journal.read_text().splitlines()[1:]]
    assert len(paths) == len(set(paths)) == n_recordings
    return n_interrupted


def count_lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def complete(files):
    """Leave out files that were being written when the process was killed; they go after an hour."""
    return {name: content for name, content in files.items() if ".partial-" not in name}


@needs_kill
@pytest.mark.slow
def test_killed_search_is_resumed_without_loss(detector, tmp_path):
    assert kill_and_resume(detector, tmp_path, 30, 1) == 1


@needs_kill
@pytest.mark.long
def test_search_killed_at_five_random_moments_gives_the_same_events(detector, tmp_path):
    assert kill_and_resume(detector, tmp_path, 150, 5) >= 4


class Failed:
    """A task that failed."""

    def __init__(self, error):
        self.error = error

    def result(self):
        raise self.error


def test_recording_that_ends_workers_has_an_error():
    distributed = pytest.importorskip("distributed")
    from skfewaudio.detection._dask_workers import _outcome_of

    error = distributed.KilledWorker("search", SimpleNamespace(address="tcp://a"), 3)
    found = _outcome_of(Failed(error), searches.Task(0, "night.wav"))
    assert found.events is None
    assert found.error.startswith("night.wav: ended the workers that searched it (")


def test_lost_scheduler_is_reported_with_what_to_do():
    distributed = pytest.importorskip("distributed")
    from skfewaudio.detection._dask_workers import _outcome_of

    with pytest.raises(WorkerDiedError, match="recordings that are done are kept; start again"):
        _outcome_of(Failed(distributed.CancelledError("gone")), searches.Task(0, "night.wav"))


def test_worker_with_another_version_is_refused():
    pytest.importorskip("distributed")
    from skfewaudio.detection._dask_workers import MODELS, HoldModel

    plugin = HoldModel("key", "model")
    plugin.setup(None)
    assert MODELS["key"] == "model"
    plugin.teardown(None)
    assert "key" not in MODELS
    plugin.version = "0.0"
    with pytest.raises(ValueError, match=r"has skfewaudio .*, and this process has 0\.0; install the same"):
        plugin.setup(SimpleNamespace(address="tcp://a"))
