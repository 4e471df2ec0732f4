"""Evaluation of make_few_shot_classifier on collections of several kinds of sound.

Each collection is a folder with a table clips.csv, which has the columns path, label and fold. Each fold in
turn is the test fold. The training clips are drawn from the other folds, the same for every row of a table.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from few_shot_classifier import (
    FALSE_REJECTION_RATE,
    Sounds,
    accuracies,
    accuracies_and_errors,
    fit_all,
    format_interval,
    print_row,
)
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import _safe_indexing

from skfewaudio import MFCC, make_few_shot_classifier

N_SHOTS = (1, 2, 5, 10, 20)


def load_folder(folder: Path) -> Sounds:
    """Load the clips of a folder, and compute their spectrograms at their most frequent sample rate."""
    table = pd.read_csv(folder / "clips.csv", dtype={"label": str})
    paths = [str(folder / path) for path in table["path"]]
    logmel = make_few_shot_classifier(device="cpu")[0].fit(paths)
    spectrograms = [np.asarray(clip) for clip in logmel.transform(paths)]
    y, folds = table["label"].to_numpy(str), table["fold"].to_numpy()
    return Sounds(paths, y, folds, logmel.sample_rate_, paths, spectrograms)


def find_shots(sounds: Sounds) -> list[int]:
    """Return the numbers of clips per class that can be drawn from all folds but any one."""
    most = min(
        np.unique(sounds.y[sounds.folds != fold], return_counts=True)[1].min()
        for fold in np.unique(sounds.folds)
    )
    return [n for n in N_SHOTS if n <= most]


def builder(sounds: Sounds, blocks: list[str] | None = None, **params: Any) -> Callable[[], Any]:
    """Return a function that builds the classifier of spectrograms, with only some of its blocks."""

    def build() -> Any:
        pipeline = make_few_shot_classifier(sample_rate=sounds.rate, device="cpu", **params)[1:]
        if blocks is not None:
            blocked = pipeline[-1] if params.get("augmentation", "auto") is None else pipeline[-1].estimator
            blocked.set_params(blocks=[block for block in blocked.blocks if block[0] in blocks], prior=None)
        return pipeline

    return build


def compare_accuracy(sounds: Sounds, n_draws: int) -> None:
    """Print accuracies of the baseline, of each block alone and of the classifier, and calibration errors."""
    shots = find_shots(sounds)
    print_row("clips per class", [str(n) for n in shots])
    mfcc = np.asarray(MFCC(device="cpu").transform(sounds.mfcc))
    nearest = lambda: KNeighborsClassifier(1, metric="cosine")  # noqa: E731
    print_row("MFCC, 1-NN", [format_interval(accuracies(nearest, mfcc, sounds, n, n_draws)) for n in shots])
    for block in ("statistics", "level", "shape", "embedding"):
        make = builder(sounds, [block])
        found = [accuracies(make, sounds.spectrograms, sounds, n, n_draws) for n in shots]
        print_row(f"{block} alone", [format_interval(scores) for scores in found])
    for name, params in {"all": {}, "all, no copies": {"augmentation": None}}.items():
        make = builder(sounds, **params)
        pairs = [accuracies_and_errors(make, sounds.spectrograms, sounds, n, n_draws) for n in shots]
        print_row(name, [format_interval(scores) for scores, _ in pairs])
        print_row("its calibration error", [format_interval(errors, 3) for _, errors in pairs])


def evaluate_rejection(sounds: Sounds, n_draws: int) -> None:
    """Print how well unknown clips are recognised if a random half of the classes is known."""
    make = builder(sounds, false_rejection_rate=FALSE_REJECTION_RATE)
    classes = np.unique(sounds.y)
    for n in find_shots(sounds)[1:]:
        found = []
        for number in range(n_draws):
            known = np.random.RandomState(number).permutation(classes)[: (len(classes) + 1) // 2]
            found.append(reject_unknown(make, sounds, np.isin(sounds.y, known), n))
        areas, *shares = np.array(found).T
        cells = [format_interval(areas, 3), *(f"{100 * share.mean():.0f} %" for share in shares)]
        print_row(f"{n} clips per class", cells)


def reject_unknown(
    make: Callable[[], Any], sounds: Sounds, is_known: NDArray[np.bool_], n: int
) -> tuple[float, ...]:
    """Return the area under the ROC curve, and the shares of known and unknown clips that are rejected."""
    known = np.flatnonzero(is_known)
    X, y, folds = _safe_indexing(sounds.spectrograms, known), sounds.y[known], sounds.folds[known]
    found = []
    for draw, model in fit_all(make, X, y, folds, n, 1):
        unknown = np.flatnonzero(~is_known & (sounds.folds == folds[draw.test[0]]))
        parts = _safe_indexing(X, draw.test), _safe_indexing(sounds.spectrograms, unknown)
        values = np.concatenate([model.score_samples(part) for part in parts])
        truth = np.repeat([1, 0], [len(part) for part in parts])
        rejected = [(model.predict(part) == "unknown").mean() for part in parts]
        found.append((roc_auc_score(truth, values), *rejected))
    return tuple(np.mean(found, axis=0))


STUDIES: dict[str, Callable[[Sounds, int], None]] = {
    "accuracy": compare_accuracy,
    "unknown": evaluate_rejection,
}


def main() -> None:
    """Print a table for each study and folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--studies", nargs="+", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--n-draws", type=int, default=20)
    args = parser.parse_args()
    for folder in args.folders:
        sounds = load_folder(folder)
        for study in args.studies:
            print(f"\n{folder.name}: {study}, {len(sounds.y)} clips", flush=True)
            STUDIES[study](sounds, args.n_draws)


if __name__ == "__main__":
    main()
