from ._augmented import AugmentedClassifier as AugmentedClassifier
from ._block_classifier import BlockClassifier as BlockClassifier
from ._calibrated_ridge import CalibratedRidgeClassifier as CalibratedRidgeClassifier
from ._elm import ELMClassifier as ELMClassifier
from ._elm import ELMRegressor as ELMRegressor
from ._patch_classifier import PatchClassifier as PatchClassifier
from ._prototypical import PrototypicalClassifier as PrototypicalClassifier
from ._skorch_cnn import SkorchCNN as SkorchCNN
