"""Fully connected network of *CNN architectures for large-scale audio classification* (arXiv:1609.09430)."""

from torch import nn

from ._base import Architecture
from ._large_scale import add_bottleneck, init_large_scale_


class FullyConnected(Architecture):
    """Hidden layers of equal size with batch normalisation and ReLU.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int, default=64
        Number of mel bands in a patch.
    n_frames : int, default=96
        Number of frames in a patch.
    n_layers : int, default=3
        Number of hidden layers. The paper tries 2 to 6.
    n_units : int, default=1000
        Number of units of each hidden layer. The paper tries 500 to 4,000.
    bottleneck : int or None, default=None
        Number of units of a linear layer before the output layer, whose outputs are then the embedding. The
        paper uses 128. None adds no such layer.

    Notes
    -----
    The baseline of [1]_, section 3.3.1, with the best numbers of layers and units. With 10 outputs there are
    8,160,010 parameters; with 3,087 outputs there are 11,240,087, published as 11.2 million.

    References
    ----------
    .. [1] S. Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017.
       arXiv:1609.09430.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import FullyConnected
    >>> FullyConnected(10, bottleneck=128).embed(torch.zeros(2, 1, 64, 96)).shape
    torch.Size([2, 128])
    """

    patch_frames = 96

    def __init__(
        self,
        n_outputs: int,
        n_mels: int = 64,
        n_frames: int = 96,
        *,
        n_layers: int = 3,
        n_units: int = 1000,
        bottleneck: int | None = None,
    ) -> None:
        super().__init__(n_outputs, n_mels, n_frames)
        layers: list[nn.Module] = [nn.Flatten()]
        n_inputs = n_mels * n_frames
        for _ in range(n_layers):
            layers += [
                nn.Linear(n_inputs, n_units, bias=False),
                nn.BatchNorm1d(n_units),
                nn.ReLU(inplace=True),
            ]
            n_inputs = n_units
        n_features = add_bottleneck(layers, n_inputs, bottleneck)
        self.trunk = nn.Sequential(*layers)
        self.output = nn.Linear(n_features, n_outputs)
        init_large_scale_(self)
