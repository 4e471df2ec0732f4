"""Audio classifiers from a handful of labelled clips, as scikit-learn estimators."""

import lazy_loader as _lazy

# Names resolve on first use (PEP 562), from the stub beside this file: importing the
# package loads neither torch nor librosa.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
