"""Random filters of several shapes, and statistics of their responses, as in ROCKET.

Shared by the network `PooledFilters` and the transformer `SpectrogramStatistics`. ROCKET (arXiv:1910.13051)
introduced random filters that are summarised by the share of positive responses and the maximum.
"""

from collections.abc import Sequence
from math import ceil

import torch
from torch import Tensor

# (bands, frames) and dilation of each filter: a small, a large and a dilated square, a column and a row.
FILTER_SHAPES = (((3, 3), 1), ((7, 7), 1), ((3, 3), 3), ((15, 3), 1), ((3, 15), 1))
STRIDE = 2  # along both axes; as accurate as stride 1
BIAS_SCALE = 0.3  # relative to unit-variance responses; varies the threshold of the positive share
FILTER_POOLS = ("share", "max", "mean", "std")


def draw_bank(
    n_filters: int, shape: tuple[int, int], generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Draw biases and zero-sum kernels (n_filters, 1, *shape) with unit-variance responses to white noise."""
    n_bands, n_frames = shape
    kernel = torch.randn(n_filters, 1, n_bands, n_frames, generator=generator)
    kernel /= (n_bands * n_frames) ** 0.5
    kernel -= kernel.mean(dim=(2, 3), keepdim=True)
    return kernel, BIAS_SCALE * torch.randn(n_filters, generator=generator)


def same_padding(shape: tuple[int, int], dilation: int) -> tuple[int, int]:
    """Return the padding that centres a filter on every band and frame."""
    n_bands, n_frames = shape
    return dilation * (n_bands - 1) // 2, dilation * (n_frames - 1) // 2


def count_regions(n_regions: int, n_mels: int) -> int:
    """Return the number of regions of the mel axis: at most one per row of responses."""
    return min(n_regions, ceil(n_mels / STRIDE))


def pool_region(responses: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Compute the `FILTER_POOLS` of responses (batch, n_filters, rows, columns), each (batch, n_filters).

    These are the share of positive responses, the maximum, the mean of the rectified responses and the
    standard deviation.
    """
    return finish_pools(measure_region(responses))


def measure_region(responses: Tensor) -> tuple[Tensor, ...]:
    """Compute the share of positive responses, maximum, rectified mean, mean and mean square of a region."""
    values = responses.flatten(2)
    rectified = values.relu()
    return (
        rectified.sign().mean(2),  # a third of the time of a comparison
        values.amax(2),
        rectified.mean(2),
        values.mean(2),
        values.square().mean(2),
    )


def join_measures(measures: Sequence[tuple[Tensor, ...]], n_columns: Sequence[int]) -> tuple[Tensor, ...]:
    """Combine the measures of a region that was measured in parts of some columns each."""
    if len(measures) == 1:
        return measures[0]
    weights = torch.tensor(n_columns, dtype=measures[0][0].dtype, device=measures[0][0].device)
    weights = (weights / weights.sum())[:, None, None]
    stacked = [torch.stack(parts) for parts in zip(*measures, strict=True)]
    return tuple(part.amax(0) if i == 1 else (weights * part).sum(0) for i, part in enumerate(stacked))


def finish_pools(measures: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Turn measures into the `FILTER_POOLS`."""
    share, maximum, rectified, mean, mean_square = measures
    # Two moments take a tenth of the time of torch's std, and the values are of order one.
    return share, maximum, rectified, (mean_square - mean.square()).clamp(min=0).sqrt()


def band_moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Compute each band's mean, standard deviation, maximum and standard deviation of frame differences.

    `x` has shape (batch, n_mels, n_frames); each result has shape (batch, n_mels).
    """
    steps = x.diff(dim=2) if x.shape[2] > 1 else torch.zeros_like(x)
    return x.mean(2), _deviation(x), x.amax(2), _deviation(steps)


def _deviation(x: Tensor) -> Tensor:
    """Compute the standard deviation over frames, in a fifth of the time of torch's std."""
    return (x - x.mean(2, keepdim=True)).square().mean(2).sqrt()
