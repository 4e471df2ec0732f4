"""Which types a file of a model may name."""

from collections.abc import Iterable
from functools import cache
from types import ModuleType

import torch
from sklearn.base import BaseEstimator

from skfewaudio import architectures, augmentation, classifiers, features, model_selection
from skfewaudio.classifiers._ridge.sequential import SequentialRidge
from skfewaudio.classifiers._ridge.system import RidgeFit
from skfewaudio.classifiers.saved_state import full_name
from skfewaudio.plugins import ARCHITECTURES

# What estimators of this package hold, besides estimators. A path is no more than a text.
HELD = [
    full_name(RidgeFit),
    full_name(SequentialRidge),
    *(f"pathlib{part}.{kind}Path" for part in ("", "._local") for kind in ("Posix", "Windows")),
]


@cache
def own_estimators() -> list[str]:
    """List the types of this package that a file may make objects of."""
    packages: tuple[ModuleType, ...] = (features, augmentation, classifiers, model_selection)
    return [*HELD, *(name for package in packages for name in _public_classes(package, BaseEstimator))]


@cache
def own_architectures() -> list[str]:
    """List the networks of this package."""
    return _public_classes(architectures, torch.nn.Module)


@cache
def optimizers() -> list[str]:
    """List torch's optimizers, which are parameters of classifiers."""
    kinds = [kind for kind in vars(torch.optim).values() if isinstance(kind, type)]
    return [full_name(kind) for kind in kinds if issubclass(kind, torch.optim.Optimizer)]


def resolve_trusted(trusted: Iterable[str | type]) -> list[str]:
    """Give the full names of what a user trusts; a registered architecture's own name goes with it.

    Raises
    ------
    TypeError
        If something is neither a name nor a type.
    PluginError
        If a short name is not registered.
    """
    names: list[str] = []
    for item in [trusted] if isinstance(trusted, str | type) else trusted:
        name = item if isinstance(item, str) else full_name(item)
        if not name:
            raise TypeError(f"trusted={trusted!r}; expected full names of types, or types")
        names.append(name)
        if "." not in name:
            names.append(full_name(ARCHITECTURES.get(name)))
    return names


def _public_classes(package: ModuleType, kind: type) -> list[str]:
    exported = [getattr(package, name) for name in package.__all__]
    return [full_name(obj) for obj in exported if isinstance(obj, type) and issubclass(obj, kind)]
