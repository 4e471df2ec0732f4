"""Learning curves of networks: the rows are the same on every backend."""

import logging

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import PredefinedSplit

from skfewaudio import PrototypicalClassifier, SkorchCNN, few_shot_curve

Y = np.repeat(["bark", "horn"], 10)
X = (-40 + 10 * np.random.default_rng(0).standard_normal((20, 32, 40))).astype(np.float32)
X[10:, :6] += 6  # hard enough for the scores of networks to differ
NETWORKS = {
    "cnn": SkorchCNN(architecture_params={"n_filters": 4}, patch_frames=32, max_epochs=3),
    "prototypes": PrototypicalClassifier(max_epochs=1),
}
OPTIONS = {
    "n_shots": [2, 4],
    "n_repeats": 3,
    "cv": PredefinedSplit(np.tile([1, 2], 10)),
    "scoring": "neg_log_loss",
}
KEY = ["pipeline", "n_shots", "repeat", "fold", "metric", "value"]


def curve():
    return few_shot_curve(NETWORKS, X, Y, **OPTIONS)[KEY]


@pytest.fixture(scope="module")
def alone():
    with joblib.parallel_config(backend="sequential"):
        return curve()


def test_rows_in_threads_equal_those_in_sequence(alone):
    with joblib.parallel_config(backend="threading", n_jobs=4):
        pd.testing.assert_frame_equal(curve(), alone, rtol=1e-6)


@pytest.mark.slow
def test_rows_in_processes_equal_those_in_sequence(alone):
    with joblib.parallel_config(backend="loky", n_jobs=2):
        pd.testing.assert_frame_equal(curve(), alone, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("n_workers", "n_threads"), [(1, 3), (2, 2)])
def test_rows_on_dask_workers_with_several_threads_equal_those_in_sequence(n_workers, n_threads, alone):
    distributed = pytest.importorskip("distributed")
    options = {"dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with (
        distributed.LocalCluster(n_workers=n_workers, threads_per_worker=n_threads, **options) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        pd.testing.assert_frame_equal(curve(), alone, rtol=1e-6)
