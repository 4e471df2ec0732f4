"""Embeddings of the pre-trained VGGish."""

import os
from collections.abc import Iterator
from functools import partial
from numbers import Integral
from threading import Lock
from typing import Any, Literal
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from skfewaudio._torch import resolve_device
from skfewaudio._weights import find_weights, read_state_dict, stamp
from skfewaudio.architectures import VGGish, load_backbone
from skfewaudio.audio.patches import PAD_MODES, patch_starts
from skfewaudio.exceptions import WeightsNotFoundError

from ._base import WAVEFORM_CONSTRAINTS, WaveformTransformerMixin, transform_mel
from ._logmel import PRESETS, LogMel
from ._mel_spectrogram import COMPRESSIONS, MelSpec

N_DIMS = 128
PATCH_FRAMES = 96
PATCHES_AT_ONCE = {"cpu": 16, "cuda": 512}  # through the network: 50 MB of activations, or 1.5 GB
# Of the published post-processing: the range that PCA's result is clipped to, and the steps in it.
PCA_LIMIT, PCA_STEPS = 2.0, 255

Pca = tuple[torch.Tensor, torch.Tensor]


def _is_pooled(estimator: "VGGishEmbed") -> bool:
    """Tell whether the output is a table, whose columns have names."""
    if estimator.pooling is None:
        raise AttributeError("with pooling=None the output has no columns to name")
    return True


class VGGishEmbed(WaveformTransformerMixin, TransformerMixin, BaseEstimator):
    """Embeddings of VGGish, a network trained on millions of videos' sound, of each clip.

    VGGish [1]_ turns 0.96 s of sound into 128 numbers. A clip is cut into patches of that length, a
    shorter one repeated to it; by default the result is the mean over a clip's patches. The log mel
    spectrograms are those of the preset "vggish" of :class:`LogMel`, at 16 kHz.

    Parameters
    ----------
    weights : str or path-like, default="vggish"
        The published weights by name, fetched once into the cache, or a file: ``.pth``,
        ``.safetensors``, or the TensorFlow checkpoint that the authors published (which needs
        tensorflow once, to be converted).
    pca_params : str or path-like, default="vggish"
        Means and eigenvectors for the outputs "pca" and "pca_uint8", by name or as a file: ``.pth``,
        ``.npz`` or ``.safetensors`` with ``pca_means`` and ``pca_eigen_vectors``.
    output : {"relu", "preactivation", "pca", "pca_uint8"}, default="relu"
        The network's output, or the same before its last ReLU; the former turned by PCA and clipped
        to [-2, 2]; or this rounded to 256 steps, 0 to 255, as the embeddings published with AudioSet.
    pooling : {"mean", "max"} or None, default="mean"
        What a clip's patches are summarised by. None gives the embedding of every patch, and is
        the only choice with "pca_uint8", whose bytes are for storing, not for averaging.
    hop_frames : int, default=96
        Frames of 10 ms from the start of a patch to the start of the next. What is left over at the
        end of a clip and fills no patch is not covered.
    n_threads : int, default=None
        Threads that decode files, and on a CPU as many that work on clips. None takes as many as
        there are cores to use.
    on_error : {"raise", "warn"}, default="raise"
        What a file that cannot be read does: raise an AudioLoadError, or give a second of silence
        and be listed in an AudioLoadWarning when all are done.
    device : str, default=None
        Torch device. None takes CUDA where there is one.

    Attributes
    ----------
    n_features_in_ : int
        Samples of a clip; only if fitted on a 2-D array.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names; only if fitted on a DataFrame that has them.

    See Also
    --------
    LogMel : The spectrograms that these are made from.
    skfewaudio.architectures.VGGish : The network.

    Notes
    -----
    Nothing is learned: `transform` needs no `fit`. The weights (288 MB) are read when `transform` first
    needs them. Embedders with the same weights share them, and they are released with the last of
    these. A pickled embedder or a clone has parameters alone, and finds the weights again when it is
    used: after moving one to another machine, see that the file is there too.

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
        n_threads: int | None = None,
        on_error: Literal["raise", "warn"] = "raise",
        device: str | None = None,
    ) -> None:
        self.weights = weights
        self.pca_params = pca_params
        self.output = output
        self.pooling = pooling
        self.hop_frames = hop_frames
        self.n_threads = n_threads
        self.on_error = on_error
        self.device = device

    def transform(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Give the embedding of each clip, or those of its patches.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips; see :ref:`the user guide <waveforms>` for the kinds.

        Returns
        -------
        ndarray of shape (n_clips, 128), float32
            With pooling. Without, an array of shape (n_clips, 128, n_patches), or a list of arrays
            (128, n_patches) where the clips' numbers of patches differ; with "pca_uint8" of uint8.

        Raises
        ------
        WeightsNotFoundError
            If the weights or the PCA parameters are missing, cannot be fetched or are damaged.
        ValueError
            If they are those of another network.
        ImportError
            If they are a TensorFlow checkpoint and tensorflow is not installed.
        AudioLoadError
            If a file cannot be read and `on_error` is "raise".
        """
        self._validate_params()
        spec = self._check_settings()
        clips = self._check_clips(X, reset=False)
        device = resolve_device(self.device)
        pca = _read_pca(self.pca_params, device) if self.output.startswith("pca") else None
        finish = partial(self._finish, network=_network_of(self, device), pca=pca)
        return transform_mel(
            clips, finish, spec=spec, n_threads=self.n_threads, device=self.device, one_by_one=True
        )

    @available_if(_is_pooled)
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Give the names of the columns.

        Parameters
        ----------
        input_features : object
            Ignored: samples have no part in the names.

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

    def _check_settings(self) -> MelSpec:
        if self.output == "pca_uint8" and self.pooling is not None:
            raise ValueError(
                f"output='pca_uint8' with pooling={self.pooling!r}: bytes are not pooled. Expected "
                "pooling=None, or output='pca'"
            )
        return LogMel.from_preset("vggish")._check_settings()

    @torch.inference_mode()
    def _finish(self, mel: torch.Tensor, *, network: VGGish, pca: Pca | None) -> torch.Tensor:
        """Turn a clip's mel spectrogram into its row of the result."""
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
    """Cut a spectrogram (n_mels, n_frames) into patches, some (n_patches, 1, n_mels, 96) at a time."""
    n_frames = log_mel.shape[1]
    starts = patch_starts(n_frames, PATCH_FRAMES, hop_frames)
    for first in range(0, len(starts), n_at_once):
        places = starts[first : first + n_at_once, None] + np.arange(PATCH_FRAMES)
        index = torch.from_numpy(PAD_MODES["repeat"](places, n_frames)).to(log_mel.device)
        yield log_mel[:, index].transpose(0, 1).unsqueeze(1)


