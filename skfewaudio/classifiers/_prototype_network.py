"""Building, calibrating and training the network of a PrototypicalClassifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from skorch.callbacks import GradientNormClipping
from torch import nn

from skfewaudio._torch import resolve_device, seeded
from skfewaudio.architectures import check_architecture_choice
from skfewaudio.audio.aggregation import aggregate

from ._episodic import DISTANCES, EpisodicModule, EpisodicNet, Episodes, OverfitStopping
from ._patch_data import PatchData

if TYPE_CHECKING:
    from ._prototypical import PrototypicalClassifier


def train_network(
    spec: PrototypicalClassifier, data: PatchData, codes: NDArray[np.int64]
) -> tuple[EpisodicNet, NDArray[np.int64] | None]:
    """Train by the parameters of an estimator, on the patches of clips with classes numbered by `codes`.

    Returns the net, and the patch numbers of the support if it is fixed.
    """
    random_state = check_random_state(spec.random_state)
    device = resolve_device(spec.device)
    with seeded(random_state.randint(np.iinfo(np.int32).max), device):
        network = _build(spec, data).to(device)
        rows = _front_end_rows(network, data, spec.batch_size)
        episodes = _episodes(spec, rows, data, codes, random_state)
        net = _net(spec, network, episodes, device)
        if spec.patience is not None:
            accuracy = _TrainAccuracy(spec, network, data, codes, episodes.support)
            net.callbacks_.append(("overfit_stopping", OverfitStopping(accuracy, spec.patience)))
        net.train(episodes)
        if spec.recalibrate:
            calibrate(network.trunk, [rows(part) for part in data.parts(spec.batch_size)])
    network.eval()
    if not all(torch.isfinite(parameter).all() for parameter in network.parameters()):
        raise ValueError(
            f"training diverged: the network holds NaN or infinity; lower learning_rate={spec.learning_rate} "
            "or set gradient_clip"
        )
    return net, episodes.support


def embed_patches(network: nn.Module, data: PatchData, batch_size: int) -> NDArray[np.float64]:
    """Give the network's outputs for all patches, one row each."""
    with torch.inference_mode():
        outputs = [network(data.gather(part)) for part in data.parts(batch_size)]
    return torch.cat(outputs).cpu().double().numpy()


def clip_log_proba(
    embeddings: NDArray[np.floating], prototypes: NDArray[np.floating], n_patches: NDArray, distance: str
) -> NDArray[np.floating]:
    """Give the mean over each clip's patches of the log-probabilities of the prototypes, normalised."""
    distances = DISTANCES[distance](*map(torch.from_numpy, (embeddings, prototypes)))
    scores = aggregate(torch.log_softmax(-distances, dim=1).numpy(), n_patches)
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def calibrate(module: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Set the statistics of batch normalisation to those of all the batches together, layer after layer."""
    module.eval()
    norms = [layer for layer in module.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        momentum, norm.momentum = norm.momentum, None
        norm.reset_running_stats()
        norm.train()
        with torch.no_grad():
            for batch in batches:
                module(batch if len(batch) > 1 else batch.repeat_interleave(2, dim=0))
        norm.eval()
        norm.momentum = momentum


def _build(spec: PrototypicalClassifier, data: PatchData) -> nn.Module:
    """Build the architecture for the patches at hand."""
    architecture = "pooled_filters" if spec.architecture == "auto" else spec.architecture
    build = check_architecture_choice(architecture)
    return build(
        spec.embedding_size, n_mels=data.n_mels, n_frames=data.patch_frames, **(spec.architecture_params or {})
    )


def _front_end_rows(
    network: nn.Module, data: PatchData, batch_size: int
) -> Callable[[NDArray[np.int64]], torch.Tensor]:
    """Give what looks up the front-end's output for patches; one that learns nothing runs just once."""
    if isinstance(network.front_end, nn.Identity):
        return data.gather
    parts = data.parts(batch_size)
    calibrate(network.front_end, [data.gather(part) for part in parts])
    with torch.no_grad():
        described = torch.cat([network.front_end(data.gather(part)) for part in parts])
    return lambda patches: described[torch.from_numpy(patches).to(described.device)]


def _episodes(
    spec: PrototypicalClassifier,
    rows: Callable[[NDArray[np.int64]], torch.Tensor],
    data: PatchData,
    codes: NDArray[np.int64],
    random_state: np.random.RandomState,
) -> Episodes:
    """Set the episodes up, as many an epoch as asked for."""
    patches = np.split(np.arange(len(data)), np.cumsum(data.n_patches)[:-1])
    by_class = [[patches[clip] for clip in np.flatnonzero(codes == c)] for c in range(codes.max() + 1)]
    n_queries = sum(min(spec.n_query, sum(map(len, clips))) for clips in by_class)
    return Episodes(
        rows,
        by_class,
        n_support=spec.n_support,
        n_query=spec.n_query,
        fixed_support=spec.fixed_support,
        n_updates=spec.updates_per_epoch or max(1, len(data) // n_queries),
        random_state=random_state,
    )


def _net(
    spec: PrototypicalClassifier, network: nn.Module, episodes: Episodes, device: torch.device
) -> EpisodicNet:
    """Wrap the network for skorch."""
    callbacks = list(spec.callbacks or [])
    if spec.gradient_clip is not None:
        callbacks.append(("gradient_clip", GradientNormClipping(spec.gradient_clip)))
    net = EpisodicNet(
        EpisodicModule,
        module__architecture=network,
        module__distance=spec.distance,
        module__n_classes=len(episodes.patches),
        module__n_support=episodes.n_support,
        criterion=nn.CrossEntropyLoss,
        optimizer=spec.optimizer,
        lr=spec.learning_rate,
        max_epochs=spec.max_epochs,
        iterator_train__batch_size=None,
        train_split=None,
        callbacks=callbacks,
        device=device,
        verbose=spec.verbose,
    )
    return net.initialize()


class _TrainAccuracy:
    """Accuracy on the training clips of the network as it is, by prototypes as `fit` would make them."""

    def __init__(
        self,
        spec: PrototypicalClassifier,
        network: nn.Module,
        data: PatchData,
        codes: NDArray[np.int64],
        support: NDArray[np.int64] | None,
    ) -> None:
        self.spec, self.network, self.data, self.codes = spec, network, data, codes
        self.support = np.arange(len(data)) if support is None else support

    def __call__(self) -> float:
        self.network.eval()
        embeddings = embed_patches(self.network, self.data, self.spec.batch_size)
        of_class = self.codes[self.data.clip[self.support]]
        prototypes = np.stack(
            [embeddings[self.support[of_class == c]].mean(axis=0) for c in range(self.codes.max() + 1)]
        )
        scores = clip_log_proba(embeddings, prototypes, self.data.n_patches, self.spec.distance)
        return float((scores.argmax(axis=1) == self.codes).mean())
