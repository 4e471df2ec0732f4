"""Sound files and arrays, and patches of spectrograms; no estimators."""

from .aggregation import AGGREGATIONS, aggregate
from .formats import audio_suffixes, is_audio_file
from .io import AudioInfo, audio_duration, audio_info, iter_clips, load_audio
from .patches import PAD_MODES, fix_length, patch_starts, sample_patches, split_patches

__all__ = [
    "AGGREGATIONS",
    "PAD_MODES",
    "AudioInfo",
    "aggregate",
    "audio_duration",
    "audio_info",
    "audio_suffixes",
    "fix_length",
    "is_audio_file",
    "iter_clips",
    "load_audio",
    "patch_starts",
    "sample_patches",
    "split_patches",
]
