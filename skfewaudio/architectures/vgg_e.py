"""The VGG of *CNN architectures for large-scale audio classification* (arXiv:1609.09430)."""

from math import prod

from torch import nn

from ._base import Architecture, check_patch_size
from ._large_scale import ConvBlock, Scale, add_bottleneck, init_large_scale_

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # filters per layer, and layers
REDUCTION = 2 ** len(BLOCKS)
N_UNITS = 4096


class VGGE(Architecture):
    """VGG configuration E: sixteen layers of 3 x 3 filters in five pooled blocks, and two dense layers.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int, default=64
        Number of mel bands in a patch, at least 32.
    n_frames : int, default=96
        Number of frames in a patch, at least 32.
    width : float, default=1.0
        Number of filters and units of every layer, relative to the paper. Computation time is proportional to
        its square.
    bottleneck : int or None, default=None
        Number of units of a linear layer before the output layer, whose outputs are then the embedding. The
        paper uses 128. None adds no such layer.

    Raises
    ------
    ValueError
        If a patch is too small, or `width` is not above 0.

    Notes
    -----
    The network of [2]_ as modified in section 3.3.3 of [1]_, with batch normalisation and unchanged strides.
    With 10 outputs there are 49,438,026 parameters; with 3,087 outputs there are 62,044,495, published as 62
    million.

    References
    ----------
    .. [1] S. Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017.
       arXiv:1609.09430.
    .. [2] K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image recognition",
       ICLR 2015. arXiv:1409.1556.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import VGGE
    >>> VGGE(10, bottleneck=128).eval().embed(torch.zeros(1, 1, 64, 96)).shape
    torch.Size([1, 128])
    """

    patch_frames = 96

    def __init__(
        self,
        n_outputs: int,
        n_mels: int = 64,
        n_frames: int = 96,
        *,
        width: float = 1.0,
        bottleneck: int | None = None,
    ) -> None:
        super().__init__(n_outputs, n_mels, n_frames)
        check_patch_size("VGGE", (n_mels, n_frames), (REDUCTION, REDUCTION))
        scale = Scale(width)
        n_units = scale(N_UNITS)
        layers: list[nn.Module] = []
        n_channels = 1
        for n_filters, n_layers in BLOCKS:
            for _ in range(n_layers):
                layers.append(ConvBlock(n_channels, scale(n_filters), 3))
                n_channels = scale(n_filters)
            layers.append(nn.MaxPool2d(2))
        layers.append(nn.Flatten())
        n_places = prod(size // REDUCTION for size in (n_mels, n_frames))
        for n_inputs in (n_places * n_channels, n_units):
            layers += [nn.Linear(n_inputs, n_units), nn.ReLU(inplace=True)]
        n_features = add_bottleneck(layers, n_units, bottleneck)
        self.trunk = nn.Sequential(*layers)
        self.output = nn.Linear(n_features, n_outputs)
        init_large_scale_(self)
