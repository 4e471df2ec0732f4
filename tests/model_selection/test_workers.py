import os
import signal
import time

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier

from skfewaudio.exceptions import WorkerDiedError
from skfewaudio.model_selection import few_shot_curve

RNG = np.random.default_rng(0)
Y = np.repeat(["bark", "horn"], 20)
X = RNG.normal(size=(40, 4)) + (Y == "horn")[:, None]
OPTIONS = {"n_shots": [1, 2], "n_repeats": 3, "cv": PredefinedSplit(np.tile([1, 2], 20))}
KEY = ["pipeline", "n_shots", "repeat", "fold", "metric", "value"]
THREADS = joblib.parallel.BACKENDS["threading"]


def make_classifier(before_fit):
    """Make a trivial classifier; a local class is pickled by value, so that workers can load it."""

    class Guess(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            before_fit(len(y))
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.resize(self.classes_, len(X))

    return Guess()


class OnlyLists(THREADS):
    supports_return_generator = False


@pytest.mark.parametrize("backend", ["threading", "loky", OnlyLists()])
def test_rows_are_the_same_on_every_backend(backend):
    alone = few_shot_curve(KNeighborsClassifier(1), X, Y, **OPTIONS)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        found = few_shot_curve(KNeighborsClassifier(1), X, Y, **OPTIONS)
    pd.testing.assert_frame_equal(found[KEY], alone[KEY])


def test_rows_are_the_same_for_a_list_of_arrays_shared_between_processes():
    clips = [row.reshape(2, 2) for row in X]

    class Flat(KNeighborsClassifier):
        def fit(self, X, y):
            return super().fit(np.reshape(X, (len(X), -1)), y)

        def predict(self, X):
            return super().predict(np.reshape(X, (len(X), -1)))

    alone = few_shot_curve({"flat": KNeighborsClassifier(1)}, X, Y, **OPTIONS)
    found = few_shot_curve({"flat": Flat(1)}, clips, Y, **OPTIONS, n_jobs=2)
    pd.testing.assert_frame_equal(found[KEY], alone[KEY])


def test_rows_are_passed_on_while_other_fits_run():
    release = time.monotonic() + 60

    def wait(n_clips):
        while n_clips == 4 and time.monotonic() < release:
            time.sleep(0.01)

    passed_on = []

    def keep(rows):
        nonlocal release
        passed_on.append(rows[0]["n_shots"])
        release = time.monotonic()

    with joblib.parallel_config(backend="threading", n_jobs=2):
        few_shot_curve(make_classifier(wait), X, Y, **OPTIONS | {"n_shots": [1, 2]}, on_result=keep)
    assert passed_on[0] == 1
    assert len(passed_on) == 12


def test_fit_time_is_measured_per_fit():
    slow = make_classifier(lambda n_clips: time.sleep(0.05 * (n_clips == 4)))
    curve = few_shot_curve(slow, X, Y, **OPTIONS)
    assert (curve["fit_time"] >= 0.05).equals(curve["n_shots"] == 2)


def test_dead_process_raises_a_clear_error_and_the_run_can_be_resumed():
    def die(n_clips):
        if n_clips == 4:
            os.kill(os.getpid(), signal.SIGKILL)

    passed_on = []
    with pytest.raises(WorkerDiedError, match=r"of 12 fits of 'guess'.*`finished` to resume"):
        few_shot_curve({"guess": make_classifier(die)}, X, Y, **OPTIONS, n_jobs=2, on_result=passed_on.extend)
    finished, again = pd.DataFrame(passed_on), []
    assert set(finished["n_shots"]) == {1}
    healthy = {"guess": make_classifier(lambda n_clips: None)}
    curve = few_shot_curve(healthy, X, Y, **OPTIONS, finished=finished, on_result=again.extend)
    assert len(curve) == 12
    assert len(again) == 12 - len(passed_on)


@pytest.mark.slow
def test_interrupt_does_not_wait_for_running_fits(recwarn):
    def interrupt(rows):
        raise KeyboardInterrupt

    sleeper = make_classifier(lambda n_clips: time.sleep(60 * (n_clips == 4)))
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        few_shot_curve(sleeper, X, Y, **OPTIONS, n_jobs=2, on_result=interrupt)
    assert time.monotonic() - start < 45
    assert not recwarn.list