def apply_pca(embeddings: torch.Tensor, pca: Pca) -> torch.Tensor:
    """Project embeddings (n_patches, 128) on the eigenvectors, and clip."""
    eigen_vectors, means = pca
    return ((embeddings - means) @ eigen_vectors.T).clamp_(-PCA_LIMIT, PCA_LIMIT)


def quantize(projected: torch.Tensor) -> torch.Tensor:
    """Round clipped projections to bytes, as the PyTorch port does; the TensorFlow code rounds down."""
    return ((projected + PCA_LIMIT) * (PCA_STEPS / (2 * PCA_LIMIT))).round_().to(torch.uint8)


def _read_pca(name_or_path: str | os.PathLike[str], device: torch.device) -> Pca:
    """Read eigenvectors (128, 128), as rows, and means (128,)."""
    path = find_weights(name_or_path, kind="pca_params")
    state = read_state_dict(path)
    tensors = []
    for name, shape in (("pca_eigen_vectors", (N_DIMS, N_DIMS)), ("pca_means", (N_DIMS,))):
        if name not in state:
            raise WeightsNotFoundError(
                f"{path} has no {name}, but {', '.join(state) or 'nothing'}: these are no PCA parameters"
            )
        # Of the means, a column too is published.
        tensor = state[name].flatten() if len(shape) == 1 else state[name]
        if tuple(tensor.shape) != shape:
            raise ValueError(f"{path}: {name} has shape {tuple(state[name].shape)}, expected {shape}")
        tensors.append(tensor.to(device, torch.float32))
    return tensors[0], tensors[1]


# What is loaded, by file and device; and what holds it: embedders that have used it and still live. Both
# are kept out of the embedders themselves, which `transform` must not change, and so out of pickles.
_networks: WeakValueDictionary[tuple[str, str, torch.device], VGGish] = WeakValueDictionary()
_users: WeakKeyDictionary[VGGishEmbed, VGGish] = WeakKeyDictionary()
_lock = Lock()


def _network_of(embedder: VGGishEmbed, device: torch.device) -> VGGish:
    """Give an embedder its network, which is read only if no embedder in use has the same."""
    path = find_weights(embedder.weights, kind="weights")
    key = (str(path.resolve()), stamp(path), device)
    with _lock:
        network = _networks.get(key)
        if network is None:
            network = _networks[key] = _load_network(path, device)
        _users[embedder] = network
    return network


def _load_network(path: os.PathLike[str], device: torch.device) -> VGGish:
    """Read the network; its last layer, which is not used, stays without values."""
    state = read_state_dict(path)
    with torch.device("meta"):  # no memory to fill and no random numbers drawn
        network = VGGish(1)
    network = network.to_empty(device=device).eval().requires_grad_(False)
    load_backbone(network, state, source=str(path))
    # A sixth faster on a CPU.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
