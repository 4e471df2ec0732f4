"""Embeddings of the pre-trained VGGish network."""

import os
from collections.abc import Iterator
from functools import partial
from numbers import Integral
from typing import Any, Literal
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions

from skfewaudio._threads import ProcessLock
from skfewaudio._torch import resolve_device
from skfewaudio._torch_state import own_state
from skfewaudio._weights import file_state, find_weights, read_state_dict
from skfewaudio.architectures import VGGish, load_backbone
from skfewaudio.audio.patches import PAD_MODES, patch_starts
from skfewaudio.exceptions import WeightsNotFoundError

from ._base import WAVEFORM_CONSTRAINTS, WaveformTransformerMixin, transform_mel
from ._logmel import PRESETS, LogMel
from ._mel_spectrogram import COMPRESSIONS, MelParams

N_DIMS = 128
PATCH_FRAMES = 96
PATCHES_AT_ONCE = {"cpu": 16, "cuda": 512}  # 50 MB and 1.5 GB of activations
# Published post-processing: PCA outputs are clipped to [-2, 2] and quantised to bytes.
PCA_LIMIT, PCA_STEPS = 2.0, 255

Pca = tuple[torch.Tensor, torch.Tensor]


class VGGishEmbed(WaveformTransformerMixin, TransformerMixin, BaseEstimator):
    """Transformer that computes the VGGish embedding of each clip.

    VGGish [1]_ is a network that was trained on the sound of millions of videos. It maps patches of 0.96 s to
    embeddings of 128 numbers. A clip is cut into patches, and a clip shorter than a patch is repeated to fill
    it. By default, the result is the mean over the patches of a clip. The input of the network is the log mel
    spectrogram of the preset "vggish" of :class:`LogMel`, at 16 kHz.

    Parameters
    ----------
    weights : str or path-like, default="vggish"
        Name of the published weights, which are downloaded once into the cache, or a file: ``.pth``,
        ``.safetensors``, or the TensorFlow checkpoint that the authors published. Converting a checkpoint
        requires tensorflow once.
    pca_params : str or path-like, default="vggish"
        Means and eigenvectors for the outputs "pca" and "pca_uint8", by name or as a file: ``.pth``,
        ``.npz`` or ``.safetensors`` with ``pca_means`` and ``pca_eigen_vectors``.
    output : {"relu", "preactivation", "pca", "pca_uint8"}, default="relu"
        "relu" is the output of the network, "preactivation" the output before the last ReLU. "pca" is the
        network output projected by PCA and clipped to [-2, 2]. "pca_uint8" is the "pca" output quantised to
        integers from 0 to 255, like the embeddings published with AudioSet.
    pooling : {"mean", "max"} or None, default="mean"
        Statistic over the patches of a clip. None returns the embedding of every patch. With "pca_uint8",
        only None is allowed, because the bytes are meant for storage, not for averaging.
    hop_frames : int, default=96
        Number of frames of 10 ms between the starts of successive patches. An incomplete patch at the end of
        a clip is dropped.
    channel : {"mean", "first", "loudest"} or int, default="mean"
        How the channels of files are reduced to one: their mean, the first, the one with the highest power,
        or the one with an index from 0.
    allow_truncated : bool, default=False
        Whether files that were cut off or are damaged are used as far as they can be decoded, with a warning.
        False treats them as files that cannot be read.
    n_threads : int, default=None
        Number of threads that decode files. On a CPU, features are computed in the same number of
        threads. None uses one thread per available core.
    on_error : {"raise", "warn"}, default="raise"
        How to handle files that cannot be read. "raise" raises an AudioLoadError. "warn" replaces each
        of them by one second of silence and issues one AudioLoadWarning at the end.
    device : str, default=None
        Torch device. None selects CUDA if available.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples of a clip; only if fitted on a 2-D array.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names; only if fitted on a DataFrame that has them.

    See Also
    --------
    LogMel : Computes the spectrograms.
    skfewaudio.architectures.VGGish : The network.

    Notes
    -----
    The transformer is stateless: `transform` needs no `fit`. The weights (288 MB) are loaded when `transform`
    first needs them. Instances with the same weights share them in memory, until the last instance is
    deleted. Pickles and clones contain only the parameters, and load the weights again by name or path. On
    another machine, the file of the weights must therefore be available too.

    References
    ----------
    .. [1] S. Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017.
       arXiv:1609.09430

    Examples
    --------
    >>> from skfewaudio.features import VGGishEmbed
    >>> embed = VGGishEmbed().fit(["bark.wav", "horn.wav"])
    >>> embed.get_feature_names_out()[:2]
    array(['vggish0', 'vggish1'], dtype=object)
    >>> X = embed.transform(["bark.wav", "horn.wav"])  # doctest: +SKIP
    """

    sample_rate = PRESETS["vggish"]["sample_rate"]

    _parameter_constraints: dict[str, list[Any]] = {
        **{name: kinds for name, kinds in WAVEFORM_CONSTRAINTS.items() if name != "sample_rate"},
        "weights": [str, os.PathLike],
        "pca_params": [str, os.PathLike],
        "output": [StrOptions({"preactivation", "relu", "pca", "pca_uint8"})],
        "pooling": [StrOptions({"mean", "max"}), None],
        "hop_frames": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        weights: str | os.PathLike[str] = "vggish",
        *,
        pca_params: str | os.PathLike[str] = "vggish",
        output: Literal["preactivation", "relu", "pca", "pca_uint8"] = "relu",
        pooling: Literal["mean", "max"] | None = "mean",
        hop_frames: int = 96,
        channel: str | int = "mean",
        allow_truncated: bool = False,
        n_threads: int | None = None,
        on_error: Literal["raise", "warn"] = "raise",
        device: str | None = None,
    ) -> None:
        self.weights = weights
        self.pca_params = pca_params
        self.output = output
        self.pooling = pooling
        self.hop_frames = hop_frames
        self.channel = channel
        self.allow_truncated = allow_truncated
        self.n_threads = n_threads
        self.on_error = on_error
        self.device = device

    def transform(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Compute the embedding of each clip, or the embeddings of its patches.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of clips
            The clips; see :ref:`the user guide <waveforms>`.

        Returns
        -------
        ndarray of shape (n_clips, 128), float32
            With pooling. Without pooling, an array of shape (n_clips, 128, n_patches), or a list of arrays
            (128, n_patches) if the numbers of patches differ. The data type is uint8 with "pca_uint8".

        Raises
        ------
        WeightsNotFoundError
            If the weights or the PCA parameters are missing, cannot be downloaded or are damaged.
        ValueError
            If they belong to another network.
        ImportError
            If they are a TensorFlow checkpoint and tensorflow is not installed.
        AudioLoadError
            If a file cannot be read and `on_error` is "raise".
        """
        self._validate_params()
        params = self._check_settings()
        clips = self._check_clips(X, reset=False)
        device = resolve_device(self.device)
        pca = _read_pca(self.pca_params, device) if self.output.startswith("pca") else None
        clip_function = partial(self._embed_clip, network=_get_loaded_network(self, device), pca=pca)
        embeddings = transform_mel(
            clips,
            clip_function,
            params=params,
            n_threads=self.n_threads,
            device=self.device,
            on_error=self.on_error,
            one_by_one=True,
        )
        return self._keep_index(embeddings, X)

    @property
    def _returns_table(self) -> bool:  # type: ignore[override]
        return self.pooling is not None

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the dimensions of the embeddings.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of shape (128,), object
            ``vggish0``, ``vggish1``, ...
        """
        return np.array([f"vggish{index}" for index in range(N_DIMS)], dtype=object)

    def __feature_params__(self) -> dict[str, Any]:
        params = super().__feature_params__()
        params["weights"] = find_weights(self.weights, kind="weights")
        del params["pca_params"]
        if self.output.startswith("pca"):
            params["pca_params"] = find_weights(self.pca_params, kind="pca_params")
        return params

    def _check_settings(self) -> MelParams:
        if self.output == "pca_uint8" and self.pooling is not None:
            raise ValueError(
                f"output='pca_uint8' with pooling={self.pooling!r}: bytes cannot be pooled. Expected "
                "pooling=None, or output='pca'"
            )
        return LogMel.from_preset("vggish")._check_settings()

    @torch.inference_mode()
    def _embed_clip(self, mel: torch.Tensor, *, network: VGGish, pca: Pca | None) -> torch.Tensor:
        """Compute the result of a clip from its mel spectrogram."""
        log_mel = COMPRESSIONS["log"](mel, offset=PRESETS["vggish"]["offset"])
        embed = network.embed_linear if self.output == "preactivation" else network.embed
        n_at_once = PATCHES_AT_ONCE.get(mel.device.type, 16)
        embeddings = torch.cat([embed(x) for x in iter_patches(log_mel, self.hop_frames, n_at_once)])
        if pca is not None:
            embeddings = apply_pca(embeddings, pca)
        if self.output == "pca_uint8":
            embeddings = quantize(embeddings)
        if self.pooling is None:
            return embeddings.T
        return embeddings.mean(dim=0) if self.pooling == "mean" else embeddings.amax(dim=0)


def iter_patches(log_mel: torch.Tensor, hop_frames: int, n_at_once: int) -> Iterator[torch.Tensor]:
    """Cut a spectrogram (n_mels, n_frames) into batches of patches (n_patches, 1, n_mels, 96)."""
    n_frames = log_mel.shape[1]
    starts = patch_starts(n_frames, PATCH_FRAMES, hop_frames)
    for first in range(0, len(starts), n_at_once):
        frames = starts[first : first + n_at_once, None] + np.arange(PATCH_FRAMES)
        index = torch.from_numpy(PAD_MODES["repeat"](frames, n_frames)).to(log_mel.device)
        yield log_mel[:, index].transpose(0, 1).unsqueeze(1)


def apply_pca(embeddings: torch.Tensor, pca: Pca) -> torch.Tensor:
    """Project embeddings (n_patches, 128) on the eigenvectors and clip the result."""
    eigen_vectors, means = pca
    return ((embeddings - means) @ eigen_vectors.T).clamp_(-PCA_LIMIT, PCA_LIMIT)


def quantize(projected: torch.Tensor) -> torch.Tensor:
    """Round clipped projections to bytes, as the PyTorch port does; the TensorFlow code rounds down."""
    return ((projected + PCA_LIMIT) * (PCA_STEPS / (2 * PCA_LIMIT))).round_().to(torch.uint8)


def _read_pca(name_or_path: str | os.PathLike[str], device: torch.device) -> Pca:
    """Load the PCA eigenvectors (128, 128), as rows, and the means (128,)."""
    path = find_weights(name_or_path, kind="pca_params")
    state = read_state_dict(path)
    tensors = []
    for name, shape in (("pca_eigen_vectors", (N_DIMS, N_DIMS)), ("pca_means", (N_DIMS,))):
        if name not in state:
            raise WeightsNotFoundError(
                f"{path} has no {name}, but {', '.join(state) or 'nothing'}: these are not PCA parameters"
            )
        # The published means may have shape (128, 1).
        tensor = state[name].flatten() if len(shape) == 1 else state[name]
        if tuple(tensor.shape) != shape:
            raise ValueError(f"{path}: {name} has shape {tuple(state[name].shape)}, expected {shape}")
        tensors.append(tensor.to(device, torch.float32))
    return tensors[0], tensors[1]


# Loaded networks by file and device, and the network of each embedder that was used. They are not attributes
# of embedders, because `transform` must not change an embedder and pickles must stay small.
_loaded_networks: WeakValueDictionary[tuple[str, str, torch.device], VGGish] = WeakValueDictionary()
_network_by_embedder: WeakKeyDictionary[VGGishEmbed, VGGish] = WeakKeyDictionary()
_load_lock = ProcessLock()


def _get_loaded_network(embedder: VGGishEmbed, device: torch.device) -> VGGish:
    """Return the network of an embedder, which is loaded unless another embedder uses the same weights."""
    path = find_weights(embedder.weights, kind="weights")
    key = (str(path.resolve()), file_state(path), device)
    with _load_lock:
        network = _loaded_networks.get(key)
        if network is None:
            network = _loaded_networks[key] = _load_network(path, device)
        _network_by_embedder[embedder] = network
    return network


def _load_network(path: os.PathLike[str], device: torch.device) -> VGGish:
    """Load the network; its unused output layer stays uninitialised."""
    state = read_state_dict(path)
    with own_state(0, torch.device("meta")):  # avoids initialising weights
        network = VGGish(1)
    network = network.to_empty(device=device).eval().requires_grad_(False)
    load_backbone(network, state, source=str(path))
    # This memory format is a sixth faster on a CPU.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
