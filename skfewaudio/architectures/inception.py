"""Inception V3 of *CNN architectures for large-scale audio classification* (arXiv:1609.09430)."""

import torch
from torch import nn

from ._base import Architecture, check_patch_size
from ._large_scale import ConvBlock, Scale, add_bottleneck, init_large_scale_

SMALLEST = (17, 17)  # bands, frames: smallest patch that leaves the last units one position
# One inception unit per entry. Before the first reduction, the number of filters of the pooled branch;
# between the two reductions, the number of filters of the narrow layers.
SQUARE_UNITS = (32, 64, 64)
ROW_UNITS = (128, 160, 160, 192)
N_WIDE_UNITS = 2

Layer = tuple[int, int | tuple[int, int]]  # filters and kernel


class InceptionV3(Architecture):
    """Inception V3: eleven units of parallel branches and the mean over all positions.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int, default=64
        Number of mel bands in a patch, at least 17.
    n_frames : int, default=96
        Number of frames in a patch, at least 17.
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
    The network of [2]_ as modified in section 3.3.4 of [1]_: the first four layers of the stem, up to and
    including the max pooling, and the auxiliary classifier are removed. The final mean is over 10 x 6
    positions for a patch of 96 x 64. With 10 outputs there are 21,772,250 parameters; with 3,087 outputs
    there are 28,077,023, published as 28 million.

    References
    ----------
    .. [1] S. Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017.
       arXiv:1609.09430.
    .. [2] C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, "Rethinking the inception architecture for
       computer vision", CVPR 2016. arXiv:1512.00567.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import InceptionV3
    >>> InceptionV3(10, bottleneck=128).eval().embed(torch.zeros(1, 1, 64, 96)).shape
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
        check_patch_size("InceptionV3", (n_mels, n_frames), SMALLEST)
        units = UnitBuilder(Scale(width))
        layers: list[nn.Module] = [*units.chain(1, (80, 1), (192, 3), valid_from=1), nn.MaxPool2d(3, 2)]
        layers += [units.square(n_pooled) for n_pooled in SQUARE_UNITS]
        layers.append(units.reduce_first())
        layers += [units.row(n_narrow) for n_narrow in ROW_UNITS]
        layers.append(units.reduce_second())
        layers += [units.wide() for _ in range(N_WIDE_UNITS)]
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        n_features = add_bottleneck(layers, units.n_channels, bottleneck)
        self.trunk = nn.Sequential(*layers)
        self.output = nn.Linear(n_features, n_outputs)
        init_large_scale_(self)


class Parallel(nn.Module):
    """Branches that take the same maps and whose outputs are concatenated."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute and concatenate the maps of all branches."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class UnitBuilder:
    """Builder of successive units, each of which takes the output maps of the previous unit.

    Parameters
    ----------
    scale : Scale
        Scaling of the paper's numbers of filters.

    Attributes
    ----------
    n_channels : int
        Number of output maps of the last unit built.
    """

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self.n_channels = scale(192)  # of the stem

    def square(self, n_pooled: int) -> Parallel:
        """Build the unit of figure 5, with square filters."""
        return self._unit(
            self._branch((64, 1)),
            self._branch((48, 1), (64, 5)),
            self._branch((64, 1), (96, 3), (96, 3)),
            self._pooled(n_pooled),
            n_outputs=(64, 64, 96, n_pooled),
        )

    def reduce_first(self) -> Parallel:
        """Build the first unit that halves the number of bands and frames."""
        return self._unit(
            self._branch((384, 3), stride=2),
            self._branch((64, 1), (96, 3), (96, 3), stride=2),
            nn.MaxPool2d(3, 2),
            n_outputs=(384, 96),
            n_kept=self.n_channels,
        )

    def row(self, n: int) -> Parallel:
        """Build the unit of figure 6, with 7 x 7 filters factorised into rows and columns."""
        row, column = (1, 7), (7, 1)
        return self._unit(
            self._branch((192, 1)),
            self._branch((n, 1), (n, row), (192, column)),
            self._branch((n, 1), (n, column), (n, row), (n, column), (192, row)),
            self._pooled(192),
            n_outputs=(192, 192, 192, 192),
        )

    def reduce_second(self) -> Parallel:
        """Build the second unit that halves the number of bands and frames."""
        return self._unit(
            self._branch((192, 1), (320, 3), stride=2),
            self._branch((192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3), stride=2),
            nn.MaxPool2d(3, 2),
            n_outputs=(320, 192),
            n_kept=self.n_channels,
        )

    def wide(self) -> Parallel:
        """Build the unit of figure 7, with rows and columns side by side."""
        return self._unit(
            self._branch((320, 1)),
            nn.Sequential(*self._branch((384, 1)), self._fork()),
            nn.Sequential(*self._branch((448, 1), (384, 3)), self._fork()),
            self._pooled(192),
            n_outputs=(320, 384, 384, 384, 384, 192),
        )

    def chain(
        self, n_inputs: int, *layers: Layer, stride: int = 1, valid_from: int | None = None
    ) -> nn.Sequential:
        """Build a sequence of layers; a stride above 1 applies to the last one, which then has no padding."""
        if stride > 1:
            valid_from = len(layers) - 1
        blocks: list[nn.Module] = []
        for i, (n_filters, kernel) in enumerate(layers):
            padding = "same" if valid_from is None or i < valid_from else 0
            step = stride if i == len(layers) - 1 else 1
            blocks.append(ConvBlock(n_inputs, self.scale(n_filters), kernel, stride=step, padding=padding))
            n_inputs = self.scale(n_filters)
        return nn.Sequential(*blocks)

    def _unit(self, *branches: nn.Module, n_outputs: tuple[int, ...], n_kept: int = 0) -> Parallel:
        """Build a unit of parallel branches, and update the number of maps."""
        self.n_channels = sum(map(self.scale, n_outputs)) + n_kept
        return Parallel(*branches)

    def _branch(self, *layers: Layer, stride: int = 1) -> nn.Sequential:
        """Build a sequence of layers on the input maps of the unit."""
        return self.chain(self.n_channels, *layers, stride=stride)

    def _pooled(self, n_filters: int) -> nn.Sequential:
        """Build the branch of 3 x 3 average pooling and one layer."""
        return nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1), *self._branch((n_filters, 1)))

    def _fork(self) -> Parallel:
        """Build parallel layers of row and column filters."""
        n_inputs = self.scale(384)
        return Parallel(self.chain(n_inputs, (384, (1, 3))), self.chain(n_inputs, (384, (3, 1))))
