"""Network architectures in plain torch.nn, one module per paper."""

from ._base import Architecture, check_architecture_choice, load_backbone, n_parameters, split_front_end
from ._blocks import init_glorot_, init_he_
from ._feature_maps import FeatureMapNetwork, FeatureMaps
from ._map_layers import ConvLayer
from .alexnet import AlexNet
from .frame_level import FrameLevel, FrameLevelManyShapes
from .fully_connected import FullyConnected
from .inception import InceptionV3
from .linear_probe import LinearProbe
from .musically_motivated import MusicallyMotivated
from .pooled_filters import PooledFilters
from .resnet import ResNet50
from .sample_level import SampleLevel
from .sb_cnn import SBCNN
from .single_layer import SingleLayer
from .small_filters import SmallFilters
from .timbre import Timbre
from .vgg import VGG
from .vgg_e import VGGE
from .vggish import VGGish

__all__ = [
    "SBCNN",
    "VGG",
    "VGGE",
    "AlexNet",
    "Architecture",
    "ConvLayer",
    "FeatureMapNetwork",
    "FeatureMaps",
    "FrameLevel",
    "FrameLevelManyShapes",
    "FullyConnected",
    "InceptionV3",
    "LinearProbe",
    "MusicallyMotivated",
    "PooledFilters",
    "ResNet50",
    "SampleLevel",
    "SingleLayer",
    "SmallFilters",
    "Timbre",
    "VGGish",
    "check_architecture_choice",
    "init_glorot_",
    "init_he_",
    "load_backbone",
    "n_parameters",
    "split_front_end",
]
