"""Batches of patches for the training and the validation of a network."""

from __future__ import annotations

from math import ceil

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from skfewaudio.augmentation import AugmentationLike, augment

from .patches import PatchData


class RandomPatches(Dataset):
    """One epoch: every clip once, in random order, cut at a random place.

    The batches of an epoch are asked for in turn; the first one draws the order.

    Parameters
    ----------
    data : PatchData
        The clips.
    targets : tensor of shape (n_clips,) or (n_clips, n_labels)
        Class numbers, or indicators of labels.
    batch_size : int
        Clips of a batch at most; batches are as equal as can be, so that none is too small for batch
        normalisation.
    random_state : numpy.random.RandomState
        Where order and places are drawn from.
    share : tuple of int, default=(0, 1)
        Number of this process, and of all that train together: it gets every so many-th clip of a batch. The
        shares of a batch are equally long, if need be by repeating clips.
    """

    def __init__(
        self,
        data: PatchData,
        targets: torch.Tensor,
        batch_size: int,
        random_state: np.random.RandomState,
        *,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.data = data
        self.targets = targets
        self.n_batches = ceil(len(targets) / batch_size)
        self.random_state = self.place_state = random_state
        self.process, self.n_processes = share
        if self.n_processes > 1:
            # The order must stay the same in all processes, whatever their clips' lengths make of the places.
            seed = random_state.randint(np.iinfo(np.int32).max - self.n_processes)
            self.place_state = np.random.RandomState(seed + self.process)

    def __len__(self) -> int:
        return self.n_batches

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        if i == 0:
            self.batches = np.array_split(self.random_state.permutation(len(self.targets)), self.n_batches)
        batch = self.batches[i]
        n_shared = max(ceil(len(batch) / self.n_processes), 2)  # one is too few for batch normalisation
        clips = batch[(self.process + self.n_processes * np.arange(n_shared)) % len(batch)]
        return self.data.draw(clips, self.place_state), self.targets[clips]


class AllPatches(Dataset):
    """All patches of some clips in batches, each with its clip's target; for validation."""

    def __init__(self, data: PatchData, targets: torch.Tensor, batch_size: int) -> None:
        self.data = data
        self.targets = targets
        self.batches = data.batches(batch_size)

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        patches = self.batches[i]
        return self.data.gather(patches), self.targets[self.data.clip[patches]]


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

    def __init__(self, batches: RandomPatches, methods: list[AugmentationLike], n_outputs: int) -> None:
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
