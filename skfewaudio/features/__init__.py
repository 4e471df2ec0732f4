"""Transformers: waveforms in, arrays out."""

from ._logmel import LogMel
from ._mfcc import MFCC
from ._vggish import VGGishEmbed

__all__ = ["MFCC", "LogMel", "VGGishEmbed"]
