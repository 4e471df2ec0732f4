"""Building the network of a classifier, running it over patches, and measuring its batch normalisation."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import GradientNormClipping
from torch import nn

from skfewaudio._torch import resolve_device
from skfewaudio._weights import find_weights, read_state_dict
from skfewaudio.architectures import Architecture, check_architecture_choice, init_glorot_, load_backbone

from ..saved_state import Recipe, recipe_of, set_recipe
from .patches import PatchData
from .skorch_net import autocast, parameter_groups

MAX_PATCH_FRAMES = 256

# From patch numbers to what a network, or the learning part of it, takes.
Gather = Callable[[NDArray[np.int64]], torch.Tensor]


class NetworkSpec(Protocol):
    """The parameters of an estimator that say what its network is and how it is run."""

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
    verbose: int


def is_fitted_estimator(architecture: Any) -> bool:
    """Tell a fitted estimator, whose network another goes on from, from what builds a network."""
    if not hasattr(architecture, "fit"):
        return False
    check_is_fitted(architecture, "network_")
    return True


def resolve_patch_frames(spec: NetworkSpec, architecture: Any, clips: list[NDArray]) -> int:
    """Give the frames of a patch: as asked for, as the architecture was made for, or as long as the clips."""
    if spec.patch_frames is not None:
        return spec.patch_frames
    if is_fitted_estimator(architecture):
        return architecture.network_.n_frames
    builder = check_architecture_choice(architecture)
    natural: int | None = getattr(builder, "patch_frames", None)
    return natural or min(max(clip.shape[1] for clip in clips), MAX_PATCH_FRAMES)


def build_network(spec: NetworkSpec, architecture: Any, data: PatchData, n_outputs: int) -> nn.Module:
    """Build an estimator's network for the patches at hand, and start it from weights where there are any."""
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
    # Convolutions are faster with the channels innermost, on either kind of device.
    return network.to(resolve_device(spec.device)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _replace_head(fitted: nn.Module, data: PatchData, n_outputs: int) -> nn.Module:
    """Copy a trained network, with a fresh last layer."""
    if not isinstance(fitted, Architecture) or not isinstance(fitted.output, nn.Linear):
        raise ValueError(
            f"{type(fitted).__name__} has no last layer to replace, so nothing can be started from it; for "
            "Timbre, give n_filters"
        )
    found, expected = (data.n_mels, data.patch_frames), (fitted.n_mels, fitted.n_frames)
    if found != expected:
        raise ValueError(
            f"the network that the architecture was fitted with takes patches of {expected[0]} bands x "
            f"{expected[1]} frames, and these have {found[0]} x {found[1]}; use the same front-end and "
            "patch_frames"
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
    """Tell whether matrix products are made in bfloat16: by default on a GPU."""
    if spec.mixed_precision is None:
        return resolve_device(spec.device).type == "cuda"
    return spec.mixed_precision


def net_params(spec: NetworkSpec, network: nn.Module, *, weight_decay: float, prefix: str) -> dict[str, Any]:
    """Give the parameters of a ClipNet that an estimator's own decide; `prefix` leads to the network."""
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
    """Give a network's outputs for all patches, one row each."""
    with torch.inference_mode(), autocast(resolve_device(spec.device), uses_mixed_precision(spec)):
        logits = [network(gather(part)).float() for part in data.batches(spec.batch_size)]
    return torch.cat(logits).cpu().double().numpy()


def recalibrate_batch_norm(module: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Set the statistics of batch normalisation to those of all the batches together, in one pass.

    Each batch should be a sample of all patches: as in training, its own statistics normalise it on its way
    to deeper layers.
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
    """Refuse a network that training has ruined."""
    if not all(torch.isfinite(parameter).all() for parameter in network.parameters()):
        raise ValueError(
            f"training diverged: the network holds NaN or infinity; lower learning_rate={learning_rate} or "
            "set gradient_clip"
        )
