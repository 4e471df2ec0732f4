"""Linear probe of an embedding."""

from torch import nn

from ._base import Architecture
from ._blocks import InputNorm, init_glorot_


class LinearProbe(Architecture):
    """One linear layer on standardised input: softmax regression.

    Intended for feature vectors and embeddings, passed as patches of one frame, and as a baseline for other
    networks on spectrograms.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int
        Number of mel bands in a patch, or dimension of an embedding.
    n_frames : int
        Number of frames in a patch.
    dropout : float, default=0
        Dropout probability of the input.

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
