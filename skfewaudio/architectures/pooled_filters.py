"""One layer of random filters, pooled over time in several ways: a front-end that needs no training."""

import torch
from torch import nn

from skfewaudio._random_filters import (
    FILTER_SHAPES,
    STRIDE,
    band_moments,
    count_regions,
    draw_bank,
    pool_region,
    same_padding,
)

from ._base import Architecture, flat_size
from ._blocks import InputNorm

LIMIT = 8.0  # standard deviations; a nearly constant feature of few clips must not drown the others
NORM_EPS = 1e-3


class PooledFilters(Architecture):
    """Random filters of several shapes and per-band statistics, pooled over time, then a learnt projection.

    Every band of the input is standardised. From each of 4 regions of the mel axis a filter's responses
    are pooled by proportion of positive values, maximum, mean of the positive part and standard deviation;
    beside them stand each band's mean, standard deviation, maximum and deviation of differences. All these
    are standardised, and only a projection of them is learnt.

    Parameters
    ----------
    n_outputs : int
        Size of the space that the last layer projects into.
    n_mels : int
        Mel bands of a patch.
    n_frames : int
        Frames of a patch.
    n_filters : int, default=8
        Filters of each of the five shapes.
    n_regions : int, default=4
        Equal parts of the mel axis that are pooled apart.
    dropout : float, default=0.5
        Share of the features left out before the projection while it trains.

    Notes
    -----
    With 128 bands there are 1152 features. Random filters with a proportion of positive values and a maximum
    are the idea of ROCKET [2]_, untrained convolutional front-ends for audio that of [1]_.

    References
    ----------
    .. [1] J. Pons, X. Serra, "Randomly weighted CNNs for (music) audio classification",
       ICASSP 2019. arXiv:1805.00237.
    .. [2] A. Dempster, F. Petitjean, G. I. Webb, "ROCKET: exceptionally fast and accurate time series
       classification using random convolutional kernels", 2020. arXiv:1910.13051.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import PooledFilters
    >>> PooledFilters(256, n_mels=64, n_frames=216).embed(torch.zeros(2, 1, 64, 216)).shape
    torch.Size([2, 896])
    """

    def __init__(
        self,
        n_outputs: int,
        n_mels: int,
        n_frames: int,
        *,
        n_filters: int = 8,
        n_regions: int = 4,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(n_outputs, n_mels, n_frames)
        input_norm = InputNorm("band", n_mels, n_frames, affine=False, eps=NORM_EPS)
        pooled = PooledResponses(n_filters, count_regions(n_regions, n_mels))
        n_features = flat_size(pooled, 1, n_mels, n_frames)
        norm = nn.BatchNorm1d(n_features, affine=False, eps=NORM_EPS)
        self.front_end = nn.Sequential(input_norm, pooled, norm, nn.Hardtanh(-LIMIT, LIMIT))
        self.trunk = nn.Dropout(dropout)
        self.output = nn.Linear(n_features, n_outputs, bias=False)
        # Keeps distances on average: the untrained projection classifies like the features themselves.
        nn.init.normal_(self.output.weight, std=n_outputs**-0.5)


class PooledResponses(nn.Module):
    """The fixed filters of PooledFilters and the statistics of their responses and of the bands."""

    def __init__(self, n_filters: int, n_regions: int) -> None:
        super().__init__()
        self.n_regions = n_regions
        self.filters = nn.ModuleList(
            random_filters(n_filters, shape, dilation) for shape, dilation in FILTER_SHAPES
        )
        self.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute statistics (batch, n_features) of patches of shape (batch, 1, n_mels, n_frames)."""
        statistics = [*band_moments(x.squeeze(1))]
        for conv in self.filters:
            for region in conv(x).tensor_split(self.n_regions, dim=2):
                statistics += pool_region(region)
        return torch.cat(statistics, dim=1)


def random_filters(n_filters: int, shape: tuple[int, int], dilation: int) -> nn.Conv2d:
    """Build a convolution with random zero-sum kernels and random biases."""
    padding = same_padding(shape, dilation)
    conv = nn.Conv2d(1, n_filters, shape, stride=STRIDE, padding=padding, dilation=dilation)
    conv.weight.data, bias = draw_bank(n_filters, shape)
    conv.bias = nn.Parameter(bias)
    return conv
