import logging
import os
import pathlib
import signal
import threading
import time
from concurrent.futures import BrokenExecutor

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

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
Y = np.repeat(["bark", "horn"], 20)
X = RNG.normal(size=(40, 4)) + (Y == "horn")[:, None]
OPTIONS = {"n_shots": [1, 2], "n_repeats": 6, "cv": PredefinedSplit(np.tile([1, 2], 20))}
KEY = ["pipeline", "n_shots", "repeat", "fold", "metric", "value"]


@pytest.fixture(params=[2])
def client(request):
    # A cluster for each test: one whose workers were killed may come back with fewer.
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with (
        distributed.LocalCluster(n_workers=request.param, **options) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        client.wait_for_workers(request.param, timeout=60)
        yield client


def make_neighbour(before_fit):
    """Make a nearest neighbour; a class of a function's own travels to workers by value."""

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


def test_rows_are_the_same_as_without_dask(client):
    check_rows(few_shot_curve({"1-nn": KNeighborsClassifier(1)}, X, Y, **OPTIONS))


@pytest.mark.parametrize("n_killed", [1, 2])
def test_killed_workers_cost_nothing_but_time(client, n_killed):
    pids = list(client.run(os.getpid).values())
    handed = []

    def keep(rows):
        handed.extend(rows)
        if len(handed) == 4:
            kill(pids[:n_killed])

    slow = make_neighbour(lambda n_clips: time.sleep(0.2))
    check_rows(few_shot_curve(slow, X, Y, **OPTIONS, on_result=keep))
    assert len(handed) == 24


def test_killed_worker_during_the_last_fits_costs_nothing_but_time(client):
    pids = list(client.run(os.getpid).values())
    handed = []

    def keep(rows):
        handed.extend(rows)
        if len(handed) == 22:
            kill(pids)

    check_rows(few_shot_curve(make_neighbour(lambda n: time.sleep(0.3)), X, Y, **OPTIONS, on_result=keep))


def test_fit_that_takes_every_worker_down_is_a_clear_error(client):
    def die(n_clips):
        if n_clips == 4:
            os.kill(os.getpid(), signal.SIGKILL)

    handed = []
    with pytest.raises(WorkerDiedError, match="of 24 fits of '1-nn'"):
        few_shot_curve(make_neighbour(die), X, Y, **OPTIONS, on_result=handed.extend)
    assert {row["n_shots"] for row in handed} <= {1}


def test_task_that_the_scheduler_gives_up_is_an_error_and_not_waited_for(client):
    def die(number):
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    backend = PatientDaskBackend.like(get_active_backend()[0])
    with pytest.raises(BrokenExecutor, match="workers died"):
        list(
            joblib.Parallel(backend=backend, return_as="generator_unordered", batch_size=1)(
                joblib.delayed(die)(number) for number in range(6)
            )
        )


def test_failing_fit_is_raised_and_named(client):
    with pytest.raises(ValueError, match="n_neighbors") as caught:
        few_shot_curve({"far": KNeighborsClassifier(5)}, X, Y, **OPTIONS)
    assert "This was 'far' with n_shots=1" in caught.value.__notes__[0]


def test_what_cannot_be_sent_is_an_error(client):
    with pytest.raises(TypeError, match="Could not serialize object of type SharedWork"):
        few_shot_curve(KNeighborsClassifier(metric_params={"lock": threading.Lock()}), X, Y, **OPTIONS)


class Parcel:
    """A parameter that notes when it is unpacked."""

    def __init__(self, log):
        self.log = log

    def __setstate__(self, state):
        self.__dict__.update(state)
        with pathlib.Path(self.log).open("a") as file:
            file.write("unpacked\n")

    def __deepcopy__(self, memo):
        return self


def test_data_goes_to_each_worker_once(client, tmp_path):
    client.amm.stop()  # it drops copies that no waiting task needs at the moment, to be fetched again

    class Carrier(KNeighborsClassifier):
        def __init__(self, parcel=None):
            super().__init__(1)
            self.parcel = parcel

    # By value, so that workers need not find this file.
    parcel = type("Parcel", (), dict(vars(Parcel), __module__="__main__"))(str(tmp_path / "log"))
    few_shot_curve({"1-nn": Carrier(parcel)}, X, Y, **OPTIONS)
    assert len((tmp_path / "log").read_text().splitlines()) == 2


def test_interrupt_takes_back_fits_that_wait_for_a_worker(client, tmp_path):
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
    assert (tmp_path / "log").read_text().count("begun") <= 4
    check_rows(few_shot_curve({"1-nn": KNeighborsClassifier(1)}, X, Y, **OPTIONS))


@pytest.mark.parametrize("client", [1], indirect=True)
def test_single_worker_does_the_work_itself(client, tmp_path):
    log = str(tmp_path / "log")

    def note(n_clips):
        with pathlib.Path(log).open("a") as file:
            file.write(f"{os.getpid()}\n")

    few_shot_curve(make_neighbour(note), X, Y, **OPTIONS)
    assert set((tmp_path / "log").read_text().split()) == {str(*client.run(os.getpid).values())}
