"""Loading of the dataset of a run and selection of its test folds."""

import argparse
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from skfewaudio._option_types import file_options, name_options

from ._large_scale import studies as large_scale
from ._options import is_file_source

if TYPE_CHECKING:
    from sklearn.model_selection import PredefinedSplit

    from skfewaudio.datasets import AudioDataset


def load_dataset(args: argparse.Namespace) -> "AudioDataset":
    """Load the dataset of a run; the suite large-scale uses the share given by --scale."""
    if args.suite == "large-scale":
        return large_scale.load_scaled(args.dataset, partial(_load_unscaled, args), scale=args.scale)
    return _load_unscaled(args)


def _load_unscaled(args: argparse.Namespace, **overrides: Any) -> "AudioDataset":
    """Load the whole dataset with the options that were set; reject those that its loader does not have."""
    from skfewaudio.datasets import load_labels
    from skfewaudio.plugins import DATASETS

    if args.dataset == "folder" and args.data_home is None:
        raise ValueError("--dataset folder needs --data-home, the folder with one subfolder per class")
    if args.dataset == "folder" or is_file_source(args.dataset):
        source = args.data_home if args.dataset == "folder" else args.dataset
        try:
            return load_labels(source, **file_options(args), on_missing="keep")
        except ValueError as error:
            raise ValueError(name_options(str(error))) from error
    load = DATASETS.get(args.dataset)
    options = {"data_home": args.data_home, "subset": args.subset, **overrides}
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in inspect.signature(load).parameters:
            raise ValueError(f"the dataset {args.dataset} takes no --{name.replace('_', '-')}")
    return load(**given)


def select_folds(dataset: "AudioDataset", wanted: list[int] | None) -> "PredefinedSplit":
    """Make a splitter of the wanted test folds (None: all), from the dataset's or else generated folds."""
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
