"""Transformers: waveforms in, arrays out."""

from ._logmel import LogMel
from ._mfcc import MFCC

__all__ = ["MFCC", "LogMel"]
