"""Pre-trained networks of waveforms as architectures, for fine-tuning."""

import copy
import os
from math import ceil
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from skfewaudio.architectures import Architecture, init_glorot_

from ._pretrained.loaded import LoadedModel, describe_backend, open_backend
from ._pretrained.source import parse_model

DEFAULT_WINDOW = 2.0  # seconds, for networks that accept any length
# Settings of Hugging Face networks that mask or drop parts in training, at random by a global state.
RANDOM_SETTINGS = {"apply_spec_augment": False, "layerdrop": 0.0, "encoder_layerdrop": 0.0}


class PretrainedArchitecture:
    """Builder of a pre-trained network of waveforms with a new output layer, to be fine-tuned.

    Pass it to :class:`~skfewaudio.classifiers.SkorchCNN` as the parameter ``architecture``, after
    :class:`~skfewaudio.features.RawWaveform` at the sample rate of the network. The parameter
    ``backbone_learning_rate`` is the learning rate of the pre-trained layers, and ``learning_rate`` that of
    the output layer.

    Parameters
    ----------
    model : str, path-like or torch.nn.Module
        A name such as ``"hf:facebook/wav2vec2-base"`` or ``"hf:FOLDER"``, or a network that maps waveforms of
        shape (n, n_samples) to embeddings of shape (n, d) or (n, n_frames, d), with the attributes
        ``sample_rate`` in Hz and ``window`` in seconds. It is copied. Networks of other files
        are not trainable; see :class:`~skfewaudio.features.PretrainedEmbed`.
    window : float, default=None
        Length in seconds of the parts of the clips that are trained on and averaged in predictions. None is
        the longest input of the network, or 2 s for networks that accept any length.
    output : str or int, default=None
        Layer of a Hugging Face network, as in :class:`~skfewaudio.features.PretrainedEmbed`.

    Raises
    ------
    ImportError
        If the library of the network is not installed.
    WeightsNotFoundError
        If the network is not found.
    ValueError
        If the network cannot be trained, or does not state its sample rate.

    Notes
    -----
    The network is loaded when a classifier is fitted. A fitted classifier can be pickled, but not saved by
    :func:`~skfewaudio.persistence.save_model`, which does not store this builder.

    Embeddings of frames are averaged over time before the output layer. Random masks and dropped layers,
    which pre-training used, are disabled; dropout is kept.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn.pipeline import make_pipeline
    >>> from skfewaudio import SkorchCNN
    >>> from skfewaudio.features import PretrainedArchitecture, RawWaveform
    >>> class Network(torch.nn.Module):
    ...     sample_rate, window = 8000, 0.1
    ...
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.filters = torch.nn.Conv1d(1, 4, 32, stride=16)
    ...
    ...     def forward(self, waveforms):
    ...         return self.filters(waveforms[:, None]).abs().transpose(1, 2)
    >>> X = np.random.default_rng(0).normal(size=(6, 1600)) * np.repeat([0.01, 1.0], 3)[:, None]
    >>> cnn = SkorchCNN(PretrainedArchitecture(Network()), backbone_learning_rate=1e-3, max_epochs=80,
    ...                 random_state=0)
    >>> model = make_pipeline(RawWaveform(sample_rate=8000), cnn)
    >>> model.fit(X, ["quiet"] * 3 + ["loud"] * 3).predict(X[[0, 5]])
    array(['quiet', 'loud'], dtype='<U5')
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | nn.Module,
        *,
        window: float | None = None,
        output: str | int | None = None,
    ) -> None:
        self.model = model
        self.window = window
        self.output = output

    def __repr__(self) -> str:
        model = type(self.model).__name__ if isinstance(self.model, nn.Module) else repr(self.model)
        return f"{type(self).__name__}({model}, window={self.window!r}, output={self.output!r})"

    @property
    def patch_frames(self) -> int:
        """Number of samples of a part of a clip."""
        return self._count_samples(self._open())

    @property
    def sample_rate(self) -> int:
        """Sample rate of the network in Hz."""
        return self._open().sample_rate

    def __call__(self, n_outputs: int, *, n_mels: int, n_frames: int) -> Architecture:
        """Build the network.

        Parameters
        ----------
        n_outputs : int
            Number of units of the new output layer.
        n_mels : int
            Number of bands of the input, which must be 1.
        n_frames : int
            Number of samples of a part.

        Returns
        -------
        Architecture
        """
        if n_mels != 1:
            raise ValueError(
                f"{self!r} takes waveforms, and these are spectrograms of {n_mels} bands; put "
                f"RawWaveform(sample_rate={self.sample_rate}) before the classifier"
            )
        return _FineTunedNetwork(self._open().backend.module, n_outputs, n_frames)

    def _open(self) -> LoadedModel:
        """Return a network of its own, which training may change."""
        if isinstance(self.model, nn.Module):
            backend: Any = _ModuleBackend(copy.deepcopy(self.model))
            return describe_backend(backend, type(self.model).__name__, sample_rate=None, window=None)
        source = parse_model(self.model)
        if source.scheme != "hf":
            raise ValueError(
                f"{self.model!r} cannot be fine-tuned: expected 'hf:' and a name or folder, or a "
                "torch.nn.Module; use PretrainedEmbed and another classifier for networks of other kinds"
            )
        backend = open_backend(source, self.output, 1, "cpu")
        return describe_backend(backend, source.label, sample_rate=None, window=None, source=source)

    def _count_samples(self, model: LoadedModel) -> int:
        if self.window is not None:
            return ceil(self.window * model.sample_rate)
        return model.n_window or max(model.n_least, round(DEFAULT_WINDOW * model.sample_rate))


class _ModuleBackend:
    """A torch module as a backend."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.sample_rate = getattr(module, "sample_rate", None)
        self.window = getattr(module, "window", None)


class _FineTunedNetwork(Architecture):
    """A network of waveforms, and an output layer."""

    def __init__(self, module: nn.Module, n_outputs: int, n_frames: int) -> None:
        super().__init__(n_outputs, 1, n_frames)
        config = getattr(getattr(module, "model", None), "config", None)
        for name, value in RANDOM_SETTINGS.items():
            if hasattr(config, name):
                setattr(config, name, value)
        _join_parametrizations(module)
        self.trunk = _ClipEmbedding(module.requires_grad_(True))
        with torch.no_grad():
            n_dims = self.trunk.eval()(torch.zeros(1, 1, 1, n_frames)).shape[1]
        self.trunk.train()
        self.output = nn.Linear(n_dims, n_outputs)
        init_glorot_(self.output)


def _join_parametrizations(network: nn.Module) -> None:
    """Replace computed weights, such as normalised ones, by plain ones, because torch cannot pickle them."""
    for layer in network.modules():
        if parametrize.is_parametrized(layer):
            for name in list(layer.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(layer, name)
            layer._load_state_dict_pre_hooks.clear()  # of weight_norm, a local function


class _ClipEmbedding(nn.Module):
    """Mean embedding of waveforms (batch, 1, 1, n_samples)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Embed waveforms."""
        found = self.module(x.flatten(1))
        if not isinstance(found, torch.Tensor) or found.ndim not in (2, 3) or len(found) != len(x):
            shape = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
            raise ValueError(
                f"{type(self.module).__name__} returned {shape} for {len(x)} waveforms; expected a tensor of "
                f"shape ({len(x)}, d) or ({len(x)}, n_frames, d)"
            )
        return found if found.ndim == 2 else found.mean(dim=1)
