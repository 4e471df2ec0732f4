"""A linear layer on what somebody else's network gives: the probe of an embedding."""

from torch import nn

from ._base import Architecture
from ._blocks import InputNorm, init_glorot_


class LinearProbe(Architecture):
    """Standardise every band, and learn one linear layer: softmax regression.

    For feature vectors and embeddings, which come as patches of a single frame, and as a yardstick for other
    networks on spectrograms.

    Parameters
    ----------
    n_outputs : int
        Units of the last layer.
    n_mels : int
        Mel bands of a patch, or dimensions of an embedding.
    n_frames : int
        Frames of a patch.
    dropout : float, default=0
        Share of the input left out before the last layer.

    Notes
    -----
    There are (``n_mels`` x ``n_frames`` + 1) x ``n_outputs`` parameters.

    References
    ----------
    .. [1] G. Alain, Y. Bengio, "Understanding intermediate layers using linear classifier probes", 2016.
       arXiv:1610.01644.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import LinearProbe
    >>> LinearProbe(10, n_mels=128, n_frames=1)(torch.zeros(2, 1, 128, 1)).shape
    torch.Size([2, 10])
    """

    def __init__(self, n_outputs: int, n_mels: int, n_frames: int, *, dropout: float = 0.0) -> None:
        super().__init__(n_outputs, n_mels, n_frames)
        norm = InputNorm("band", n_mels, n_frames, affine=False)
        self.trunk = nn.Sequential(norm, nn.Flatten(), nn.Dropout(dropout))
        self.output = nn.Linear(n_mels * n_frames, n_outputs)
        init_glorot_(self)
