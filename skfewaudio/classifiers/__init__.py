"""Classifiers on spectrograms, embeddings and plain feature vectors."""

from ._prototypical import PrototypicalClassifier

__all__ = ["PrototypicalClassifier"]
