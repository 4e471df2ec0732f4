"""Training of the network of a SkorchCNN: batches, loss and early stopping."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight
from skorch.callbacks import EarlyStopping
from skorch.helper import predefined_split
from skorch.utils import noop
from torch import nn

from skfewaudio._torch import resolve_device
from skfewaudio.augmentation import AugmentationLike, check_classifier_augmentation

from .batches import AllPatches, AugmentedPatches, RandomPatches
from .building import (
    NetworkSpec,
    build_network,
    check_finite,
    net_params,
    recalibrate_batch_norm,
    training,
)
from .patches import PatchSpec, cut_patches
from .skorch_net import AcceleratedClipNet, ClipNet


class CNNSpec(NetworkSpec, PatchSpec, Protocol):
    """Parameters of a SkorchCNN that define its training, and its classes."""

    recalibrate: bool
    weight_decay: float
    class_weight: Mapping[Any, float] | str | None
    augmentation: AugmentationLike | Sequence[AugmentationLike] | None
    patience: int | None
    validation_split: Any
    accelerator: Callable[[], Any] | None
    random_state: int | np.random.RandomState | None
    classes_: NDArray


class ClassLoss(nn.CrossEntropyLoss):
    """Cross-entropy of class indices or probabilities, with the same meaning of class weights.

    In both cases, the mean over a batch is weighted by the classes of its clips. torch divides the loss of
    probabilities by the number of clips, so that class weights would change the step size.
    """

    def forward(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        loss = super().forward(input, target)
        if target.ndim == 1 or self.weight is None:
            return loss
        return loss * len(target) / (target @ self.weight).sum()


def train_cnn(
    spec: CNNSpec, architecture: Any, clips: list[NDArray], targets: NDArray, network: nn.Module | None
) -> ClipNet:
    """Train a network with the parameters of an estimator.

    `targets` are class indices or an indicator matrix. `network` is trained further; None builds a new one.
    """
    augmentations = check_classifier_augmentation(spec.augmentation, for_vectors=spec.patch_frames_ is None)
    random_state = check_random_state(spec.random_state)
    train, valid = _split(spec, targets, random_state)
    accelerator = None if spec.accelerator is None else spec.accelerator()
    device = resolve_device(spec.device) if accelerator is None else accelerator.device
    share = (0, 1) if accelerator is None else (accelerator.process_index, accelerator.num_processes)
    data = cut_patches(spec, [clips[i] for i in train], device)
    with training(spec, random_state, device):
        n_outputs = targets.shape[1] if targets.ndim == 2 else len(spec.classes_)
        if network is None:
            network = build_network(spec, architecture, data, n_outputs)
        if share[1] > 1:  # the layout of the gradients that the processes exchange
            network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        patches = RandomPatches(
            data, _to_tensor(targets[train], device), spec.batch_size, random_state, share=share
        )
        batches = AugmentedPatches(patches, augmentations, n_outputs) if augmentations else patches
        validation = None
        if valid is not None:
            held_out = cut_patches(spec, [clips[i] for i in valid], device)
            validation = AllPatches(held_out, _to_tensor(targets[valid], device), spec.batch_size)
        net = _make_net(spec, network, targets, validation, accelerator)
        net.train(batches)
        net.set_params(train_split=None)  # it holds the clips
        if spec.recalibrate:
            recalibrate_batch_norm(
                network, map(data.gather, data.shuffled_batches(spec.batch_size, random_state))
            )
    network.eval()
    check_finite(network, spec.learning_rate)
    return net


def _split(
    spec: CNNSpec, targets: NDArray, random_state: np.random.RandomState
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Return the indices of the training clips, and of the validation clips or None."""
    all_clips = np.arange(len(targets))
    if spec.validation_split is None:
        return all_clips, None
    splitter = spec.validation_split
    if isinstance(splitter, float):
        kind = ShuffleSplit if targets.ndim == 2 else StratifiedShuffleSplit
        splitter = kind(1, test_size=splitter, random_state=random_state.randint(np.iinfo(np.int32).max))
    return next(iter(splitter.split(all_clips, targets)))


def _to_tensor(targets: NDArray, device: torch.device) -> torch.Tensor:
    """Convert targets to the type that the loss expects."""
    return torch.from_numpy(targets.astype(np.float32 if targets.ndim == 2 else np.int64)).to(device)


def _make_net(
    spec: CNNSpec, network: nn.Module, targets: NDArray, validation: AllPatches | None, accelerator: Any
) -> ClipNet:
    """Wrap the network in a skorch net."""
    params: dict[str, Any] = net_params(spec, network, weight_decay=spec.weight_decay, prefix="")
    if spec.patience is not None:
        monitor = "train_loss" if validation is None else "valid_loss"
        stopping = EarlyStopping(monitor, patience=spec.patience, sink=noop)
        params["callbacks"].append(("early_stopping", stopping))
    build: Callable[..., ClipNet] = ClipNet
    if accelerator is not None:
        build = partial(AcceleratedClipNet, accelerator=accelerator)
        params["device"] = None  # set by the accelerator
        params["callbacks__print_log__sink"] = "auto" if spec.verbose else noop
    net = build(
        network,
        **_loss_params(spec, targets),
        **params,
        train_split=None if validation is None else predefined_split(validation),
    )
    return net.initialize()


def _loss_params(spec: CNNSpec, targets: NDArray) -> dict[str, Any]:
    """Return skorch's parameters for the loss and its class weights."""
    if targets.ndim == 2:
        return {"criterion": nn.BCEWithLogitsLoss, "criterion__pos_weight": _label_weights(spec, targets)}
    weight = None
    if spec.class_weight is not None:
        values = compute_class_weight(spec.class_weight, classes=spec.classes_, y=spec.classes_[targets])
        weight = torch.tensor(values, dtype=torch.float32)
    return {"criterion": ClassLoss, "criterion__weight": weight}


def _label_weights(spec: CNNSpec, targets: NDArray) -> torch.Tensor | None:
    """Return for each label the weight of a clip with the label relative to a clip without it."""
    if spec.class_weight is None:
        return None
    if isinstance(spec.class_weight, str):  # "balanced"
        n_with = targets.sum(axis=0)
        balance = np.where(n_with > 0, (len(targets) - n_with) / np.maximum(n_with, 1), 1)
        return torch.tensor(balance, dtype=torch.float32)
    return torch.tensor([spec.class_weight.get(label, 1.0) for label in range(targets.shape[1])])
