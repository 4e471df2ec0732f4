"""Building the network of a classifier, running it on patches, and batch-norm recalibration."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import GradientNormClipping
from torch import nn

from skfewaudio._torch import resolve_device, torch_threads
from skfewaudio._torch_state import own_defaults, own_state
from skfewaudio._weights import find_weights, read_state_dict
from skfewaudio.architectures import Architecture, check_architecture_choice, init_glorot_, load_backbone

from ..saved_state import Recipe, recipe_of, set_recipe
from .patches import PatchData
from .skorch_net import autocast, parameter_groups

MAX_PATCH_FRAMES = 256

# Function from patch indices to the input of a network, or of the trained part behind its front-end.
Gather = Callable[[NDArray[np.int64]], torch.Tensor]


class NetworkSpec(Protocol):
    """Parameters of an estimator that define its network and how it is run."""

    architecture: Any
    architecture_params: Mapping[str, Any] | None
    weights: str | os.PathLike[str] | None
    patch_frames: int | None
    optimizer: Callable[..., torch.optim.Optimizer]
    learning_rate: float
    backbone_learning_rate: float | None
    gradient_clip: float | None
    max_epochs: int
    callbacks: list | None
    mixed_precision: bool | None
    batch_size: int
    device: str | None
    n_threads: int
    verbose: int


def is_fitted_estimator(architecture: Any) -> bool:
    """Return whether `architecture` is a fitted estimator rather than a builder of networks."""
    if not hasattr(architecture, "fit"):
        return False
    check_is_fitted(architecture, "network_")
    return True


def resolve_patch_frames(spec: NetworkSpec, architecture: Any, clips: list[NDArray]) -> int:
    """Return the `patch_frames` of the estimator, of its architecture, or for the longest clip."""
    if spec.patch_frames is not None:
        return spec.patch_frames
    if is_fitted_estimator(architecture):
        return architecture.network_.n_frames
    builder = check_architecture_choice(architecture)
    default: int | None = getattr(builder, "patch_frames", None)
    return default or min(max(clip.shape[1] for clip in clips), MAX_PATCH_FRAMES)


@contextmanager
def training(spec: NetworkSpec, random_state: np.random.RandomState, device: torch.device) -> Iterator[None]:
    """Run a block that builds and trains the network of an estimator, with a seed from the random state.

    The result depends neither on the state of torch nor on the other threads of the process. On a CPU, it
    depends on the number of threads, because sums are rounded differently.
    """
    with ExitStack() as stack:
        stack.enter_context(own_state(random_state.randint(np.iinfo(np.int32).max), device))
        if device.type == "cpu":
            stack.enter_context(torch_threads(spec.n_threads))
        yield


def build_network(spec: NetworkSpec, architecture: Any, data: PatchData, n_outputs: int) -> nn.Module:
    """Build the network of an estimator for its patches, and load initial weights if given."""
    with own_defaults(torch.device("cpu")):  # weights are drawn on the CPU for any device
        if is_fitted_estimator(architecture):
            network = _replace_head(architecture.network_, data, n_outputs)
        else:
            build = check_architecture_choice(architecture)
            params = dict(spec.architecture_params or {})
            network = build(n_outputs, n_mels=data.n_mels, n_frames=data.patch_frames, **params)
            set_recipe(network, Recipe(architecture, n_outputs, data.n_mels, data.patch_frames, params))
    if spec.weights is not None:
        path = find_weights(spec.weights, kind="weights")
        load_backbone(network, read_state_dict(path), source=os.fspath(path))
    # Convolutions are faster with the channels innermost, on the CPU and on a GPU.
    return network.to(resolve_device(spec.device)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _replace_head(fitted: nn.Module, data: PatchData, n_outputs: int) -> nn.Module:
    """Clone a trained network, with a new output layer."""
    if not isinstance(fitted, Architecture) or not isinstance(fitted.output, nn.Linear):
        raise ValueError(
            f"{type(fitted).__name__} has no output layer to replace, so it cannot be fine-tuned; for "
            "Timbre, set n_filters"
        )
    found, expected = (data.n_mels, data.patch_frames), (fitted.n_mels, fitted.n_frames)
    if found != expected:
        raise ValueError(
            f"the network of the fitted architecture expects patches of {expected[0]} bands x {expected[1]} "
            f"frames, and these have {found[0]} x {found[1]}; use the same front-end and patch_frames"
        )
    network = copy.deepcopy(fitted).requires_grad_(True)
    network.front_end.requires_grad_(False)
    last = fitted.output
    network.output = nn.Linear(last.in_features, n_outputs, bias=last.bias is not None)
    network.n_outputs = n_outputs
    if (recipe := recipe_of(fitted)) is not None:
        set_recipe(network, recipe._replace(n_outputs=n_outputs))
    init_glorot_(network.output)
    return network


def uses_mixed_precision(spec: NetworkSpec) -> bool:
    """Return whether matrix products are computed in bfloat16; by default on a GPU."""
    if spec.mixed_precision is None:
        return resolve_device(spec.device).type == "cuda"
    return spec.mixed_precision


def net_params(spec: NetworkSpec, network: nn.Module, *, weight_decay: float, prefix: str) -> dict[str, Any]:
    """Return the ClipNet parameters that an estimator sets; `prefix` is the path to the network."""
    callbacks = list(spec.callbacks or [])
    if spec.gradient_clip is not None:
        callbacks.append(("gradient_clip", GradientNormClipping(spec.gradient_clip)))
    groups = parameter_groups(
        network, weight_decay=weight_decay, backbone_learning_rate=spec.backbone_learning_rate, prefix=prefix
    )
    return {
        "optimizer": spec.optimizer,
        "lr": spec.learning_rate,
        "optimizer__param_groups": groups,
        "mixed_precision": uses_mixed_precision(spec),
        "max_epochs": spec.max_epochs,
        "iterator_train__batch_size": None,
        "iterator_valid__batch_size": None,
        "callbacks": callbacks,
        "device": resolve_device(spec.device),
        "verbose": spec.verbose,
    }


def run_network(
    network: Callable[[torch.Tensor], torch.Tensor], gather: Gather, data: PatchData, spec: NetworkSpec
) -> NDArray[np.float64]:
    """Compute the outputs of a network for all patches, one row per patch."""
    device = resolve_device(spec.device)
    with torch.inference_mode(), own_defaults(device), autocast(device, uses_mixed_precision(spec)):
        logits = [network(gather(part)).float() for part in data.batches(spec.batch_size)]
    return torch.cat(logits).cpu().double().numpy()


def recalibrate_batch_norm(module: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Recompute the batch-norm statistics from all batches together, in one pass.

    Each batch should be a random sample of all patches: as in training, it is normalised with its own
    statistics before deeper layers.
    """
    module.eval()
    norms = [layer for layer in module.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.train()
    with torch.no_grad():
        for batch in batches:
            module(batch if len(batch) > 1 else batch.repeat_interleave(2, dim=0))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()


def check_finite(network: nn.Module, learning_rate: float) -> None:
    """Raise an error if the network contains NaN or infinity."""
    if not all(torch.isfinite(parameter).all() for parameter in network.parameters()):
        raise ValueError(
            f"training diverged: the network holds NaN or infinity; lower learning_rate={learning_rate} or "
            "set gradient_clip"
        )
