"""Time of a few-shot curve on two single-threaded Dask workers and on one.

Networks are trained on the embedded dataset, with precomputed spectrograms. The two clusters run in
alternating order, after every worker has imported everything and trained once. The script prints the ratio
of times and the share of the time in which workers were fitting and scoring. Unlike the ratio, this share
hardly depends on other load on the cores.

    OMP_NUM_THREADS=1 python benchmarks/speed/dask_workers.py
"""

import argparse
import os
import time
from typing import Any

import joblib
import numpy as np
import pandas as pd
from distributed import Client, LocalCluster

from skfewaudio import LogMel, PrototypicalClassifier, SkorchCNN, few_shot_curve
from skfewaudio.datasets import load_synthetic

CLASSIFIERS = {
    "timbre": lambda n_epochs: SkorchCNN("timbre", max_epochs=n_epochs, device="cpu"),
    "prototypical": lambda _: PrototypicalClassifier(device="cpu"),
}


def run(client: Client, arguments: dict[str, Any]) -> tuple[float, pd.DataFrame]:
    """Measure the time of one curve, and return the curve too."""
    with joblib.parallel_config(backend="dask", client=client):
        start = time.perf_counter()
        curve = few_shot_curve(**arguments)
    return time.perf_counter() - start, curve


def check_equal(one: pd.DataFrame, two: pd.DataFrame) -> None:
    """Check that both clusters give the same scores."""
    if one["value"].tolist() != two["value"].tolist():
        raise RuntimeError("one and two workers give different scores")


def main() -> None:
    """Print the times on one and two workers, and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--classifier", choices=list(CLASSIFIERS), default="timbre")
    parser.add_argument("--n-epochs", type=int, default=100)
    parser.add_argument("--n-shots", type=int, default=10)
    parser.add_argument("--n-draws", type=int, default=4)
    parser.add_argument("--n-repeats", type=int, default=5)
    args = parser.parse_args()
    dataset = load_synthetic(20, n_folds=2)
    arguments = {
        "estimators": {args.classifier: CLASSIFIERS[args.classifier](args.n_epochs)},
        "X": LogMel(sample_rate=22050).transform(dataset.X),
        "y": dataset.y,
        "n_shots": [args.n_shots],
        "n_repeats": args.n_draws,
        "cv": dataset.make_cv(),
    }
    options = {"threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        LocalCluster(n_workers=1, **options) as one,
        LocalCluster(n_workers=2, **options) as two,
        Client(one, set_as_default=False) as alone,
        Client(two, set_as_default=False) as both,
    ):
        clients = {1: alone, 2: both}
        for client in clients.values():
            run(client, arguments | {"n_repeats": 1})
        seconds: dict[int, list[float]] = {1: [], 2: []}
        busy: dict[int, list[float]] = {1: [], 2: []}
        load = os.getloadavg()[0]
        for index in range(args.n_repeats):
            curves = {}
            for n_workers in list(clients)[:: 1 if index % 2 else -1]:
                took, curves[n_workers] = run(clients[n_workers], arguments)
                seconds[n_workers].append(took)
                times = curves[n_workers][["fit_time", "score_time"]]
                busy[n_workers].append(float(times.to_numpy().sum()) / (took * n_workers))
            check_equal(curves[1], curves[2])
    ratio = np.array(seconds[1]) / seconds[2]
    fit = np.median(curves[1]["fit_time"])
    print(f"{args.classifier}: {len(curves[1])} fits of {fit:.2f} s, {args.n_repeats} pairs")
    print(f"{os.cpu_count()} cores; average load {load:.1f} before, {os.getloadavg()[0]:.1f} after")
    print(f"{'one s':>9}{'busy':>7}{'two s':>9}{'busy':>7}{'one/two':>9}  range")
    for n_workers in seconds:
        print(f"{np.median(seconds[n_workers]):9.2f}{np.median(busy[n_workers]):7.0%}", end="")
    print(f"{np.median(ratio):9.2f}  {ratio.min():.2f}-{ratio.max():.2f}")


if __name__ == "__main__":
    main()
