"""Networks, torch.nn only: one paper a file."""

from ._base import Architecture, check_architecture_choice, load_backbone, n_parameters, split_front_end
from ._blocks import init_glorot_
from .linear_probe import LinearProbe
from .pooled_filters import PooledFilters
from .sb_cnn import SBCNN
from .timbre import Timbre
from .vgg import VGG
from .vggish import VGGish

__all__ = [
    "SBCNN",
    "VGG",
    "Architecture",
    "LinearProbe",
    "PooledFilters",
    "Timbre",
    "VGGish",
    "check_architecture_choice",
    "init_glorot_",
    "load_backbone",
    "n_parameters",
    "split_front_end",
]
