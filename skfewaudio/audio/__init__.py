"""Sound arrays and sound files; no estimators."""

from .aggregation import AGGREGATIONS, aggregate
from .io import iter_clips, load_audio
from .patches import PAD_MODES, fix_length, patch_starts, sample_patches, split_patches

__all__ = [
    "AGGREGATIONS",
    "PAD_MODES",
    "aggregate",
    "fix_length",
    "iter_clips",
    "load_audio",
    "patch_starts",
    "sample_patches",
    "split_patches",
]
