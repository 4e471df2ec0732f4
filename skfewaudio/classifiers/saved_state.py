"""Fitted networks in model files: a recipe of plain values that rebuilds them, and their tensors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any

import torch
from torch import nn

from skfewaudio._torch_state import own_state
from skfewaudio.architectures import Architecture, check_architecture_choice

from ._saved_recipe import LimitedBuilding, Recipe, check_recipe, recipe_of, set_recipe

__all__ = [
    "NetworkArchive",
    "Recipe",
    "archiving",
    "builder_name",
    "full_name",
    "is_importable",
    "pack_state",
    "recipe_of",
    "set_recipe",
    "storable_builder",
    "unpack_state",
]


class NetworkArchive:
    """Networks of one file, by number, and their tensors, whose names begin with the number.

    Parameters
    ----------
    tensors : mapping of str to tensor, default=None
        Tensors of the file to load.
    allowed : collection of str, default=()
        Architectures that may build a network: full names, or names in the registry.
    """

    def __init__(
        self, tensors: Mapping[str, torch.Tensor] | None = None, *, allowed: Collection[str] = ()
    ) -> None:
        self.tensors = dict(tensors or {})
        self.allowed = allowed
        self.networks: dict[int, nn.Module] = {}

    def add(self, network: nn.Module) -> dict[str, Any]:
        """Store the tensors of a network, and return the plain values that rebuild it."""
        number = next((n for n, held in self.networks.items() if held is network), len(self.networks))
        recipe, state = recipe_of(network), network.state_dict()
        if recipe is None:
            raise ValueError("it is unknown how network_ was built; fit the classifier again")
        if number not in self.networks:
            self.networks[number] = network
            for name, tensor in state.items():
                # Cloned, because safetensors rejects tensors that share memory.
                cloned = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
                self.tensors[f"{number}.{name}"] = cloned
        return {
            "number": number,
            **recipe._asdict(),
            "architecture": storable_builder(recipe.architecture),
            "frozen": [name for name, weights in network.named_parameters() if not weights.requires_grad],
            "channels_last": [name for name, tensor in state.items() if _is_channels_last(tensor)],
        }

    def restore(self, plain: Mapping[str, Any]) -> nn.Module:
        """Rebuild a network on the CPU."""
        number = plain["number"]
        if number not in self.networks:
            self.networks[number] = self._build(plain)
        return self.networks[number]

    def _build(self, plain: Mapping[str, Any]) -> nn.Module:
        """Build a network and load its tensors."""
        recipe = Recipe(*(plain[field] for field in Recipe._fields))
        build = self._builder(recipe.architecture)
        state = self._tensors_of(plain)
        # Architectures of this package are built without memory or random numbers, and adopt the loaded
        # tensors. This is fast, and safe for any sizes in a damaged file.
        is_ours = _is_ours(build)
        network = _build_limited(build, recipe, len(state)) if is_ours else _build_trusted(build, recipe)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.load_state_dict(state, assign=is_ours)
        for name in plain["frozen"]:
            network.get_parameter(name).requires_grad_(False)
        set_recipe(network, recipe)
        return network.eval()

    def _tensors_of(self, plain: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        """Return the tensors of one network, in their layout in memory."""
        state = dict(self._by_number.get(f"{plain['number']}", {}))
        if not state:
            raise ValueError(f"the file has no tensors of network {plain['number']!r}")
        for name in plain["channels_last"]:
            state[name] = torch.empty_like(state[name], memory_format=torch.channels_last).copy_(state[name])
        return state

    @cached_property
    def _by_number(self) -> dict[str, dict[str, torch.Tensor]]:
        """Tensors of each network, by its number and their names in it."""
        found: dict[str, dict[str, torch.Tensor]] = {}
        for name, tensor in self.tensors.items():
            number, _, own_name = name.partition(".")
            found.setdefault(number, {})[own_name] = tensor
        return found

    def _builder(self, architecture: Any) -> Callable[..., Any]:
        """Return the builder of an architecture if it is allowed; the module of another is not imported."""
        name = architecture if isinstance(architecture, str) else builder_name(architecture)
        if name not in self.allowed:
            raise ValueError(f"{name} is no architecture that may build a network here")
        return check_architecture_choice(architecture)


def _build_limited(build: Callable[..., Any], recipe: Recipe, n_tensors: int) -> nn.Module:
    """Build an architecture of this package without allocating memory for its tensors."""
    check_recipe(recipe)
    with own_state(0, torch.device("meta")), LimitedBuilding(n_tensors):
        return _call(build, recipe)


def _build_trusted(build: Callable[..., Any], recipe: Recipe) -> nn.Module:
    """Build an architecture that the caller trusts."""
    with own_state(0, torch.device("cpu")):
        network = _call(build, recipe)
    if not isinstance(network, nn.Module):
        raise TypeError(f"{recipe.architecture!r} builds a {type(network).__name__}, not a network")
    return network


def _call(build: Callable[..., Any], recipe: Recipe) -> Any:
    return build(recipe.n_outputs, n_mels=recipe.n_mels, n_frames=recipe.n_frames, **recipe.params)


_archive: ContextVar[NetworkArchive | None] = ContextVar("archive", default=None)


@contextmanager
def archiving(archive: NetworkArchive) -> Iterator[None]:
    """Store the networks of estimators in an archive while a model is saved or loaded."""
    token = _archive.set(archive)
    try:
        yield
    finally:
        _archive.reset(token)


def pack_state(state: Any) -> Any:
    """Return an estimator's state with its network as plain values; unchanged outside `archiving`."""
    archive = _archive.get()
    if archive is None or state.get("network_") is None:
        return state
    history = json.dumps(state["history_"].to_list(), default=_to_python_number)
    return state | {"net_": None, "network_": archive.add(state["network_"]), "history_": history}


