"""Gain from a network trained on other sounds when few clips are labelled, without published weights.

There are two sources: the embedded dataset (ten synthetic classes; the targets are all ten classes of
ESC-10), and seven of the ESC-10 classes (the targets are the other three), without the test fold. Networks
are then trained on the same drawn clips, from scratch and from the source's network.

One row per fit is appended to a JSON Lines file. Rows found there are not computed again.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import soxr
from numpy.typing import NDArray

from skfewaudio import LogMel, PrototypicalClassifier, SkorchCNN
from skfewaudio.datasets import load_esc50, load_synthetic
from skfewaudio.model_selection.draws import draw_support

TARGET_CLASSES = ["dog", "rain", "crackling_fire"]  # an animal, weather, and a sound easily confused with it
N_EPOCHS = 100
Clips = tuple[list[NDArray], NDArray]

METHODS: dict[str, Callable[[SkorchCNN, Clips, Clips], float]] = {
    "CNN, from scratch": lambda source, train, test: (
        SkorchCNN("vgg", max_epochs=N_EPOCHS, random_state=0, mixed_precision=source.mixed_precision)
        .fit(*train)
        .score(*test)
    ),
    "CNN, started from the source": lambda source, train, test: (
        SkorchCNN(
            source,
            max_epochs=N_EPOCHS,
            backbone_learning_rate=0.01,
            random_state=0,
            mixed_precision=source.mixed_precision,
        )
        .fit(*train)
        .score(*test)
    ),
    "prototypical VGG, from scratch": lambda source, train, test: (
        PrototypicalClassifier("vgg", embedding_size=64, random_state=0).fit(*train).score(*test)
    ),
    "prototypical VGG, started": lambda source, train, test: (
        PrototypicalClassifier(source, embedding_size=64, random_state=0).fit(*train).score(*test)
    ),
    "prototypes of the source's embeddings": lambda source, train, test: (
        PrototypicalClassifier()
        .fit(source.transform(train[0]), train[1])
        .score(source.transform(test[0]), test[1])
    ),
    "default prototypical network": lambda source, train, test: (
        PrototypicalClassifier(random_state=0).fit(*train).score(*test)
    ),
}


def iter_folds(
    kind: str, data_home: str, mixed_precision: bool
) -> Iterator[tuple[int, SkorchCNN, Clips, Clips]]:
    """Yield for each test fold its number, the source network, the clips to draw from and the test clips."""
    data = load_esc50(data_home, subset="esc10")
    X, y = list(LogMel().transform(data.X)), np.asarray(data.y)
    is_target = np.isin(y, TARGET_CLASSES) if kind == "esc10" else np.ones(len(y), dtype=bool)
    source = None if kind == "esc10" else train_source(*synthetic_clips(), mixed_precision)
    for fold in np.unique(data.folds):
        in_fold = data.folds == fold
        network = source or train_source(*select(X, y, ~in_fold & ~is_target), mixed_precision)
        yield int(fold), network, select(X, y, ~in_fold & is_target), select(X, y, in_fold & is_target)


def synthetic_clips() -> Clips:
    """Make twenty clips of each class, at the sample rate of the recordings."""
    made = load_synthetic(20)
    clips = [soxr.resample(clip, made.sample_rate, 44100) for clip in made.X]
    return list(LogMel().transform(clips)), np.asarray(made.y)


def select(X: list[NDArray], y: NDArray, chosen: NDArray) -> Clips:
    """Select clips and their labels."""
    return [X[i] for i in np.flatnonzero(chosen)], y[chosen]


def train_source(X: list[NDArray], y: NDArray, mixed_precision: bool) -> SkorchCNN:
    """Train a VGG on all clips of the source."""
    cnn = SkorchCNN("vgg", max_epochs=N_EPOCHS, batch_size=64, random_state=0)
    return cnn.set_params(mixed_precision=mixed_precision).fit(X, y)


def main() -> None:
    """Run the fits that are missing from the output, and print the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-home", required=True, help="folder of ESC-50-master")
    parser.add_argument("--output", type=Path, default=Path("results/transfer.jsonl"))
    parser.add_argument(
        "--sources", nargs="+", choices=["esc10", "synthetic"], default=["esc10", "synthetic"]
    )
    parser.add_argument("--n-shots", nargs="+", type=int, default=[1, 5])
    parser.add_argument("--n-repeats", type=int, default=5)
    parser.add_argument(
        "--mixed-precision", action="store_true", help="train in bfloat16; twice as fast on some CPUs"
    )
    args = parser.parse_args()
    args.output.parent.mkdir(parents=True, exist_ok=True)
    done = pd.read_json(args.output, lines=True) if args.output.exists() else pd.DataFrame()
    for kind in args.sources:
        for fold, source, train, test in iter_folds(kind, args.data_home, args.mixed_precision):
            for n_shots in args.n_shots:
                for repeat in range(args.n_repeats):
                    for method, score in METHODS.items():
                        key = {
                            "source": kind,
                            "fold": fold,
                            "n_shots": n_shots,
                            "repeat": repeat,
                            "method": method,
                        }
                        if len(done) and (done[list(key)] == pd.Series(key)).all(axis=1).any():
                            continue
                        row = {**key, "accuracy": score(source, draw_clips(train, n_shots, repeat), test)}
                        with args.output.open("a") as file:
                            file.write(json.dumps(row) + "\n")
    print_means(pd.read_json(args.output, lines=True))


def draw_clips(clips: Clips, n_shots: int, repeat: int) -> Clips:
    """Draw n_shots clips of each class."""
    X, y = clips
    chosen = draw_support(y, n_shots, repeat)
    return [X[i] for i in chosen], y[chosen]


def print_means(rows: pd.DataFrame) -> None:
    """Print mean accuracies in percent with the 95 % interval over the repeats."""
    keys = ["source", "method", "n_shots"]
    draws = 100 * rows.groupby([*keys, "repeat"])["accuracy"].mean()
    table = draws.groupby(keys).agg(["mean", "std", "count"])
    table["interval"] = 1.96 * table["std"] / np.sqrt(table["count"])
    print(table[["mean", "interval", "count"]].round(1).to_string())


if __name__ == "__main__":
    main()
