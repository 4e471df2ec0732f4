"""Accuracy and cost of MFCC by librosa with classifiers of scikit-learn, on the draws of run_all.py.

The features of a clip are the means and the standard deviations over time of 20 coefficients. Each fold of
the ESC-10 classes of ESC-50 in turn is the test fold. Rows with the same draw have the same training clips as
the rows of run_all.py, so that they can be compared in pairs.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skfewaudio.datasets import AudioDataset, load_esc50
from skfewaudio.model_selection import FewShotSplit, few_shot_curve
from skfewaudio.pipelines import PIPELINES
from skfewaudio.reporting import ResultStore, accuracy_table

N_SHOTS = (1, 2, 5, 10, 20)
RESULTS = Path(__file__).parent / "results" / "esc10-librosa" / "results.jsonl"


def compute_mfcc(paths: Sequence[Any]) -> NDArray[np.float64]:
    """Compute the means and standard deviations of MFCC of each file, with librosa's default parameters."""
    rows = []
    for path in paths:
        clip, rate = librosa.load(path)
        coefficients = librosa.feature.mfcc(y=clip, sr=rate)
        rows.append(np.concatenate([coefficients.mean(axis=1), coefficients.std(axis=1)]))
    return np.array(rows)


CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "librosa-forest": lambda: RandomForestClassifier(500, random_state=0),
    "librosa-svm": lambda: make_pipeline(StandardScaler(), SVC(C=10.0)),
}


def measure_accuracy(dataset: AudioDataset, n_repeats: int) -> None:
    """Store a row for each fit, and print the table of accuracies."""
    store = ResultStore(RESULTS)
    features = compute_mfcc(dataset.X)
    few_shot_curve(
        {name: make() for name, make in CLASSIFIERS.items()},
        features,
        dataset.y,
        n_shots=N_SHOTS,
        n_repeats=n_repeats,
        cv=PredefinedSplit(dataset.folds),
        random_state=0,
        finished=store.frame(),
        on_result=lambda rows: store.append([{"dataset": dataset.name, **row} for row in rows]),
    )
    print(accuracy_table(store.frame(), style="markdown"))


def measure_cost(dataset: AudioDataset, names: Sequence[str], n_shots: int) -> None:
    """Print the processor time of a fit to files and of the prediction of a fold, features included."""
    split = FewShotSplit(n_shots=n_shots, n_repeats=1, cv=PredefinedSplit(dataset.folds), random_state=0)
    train, test = next(iter(split.split(dataset.X, dataset.y)))
    for name in names:
        model = make_model(name)
        started = time.process_time()
        model.fit([dataset.X[i] for i in train], dataset.y[train])
        fitted = time.process_time()
        model.predict([dataset.X[i] for i in test])
        spent = fitted - started, (time.process_time() - fitted) / len(test)
        print(f"| {name} | {spent[0]:.1f} s | {1000 * spent[1]:.0f} ms |", flush=True)


def make_model(name: str) -> Any:
    """Build a pipeline of files by its name."""
    if name in CLASSIFIERS:
        return make_pipeline(FunctionTransformer(compute_mfcc), CLASSIFIERS[name]())
    return PIPELINES[name](device="cpu", mixed_precision=False)


def main() -> None:
    """Print the table of accuracies, or with --cost a table of processor times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", required=True, help="folder of ESC-50-master")
    parser.add_argument("--n-repeats", type=int, default=10)
    parser.add_argument("--cost", nargs="+", metavar="PIPELINE", help="measure the time of these pipelines")
    parser.add_argument("--n-shots", type=int, default=5, help="clips per class for --cost")
    args = parser.parse_args()
    dataset = load_esc50(data_home=args.data_home, subset="esc10")
    if args.cost:
        measure_cost(dataset, args.cost, args.n_shots)
    else:
        measure_accuracy(dataset, args.n_repeats)


if __name__ == "__main__":
    main()
