import logging
import os
import pathlib
import signal
import threading
import time
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager

import joblib
import numpy as np
import pandas as pd
import pytest
from joblib.parallel import get_active_backend
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier

from skfewaudio.exceptions import WorkerDiedError
from skfewaudio.model_selection import few_shot_curve

distributed = pytest.importorskip("distributed")
from skfewaudio.model_selection._curve.dask_backend import PatientDaskBackend  # noqa: E402 - needs distributed

RNG = np.random.default_rng(0)
Y = np.repeat(["bark", "horn"], 20)
X = RNG.normal(size=(40, 4)) + (Y == "horn")[:, None]
OPTIONS = {"n_shots": [1, 2], "n_repeats": 6, "cv": PredefinedSplit(np.tile([1, 2], 20))}
KEY = ["pipeline", "n_shots", "repeat", "fold", "metric", "value"]


def start_cluster(n_workers):
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    return distributed.LocalCluster(n_workers=n_workers, **options)


@contextmanager
def connect(cluster):
    """Run the fits of learning curves on a cluster, and yield its client."""
    with distributed.Client(cluster) as client, joblib.parallel_config(backend="dask"):
        client.wait_for_workers(len(cluster.workers), timeout=60)
        yield client


@pytest.fixture(params=[2])
def client(request):
    """Client of a cluster of one test: a cluster may restart fewer workers than were killed."""
    with start_cluster(request.param) as cluster, connect(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def lasting_cluster():
    with start_cluster(2) as cluster:
        yield cluster


@pytest.fixture
def lasting_client(lasting_cluster):
    """Client of a cluster of two workers that no test kills."""
    with connect(lasting_cluster) as client:
        yield client


def make_neighbour(before_fit):
    """Make a nearest-neighbour classifier; a local class is pickled by value, so that workers can load it."""

    class Neighbour(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            before_fit(len(y))
            self.classes_ = np.unique(y)
            self.model_ = KNeighborsClassifier(1).fit(X, y)
            return self

        def predict(self, X):
            return self.model_.predict(X)

    return {"1-nn": Neighbour()}


def check_rows(curve):
    with joblib.parallel_config(backend="sequential"):
        alone = few_shot_curve({"1-nn": KNeighborsClassifier(1)}, X, Y, **OPTIONS)
    pd.testing.assert_frame_equal(curve[KEY], alone[KEY])


def kill(pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
def test_rows_are_the_same_as_without_dask(lasting_client):
    check_rows(few_shot_curve({"1-nn": KNeighborsClassifier(1)}, X, Y, **OPTIONS))


@pytest.mark.slow
@pytest.mark.parametrize("n_killed", [1, 2])
def test_killed_workers_do_not_change_the_rows(client, n_killed):
    pids = list(client.run(os.getpid).values())
    passed_on = []

    def keep(rows):
        passed_on.extend(rows)
        if len(passed_on) == 4:
            kill(pids[:n_killed])

    slow = make_neighbour(lambda n_clips: time.sleep(0.2))
    check_rows(few_shot_curve(slow, X, Y, **OPTIONS, on_result=keep))
    assert len(passed_on) == 24


@pytest.mark.long
def test_killed_worker_during_the_last_fits_does_not_change_the_rows(client):
    pids = list(client.run(os.getpid).values())
    passed_on = []

    def keep(rows):
        passed_on.extend(rows)
        if len(passed_on) == 22:
            kill(pids)

    check_rows(few_shot_curve(make_neighbour(lambda n: time.sleep(0.3)), X, Y, **OPTIONS, on_result=keep))


@pytest.mark.long
def test_fit_that_kills_every_worker_raises_a_clear_error(client):
    def die(n_clips):
        if n_clips == 4:
            os.kill(os.getpid(), signal.SIGKILL)

    passed_on = []
    with pytest.raises(WorkerDiedError, match="of 24 fits of '1-nn'"):
        few_shot_curve(make_neighbour(die), X, Y, **OPTIONS, on_result=passed_on.extend)
    assert {row["n_shots"] for row in passed_on} <= {1}


@pytest.mark.slow
def test_task_abandoned_by_the_scheduler_raises_an_error(client):
    def die(number):
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    backend = PatientDaskBackend.from_active(get_active_backend()[0])
    with pytest.raises(BrokenExecutor, match="workers died"):
        list(
            joblib.Parallel(backend=backend, return_as="generator_unordered", batch_size=1)(
                joblib.delayed(die)(number) for number in range(6)
            )
        )


@pytest.mark.slow
def test_failing_fit_is_raised_and_named(lasting_client):
    with pytest.raises(ValueError, match="n_neighbors") as caught:
        few_shot_curve({"far": KNeighborsClassifier(5)}, X, Y, **OPTIONS)
    assert "This was 'far' with n_shots=1" in caught.value.__notes__[0]


@pytest.mark.slow
def test_estimator_that_cannot_be_pickled_raises_an_error(lasting_client):
    with pytest.raises(TypeError, match="Could not serialize object of type SharedWork"):
        few_shot_curve(KNeighborsClassifier(metric_params={"lock": threading.Lock()}), X, Y, **OPTIONS)


class Parcel:
    """Parameter that logs when it is unpickled."""

    def __init__(self, log):
        self.log = log

    def __setstate__(self, state):
        self.__dict__.update(state)
        with pathlib.Path(self.log).open("a") as file:
            file.write("unpickled\n")

    def __deepcopy__(self, memo):
        return self


@pytest.mark.slow
def test_data_is_sent_to_each_worker_once(client, tmp_path):
    client.amm.stop()  # it would drop replicas that are needed again later

    class Carrier(KNeighborsClassifier):
        def __init__(self, parcel=None):
            super().__init__(1)
            self.parcel = parcel

    # Pickled by value, because workers cannot import this file.
    parcel = type("Parcel", (), dict(vars(Parcel), __module__="__main__"))(str(tmp_path / "log"))
    few_shot_curve({"1-nn": Carrier(parcel)}, X, Y, **OPTIONS)
    assert len((tmp_path / "log").read_text().splitlines()) == 2


@pytest.mark.slow
def test_interrupt_cancels_fits_that_wait_for_a_worker(lasting_client, tmp_path):
    log = str(tmp_path / "log")

    def note(n_clips):
        with pathlib.Path(log).open("a") as file:
            file.write("begun\n")
        time.sleep(0.5)

    def interrupt(rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        few_shot_curve(make_neighbour(note), X, Y, **OPTIONS, on_result=interrupt)
    time.sleep(2)
    # Of 24; a busy machine begins some before the cancellation arrives.
    assert (tmp_path / "log").read_text().count("begun") < 12
    check_rows(few_shot_curve({"1-nn": KNeighborsClassifier(1)}, X, Y, **OPTIONS))


@pytest.mark.slow
@pytest.mark.parametrize("client", [1], indirect=True)
def test_single_worker_runs_all_fits(client, tmp_path):
    log = str(tmp_path / "log")

    def note(n_clips):
        with pathlib.Path(log).open("a") as file:
            file.write(f"{os.getpid()}\n")

    few_shot_curve(make_neighbour(note), X, Y, **OPTIONS)
    assert set((tmp_path / "log").read_text().split()) == {str(*client.run(os.getpid).values())}
