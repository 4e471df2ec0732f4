"""Datasets of labelled clips; every loader returns an AudioDataset."""

import lazy_loader as _lazy

# Lazy, so that listing the files of a folder does not import the readers of all formats.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
