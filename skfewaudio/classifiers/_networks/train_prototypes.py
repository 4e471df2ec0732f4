"""Training of the network of a PrototypicalClassifier, its embeddings and probabilities."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from torch import nn

from skfewaudio._torch import resolve_device, to_tensor
from skfewaudio.architectures import split_front_end
from skfewaudio.audio.aggregation import aggregate

from .building import (
    Gather,
    NetworkSpec,
    build_network,
    check_finite,
    net_params,
    recalibrate_batch_norm,
    run_network,
    training,
)
from .episodes import DISTANCES, Episodes, EpisodicModule, OverfitStopping
from .patches import PatchData, PatchSpec, cut_patches
from .skorch_net import ClipNet


class EpisodicSpec(NetworkSpec, PatchSpec, Protocol):
    """Parameters of a PrototypicalClassifier that define its training, and its network."""

    embedding_size: int
    distance: str
    n_support: int
    n_query: int
    fixed_support: bool
    recalibrate: bool
    updates_per_epoch: int | None
    patience: int | None
    random_state: int | np.random.RandomState | None
    network_: nn.Module | None


def train_network(
    spec: EpisodicSpec, architecture: Any, clips: list[NDArray], codes: NDArray[np.int64]
) -> tuple[ClipNet, NDArray[np.float64], NDArray[np.int64]]:
    """Train a network with the parameters of an estimator, on clips with the class indices `codes`.

    Return the net, the embeddings for the prototypes (of all clips, or of the patches of a fixed support) and
    their class indices.
    """
    random_state = check_random_state(spec.random_state)
    device = resolve_device(spec.device)
    data = cut_patches(spec, clips, device)
    with training(spec, random_state, device):
        network = build_network(spec, architecture, data, spec.embedding_size)
        gather = _gather_front_end(network, data, spec.batch_size)
        episodes = _make_episodes(spec, gather, data, codes, random_state)
        net = _make_net(spec, network, episodes)
        _, head = split_front_end(network)
        if spec.patience is not None:
            accuracy = _TrainAccuracy(spec, head, gather, data, codes, episodes.support)
            net.callbacks_.append(("overfit_stopping", OverfitStopping(accuracy, spec.patience)))
        if episodes.has_queries:
            net.train(episodes)
        if spec.recalibrate:
            recalibrate_batch_norm(head, map(gather, data.shuffled_batches(spec.batch_size, random_state)))
        network.eval()
        check_finite(network, spec.learning_rate)
        embeddings = run_network(head, gather, data, spec)
    if episodes.support is not None:
        return net, embeddings[episodes.support], codes[data.clip[episodes.support]]
    return net, aggregate(embeddings, data.n_patches), codes


def embed_patches(
    spec: EpisodicSpec, clips: NDArray | list[NDArray]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Compute the embeddings of all patches, and return the number of patches of each clip."""
    if not isinstance(clips, list):
        return clips.astype(np.float64, copy=False), np.ones(len(clips), dtype=np.int64)
    data = cut_patches(spec, clips, resolve_device(spec.device))
    network = nn.Flatten() if spec.network_ is None else spec.network_
    return run_network(network, data.gather, data, spec), data.n_patches


def clip_log_proba(
    embeddings: NDArray[np.floating], prototypes: NDArray[np.floating], n_patches: NDArray, distance: str
) -> NDArray[np.floating]:
    """Compute the mean log-probabilities of the prototypes over the patches of each clip, normalised."""
    distances = DISTANCES[distance](*map(to_tensor, (embeddings, prototypes)))
    scores = aggregate(torch.log_softmax(-distances, dim=1).numpy(), n_patches)
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def _gather_front_end(network: nn.Module, data: PatchData, batch_size: int) -> Gather:
    """Run a front-end once per patch, and return the function that gathers its outputs."""
    front_end, _ = split_front_end(network)
    if front_end is None:
        return data.gather
    batches = [data.gather(part) for part in data.batches(batch_size)]
    for layer in front_end.eval():
        recalibrate_batch_norm(layer, batches)
        with torch.no_grad():
            batches = [layer(batch) for batch in batches]
    outputs = torch.cat(batches)
    return lambda patches: outputs[torch.from_numpy(patches).to(outputs.device)]


def _make_episodes(
    spec: EpisodicSpec,
    gather: Gather,
    data: PatchData,
    codes: NDArray[np.int64],
    random_state: np.random.RandomState,
) -> Episodes:
    """Create the episodes of one epoch."""
    patches = np.split(np.arange(len(data)), np.cumsum(data.n_patches)[:-1])
    by_class = [[patches[clip] for clip in np.flatnonzero(codes == c)] for c in range(codes.max() + 1)]
    n_queries = sum(min(spec.n_query, sum(map(len, clips))) for clips in by_class)
    return Episodes(
        gather,
        by_class,
        n_support=spec.n_support,
        n_query=spec.n_query,
        fixed_support=spec.fixed_support,
        n_updates=spec.updates_per_epoch or max(1, len(data) // n_queries),
        random_state=random_state,
    )


def _make_net(spec: EpisodicSpec, network: nn.Module, episodes: Episodes) -> ClipNet:
    """Wrap the network in a skorch net."""
    net = ClipNet(
        EpisodicModule,
        module__architecture=network,
        module__distance=spec.distance,
        module__n_classes=len(episodes.patches_by_class),
        module__n_support=episodes.n_support,
        criterion=nn.CrossEntropyLoss,
        **net_params(spec, network, weight_decay=0, prefix="architecture."),
        train_split=None,
    )
    return net.initialize()


class _TrainAccuracy:
    """Current accuracy of the network on the training clips, with prototypes as computed by `fit`."""

    def __init__(
        self,
        spec: EpisodicSpec,
        head: nn.Module,
        gather: Gather,
        data: PatchData,
        codes: NDArray[np.int64],
        support: NDArray[np.int64] | None,
    ) -> None:
        self.spec, self.head, self.gather, self.data, self.codes = spec, head, gather, data, codes
        self.support = np.arange(len(data)) if support is None else support

    def __call__(self) -> float:
        self.head.eval()
        embeddings = run_network(self.head, self.gather, self.data, self.spec)
        of_class = self.codes[self.data.clip[self.support]]
        prototypes = np.stack(
            [embeddings[self.support[of_class == c]].mean(axis=0) for c in range(self.codes.max() + 1)]
        )
        scores = clip_log_proba(embeddings, prototypes, self.data.n_patches, self.spec.distance)
        return float((scores.argmax(axis=1) == self.codes).mean())