def unpack_state(state: dict[str, Any]) -> dict[str, Any]:
    """Reverse `pack_state`."""
    archive = _archive.get()
    if archive is None or state.get("network_") is None:
        return state
    from skorch.history import History  # imported here, because most models have no network

    history = History(json.loads(state["history_"]))
    return state | {"network_": archive.restore(state["network_"]), "history_": history}


def full_name(obj: Any) -> str:
    """Return the full name of a class or function as skops does, or an empty string without a name."""
    return f"{obj.__module__}.{obj.__name__}" if hasattr(obj, "__name__") else ""


def is_importable(obj: Any) -> bool:
    """Return whether another program can import a class or function by its name."""
    name = getattr(obj, "__name__", "")
    module = getattr(obj, "__module__", None) or ""
    return module != "__main__" and getattr(sys.modules.get(module), name, None) is obj


def builder_name(architecture: Any) -> str:
    """Return the name of a builder as stored in a file; for a functools.partial, of the wrapped function."""
    builder = storable_builder(architecture)
    return builder if isinstance(builder, str) else full_name(getattr(builder, "func", builder))


def storable_builder(architecture: Any) -> Any:
    """Return the class or function of an architecture, or its registry name if it cannot be imported."""
    build = check_architecture_choice(architecture)
    return build if is_importable(build) else architecture


def _is_ours(build: Any) -> bool:
    if not (isinstance(build, type) and issubclass(build, Architecture)):
        return False
    return build.__module__.startswith("skfewaudio.architectures.")


def _is_channels_last(tensor: torch.Tensor) -> bool:
    """Return whether the channels are innermost, a layout in which convolutions round differently."""
    if tensor.ndim != 4:
        return False
    # With one channel, is_contiguous is true for both layouts, but rounding differs, so strides are compared.
    plain = torch.empty(tensor.shape, device="meta")
    strides = torch.empty_like(plain, memory_format=torch.channels_last).stride()
    return tensor.stride() == strides != plain.stride()


def _to_python_number(value: Any) -> Any:
    """Convert a NumPy or torch number in the history to a Python number."""
    return value.tolist()
