"""Run of a learning curve that the tests of resuming kill, with stored rows and a log of all fits.

python resume_run.py STORE LOG N_REPEATS [ADDRESS OF A DASK SCHEDULER]
"""

import json
import os
import sys
import time
import warnings
from contextlib import ExitStack

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import PredefinedSplit

from skfewaudio.model_selection import few_shot_curve
from skfewaudio.reporting import ResultStore

Y = np.tile(["bark", "horn"], 40)
X = np.arange(80.0)[:, None]
OPTIONS = {"n_shots": [3, 4, 5], "cv": PredefinedSplit(np.repeat([1, 2], 40)), "random_state": 5}


class Logged(ClassifierMixin, BaseEstimator):
    def __init__(self, log=None, seconds=0.05):
        self.log = log
        self.seconds = seconds

    def fit(self, X, y):
        if self.log is not None:
            # A single write appends a complete line even if the process is killed.
            file = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(file, (json.dumps(X[:, 0].tolist()) + "\n").encode())
            os.close(file)
            time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        self.clips_ = X[:, 0]
        return self

    def predict(self, X):
        return self.classes_[(X[:, 0] * self.clips_.sum()).astype(int) % 7 % 2]


def main(path, log, n_repeats, address=None):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*last row is incomplete")
        store = ResultStore(path)
    with ExitStack() as stack:
        if address is not None:
            from distributed import Client

            stack.enter_context(Client(address))
            stack.enter_context(joblib.parallel_config(backend="dask"))
        few_shot_curve(
            {"logged": Logged(log)},
            X,
            Y,
            **OPTIONS,
            n_repeats=int(n_repeats),
            finished=store.frame(),
            on_result=lambda rows: store.append([{"dataset": "toy", **row} for row in rows]),
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
