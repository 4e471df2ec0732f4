"""Recipes of networks in model files, with limits that hold before and while a network is built."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from torch import nn
from torch.overrides import TorchFunctionMode

_RECIPE = "skfewaudio_recipe"
MAX_NUMBER = 2**31
MAX_ITEMS = 100
# Calls of torch while a network is built; the architectures of this package need at most 27 per tensor.
CALLS, CALLS_PER_TENSOR = 300, 40


class Recipe(NamedTuple):
    """Name, class or function of the architecture that built a network, and its arguments."""

    architecture: Any
    n_outputs: int
    n_mels: int
    n_frames: int
    params: dict[str, Any]


def set_recipe(network: nn.Module, recipe: Recipe) -> None:
    """Store the recipe of a network, because parameters of its estimator may change after the fit."""
    object.__setattr__(network, _RECIPE, recipe)


def recipe_of(network: nn.Module) -> Recipe | None:
    """Return the recipe of a network, or None if it is unknown."""
    return getattr(network, _RECIPE, None)


def check_recipe(recipe: Recipe) -> None:
    """Check the sizes and arguments of an architecture of this package.

    Raises
    ------
    ValueError
        If a size is not a positive integer, or an argument is not a string, a number or a short list.
    """
    for name in ("n_outputs", "n_mels", "n_frames"):
        size = getattr(recipe, name)
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or not 1 <= size <= MAX_NUMBER:
            raise ValueError(f"{name}={size!r}; expected a positive integer")
    for name, value in recipe.params.items():
        for item in value if isinstance(value, list | tuple) else [value]:
            _check_argument(name, item)
        if isinstance(value, list | tuple) and len(value) > MAX_ITEMS:
            raise ValueError(f"{name} has {len(value)} items; expected at most {MAX_ITEMS}")


def _check_argument(name: str, value: Any) -> None:
    is_number = isinstance(value, int | float | np.number) and abs(float(value)) <= MAX_NUMBER
    if not (value is None or isinstance(value, str) or is_number):
        raise ValueError(f"{name}={value!r}; expected a string or a number up to {MAX_NUMBER}")


class LimitedBuilding(TorchFunctionMode):
    """Context in which torch can be called a limited number of times, so that building a network ends.

    Parameters
    ----------
    n_tensors : int
        Number of tensors that the network has.
    """

    def __init__(self, n_tensors: int) -> None:
        super().__init__()
        self.n_left = CALLS + CALLS_PER_TENSOR * n_tensors
        self.n_tensors = n_tensors

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count a call of a function of torch."""
        self.n_left -= 1
        if self.n_left < 0:
            raise ValueError(f"the network has more layers than the {self.n_tensors} tensors in the file")
        return func(*args, **(kwargs or {}))
