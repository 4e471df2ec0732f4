"""Embedding of sounds by a network that was trained on synthetic sounds."""

from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from torch.nn import functional

from ._sound_embedding.network import MIN_FRAMES, N_FEATURES, N_MELS, SoundNetwork
from ._spectrogram_vectors import SpectrogramTransformer

WEIGHTS = "weights.safetensors"


class SoundEmbed(SpectrogramTransformer):
    """Transformer that embeds each log mel spectrogram by a network trained on synthetic sounds alone.

    The network was trained by contrast [1]_: two renderings of nearly the same setting of a random
    synthesiser have similar embeddings, and different settings do not. No recording was used, so that the
    weights, which are part of this package, carry no licence of recordings.

    Parameters
    ----------
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

    See Also
    --------
    LogMel : Computes the spectrograms.
    SpectrogramStatistics : Statistics without training.

    Notes
    -----
    The network was trained with the default spectrograms of :meth:`LogMel.at_rate`, in decibels, at sample
    rates from 8 to 44.1 kHz. Another number of bands is interpolated to 64. Clips shorter than 0.7 s are
    padded with their lowest level. The embedding holds the mean and the maximum over time of 256 values, each
    of which depends on 1.1 s of sound. The level of a clip has no effect.

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
    (2, 512)
    """

    def __init__(self, *, n_threads: int | None = None, device: str | None = None) -> None:
        self.n_threads = n_threads
        self.device = device

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of shape (512,), object
            ``"mean0"``, ..., ``"maximum255"``.
        """
        names = [f"{pool}{i}" for pool in ("mean", "maximum") for i in range(N_FEATURES // 2)]
        return np.array(names, dtype=object)

    def _compute(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] != N_MELS:
            size = N_MELS, x.shape[2]
            x = functional.interpolate(x[:, None], size, mode="bilinear", align_corners=True)[:, 0]
        missing = MIN_FRAMES - x.shape[2]
        if missing > 0:
            lowest = x.amin(dim=(1, 2), keepdim=True).expand(-1, N_MELS, missing)
            x = torch.cat([x, lowest], dim=2)
        network = load_network(str(x.device))
        if x.device.type != "cpu":
            return network(x)
        # One by one, so that a clip has the same embedding alone and among others, at nearly no cost.
        return torch.cat([network(clip) for clip in x.split(1)])


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
        Network in evaluation mode, in single precision.
    """
    content = resources.files(__package__).joinpath("_sound_embedding", WEIGHTS).read_bytes()
    with torch.device("meta"):
        network = SoundNetwork()
    state = {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in load(content).items()
    }
    network.load_state_dict(state, assign=True)
    return network.requires_grad_(False).eval().to(device)
