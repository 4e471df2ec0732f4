"""Classifiers on spectrograms, embeddings and plain feature vectors."""

from ._augmented import AugmentedClassifier
from ._block_classifier import BlockClassifier
from ._calibrated_ridge import CalibratedRidgeClassifier
from ._elm import ELMClassifier, ELMRegressor
from ._patch_classifier import PatchClassifier
from ._prototypical import PrototypicalClassifier
from ._skorch_cnn import SkorchCNN

__all__ = [
    "AugmentedClassifier",
    "BlockClassifier",
    "CalibratedRidgeClassifier",
    "ELMClassifier",
    "ELMRegressor",
    "PatchClassifier",
    "PrototypicalClassifier",
    "SkorchCNN",
]
