"""Fitted networks in two parts, for files of models: what builds them, as plain values, and their tensors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
from skorch.history import History
from torch import nn

from skfewaudio.architectures import Architecture, check_architecture_choice

from ._ridge.sequential import SequentialRidge
from ._ridge.system import RidgeFit

# What fitted classifiers hold besides arrays, networks and estimators.
HELD_TYPES = (RidgeFit, SequentialRidge)
_RECIPE = "skfewaudio_recipe"


class Recipe(NamedTuple):
    """What a network was built by: an architecture's name, class or function, and its arguments."""

    architecture: Any
    n_outputs: int
    n_mels: int
    n_frames: int
    params: dict[str, Any]


def set_recipe(network: nn.Module, recipe: Recipe) -> None:
    """Note what a network was built by: parameters of the estimator may change after its fit."""
    object.__setattr__(network, _RECIPE, recipe)


def recipe_of(network: nn.Module) -> Recipe | None:
    """Give what a network was built by, if that is known."""
    return getattr(network, _RECIPE, None)


class NetworkArchive:
    """The networks of one file, by number, and their tensors, whose names begin with it.

    Parameters
    ----------
    tensors : mapping of str to tensor, default=None
        Those of a file that is read.
    allowed : collection of str, default=()
        What may build a network: full names, or names in the registry.
    """

    def __init__(
        self, tensors: Mapping[str, torch.Tensor] | None = None, *, allowed: Collection[str] = ()
    ) -> None:
        self.tensors = dict(tensors or {})
        self.allowed = allowed
        self.networks: dict[int, nn.Module] = {}

    def add(self, network: nn.Module) -> dict[str, Any]:
        """Keep the tensors of a network, and give the plain values that it is built again from."""
        number = next((n for n, held in self.networks.items() if held is network), len(self.networks))
        recipe, state = recipe_of(network), network.state_dict()
        if recipe is None:
            raise ValueError("nothing says how network_ was built: fit the classifier again")
        if number not in self.networks:
            self.networks[number] = network
            for name, tensor in state.items():
                # A copy: safetensors takes no two tensors that share memory.
                copy = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
                self.tensors[f"{number}.{name}"] = copy
        return {
            "number": number,
            **recipe._asdict(),
            "architecture": findable(recipe.architecture),
            "frozen": [name for name, weights in network.named_parameters() if not weights.requires_grad],
            "channels_last": [name for name, tensor in state.items() if _is_channels_last(tensor)],
        }

    def restore(self, plain: Mapping[str, Any]) -> nn.Module:
        """Build a network again, on the CPU."""
        number = plain["number"]
        if number not in self.networks:
            self.networks[number] = self._build(plain)
        return self.networks[number]

    def _build(self, plain: Mapping[str, Any]) -> nn.Module:
        """Build a network, and load its tensors."""
        recipe = Recipe(*(plain[field] for field in Recipe._fields))
        build = self._builder(recipe.architecture)
        prefix = f"{plain['number']}."
        state = {
            name.removeprefix(prefix): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(prefix)
        }
        for name in plain["channels_last"]:
            state[name] = torch.empty_like(state[name], memory_format=torch.channels_last).copy_(state[name])
        # Ours are built without memory or random numbers and take the tensors as they are: fast, and safe
        # whatever sizes a damaged file asks for.
        ours = _is_ours(build)
        with torch.random.fork_rng(devices=[]), torch.device("meta" if ours else "cpu"):
            network = build(recipe.n_outputs, n_mels=recipe.n_mels, n_frames=recipe.n_frames, **recipe.params)
        if not isinstance(network, nn.Module):
            raise TypeError(f"{recipe.architecture!r} builds a {type(network).__name__}, not a network")
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.load_state_dict(state, assign=ours)
        for name in plain["frozen"]:
            network.get_parameter(name).requires_grad_(False)
        set_recipe(network, recipe)
        return network.eval()

    def _builder(self, architecture: Any) -> Callable[..., Any]:
        """Check that an architecture may be called, and give it."""
        name = builder_name(architecture)
        if name not in self.allowed:
            raise ValueError(f"{name} is no architecture that may build a network here")
        return check_architecture_choice(architecture)


_archive: ContextVar[NetworkArchive | None] = ContextVar("archive", default=None)


@contextmanager
def archiving(archive: NetworkArchive) -> Iterator[None]:
    """Part the state of estimators, for as long as a model is saved or loaded."""
    token = _archive.set(archive)
    try:
        yield
    finally:
        _archive.reset(token)


def pack_state(state: Any) -> Any:
    """Give the state of an estimator as plain values, its network's tensors apart; as it is for a pickle."""
    archive = _archive.get()
    if archive is None or state.get("network_") is None:
        return state
    history = json.dumps(state["history_"].to_list(), default=_plain)
    return state | {"net_": None, "network_": archive.add(state["network_"]), "history_": history}


def unpack_state(state: dict[str, Any]) -> dict[str, Any]:
    """Undo `pack_state`."""
    archive = _archive.get()
    if archive is None or state.get("network_") is None:
        return state
    history = History(json.loads(state["history_"]))
    return state | {"network_": archive.restore(state["network_"]), "history_": history}


def full_name(obj: Any) -> str:
    """Name a class or function as skops does; empty for what has no name."""
    return f"{obj.__module__}.{obj.__name__}" if hasattr(obj, "__name__") else ""


def is_importable(obj: Any) -> bool:
    """Tell whether another program would find a class or function under its name."""
    name = getattr(obj, "__name__", "")
    module = getattr(obj, "__module__", None) or ""
    return module != "__main__" and getattr(sys.modules.get(module), name, None) is obj


def builder_name(architecture: Any) -> str:
    """Name what builds networks as `findable` gives it; of a functools.partial, the function in it."""
    found = findable(architecture)
    return found if isinstance(found, str) else full_name(getattr(found, "func", found))


def findable(architecture: Any) -> Any:
    """Give the class or function of an architecture, or the name where it is nowhere but in the registry."""
    build = check_architecture_choice(architecture)
    return build if is_importable(build) else architecture


def _is_ours(build: Any) -> bool:
    if not (isinstance(build, type) and issubclass(build, Architecture)):
        return False
    return build.__module__.startswith("skfewaudio.architectures.")


def _is_channels_last(tensor: torch.Tensor) -> bool:
    """Tell the layout with the channels innermost, in which convolutions round otherwise."""
    if tensor.ndim != 4:
        return False
    # With one channel either layout counts as both, and still they round differently: the strides tell.
    plain = torch.empty(tensor.shape, device="meta")
    strides = torch.empty_like(plain, memory_format=torch.channels_last).stride()
    return tensor.stride() == strides != plain.stride()


def _plain(value: Any) -> Any:
    """Give NumPy's and torch's numbers as Python's, in what callbacks recorded."""
    return value.tolist()
