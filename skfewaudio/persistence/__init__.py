"""Save fitted estimators to single files, and load them without running code from the file."""

import lazy_loader as _lazy

# Lazy, so that a card can be read without importing torch.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
