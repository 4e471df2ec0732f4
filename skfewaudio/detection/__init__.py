"""Sound events in recordings of any length: learned from annotations, found in seconds."""

import lazy_loader as _lazy

# Lazy, so that the search with a detector does not import the other detectors and the scores.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
