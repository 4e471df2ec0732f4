"""Time of an ELMClassifier that selects its penalty, and of one least squares fit of the same activations.

The classifier's time includes the whole fit: the hidden layer, the exact leave-one-out errors of the 19
penalties of ``penalty="auto"``, and the solution. The other time is ``scipy.linalg.lstsq(H, Y)`` alone. The
two are run alternately on one thread, and the medians of their CPU times are compared.

    OMP_NUM_THREADS=1 python benchmarks/speed/elm.py
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.linalg import lstsq
from sklearn.datasets import make_classification

from skfewaudio.classifiers import ELMClassifier


def seconds(function: Callable[..., object], *args: object) -> float:
    """Measure the CPU time of one call."""
    start = time.process_time()
    function(*args)
    return time.process_time() - start


def main() -> None:
    """Print the CPU times of both and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-samples", type=int, default=4000)
    parser.add_argument("--n-features", type=int, default=1000)
    parser.add_argument("--n-hidden", type=int, nargs="+", default=[2500])
    parser.add_argument("--n-repeats", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    X, y = make_classification(
        args.n_samples, args.n_features, n_informative=100, n_classes=10, random_state=0
    )
    Y = np.where(y[:, None] == np.arange(10), 1.0, -1.0)
    print(f"{args.n_samples} rows of {args.n_features}, 10 classes; CPU seconds, medians")
    print(f"{'units':>8}{'lstsq':>9}{'auto':>9}{'auto/lstsq':>12}")
    for n_hidden in args.n_hidden:
        model = ELMClassifier(n_hidden, device="cpu", random_state=0).fit(X, y)
        H = np.maximum(X @ model.hidden_weights_ + model.hidden_biases_, 0)
        turns = [(seconds(lstsq, H, Y), seconds(model.fit, X, y)) for _ in range(args.n_repeats)]
        least_squares, auto = np.median(turns, axis=0)
        print(f"{n_hidden:8}{least_squares:9.2f}{auto:9.2f}{auto / least_squares:12.2f}", flush=True)


if __name__ == "__main__":
    main()
