"""Models on disk: a fitted estimator in one file, which is read without running code of its own."""

import lazy_loader as _lazy

# A card can be read without torch: names resolve on first use.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
