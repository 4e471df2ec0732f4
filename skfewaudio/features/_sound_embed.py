"""Embedding of sounds by a network that was trained on synthetic sounds."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from importlib import resources
from numbers import Integral
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ._sound_embedding.network import MIN_FRAMES, N_MELS, POOLED, SoundNetwork
from ._spectrogram_vectors import SpectrogramTransformer, to_bands

WEIGHTS = "weights.safetensors"


class SoundEmbed(SpectrogramTransformer):
    """Transformer that embeds each log mel spectrogram by a network trained on synthetic sounds alone.

    The network was trained by contrast [1]_: two renderings of nearly the same setting of a random
    synthesiser have similar embeddings, and different settings do not. No recording was used, so that the
    weights, which are part of this package, carry no licence of recordings.

    Parameters
    ----------
    layers : sequence of int, default=(3, 4, 5)
        Convolutions of the network whose outputs are pooled, in this order. A value of the third one
        depends on 0.4 s of sound in one of 8 bands, of the fourth one on 0.8 s in one of 4 bands, and of the
        fifth one, the last, on 1.1 s of the whole spectrum.
    active_db : float, default=None
        If given, only the active part of a clip is embedded, as in :class:`SpectrogramStatistics`.
    noise_compensation : bool, default=False
        Whether the directions in which background noise moves the vectors are attenuated, as in
        :class:`SpectrogramStatistics`.
    n_threads : int, default=None
        Number of batches of clips that are processed in parallel on a CPU. None uses one per available core.
    device : str, default=None
        Torch device. None selects CUDA if available.

    Attributes
    ----------
    n_features_in_ : int
        Number of mel bands.
    max_silence_ : float
        Largest share of silent frames at the end of a clip of `fit`.
    checksum_ : str
        SHA-256 of the weights in `fit`, and of the directions of noise with `noise_compensation`. Vectors of
        other weights cannot be compared with these.

    See Also
    --------
    LogMel : Computes the spectrograms.
    SpectrogramStatistics : Statistics without training.

    Notes
    -----
    The network was trained with the default spectrograms of :meth:`LogMel.at_rate`, in decibels, at sample
    rates from 4 to 44.1 kHz. Another number of bands is interpolated to 64. Clips shorter than 0.7 s are
    padded with their lowest level. The embedding holds the mean and the maximum over time of each channel in
    each band. The level of a clip has no effect.

    References
    ----------
    .. [1] M. Cherep, N. Singh, "Contrastive learning from synthetic audio doppelgängers", ICLR
       2025. arXiv:2406.05923.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.features import LogMel, SoundEmbed
    >>> clips = [np.sin(np.arange(44100)), np.cos(np.arange(60000))]
    >>> SoundEmbed().fit_transform(LogMel().transform(clips)).shape
    (2, 4608)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **SpectrogramTransformer._parameter_constraints,
        "layers": ["array-like"],
    }

    _selection = "layers"

    def __init__(
        self,
        layers: Sequence[int] = (3, 4, 5),
        *,
        active_db: float | None = None,
        noise_compensation: bool = False,
        n_threads: int | None = None,
        device: str | None = None,
    ) -> None:
        self.layers = layers
        self.active_db = active_db
        self.noise_compensation = noise_compensation
        self.n_threads = n_threads
        self.device = device

    def block_sizes(self, n_mels: int | None = None) -> list[int]:
        """Return the number of columns of each layer.

        Parameters
        ----------
        n_mels : int, default=None
            Ignored: the sizes do not depend on the number of mel bands.

        Returns
        -------
        list of int
            The sizes, in the order of `layers`. Their sum is the length of the vector.
        """
        self._check_params()
        return [POOLED[int(layer)].size for layer in self.layers]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns: the layer, two underscores, the pooling, the channel and the band.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of shape (n_values,), object
            For example ``"layer3__mean_channel0_band7"``.
        """
        self._check_params()
        names = [
            f"layer{layer}__{pool}_channel{channel}_band{band}"
            for layer in map(int, self.layers)
            for pool in ("mean", "maximum")
            for channel in range(POOLED[layer].n_channels)
            for band in range(POOLED[layer].n_bands)
        ]
        return np.array(names, dtype=object)

    def _check_params(self) -> None:
        layers = list(self.layers)
        valid = all(isinstance(layer, Integral) and int(layer) in POOLED for layer in layers)
        if not valid or not layers or len(set(layers)) < len(layers):
            raise ValueError(
                f"layers={self.layers!r}; expected some of {', '.join(map(str, POOLED))}, each at most once"
            )

    def _blocks_of_directions(self) -> Iterator[tuple[str, int]]:
        return zip([f"embedding.layer{layer}" for layer in self.layers], self.block_sizes(), strict=True)

    def _find_checksum(self) -> str:
        directions = super()._find_checksum()
        weights = weights_checksum()
        return weights if directions is None else sha256((weights + directions).encode()).hexdigest()

    def _compute(self, x: torch.Tensor) -> torch.Tensor:
        x = to_bands(x, N_MELS)
        missing = MIN_FRAMES - x.shape[2]
        if missing > 0:
            lowest = x.amin(dim=(1, 2), keepdim=True).expand(-1, N_MELS, missing)
            x = torch.cat([x, lowest], dim=2)
        network = load_network(str(x.device))
        # One by one, so that a clip has the same embedding alone and among others, at nearly no cost.
        parts = x.split(1) if x.device.type == "cpu" else [x]
        pooled = [network(part) for part in parts]
        return torch.cat([torch.cat([part[int(layer)] for layer in self.layers], dim=1) for part in pooled])


@lru_cache(maxsize=4)
def load_network(device: str) -> SoundNetwork:
    """Load the network with its weights.

    Parameters
    ----------
    device : str
        Torch device.

    Returns
    -------
    SoundNetwork
        Network in evaluation mode, in single precision. Its convolutions include the normalisation that
        follows them, which saves a tenth of the time.
    """
    with torch.device("meta"):
        network = SoundNetwork()
    state = {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in load(_read_weights()).items()
    }
    network.load_state_dict(state, assign=True)
    network.requires_grad_(False).eval()
    fused = []
    for layer in network.layers:
        convolution, normalization, rectifier = (cast(Any, part) for part in layer.children())
        fused.append(nn.Sequential(fuse_conv_bn_eval(convolution, normalization), rectifier))
    network.layers = nn.Sequential(*fused)
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@lru_cache(maxsize=1)
def weights_checksum() -> str:
    """Return the SHA-256 of the weights."""
    return sha256(_read_weights()).hexdigest()


def _read_weights() -> bytes:
    return resources.files(__package__).joinpath("_sound_embedding", WEIGHTS).read_bytes()
