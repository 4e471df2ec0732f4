"""The data set of a run, its folds, and what brings its clips to a pipeline."""

import argparse
import inspect
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._large_scale import studies as _large_scale

if TYPE_CHECKING:
    import numpy as np
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


def fit_to_clips(pipeline: Any, dataset: "AudioDataset") -> Any:
    """Put resampling before features of waveforms, which they leave to the reading of files."""
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    steps = [step for _, step in pipeline.steps] if isinstance(pipeline, Pipeline) else [pipeline]
    rate = getattr(steps[0], "sample_rate", dataset.sample_rate)
    if isinstance(dataset.X[0], str) or rate == dataset.sample_rate:
        return pipeline
    rates = {"old_rate": dataset.sample_rate, "new_rate": rate}
    return make_pipeline(FunctionTransformer(resample, kw_args=rates), *steps)


def resample(clips: list["np.ndarray"], *, old_rate: int, new_rate: int) -> list["np.ndarray"]:
    """Bring waveforms to another sample rate, as reading files does."""
    import soxr

    return [soxr.resample(clip, old_rate, new_rate, quality="HQ") for clip in clips]


def cache_features(pipeline: Any, location: Path | None) -> Any:
    """Let the features of a pipeline's sounds be looked up; the features are the same."""
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import FunctionTransformer
    from sklearn.utils import get_tags

    from skfewaudio.features import CachedFeatures

    def cached(step: Any) -> Any:
        if not hasattr(step, "transform") or get_tags(step).requires_fit:
            return step
        return CachedFeatures(step, location=location)

    if not isinstance(pipeline, Pipeline):
        return cached(pipeline)
    # Only the first transformer takes sounds, after what resamples them.
    first = next(i for i, (_, step) in enumerate(pipeline.steps) if not isinstance(step, FunctionTransformer))
    return make_pipeline(
        *(cached(step) if i == first else step for i, (_, step) in enumerate(pipeline.steps))
    )
