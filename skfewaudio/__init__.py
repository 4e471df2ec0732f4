"""Audio classifiers from a handful of labelled clips, as scikit-learn estimators."""

import lazy_loader as _lazy

from ._deprecated_names import current_name as _current_name

# Names resolve on first use (PEP 562), from the stub beside this file: importing the
# package loads neither torch nor librosa.
_lazy_getattr, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """Import the object of a public name, or of a deprecated one with a warning."""
    return _lazy_getattr(_current_name(name))
