from . import (
    architectures as architectures,
    audio as audio,
    classifiers as classifiers,
    datasets as datasets,
    exceptions as exceptions,
    features as features,
    model_selection as model_selection,
    plugins as plugins,
    reporting as reporting,
)
from ._version import __version__ as __version__
from .classifiers import PrototypicalClassifier as PrototypicalClassifier
from .features import MFCC as MFCC
from .features import LogMel as LogMel
from .model_selection import FewShotClassifier as FewShotClassifier
from .model_selection import FewShotSplit as FewShotSplit
from .model_selection import few_shot_curve as few_shot_curve
