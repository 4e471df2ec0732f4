"""Storage of results, tables, plots and reports."""

import lazy_loader as _lazy

# Lazy, so that a table of results does not import the detectors of the plots.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
