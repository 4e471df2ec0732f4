"""Building, calibrating and training the network of a PrototypicalClassifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from skorch.callbacks import GradientNormClipping
from torch import nn

from skfewaudio._torch import resolve_device, seeded
from skfewaudio.architectures import check_architecture_choice, split_front_end
from skfewaudio.audio.aggregation import aggregate

from ._episodic import DISTANCES, Episodes, EpisodicModule, EpisodicNet, OverfitStopping, Rows
from ._patch_data import PatchData

if TYPE_CHECKING:
    from ._prototypical import PrototypicalClassifier


def train_network(
    spec: PrototypicalClassifier, clips: list[NDArray], codes: NDArray[np.int64]
) -> tuple[EpisodicNet, NDArray[np.float64], NDArray[np.int64]]:
    """Train by the parameters of an estimator, on clips with classes numbered by `codes`.

    Returns the net, the embeddings that make the prototypes (of all clips, or of the patches of a fixed
    support) and their classes.
    """
    data = _patch_data(spec, clips)
    random_state = check_random_state(spec.random_state)
    device = resolve_device(spec.device)
    with seeded(random_state.randint(np.iinfo(np.int32).max), device):
        network = _build(spec, data).to(device)
        rows = _front_end_rows(network, data, spec.batch_size)
        episodes = _episodes(spec, rows, data, codes, random_state)
        net = _net(spec, network, episodes, device)
        _, head = split_front_end(network)
        if spec.patience is not None:
            accuracy = _TrainAccuracy(spec, head, rows, data, codes, episodes.support)
            net.callbacks_.append(("overfit_stopping", OverfitStopping(accuracy, spec.patience)))
        if episodes.has_queries:
            net.train(episodes)
        if spec.recalibrate:
            calibrate(head, [rows(part) for part in data.parts(spec.batch_size)])
    network.eval()
    if not all(torch.isfinite(parameter).all() for parameter in network.parameters()):
        raise ValueError(
            f"training diverged: the network holds NaN or infinity; lower learning_rate={spec.learning_rate} "
            "or set gradient_clip"
        )
    embeddings = _outputs(head, rows, data, spec.batch_size)
    if episodes.support is not None:
        return net, embeddings[episodes.support], codes[data.clip[episodes.support]]
    return net, aggregate(embeddings, data.n_patches), codes


def embed_patches(
    spec: PrototypicalClassifier, clips: NDArray | list[NDArray]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give the embeddings of all patches, and how many each clip has; a feature vector is one patch."""
    if not isinstance(clips, list):
        return clips.astype(np.float64, copy=False), np.ones(len(clips), dtype=np.int64)
    data = _patch_data(spec, clips)
    network = nn.Flatten() if spec.architecture is None else spec.net_.module_.architecture
    return _outputs(network, data.gather, data, spec.batch_size), data.n_patches


def clip_log_proba(
    embeddings: NDArray[np.floating], prototypes: NDArray[np.floating], n_patches: NDArray, distance: str
) -> NDArray[np.floating]:
    """Give the mean over each clip's patches of the log-probabilities of the prototypes, normalised."""
    distances = DISTANCES[distance](*map(torch.from_numpy, (embeddings, prototypes)))
    scores = aggregate(torch.log_softmax(-distances, dim=1).numpy(), n_patches)
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def calibrate(module: nn.Module, batches: Sequence[torch.Tensor]) -> None:
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


def _patch_data(spec: PrototypicalClassifier, clips: list[NDArray]) -> PatchData:
    """Cut the clips."""
    return PatchData(
        clips,
        patch_frames=spec.patch_frames_,
        hop_frames=spec.hop_frames or -(-spec.patch_frames_ // 2),
        pad_mode=spec.pad_mode,
        device=resolve_device(spec.device),
    )


def _outputs(network: nn.Module, rows: Rows, data: PatchData, batch_size: int) -> NDArray[np.float64]:
    """Give a network's outputs for all patches, one row each."""
    with torch.inference_mode():
        outputs = [network(rows(part)) for part in data.parts(batch_size)]
    return torch.cat(outputs).cpu().double().numpy()


def _build(spec: PrototypicalClassifier, data: PatchData) -> nn.Module:
    """Build the architecture for the patches at hand."""
    name = "pooled_filters" if spec.architecture in ("auto", None) else spec.architecture
    params = spec.architecture_params or {}
    build = check_architecture_choice(name)
    return build(spec.embedding_size, n_mels=data.n_mels, n_frames=data.patch_frames, **params)


def _front_end_rows(network: nn.Module, data: PatchData, batch_size: int) -> Rows:
    """Give what looks up the input of a network's learning part; a front-end runs once for each patch."""
    front_end, _ = split_front_end(network)
    if front_end is None:
        return data.gather
    batches = [data.gather(part) for part in data.parts(batch_size)]
    for layer in front_end.eval():
        calibrate(layer, batches)
        with torch.no_grad():
            batches = [layer(batch) for batch in batches]
    described = torch.cat(batches)
    return lambda patches: described[torch.from_numpy(patches).to(described.device)]


def _episodes(
    spec: PrototypicalClassifier,
    rows: Rows,
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
        head: nn.Module,
        rows: Rows,
        data: PatchData,
        codes: NDArray[np.int64],
        support: NDArray[np.int64] | None,
    ) -> None:
        self.spec, self.head, self.rows, self.data, self.codes = spec, head, rows, data, codes
        self.support = np.arange(len(data)) if support is None else support

    def __call__(self) -> float:
        self.head.eval()
        embeddings = _outputs(self.head, self.rows, self.data, self.spec.batch_size)
        of_class = self.codes[self.data.clip[self.support]]
        prototypes = np.stack(
            [embeddings[self.support[of_class == c]].mean(axis=0) for c in range(self.codes.max() + 1)]
        )
        scores = clip_log_proba(embeddings, prototypes, self.data.n_patches, self.spec.distance)
        return float((scores.argmax(axis=1) == self.codes).mean())
