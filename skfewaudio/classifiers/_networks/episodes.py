"""Episodic training of a network: queries are classified by the prototypes of a support."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import nn
from torch.nn import functional as F  # noqa: N812, as in torch's own documentation
from torch.utils.data import Dataset

from skfewaudio.architectures import split_front_end

from .building import Gather
from .skorch_net import StopTraining


def squared_euclidean(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Compute the mean squared difference over the dimensions between the rows of `a` and of `b`."""
    products = a @ b.T
    squares = a.square().sum(1, keepdim=True) + b.square().sum(1) - 2 * products
    return squares.clamp(min=0) / a.shape[1]


def cosine(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Compute one minus the cosine between the rows of `a` and of `b`."""
    return 1 - F.normalize(a, dim=1) @ F.normalize(b, dim=1).T


DISTANCES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "euclidean": squared_euclidean,
    "cosine": cosine,
}


class EpisodicModule(nn.Module):
    """Architecture whose logits are the negative distances of queries to the prototypes of a support.

    A batch holds ``n_support`` rows of each class, ordered by class, followed by the queries. Support and
    queries go through the network separately, so that each is normalised with its own batch statistics.
    """

    def __init__(self, architecture: nn.Module, distance: str, n_classes: int, n_support: int) -> None:
        super().__init__()
        self.architecture = architecture
        self.project = split_front_end(architecture)[1]
        self.distance = DISTANCES[distance]
        self.n_classes = n_classes
        self.n_support = n_support

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (n_queries, n_classes) for a batch of front-end outputs."""
        n_rows = self.n_classes * self.n_support
        support, queries = self.project(batch[:n_rows]), self.project(batch[n_rows:])
        # Distances are small differences of large numbers, so they are not computed in half precision.
        with torch.autocast(batch.device.type, enabled=False):
            prototypes = support.float().unflatten(0, (self.n_classes, self.n_support)).mean(1)
            return -self.distance(queries.float(), prototypes)


class Episodes(Dataset):
    """One epoch of episodes, drawn again at every access.

    Parameters
    ----------
    gather : callable
        Function from an array of patch indices to the input of the network.
    patches_by_class : list of n_classes lists of arrays
        Patch indices of each clip of each class.
    n_support, n_query : int
        Number of support patches and of query patches per class.
    fixed_support : bool
        If True, the support of the first episode is kept and may also occur among the queries, as published.
        If False, every episode draws its support and queries from different clips, and a class with one clip
        has no queries.
    n_updates : int
        Number of episodes per epoch.
    random_state : numpy.random.RandomState
        Source of all draws.

    Attributes
    ----------
    support : ndarray of shape (n_classes * n_support,) or None
        Patch indices of the fixed support.
    """

    def __init__(
        self,
        gather: Gather,
        patches_by_class: list[list[NDArray[np.int64]]],
        *,
        n_support: int,
        n_query: int,
        fixed_support: bool,
        n_updates: int,
        random_state: np.random.RandomState,
    ) -> None:
        self.gather = gather
        self.patches_by_class = patches_by_class
        self.n_query = n_query
        # A fixed support holds at most one patch per clip, and equally many of each class.
        self.n_support = min(n_support, *map(len, patches_by_class)) if fixed_support else n_support
        self.n_updates = n_updates
        self.random_state = random_state
        self.support = self._draw_fixed_support() if fixed_support else None

    def __len__(self) -> int:
        return self.n_updates

    @property
    def has_queries(self) -> bool:
        """Whether any class has queries, without which the network cannot be trained."""
        return self.support is not None or any(len(clips) > 1 for clips in self.patches_by_class)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        if self.support is None:
            drawn = [self._draw_support_and_queries(clips) for clips in self.patches_by_class]
            support = np.concatenate([support for support, _ in drawn])
            queries = [query for _, query in drawn]
        else:
            support = self.support
            queries = [self._draw_queries(clips) for clips in self.patches_by_class]
        batch = self.gather(np.concatenate([support, *queries]))
        target = np.repeat(np.arange(len(queries)), [len(query) for query in queries])
        return batch, torch.from_numpy(target).to(batch.device)

    def _draw_fixed_support(self) -> NDArray[np.int64]:
        """Draw one patch from each of n_support clips of every class."""
        return np.concatenate(
            [
                self._draw_patches(clips, self.random_state.permutation(len(clips)), self.n_support)
                for clips in self.patches_by_class
            ]
        )

    def _draw_queries(self, clips: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Draw queries from all patches of a class, without replacement, as published."""
        return self.random_state.permutation(np.concatenate(clips))[: self.n_query]

    def _draw_support_and_queries(
        self, clips: list[NDArray[np.int64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw support and queries from different clips of a class; a single clip is support only."""
        order = self.random_state.permutation(len(clips))
        n_query_clips = min(self.n_query, len(clips) // 2)
        return (
            self._draw_patches(clips, order[n_query_clips:], self.n_support),
            self._draw_patches(clips, order[:n_query_clips], self.n_query if n_query_clips else 0),
        )

    def _draw_patches(
        self, clips: list[NDArray[np.int64]], chosen: NDArray[np.int64], n_patches: int
    ) -> NDArray[np.int64]:
        """Draw a patch from each of the chosen clips in turn, until there are `n_patches`."""
        indices = np.resize(chosen, n_patches)
        return np.array([self.random_state.choice(clips[i]) for i in indices], dtype=np.int64)


class OverfitStopping(Callback):
    """Stop the training when the accuracy on the training clips no longer improves.

    Parameters
    ----------
    train_accuracy : callable
        Function that returns the current accuracy of the network.
    patience : int
        Number of epochs without improvement.
    """

    def __init__(self, train_accuracy: Callable[[], float] | None, patience: int) -> None:
        self.train_accuracy = train_accuracy
        self.patience = patience

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Reset the best accuracy and the number of epochs without improvement."""
        self.best_ = -np.inf
        self.n_waited_ = 0

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Record the accuracy, and stop the training after `patience` epochs without improvement."""
        if self.train_accuracy is None:
            raise RuntimeError("OverfitStopping can be used for one training only; create another instance")
        accuracy = self.train_accuracy()
        net.history.record("train_accuracy", accuracy)
        self.n_waited_ = 0 if accuracy > self.best_ else self.n_waited_ + 1
        self.best_ = max(self.best_, accuracy)
        if self.n_waited_ >= self.patience:
            raise StopTraining

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Release the training clips."""
        self.train_accuracy = None
