"""Results, settings and cache entries while processes are killed, and on disks that are full or read-only."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings
from itertools import count

import numpy as np
import pytest

from skfewaudio._files import write_file
from skfewaudio.features._cache import secret as cache_secret
from skfewaudio.features._cache.store import FeatureStore
from skfewaudio.reporting import ResultStore

DIRECTORY = "MFCC-0123456789abcdef"
needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
ignore_fork_warning = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


def row(fold, metric="accuracy"):
    key = {"dataset": "toy", "pipeline": "1-nn", "n_shots": 1, "repeat": 0, "fold": fold, "metric": metric}
    return {**key, "value": 0.5, "more": "x" * (fold % 500)}


def settings(number):
    return json.dumps({"number": number, "more": ["x" * 100] * (number % 200)}).encode()


def features(number):
    return np.full(number % 3000 + 1, number, np.int64)


def key(number):
    return f"{number:040x}"


def write_forever(folder, first, acknowledge):
    """Write two rows, settings and a cache entry in turns, and report each number that is done."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the row before was not complete
        results = ResultStore(folder / "results.jsonl")
    cache = FeatureStore(folder / "cache", "10G")
    for number in count(first):
        results.append([row(number), row(number, "f1")])
        write_file(folder / "config.json", settings(number))
        cache.put(DIRECTORY, key(number), features(number))
        acknowledge.send(number)


def check_whole(folder, done):
    """Check that everything that was acknowledged is there, and that nothing is there in half."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = ResultStore(folder / "results.jsonl").frame()
    assert set(range(done + 1)) <= set(rows["fold"])
    assert rows.groupby("fold")["metric"].nunique().eq(2).all()
    config = json.loads((folder / "config.json").read_bytes())
    assert config["number"] >= done
    assert (folder / "config.json").read_bytes() == settings(config["number"])
    cache = FeatureStore(folder / "cache", "10G")
    for number in range(done + 1):
        np.testing.assert_array_equal(cache.get(DIRECTORY, key(number)), features(number))
    for path in (folder / "cache").rglob("*.features"):  # also those that were not acknowledged
        number = int(path.stem, 16)
        np.testing.assert_array_equal(cache.get(DIRECTORY, path.stem), features(number))


def kill_while_writing(folder, n_kills):
    """Kill a writer at random moments, and start it again where it was; return the last number written.

    Each writer writes at least one number before it is killed.
    """
    done = -1
    for seconds in np.random.default_rng(0).uniform(0.01, 0.3, n_kills):
        receive, send = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(
            target=write_forever, args=(folder, done + 1, send)
        )
        process.start()
        send.close()
        done = receive.recv()  # it has begun to write
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        try:
            while True:
                done = receive.recv()
        except EOFError:
            pass
        check_whole(folder, done)
    return done


@needs_fork
@ignore_fork_warning
def test_killed_writers_lose_nothing_and_leave_nothing_in_half(tmp_path):
    assert kill_while_writing(tmp_path, 2) >= 1


@needs_fork
@ignore_fork_warning
@pytest.mark.long
def test_writers_killed_at_twenty_random_moments(tmp_path):
    assert kill_while_writing(tmp_path, 20) >= 19


@needs_fork
@ignore_fork_warning
def test_secret_is_whole_if_its_creation_is_killed(tmp_path, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path))
    for kept in (0, 1):
        process = multiprocessing.get_context("fork").Process(target=die_in_creation, args=(kept,))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not (tmp_path / "features.key").exists()
    assert len(cache_secret.load_secret()) == 32


def die_in_creation(kept):
    calls = []

    def die(*args):
        calls.append(args)
        if len(calls) > kept:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    os.fsync = os.link = die
    cache_secret.load_secret()


# Real disks


@pytest.fixture
def disk(tmp_path):
    """Folder on a disk of its own, of 64 kB, and a function that makes it read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("needs the permission to mount disks")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk, n_free):
    """Write a file that leaves about so many bytes."""
    state = os.statvfs(disk)
    (disk / "filling").write_bytes(bytes(max(0, state.f_bavail * state.f_frsize - n_free)))


