import importlib.util
import json
import multiprocessing
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skfewaudio.model_selection import FewShotSplit, few_shot_curve

SCRIPT = Path(__file__).with_name("resume_run.py")
KEY = ["pipeline", "n_shots", "repeat", "fold", "metric"]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("resume_run", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def address():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        yield cluster.scheduler_address


def read_lines(path):
    """Read the lines of a file, if it exists."""
    return path.read_text().splitlines() if path.exists() else []


def stored_fits(path):
    rows = [json.loads(line) for line in read_lines(path) if line.endswith("}")]
    return [(row["n_shots"], row["repeat"], row["fold"]) for row in rows]


class Forked:
    """Run of the script in a forked process, which saves the time for imports."""

    def __init__(self, script, arguments):
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=script.main, args=arguments)
        self._process.start()
        self.kill = self._process.kill

    def poll(self):
        return self._process.exitcode

    def wait(self):
        self._process.join()
        return self._process.exitcode


class Runs:
    """Runs of the script on the same store, with the fits of each run."""

    def __init__(self, script, folder, n_repeats, address, is_forked):
        self.script = script if is_forked else None
        self.store = folder / "results.jsonl"
        self.folder = folder
        self.arguments = [str(n_repeats), *([address] if address else [])]
        self.n_runs = 0
        self.fits = {}  # n_shots, repeat and fold by the training clips of a fit
        for n in script.OPTIONS["n_shots"]:
            split = FewShotSplit(n, n_repeats=n_repeats, cv=script.OPTIONS["cv"], random_state=5)
            for number, (train, _) in enumerate(split.split(script.X, script.Y)):
                self.fits[tuple(train.astype(float))] = (n, number // 2, number % 2 + 1)
        assert len(self.fits) == 6 * n_repeats

    def run(self, *, kill_after=None):
        """Run to the end, or kill the run after a number of started fits (and a fraction of a fit's time)."""
        self.n_runs += 1
        log = self.folder / f"{self.n_runs}.log"
        finished = set(stored_fits(self.store))
        process = self.start([str(self.store), str(log), *self.arguments])
        if kill_after is not None:
            while len(read_lines(log)) < int(kill_after) and process.poll() is None:
                time.sleep(0.002)
            time.sleep(0.05 * (kill_after % 1))
            process.kill()
        assert process.wait() == (0 if kill_after is None else -9)
        fitted = [self.fits[tuple(json.loads(line))] for line in read_lines(log)]
        assert not finished & set(fitted)
        return finished, fitted

    def start(self, arguments):
        if self.script is not None:
            return Forked(self.script, arguments)
        return subprocess.Popen([sys.executable, str(SCRIPT), *arguments])


def check_kills(script, folder, *, n_kills, n_repeats, address=None, is_forked=False):
    runs = Runs(script, folder, n_repeats, address, is_forked)
    moments = np.random.default_rng(0).uniform(1, 4, size=n_kills)
    for moment in moments:
        runs.run(kill_after=moment)
    finished, fitted = runs.run()
    assert 0 < len(finished) < len(runs.fits)
    assert sorted(fitted) == sorted(set(runs.fits.values()) - finished)
    assert len(stored_fits(runs.store)) == len(set(stored_fits(runs.store))) == len(runs.fits)
    alone = few_shot_curve(
        {"logged": script.Logged()}, script.X, script.Y, **script.OPTIONS, n_repeats=n_repeats
    )
    rows = script.ResultStore(runs.store).frame().sort_values(KEY, ignore_index=True)
    expected = alone.sort_values(KEY, ignore_index=True)
    columns = expected.columns.drop(["fit_time", "score_time", "feature_time"])
    pd.testing.assert_frame_equal(rows[columns], expected[columns], check_dtype=False, check_exact=True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_run_killed_twice_ends_with_the_same_rows(script, tmp_path):
    check_kills(script, tmp_path, n_kills=2, n_repeats=2, is_forked=True)


@pytest.mark.long
def test_run_killed_ten_times_ends_with_the_same_rows(script, tmp_path):
    check_kills(script, tmp_path, n_kills=10, n_repeats=10)


@pytest.mark.long
def test_run_on_two_dask_workers_killed_ten_times_ends_with_the_same_rows(script, tmp_path, address):
    check_kills(script, tmp_path, n_kills=10, n_repeats=12, address=address)
