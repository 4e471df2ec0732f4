"""Random changes of spectrograms that leave what is heard in them the same, and mixtures of clips."""

from ._bands import FrequencyShift, RandomEqualizer
from ._base import Augmentation, augment, check_augmentation
from ._frames import RandomCrop, TimeShift, TimeStretch
from ._masks import SpecAugment
from ._mixup import MixUp
from ._noise import BackgroundNoise

__all__ = [
    "Augmentation",
    "BackgroundNoise",
    "FrequencyShift",
    "MixUp",
    "RandomCrop",
    "RandomEqualizer",
    "SpecAugment",
    "TimeShift",
    "TimeStretch",
    "augment",
    "check_augmentation",
]
