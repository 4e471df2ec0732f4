"""Effect of augmenting and mixing the training clips of networks that are trained from scratch.

Each fold of the ESC-10 classes of ESC-50 in turn is the test fold. The training clips are drawn from the
other folds, the same for every variant. Each accuracy is printed when it is computed.

    python benchmarks/augmentation.py --data-home <folder of ESC-50-master> --variants "MixUp(1.0)" "longer"
"""

import argparse
import time
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import PredefinedSplit

from skfewaudio import AugmentedClassifier, LogMel, PrototypicalClassifier, SkorchCNN
from skfewaudio.augmentation import (
    BackgroundNoise,
    FrequencyShift,
    MixUp,
    RandomEqualizer,
    SpecAugment,
    TimeShift,
    TimeStretch,
)
from skfewaudio.datasets import load_esc50
from skfewaudio.model_selection import FewShotSplit

ADAM = {"optimizer": torch.optim.AdamW, "learning_rate": 0.001, "gradient_clip": None}
SMALL_BATCHES = {"batch_size": 32}
LONGER = {"batch_size": 32, "max_epochs": 400}
COPY_AUGMENTATION = [TimeStretch(0.2), FrequencyShift(2), BackgroundNoise()]
ALL_METHODS = [FrequencyShift(4), RandomEqualizer(6.0), MixUp(1.0), SpecAugment(8, 20)]
POOLED_FILTERS = {"architecture": "pooled_filters", "patch_frames": 216, "max_epochs": 60}

# Parameters of SkorchCNN("vgg"), or of an AugmentedClassifier around a PrototypicalClassifier.
VARIANTS: dict[str, dict[str, Any]] = {
    "VGG": {},
    "MixUp(1.0)": {"augmentation": MixUp(1.0)},
    "FrequencyShift(4)": {"augmentation": FrequencyShift(4)},
    "SpecAugment(16, 30)": {"augmentation": SpecAugment(16, 30)},
    "RandomEqualizer(6.0)": {"augmentation": RandomEqualizer(6.0)},
    "TimeShift()": {"augmentation": TimeShift()},
    "small batches": SMALL_BATCHES,
    "small batches, shift, MixUp(1.0)": {**SMALL_BATCHES, "augmentation": [FrequencyShift(4), MixUp(1.0)]},
    "small batches, MixUp of powers": {**SMALL_BATCHES, "augmentation": MixUp(1.0, domain="power")},
    "small batches, everything": {**SMALL_BATCHES, "augmentation": ALL_METHODS},
    "Adam": {**SMALL_BATCHES, **ADAM},
    "Adam, shift, MixUp(1.0)": {
        **SMALL_BATCHES,
        **ADAM,
        "augmentation": [FrequencyShift(4), MixUp(1.0)],
    },
    "longer": LONGER,
    "longer, shift, MixUp(1.0)": {**LONGER, "augmentation": [FrequencyShift(4), MixUp(1.0)]},
    "longer, TimeShift too": {**LONGER, "augmentation": [TimeShift(), FrequencyShift(4), MixUp(1.0)]},
    "longer, shift 6, MixUp(0.4)": {**LONGER, "augmentation": [FrequencyShift(6), MixUp(0.4)]},
    "pooled filters": POOLED_FILTERS,
    "pooled filters, MixUp(1.0)": {**POOLED_FILTERS, "augmentation": MixUp(1.0)},
    "pooled filters, longer": {**POOLED_FILTERS, "max_epochs": 200},
    "pooled filters, longer, shift, colour, MixUp(1.0)": {
        **POOLED_FILTERS,
        "max_epochs": 200,
        "augmentation": [FrequencyShift(2), RandomEqualizer(3.0), MixUp(1.0)],
    },
    "prototypical": {"n_copies": 0},
    "prototypical, 2 copies": {"n_copies": 2},
    "prototypical, 4 copies": {"n_copies": 4},
}


def build_classifier(params: dict[str, Any], seed: int) -> Any:
    """Build the classifier of a variant."""
    if "n_copies" in params:
        network = PrototypicalClassifier(device="cpu", random_state=seed)
        return AugmentedClassifier(network, augmentation=COPY_AUGMENTATION, random_state=seed, **params)
    cnn_params = {"architecture": "vgg", "mixed_precision": True, "device": "cpu", **params}
    return SkorchCNN(random_state=seed, **cnn_params)


def main() -> None:
    """Print the accuracy of each variant, per repeat and over all repeats."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-home", required=True, help="folder of ESC-50-master")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--n-shots", type=int, default=10)
    parser.add_argument("--n-draws", type=int, default=1)
    args = parser.parse_args()
    dataset = load_esc50(data_home=args.data_home, subset="esc10")
    X, y = LogMel().fit_transform(dataset.X), dataset.y
    cv = FewShotSplit(args.n_shots, n_repeats=args.n_draws, cv=PredefinedSplit(dataset.folds))
    n_folds = len(np.unique(dataset.folds))
    for name in args.variants:
        scores, started = [], time.process_time()
        for number, (train, test) in enumerate(cv.split(X, y)):
            model = build_classifier(VARIANTS[name], number // n_folds).fit([X[i] for i in train], y[train])
            scores.append(100 * model.score([X[i] for i in test], y[test]))
        seconds = (time.process_time() - started) / len(scores)
        draws = np.reshape(scores, (-1, n_folds)).mean(axis=1)
        print(f"| {name} | {draws.mean():.1f} | {draws.round(1).tolist()} | {seconds:.0f} s |", flush=True)


if __name__ == "__main__":
    main()
