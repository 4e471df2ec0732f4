"""Networks, torch.nn only: one paper a file."""

from ._base import Architecture, check_architecture_choice, n_parameters, split_front_end
from .pooled_filters import PooledFilters
from .vgg import VGG

__all__ = [
    "VGG",
    "Architecture",
    "PooledFilters",
    "check_architecture_choice",
    "n_parameters",
    "split_front_end",
]
