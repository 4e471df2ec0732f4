"""Transformers: waveforms in, arrays out."""

from ._cached import CachedFeatures
from ._feature_cache import FeatureCache
from ._files import write_features
from ._logmel import LogMel
from ._mfcc import MFCC
from ._random_cnn import RandomCNNFeatures
from ._vggish import VGGishEmbed

__all__ = [
    "MFCC",
    "CachedFeatures",
    "FeatureCache",
    "LogMel",
    "RandomCNNFeatures",
    "VGGishEmbed",
    "write_features",
]
