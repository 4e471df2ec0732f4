"""Load the dataset of a run, and choose its folds."""

import argparse
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from ._large_scale import studies as _large_scale

if TYPE_CHECKING:
    from sklearn.model_selection import PredefinedSplit

    from skfewaudio.datasets import AudioDataset


def load_clips(args: argparse.Namespace) -> "AudioDataset":
    """Load the data set of a run, or for large-scale the share of it that was asked for."""
    if args.suite == "large-scale":
        return _large_scale.load(args.dataset, partial(_load_whole, args), scale=args.scale)
    return _load_whole(args)


def _load_whole(args: argparse.Namespace, **overrides: Any) -> "AudioDataset":
    """Load the data set, with those options that it takes."""
    from skfewaudio.datasets import load_folder
    from skfewaudio.plugins import DATASETS

    if args.dataset == "folder":
        if args.data_home is None:
            raise ValueError("--dataset folder needs --data-home, the folder that holds a folder per class")
        return load_folder(args.data_home)
    load = DATASETS.get(args.dataset)
    options = {"data_home": args.data_home, "subset": args.subset, **overrides}
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in inspect.signature(load).parameters:
            raise ValueError(f"the data set {args.dataset} takes no --{name.replace('_', '-')}")
    return load(**given)


def folds_of(dataset: "AudioDataset", wanted: list[int] | None) -> "PredefinedSplit":
    """Give the data set's folds, or folds made for it, with those not wanted for training only."""
    import numpy as np
    from sklearn.model_selection import PredefinedSplit

    folds = dataset.folds
    if folds is None:
        folds = np.empty(len(dataset), dtype=int)
        for number, (_, test) in enumerate(
            dataset.make_cv().split(folds, dataset.y, dataset.groups), start=1
        ):
            folds[test] = number
    known = sorted(set(folds.tolist()) - {-1})
    unknown = sorted(set(wanted or []) - set(known))
    if unknown:
        raise ValueError(f"--folds: no fold {', '.join(map(str, unknown))}; there are {known}")
    return PredefinedSplit(np.where(np.isin(folds, wanted or known), folds, -1))
