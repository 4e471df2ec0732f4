"""Adapt pipelines to the clips of a run: resample waveforms, and cache features."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from skfewaudio.datasets import AudioDataset


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
