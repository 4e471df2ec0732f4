"""AlexNet of *CNN architectures for large-scale audio classification* (arXiv:1609.09430)."""

from torch import nn

from ._base import Architecture, check_patch_size
from ._large_scale import ConvBlock, Scale, add_bottleneck, init_large_scale_

N_FILTERS = (96, 256, 384, 384, 256)
POOLED_SIZE = (2, 2)  # bands, frames after the last pooling
N_UNITS = 4096
SMALLEST = (29, 39)  # bands, frames: smallest patch that leaves the third layer one position


class AlexNet(Architecture):
    """AlexNet: five convolutional layers, three of them max-pooled, and two dense layers.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int, default=64
        Number of mel bands in a patch, at least 29.
    n_frames : int, default=96
        Number of frames in a patch, at least 39.
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
    AlexNet [2]_ as modified in section 3.3.2 of [1]_: the first layer has a stride of two frames and one
    band, batch normalisation replaces local response normalisation, and the network is not split over two
    devices. The last pooling leaves 2 x 2 positions for any patch. The paper does not describe this pooling,
    but only four positions reproduce its number of parameters and its 767 million multiplications. With 10
    outputs there are 24,746,026 parameters; with 3,087 outputs there are 37,352,495, published as 37.3
    million.

    References
    ----------
    .. [1] S. Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017.
       arXiv:1609.09430.
    .. [2] A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet classification with deep convolutional neural
       networks", NIPS 2012.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import AlexNet
    >>> AlexNet(10, bottleneck=128).eval().embed(torch.zeros(1, 1, 64, 96)).shape
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
        check_patch_size("AlexNet", (n_mels, n_frames), SMALLEST)
        scale = Scale(width)
        first, second, third, fourth, fifth = map(scale, N_FILTERS)
        n_units = scale(N_UNITS)
        layers: list[nn.Module] = [
            ConvBlock(1, first, 11, stride=(1, 2), padding=0),
            nn.MaxPool2d(3, 2),
            ConvBlock(first, second, 5),
            nn.MaxPool2d(3, 2),
            ConvBlock(second, third, 3),
            ConvBlock(third, fourth, 3),
            ConvBlock(fourth, fifth, 3),
            nn.AdaptiveMaxPool2d(POOLED_SIZE),
            nn.Flatten(),
        ]
        for n_inputs in (POOLED_SIZE[0] * POOLED_SIZE[1] * fifth, n_units):
            layers += [nn.Linear(n_inputs, n_units), nn.ReLU(inplace=True)]
        n_features = add_bottleneck(layers, n_units, bottleneck)
        self.trunk = nn.Sequential(*layers)
        self.output = nn.Linear(n_features, n_outputs)
        init_large_scale_(self)
