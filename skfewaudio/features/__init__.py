"""Transformers: waveforms in, arrays out."""

from ._block_scaler import BlockScaler
from ._cached import CachedFeatures
from ._feature_cache import FeatureCache
from ._files import write_features
from ._logmel import LogMel
from ._mfcc import MFCC
from ._random_cnn import RandomCNNFeatures
from ._spectrogram_statistics import SpectrogramStatistics
from ._vggish import VGGishEmbed

__all__ = [
    "MFCC",
    "BlockScaler",
    "CachedFeatures",
    "FeatureCache",
    "LogMel",
    "RandomCNNFeatures",
    "SpectrogramStatistics",
    "VGGishEmbed",
    "write_features",
]