def append_until_full(store, written):
    for number in count():
        store.append([row(number), row(number, "f1")])
        written.append(number)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs")
def test_full_disk_keeps_whole_rows_settings_and_entries(disk, tmp_path):
    store = ResultStore(disk / "results.jsonl")
    write_file(disk / "config.json", settings(1))
    written = []
    with pytest.raises(OSError, match=r"No space left on device.*results\.jsonl"):
        append_until_full(store, written)
    rows = store.frame()
    assert sorted(set(rows["fold"])) == written
    assert rows.groupby("fold")["metric"].nunique().eq(2).all()
    fill(disk, 0)
    with pytest.raises(OSError, match=r"No space left on device.*config\.json"):
        write_file(disk / "config.json", settings(150))
    assert (disk / "config.json").read_bytes() == settings(1)
    cache = FeatureStore(disk / "cache", None)
    with pytest.raises(OSError, match="No space left"):
        cache.put(DIRECTORY, key(1), np.zeros(20_000))
    assert not [path for path in disk.rglob("*") if "partial" in path.name]
    (disk / "filling").unlink()
    store.append([row(10**6)])
    assert store.frame()["fold"].iloc[-1] == 10**6


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs")
def test_read_only_disk_can_be_read_and_is_not_changed(disk):
    store = ResultStore(disk / "results.jsonl")
    store.append([row(0)])
    with (disk / "results.jsonl").open("ab") as file:
        file.write(b'{"dataset": "to')
    write_file(disk / "config.json", settings(1))
    cache = FeatureStore(disk / "cache", None)
    cache.put(DIRECTORY, key(1), features(1))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.warns(UserWarning, match="incomplete"):
        assert len(ResultStore(disk / "results.jsonl").frame()) == 1
    for write in (
        lambda: store.append([row(1)]),
        lambda: write_file(disk / "config.json", settings(2)),
        lambda: cache.put(DIRECTORY, key(2), features(2)),
    ):
        with pytest.raises(OSError, match="Read-only file system"):
            write()
    np.testing.assert_array_equal(cache.get(DIRECTORY, key(1)), features(1))
    assert (disk / "config.json").read_bytes() == settings(1)


# The whole benchmark


def run_benchmark(folder, clips, seconds=None):
    """Run the benchmark; kill it after some seconds. Return whether it ended by itself."""
    options = ["--n-shots", "1", "2", "--n-repeats", "4", "--n-jobs", "1", "--device", "cpu", "--no-cache"]
    command = [
        *(sys.executable, "-m", "skfewaudio", "benchmark", "--dataset", "folder", "--data-home", str(clips)),
        *("--output", str(folder), "--pipelines", "random", "mfcc-1nn", "--report", "none", *options),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            _, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return False
    assert process.returncode == 0, errors
    return True


@pytest.mark.long
def test_benchmark_killed_at_twenty_random_moments_ends_with_the_same_rows(tmp_path, monkeypatch):
    import soundfile

    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for name, k in [(name, k) for name in "ab" for k in range(6)]:
        (tmp_path / "clips" / name).mkdir(parents=True, exist_ok=True)
        sound = rng.normal(size=4000) * np.sin(np.arange(4000) * (0.1 if name == "a" else 0.3))
        soundfile.write(tmp_path / "clips" / name / f"{k}.wav", 0.1 * sound, 16000)
    started = time.monotonic()
    assert run_benchmark(tmp_path / "whole", tmp_path / "clips")
    duration = time.monotonic() - started
    for seconds in rng.uniform(0.3, 1.0, 20) * duration:
        run_benchmark(tmp_path / "killed", tmp_path / "clips", seconds)
        if (tmp_path / "killed" / "config.json").exists():
            json.loads((tmp_path / "killed" / "config.json").read_bytes())
    assert run_benchmark(tmp_path / "killed", tmp_path / "clips")
    whole, killed = (ResultStore(tmp_path / name / "results.jsonl").frame() for name in ("whole", "killed"))
    order = ["pipeline", "n_shots", "repeat", "fold", "metric"]
    whole, killed = (
        rows.sort_values(order, ignore_index=True)[[*order, "value"]] for rows in (whole, killed)
    )
    assert whole.equals(killed)
