"""Types that a model file may contain."""

from collections.abc import Iterable
from functools import cache
from types import ModuleType

import torch
from sklearn.base import BaseEstimator

from skfewaudio import architectures, augmentation, classifiers, features, model_selection
from skfewaudio.classifiers.saved_state import HELD_TYPES, full_name
from skfewaudio.plugins import ARCHITECTURES

# Types in attributes of this package's estimators. Loading a path does not open the file.
ATTRIBUTE_TYPES = [
    *map(full_name, HELD_TYPES),
    *(f"pathlib{part}.{kind}Path" for part in ("", "._local") for kind in ("Posix", "Windows")),
]


@cache
def own_estimators() -> list[str]:
    """List the types that a file may instantiate: this package's estimators and their attributes."""
    packages: tuple[ModuleType, ...] = (features, augmentation, classifiers, model_selection)
    estimators = [name for package in packages for name in _public_classes(package, BaseEstimator)]
    return [*ATTRIBUTE_TYPES, *estimators]


@cache
def own_architectures() -> list[str]:
    """List the architectures of this package."""
    return _public_classes(architectures, torch.nn.Module)


@cache
def optimizers() -> list[str]:
    """List the optimizers of torch, which are parameters of classifiers."""
    kinds = [kind for kind in vars(torch.optim).values() if isinstance(kind, type)]
    return [full_name(kind) for kind in kinds if issubclass(kind, torch.optim.Optimizer)]


def resolve_trusted(trusted: Iterable[str | type]) -> list[str]:
    """Return the full names of trusted types; a registered name is kept beside the full one.

    Raises
    ------
    TypeError
        If an item is neither a name nor a type.
    PluginError
        If a short name is not registered.
    """
    names: list[str] = []
    for item in [trusted] if isinstance(trusted, str | type) else trusted:
        name = item if isinstance(item, str) else full_name(item)
        if not name:
            raise TypeError(f"trusted={trusted!r}; expected types, or full names of types")
        names.append(name)
        if "." not in name:
            names.append(full_name(ARCHITECTURES.get(name)))
    return names


def _public_classes(package: ModuleType, kind: type) -> list[str]:
    exported = [getattr(package, name) for name in package.__all__]
    return [full_name(obj) for obj in exported if isinstance(obj, type) and issubclass(obj, kind)]
