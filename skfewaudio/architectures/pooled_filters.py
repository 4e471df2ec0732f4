"""One layer of random filters pooled over time, a front-end that needs no training."""

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

LIMIT = 8.0  # standard deviations; a feature that is nearly constant in few clips must not dominate
NORM_EPS = 1e-3


class PooledFilters(Architecture):
    """Random filters and per-band statistics pooled over time, followed by a learned projection.

    Each band of the input is standardised. In each region of the mel axis, the responses of a filter are
    pooled into the proportion of positive values, the maximum, the mean of the positive part and the standard
    deviation. Further features are each band's mean, standard deviation, maximum and standard deviation of
    the frame differences. All features are standardised. Only their projection is learned.

    Parameters
    ----------
    n_outputs : int
        Dimension of the projection.
    n_mels : int
        Number of mel bands in a patch.
    n_frames : int
        Number of frames in a patch.
    n_filters : int, default=8
        Number of filters of each of the five shapes.
    n_regions : int, default=4
        Number of equal regions of the mel axis that are pooled separately.
    dropout : float, default=0.5
        Dropout probability of the features during training.

    Notes
    -----
    With 128 bands there are 1152 features. Random filters pooled by the proportion of positive values and the
    maximum were introduced by ROCKET [2]_, and untrained convolutional front-ends for audio by [1]_.

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
        # Preserves distances on average: the untrained projection classifies like the features.
        nn.init.normal_(self.output.weight, std=n_outputs**-0.5)


class PooledResponses(nn.Module):
    """Fixed filters of `PooledFilters`, with statistics of their responses and of the bands."""

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
