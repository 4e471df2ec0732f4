"""Batches of patches for the training and validation of a network."""

from __future__ import annotations

from math import ceil

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from skfewaudio.augmentation import AugmentationLike, augment

from .patches import PatchData


class RandomPatches(Dataset):
    """One epoch: a patch of every clip at a random position, in random order.

    The batches of an epoch must be accessed in order; the first access draws the order of the clips.

    Parameters
    ----------
    data : PatchData
        Patches of the clips.
    targets : tensor of shape (n_clips,) or (n_clips, n_labels)
        Class indices, or an indicator matrix.
    batch_size : int
        Maximum number of clips in a batch. Batch sizes differ by at most one, so that no batch is too small
        for batch normalisation.
    random_state : numpy.random.RandomState
        Source of the order and of the positions.
    share : tuple of int, default=(0, 1)
        Index of this process, and number n of processes that train together. A process gets every n-th clip
        of a batch. All shares of a batch have the same length; clips are repeated if necessary.
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
        self.random_state = self.position_state = random_state
        self.process, self.n_processes = share
        if self.n_processes > 1:
            # The order must be the same in all processes, but the number of random values that positions use
            # depends on the lengths of the clips.
            seed = random_state.randint(np.iinfo(np.int32).max - self.n_processes)
            self.position_state = np.random.RandomState(seed + self.process)

    def __len__(self) -> int:
        return self.n_batches

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        if i == 0:
            self.batches = np.array_split(self.random_state.permutation(len(self.targets)), self.n_batches)
        batch = self.batches[i]
        n_shared = max(ceil(len(batch) / self.n_processes), 2)  # one is too few for batch normalisation
        clips = batch[(self.process + self.n_processes * np.arange(n_shared)) % len(batch)]
        return self.data.draw(clips, self.position_state), self.targets[clips]


class AllPatches(Dataset):
    """All patches of clips in batches, each with the target of its clip; for validation."""

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
    """Augmented batches of an epoch, with probabilities as targets.

    Parameters
    ----------
    batches : RandomPatches
        Batches to augment; their random state provides the seed.
    augmentations : list of callable
        Augmentations, applied in order.
    n_outputs : int
        Number of classes or labels.
    """

    def __init__(self, batches: RandomPatches, augmentations: list[AugmentationLike], n_outputs: int) -> None:
        self.batches = batches
        self.augmentations = augmentations
        self.n_outputs = n_outputs
        # All processes draw the same number, and add their index for a seed of their own.
        seed = batches.random_state.randint(np.iinfo(np.int32).max - batches.n_processes)
        self.generator = torch.Generator(batches.targets.device).manual_seed(seed + batches.process)

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        patches, targets = self.batches[i]
        if targets.ndim == 1:
            targets = nn.functional.one_hot(targets, self.n_outputs).float()
        changed, targets = augment(self.augmentations, patches[:, 0], targets, self.generator)
        return changed.unsqueeze(1).contiguous(), targets
