"""Classifiers on spectrograms, embeddings and plain feature vectors."""

import lazy_loader as _lazy

# Lazy, so that a saved model imports only the classifiers in it.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
