"""The network VGGish, with the code of VGGishEmbed."""

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skfewaudio._weights import find_weights

from .._vggish import VGGishEmbed


class VGGishBackend:
    """VGGish, which embeds every 0.96 s of a waveform.

    Parameters
    ----------
    embedder : VGGishEmbed
        Transformer without pooling.
    """

    sample_rate = VGGishEmbed.sample_rate
    window = None
    n_dims = 128
    layers = ("preactivation", "relu", "pca", "pca_uint8")
    parallel = True  # VGGishEmbed has threads of its own

    def __init__(self, embedder: VGGishEmbed) -> None:
        self._embedder = embedder

    @classmethod
    def open(
        cls, location: str, *, output: str | int | None, n_threads: int | None, device: str | None
    ) -> Self:
        """Return the network, which is loaded at its first use.

        Parameters
        ----------
        location : str
            File of the weights, or the name of the published ones.
        output : str or None
            As in :class:`VGGishEmbed`. None is "relu".
        n_threads, device
            As in :class:`VGGishEmbed`.

        Returns
        -------
        VGGishBackend
        """
        if output not in (None, *cls.layers):
            raise ValueError(f"output={output!r}; expected one of {', '.join(cls.layers)}")
        chosen: Any = output or "relu"
        return cls(VGGishEmbed(location, output=chosen, pooling=None, n_threads=n_threads, device=device))

    @classmethod
    def files(cls, location: str) -> list[Path]:
        """Return the file of the weights; published ones are downloaded if they are missing."""
        return [find_weights(location, kind="weights")]

    def embed(self, batch: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Embed waveforms.

        Parameters
        ----------
        batch : ndarray of shape (n, n_samples), float32
            Waveforms.

        Returns
        -------
        ndarray of shape (n, n_patches, 128)
        """
        found = self._embedder.transform(list(batch))
        return np.stack([np.asarray(each, dtype=np.float32).T for each in found])
