"""Types of this package and of torch that a file may name, as parameters."""

from functools import cache

import torch

from skfewaudio.classifiers.saved_state import full_name
from skfewaudio.plugins import ARCHITECTURES


@cache
def own_architectures() -> frozenset[str]:
    """List the architectures of this package by their full names."""
    return frozenset(full_name(architecture) for architecture in ARCHITECTURES.built_in().values())


def own_architecture_names() -> frozenset[str]:
    """List the architectures of this package by their registered names."""
    return frozenset(ARCHITECTURES.built_in_names())


@cache
def optimizers() -> frozenset[str]:
    """List the optimizers of torch, which are parameters of classifiers."""
    kinds = [kind for kind in vars(torch.optim).values() if isinstance(kind, type)]
    return frozenset(full_name(kind) for kind in kinds if issubclass(kind, torch.optim.Optimizer))
