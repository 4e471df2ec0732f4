"""ResNet-50 of *CNN architectures for large-scale audio classification* (arXiv:1609.09430)."""

import torch
from torch import nn

from ._base import Architecture
from ._large_scale import ConvBlock, Scale, add_bottleneck, init_large_scale_

BLOCKS = ((64, 3), (128, 4), (256, 6), (512, 3))  # filters of the narrow layers, residual units
EXPANSION = 4


class ResNet50(Architecture):
    """ResNet-50: sixteen residual units of three layers and the mean over all positions.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int, default=64
        Number of mel bands in a patch.
    n_frames : int, default=96
        Number of frames in a patch.
    width : float, default=1.0
        Number of filters and units of every layer, relative to the paper. Computation time is proportional to
        its square.
    bottleneck : int or None, default=None
        Number of units of a linear layer before the output layer, whose outputs are then the embedding. The
        paper uses 128. None adds no such layer.

    Raises
    ------
    ValueError
        If `width` is not above 0.

    Notes
    -----
    The network of [2]_ as modified in section 3.3.5 of [1]_: the first layer has no stride, so that the final
    mean is over 6 x 4 positions for a patch of 96 x 64. With 10 outputs there are 23,522,250 parameters; with
    3,087 outputs there are 29,827,023, published as 30 million.

    References
    ----------
    .. [1] S. Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017.
       arXiv:1609.09430.
    .. [2] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016.
       arXiv:1512.03385.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import ResNet50
    >>> ResNet50(10, bottleneck=128).eval().embed(torch.zeros(1, 1, 64, 96)).shape
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
        scale = Scale(width)
        n_channels = scale(BLOCKS[0][0])
        layers: list[nn.Module] = [ConvBlock(1, n_channels, 7), nn.MaxPool2d(3, stride=2, padding=1)]
        for block, (n_filters, n_units) in enumerate(BLOCKS):
            for unit in range(n_units):
                stride = 2 if block and not unit else 1
                layers.append(ResidualUnit(n_channels, scale(n_filters), stride))
                n_channels = EXPANSION * scale(n_filters)
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        n_features = add_bottleneck(layers, n_channels, bottleneck)
        self.trunk = nn.Sequential(*layers)
        self.output = nn.Linear(n_features, n_outputs)
        init_large_scale_(self)


class ResidualUnit(nn.Module):
    """Residual unit of 1 x 1, 3 x 3 and 1 x 1 filters."""

    def __init__(self, n_inputs: int, n_filters: int, stride: int) -> None:
        super().__init__()
        n_outputs = EXPANSION * n_filters
        self.layers = nn.Sequential(
            ConvBlock(n_inputs, n_filters, 1, stride=stride),
            ConvBlock(n_filters, n_filters, 3),
            ConvBlock(n_filters, n_outputs, 1, relu=False),
        )
        self.shortcut: nn.Module = nn.Identity()
        if n_inputs != n_outputs:
            self.shortcut = ConvBlock(n_inputs, n_outputs, 1, stride=stride, relu=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute maps (batch, 4 * n_filters, ...) of maps (batch, n_inputs, ...)."""
        return torch.relu(self.layers(x) + self.shortcut(x))
