"""The AlexNet of *CNN architectures for large-scale audio classification* (arXiv:1609.09430)."""

from torch import nn

from ._base import Architecture, check_patch_size
from ._large_scale import ConvBlock, Scale, add_bottleneck, init_large_scale_

N_FILTERS = (96, 256, 384, 384, 256)
PLACES = (2, 2)  # bands, frames that the last pooling leaves
N_UNITS = 4096
SMALLEST = (29, 39)  # bands, frames: one place is left to the third layer


class AlexNet(Architecture):
    """Five convolutions, three of them max-pooled, and two dense layers, after AlexNet.

    Parameters
    ----------
    n_outputs : int
        Units of the last layer.
    n_mels : int, default=64
        Mel bands of a patch, at least 29.
    n_frames : int, default=96
        Frames of a patch, at least 39.
    width : float, default=1.0
        Filters and units of every layer, relative to the paper's. Time goes with its square.
    bottleneck : int or None, default=None
        Units of a linear layer before the last one, whose outputs are then the embedding; the paper has 128.

    Raises
    ------
    ValueError
        If a patch is too small, or `width` not above 0.

    Notes
    -----
    AlexNet [2]_ as section 3.3.2 of [1]_ has it: the first layer moves by two frames and one band, and batch
    normalisation takes the place of local response normalisation. The network is one, where the original was
    parted over two devices. The last pooling leaves 2 x 2 places whatever the patch: the paper does not say
    how it is done, but four places and no other number give its parameters and its 767 million
    multiplications. With 10 outputs there are 24,746,026 parameters, with 3,087 outputs 37,352,495, published
    as 37.3 million.

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
            nn.AdaptiveMaxPool2d(PLACES),
            nn.Flatten(),
        ]
        for n_inputs in (PLACES[0] * PLACES[1] * fifth, n_units):
            layers += [nn.Linear(n_inputs, n_units), nn.ReLU(inplace=True)]
        n_features = add_bottleneck(layers, n_units, bottleneck)
        self.trunk = nn.Sequential(*layers)
        self.output = nn.Linear(n_features, n_outputs)
        init_large_scale_(self)
