"""Augmentation of the patches that a network is trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from skfewaudio.augmentation import Augmentation, augment, check_augmentation
from skfewaudio.augmentation._base import Method

if TYPE_CHECKING:
    from .train_cnn import RandomPatches


class AugmentedPatches(Dataset):
    """The batches of an epoch, each of them changed at random; the targets are probabilities.

    Parameters
    ----------
    batches : RandomPatches
        The batches as they are; their random state gives the seed.
    methods : list of callable
        What changes them, in order.
    n_outputs : int
        Classes, or labels.
    """

    def __init__(self, batches: RandomPatches, methods: list[Method], n_outputs: int) -> None:
        self.batches = batches
        self.methods = methods
        self.n_outputs = n_outputs
        # All processes draw the same number; from there on each goes its own way.
        seed = batches.random_state.randint(np.iinfo(np.int32).max - batches.n_processes)
        self.generator = torch.Generator(batches.targets.device).manual_seed(seed + batches.process)

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        patches, targets = self.batches[i]
        if targets.ndim == 1:
            targets = nn.functional.one_hot(targets, self.n_outputs).float()
        changed, targets = augment(self.methods, patches[:, 0], targets, self.generator)
        return changed.unsqueeze(1).contiguous(), targets


class ClassLoss(nn.CrossEntropyLoss):
    """Cross-entropy of class numbers or probabilities, with one meaning of the classes' weights.

    The mean over a batch is weighted by its clips' classes in either case; torch divides the loss of
    probabilities by the number of clips alone, so that weights would change the size of a step.
    """

    def forward(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        loss = super().forward(input, target)
        if target.ndim == 1 or self.weight is None:
            return loss
        return loss * len(target) / (target @ self.weight).sum()


def choose_methods(augmentation: Any, *, for_vectors: bool) -> list[Method]:
    """Give what changes the training clips of a classifier.

    Parameters
    ----------
    augmentation : Augmentation, callable, list of these, or None
        As the user gave it.
    for_vectors : bool
        Whether the clips are feature vectors.

    Returns
    -------
    list of callable

    Raises
    ------
    TypeError
        If that is no augmentation.
    ValueError
        If there is no way to change feature vectors so.
    """
    methods = check_augmentation(augmentation)
    for method in methods:
        if for_vectors and isinstance(method, Augmentation) and not method.takes_vectors:
            raise ValueError(
                f"augmentation has {method!r}, which changes spectrograms, and X holds feature vectors; take "
                "MixUp(), or give spectrograms of shape (n_clips, n_mels, n_frames)"
            )
    return methods
