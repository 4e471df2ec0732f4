"""Cost of the differences between the published prototypical network and its paper, on real clips.

The code published with arXiv:1810.10274 (1) normalises its input by frame index of the patch, (2) draws
queries that may be support patches too, (3) makes the prototypes from at most five clips, (4) uses running
averages of batch normalisation with momentum 0.99, and (5) never resets its count of epochs without
improvement. Each training is evaluated with the prototypes of the support and of all clips, and with
running and recomputed averages, so that the comparisons for (3) and (4) are paired. The history shows where
the two ways of counting (5) would stop.

One row per training is appended to a JSON Lines file. Trainings found there are not repeated.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from skfewaudio import LogMel, PrototypicalClassifier
from skfewaudio._torch import resolve_device
from skfewaudio.architectures import VGG
from skfewaudio.classifiers._networks.building import recalibrate_batch_norm
from skfewaudio.classifiers._networks.patches import cut_patches
from skfewaudio.datasets import load_esc50
from skfewaudio.model_selection import FewShotSplit

Clips = tuple[list[NDArray], NDArray]
TRAININGS: dict[str, dict[str, Any]] = {
    "as published": {},
    "input normalised by band": {"input_norm": "band"},
    "queries apart from support": {"fixed_support": False},
    "both": {"input_norm": "band", "fixed_support": False},
}


class BFloat16VGG(VGG):
    """The paper's network with bfloat16 products: 2.5 times as fast on processors that have them."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs in single precision."""
        with torch.autocast(x.device.type, torch.bfloat16):
            return super().forward(x.contiguous(memory_format=torch.channels_last)).float()


def make_classifier(key: dict[str, Any], max_epochs: int) -> PrototypicalClassifier:
    """Build the preset with one change, stopped after max_epochs or by the paper's rule."""
    changes = dict(TRAININGS[key["training"]])
    params = {
        "n_filters": key["n_filters"],
        "input_norm": changes.pop("input_norm", "frame"),
        "pool_first": False,
    }
    if key["n_updates"]:
        changes["patience"] = None
    return PrototypicalClassifier.from_preset(
        "few-data",
        architecture=BFloat16VGG if key["bfloat16"] else VGG,
        architecture_params=params,
        max_epochs=max_epochs,
        random_state=key["repeat"],
        **changes,
    )


def evaluate(classifier: PrototypicalClassifier, train: Clips, test: Clips) -> dict[str, float]:
    """Return the accuracies of one training, by the clips of the prototypes and the averages used."""
    scores = {"support, running": classifier.score(*test) if classifier.fixed_support else np.nan}
    classifier.prototypes_ = prototypes_from_all_clips(classifier, *train)
    scores["all clips, running"] = classifier.score(*test)
    data = cut_patches(classifier, train[0], resolve_device(classifier.device))
    recalibrate_batch_norm(classifier.network_, [data.gather(np.arange(len(data)))])
    classifier.prototypes_ = prototypes_from_all_clips(classifier, *train)
    scores["all clips, measured"] = classifier.score(*test)
    return scores


def prototypes_from_all_clips(classifier: PrototypicalClassifier, X: list[NDArray], y: NDArray) -> NDArray:
    """Compute the mean embedding of all clips of each class."""
    embeddings = classifier.transform(X)
    return np.stack([embeddings[y == label].mean(axis=0) for label in classifier.classes_])


def stopping_epochs(accuracy: list[float], patience: int) -> dict[str, int | None]:
    """Return the epoch after which each way of counting stops, or None."""
    best, in_a_row, in_all = -np.inf, 0, 0
    stops: dict[str, int | None] = {"in a row": None, "in all": None}
    for epoch, value in enumerate(accuracy, start=1):
        improved = value > best
        in_a_row, in_all = (0 if improved else in_a_row + 1), in_all + (not improved)
        best = max(best, value)
        if in_a_row >= patience and stops["in a row"] is None:
            stops["in a row"] = epoch
        if in_all > patience and stops["in all"] is None:
            stops["in all"] = epoch
    return stops


def main() -> None:
    """Run the trainings that are missing from the output, and print the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-home", required=True)
    parser.add_argument("--output", type=Path, default=Path("results/prototypical_oddities.jsonl"))
    parser.add_argument("--trainings", nargs="+", choices=list(TRAININGS), default=list(TRAININGS))
    parser.add_argument("--n-shots", nargs="+", type=int, default=[1, 5])
    parser.add_argument("--n-repeats", type=int, default=3)
    parser.add_argument("--folds", nargs="+", type=int, default=None)
    parser.add_argument("--n-filters", type=int, default=16, help="128 is the paper's")
    parser.add_argument("--n-updates", type=int, default=150, help="0 trains until the paper's rule stops")
    parser.add_argument("--bfloat16", action="store_true", help="use bfloat16 products")
    args = parser.parse_args()
    data = load_esc50(args.data_home, subset="esc10")
    X, y = LogMel.from_preset("few-data").transform(data.X), np.asarray(data.y)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    done = pd.read_json(args.output, lines=True) if args.output.exists() else pd.DataFrame()
    for n_shots in args.n_shots:
        split = FewShotSplit(n_shots, n_repeats=args.n_repeats, cv=data.make_cv(), random_state=0)
        for i, (train, test) in enumerate(split.split(X, y)):
            fold, repeat = int(data.folds[test[0]]), i // len(np.unique(data.folds))
            if args.folds is not None and fold not in args.folds:
                continue
            for training in args.trainings:
                key = {
                    "training": training,
                    "n_filters": args.n_filters,
                    "n_updates": args.n_updates,
                    "bfloat16": args.bfloat16,
                    "n_shots": n_shots,
                    "repeat": repeat,
                    "fold": fold,
                }
                if len(done) and (done[list(key)] == pd.Series(key)).all(axis=1).any():
                    continue
                row = key | train_and_evaluate(
                    key, ([X[k] for k in train], y[train]), ([X[k] for k in test], y[test])
                )
                with args.output.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(row, flush=True)
    print_means(pd.read_json(args.output, lines=True))


def train_and_evaluate(key: dict[str, Any], train: Clips, test: Clips) -> dict[str, Any]:
    """Train once and return the evaluation."""
    updates_per_epoch = max(1, 3 * key["n_shots"] // min(5, 3 * key["n_shots"]))  # 3 patches in a clip of 5 s
    max_epochs = max(1, key["n_updates"] // updates_per_epoch) if key["n_updates"] else 100_000
    start = time.perf_counter()
    classifier = make_classifier(key, max_epochs).fit(*train)
    seconds = time.perf_counter() - start
    # The training accuracy is recorded only if the paper's rule decides when to stop.
    measured = [] if key["n_updates"] else [float(a) for a in classifier.history_[:, "train_accuracy"]]
    return {
        "train_accuracy": classifier.score(*train),
        **evaluate(classifier, train, test),
        "epochs": len(classifier.history_),
        "train_loss": float(classifier.history_[-1, "train_loss"]),
        "stops": stopping_epochs(measured, 200),
        "seconds": seconds,
    }


def print_means(rows: pd.DataFrame) -> None:
    """Print mean accuracies in percent, and the number of trainings."""
    variants = [name for name in rows.columns if name.startswith(("support,", "all clips,"))]
    groups = rows.groupby(["n_filters", "n_updates", "bfloat16", "n_shots", "training"])
    table = (100 * groups[variants].mean()).round(1)
    table["runs"] = groups.size()
    print(table.to_string())


if __name__ == "__main__":
    main()
