from . import (
    architectures as architectures,
)
from . import (
    audio as audio,
)
from . import (
    augmentation as augmentation,
)
from . import (
    classifiers as classifiers,
)
from . import (
    datasets as datasets,
)
from . import (
    exceptions as exceptions,
)
from . import (
    features as features,
)
from . import (
    few_shot as few_shot,
)
from . import (
    metrics as metrics,
)
from . import (
    model_selection as model_selection,
)
from . import (
    persistence as persistence,
)
from . import (
    plugins as plugins,
)
from . import (
    reporting as reporting,
)
from ._version import __version__ as __version__
from .classifiers import AugmentedClassifier as AugmentedClassifier
from .classifiers import CalibratedRidgeClassifier as CalibratedRidgeClassifier
from .classifiers import ELMClassifier as ELMClassifier
from .classifiers import ELMRegressor as ELMRegressor
from .classifiers import PatchClassifier as PatchClassifier
from .classifiers import PrototypicalClassifier as PrototypicalClassifier
from .classifiers import SkorchCNN as SkorchCNN
from .features import MFCC as MFCC
from .features import BlockScaler as BlockScaler
from .features import CachedFeatures as CachedFeatures
from .features import FeatureCache as FeatureCache
from .features import LogMel as LogMel
from .features import RandomCNNFeatures as RandomCNNFeatures
from .features import SpectrogramStatistics as SpectrogramStatistics
from .features import VGGishEmbed as VGGishEmbed
from .few_shot import make_few_shot_classifier as make_few_shot_classifier
from .model_selection import FewShotClassifier as FewShotClassifier
from .model_selection import FewShotSplit as FewShotSplit
from .model_selection import few_shot_curve as few_shot_curve
from .persistence import load_model as load_model
from .persistence import save_model as save_model
