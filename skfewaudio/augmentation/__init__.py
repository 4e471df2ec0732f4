"""Random modifications of spectrograms that preserve their labels, and mixtures of clips."""

from ._bands import FrequencyShift, RandomEqualizer
from ._base import (
    Augmentation,
    AugmentationLike,
    augment,
    check_augmentation,
    check_classifier_augmentation,
)
from ._frames import RandomCrop, TimeShift, TimeStretch
from ._masks import SpecAugment
from ._mixup import MixUp
from ._noise import BackgroundNoise

__all__ = [
    "Augmentation",
    "AugmentationLike",
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
    "check_classifier_augmentation",
]
