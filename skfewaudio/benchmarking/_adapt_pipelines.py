"""Adapt pipelines to the dataset of a run: resample waveforms and cache features."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._options import READING_OPTIONS
from ._suites import NEEDS_WEIGHTS

if TYPE_CHECKING:
    import numpy as np

    from skfewaudio.datasets import AudioDataset


def set_reading_options(pipeline: Any, name: str, args: argparse.Namespace) -> list[str]:
    """Set the sample rate, the channel and the use of truncated files, and return the options without effect.

    Networks with pre-trained weights keep their sample rate.
    """
    from skfewaudio._reading import set_reading

    unchanged = []
    for option in READING_OPTIONS:
        value = getattr(args, option)
        try:
            if option == "sample_rate" and value is not None and name in NEEDS_WEIGHTS:
                raise ValueError("the weights were trained at one rate")
            set_reading(pipeline, **{option: value})
        except ValueError:
            unchanged.append(f"--{option.replace('_', '-')}")
    return unchanged


def add_resampling(pipeline: Any, dataset: "AudioDataset") -> Any:
    """Prepend a resampling step for datasets of waveforms; paths are resampled when they are read."""
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    from skfewaudio._reading import set_reading

    steps = [step for _, step in pipeline.steps] if isinstance(pipeline, Pipeline) else [pipeline]
    rate = getattr(steps[0], "sample_rate", dataset.sample_rate)
    if isinstance(dataset.X[0], str | tuple) or rate == dataset.sample_rate:
        return pipeline
    if rate == "auto":
        return set_reading(pipeline, sample_rate=dataset.sample_rate)
    rates = {"old_rate": dataset.sample_rate, "new_rate": rate}
    return make_pipeline(FunctionTransformer(resample, kw_args=rates), *steps)


def resample(clips: list["np.ndarray"], *, old_rate: int, new_rate: int) -> list["np.ndarray"]:
    """Resample waveforms, with the same method as for files."""
    import soxr

    return [soxr.resample(clip, old_rate, new_rate, quality="HQ") for clip in clips]


def cache_features(pipeline: Any, location: Path | None) -> Any:
    """Wrap the first transformer of a pipeline in CachedFeatures if it is stateless."""
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import FunctionTransformer
    from sklearn.utils import get_tags

    from skfewaudio.features import CachedFeatures, SpectrogramWithEmbeddings

    def add_cache(step: Any) -> Any:
        if not hasattr(step, "transform") or get_tags(step).requires_fit:
            return step
        if isinstance(step, SpectrogramWithEmbeddings):
            return step.with_cache(location)
        return CachedFeatures(step, location=location)

    if not isinstance(pipeline, Pipeline):
        return add_cache(pipeline)
    # Later transformers take features. The FunctionTransformer before the first one resamples.
    first = next(i for i, (_, step) in enumerate(pipeline.steps) if not isinstance(step, FunctionTransformer))
    return make_pipeline(
        *(add_cache(step) if i == first else step for i, (_, step) in enumerate(pipeline.steps))
    )
