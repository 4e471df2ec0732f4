"""Transformers that compute features from waveforms and spectrograms."""

from ._block_scaler import BlockScaler
from ._cache.cached_features import CachedFeatures
from ._cache.feature_cache import FeatureCache
from ._logmel import LogMel
from ._memmap import write_features
from ._mfcc import MFCC
from ._pretrained_architecture import PretrainedArchitecture
from ._pretrained_embed import PretrainedEmbed
from ._random_cnn import RandomCNNFeatures
from ._raw_waveform import RawWaveform
from ._sound_embed import SoundEmbed
from ._spectrogram_statistics import SpectrogramStatistics
from ._spectrogram_with_embeddings import SpectrogramWithEmbeddings
from ._time_normalized import TimeNormalizedSpectrogram
from ._vggish import VGGishEmbed

__all__ = [
    "MFCC",
    "BlockScaler",
    "CachedFeatures",
    "FeatureCache",
    "LogMel",
    "PretrainedArchitecture",
    "PretrainedEmbed",
    "RandomCNNFeatures",
    "RawWaveform",
    "SoundEmbed",
    "SpectrogramStatistics",
    "SpectrogramWithEmbeddings",
    "TimeNormalizedSpectrogram",
    "VGGishEmbed",
    "write_features",
]
