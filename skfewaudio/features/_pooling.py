"""Statistics of spectrograms: mel bands, fixed random filters and the modulation spectrum.

Every function takes x of shape (n_clips, n_mels, n_frames), clips of one length. The result of a clip does
not depend on the other clips.
"""

from functools import lru_cache
from itertools import pairwise
from math import ceil

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from skfewaudio._random_filters import (
    FILTER_POOLS,
    FILTER_SHAPES,
    STRIDE,
    band_moments,
    count_regions,
    draw_bank,
    finish_pools,
    join_measures,
    measure_region,
    same_padding,
)
from skfewaudio._torch_state import own_defaults

# Value of the padding, in units of `scale`: -37.5 dB with the default, between silence and loud clips.
# Filters sum to zero, so they respond to the level of a clip only where they reach into the padding.
PAD_VALUE = -2.5

BAND_POOLS = ("mean", "std", "max", "low", "step")
LOW_QUANTILE = 0.1  # of a band's frames: approximately the level of the background between events

# Edges of the bins, in cycles per window: single frequencies first, then bins of about half an octave.
MODULATION_BINS = (1, 2, 3, 5, 8, 12, 19, 28, 43, 65)
MODULATION_FRAMES = 128
MODULATION_HOP = 64
# Values that a step of the computation holds at once, about: bounds the memory that recordings of hours need.
VALUES_AT_ONCE = 2**20
MODULATION_FLOOR = 1e-1 / 15**2  # in squared units; hides the fluctuations of rounding and dither


def pool_bands(x: Tensor) -> Tensor:
    """Compute each band's mean, deviation, maximum, tenth percentile and deviation of frame differences."""
    groups = [(*band_moments(bands), _low_quantile(bands)) for bands in x.split(_n_at_once(x, 1), dim=1)]
    mean, std, maximum, step, low = (torch.cat(parts, dim=1) for parts in zip(*groups, strict=True))
    return torch.cat([mean, std, maximum, low, step], dim=1)


def _low_quantile(x: Tensor) -> Tensor:
    """Compute the `LOW_QUANTILE` over frames by a partial sort, which torch's quantile does not use."""
    position = LOW_QUANTILE * (x.shape[2] - 1)
    below = int(position)
    n_lowest = min(below + 2, x.shape[2])
    lowest = x.topk(n_lowest, dim=2, largest=False).values
    return torch.lerp(lowest[..., below], lowest[..., -1], position - below)


def _n_at_once(x: Tensor, dim: int) -> int:
    """Return how many slices of x along a dimension have `VALUES_AT_ONCE` values; at least one."""
    return max(1, VALUES_AT_ONCE * x.shape[dim] // x.numel())


@lru_cache(maxsize=8)
def draw_filters(n_filters: int, seed: int) -> tuple[tuple[Tensor, Tensor], ...]:
    """Draw zero-sum filters of each shape whose responses to white noise have about unit variance."""
    generator = torch.Generator().manual_seed(seed)
    with own_defaults(torch.device("cpu")):
        return tuple(draw_bank(n_filters, shape, generator) for shape, _ in FILTER_SHAPES)


def pool_filters(x: Tensor, *, n_filters: int, n_regions: int, seed: int) -> dict[str, Tensor]:
    """Pool the responses of the filters in each region, by each of `FILTER_POOLS`."""
    pooled: dict[str, list[Tensor]] = {name: [] for name in FILTER_POOLS}
    banks = draw_filters(n_filters, seed)
    for (_, dilation), bank in zip(FILTER_SHAPES, banks, strict=True):
        kernel, bias = (tensor.to(x.device) for tensor in bank)
        for statistics in _pool_bank(x, kernel, bias, dilation, n_regions):
            for parts, statistic in zip(pooled.values(), statistics, strict=True):
                parts.append(statistic)
    return {name: torch.cat(parts, dim=1) for name, parts in pooled.items()}


def _pool_bank(
    x: Tensor, kernel: Tensor, bias: Tensor, dilation: int, n_regions: int
) -> list[tuple[Tensor, ...]]:
    """Pool the responses of filters of one shape, region by region; long spectrograms in parts."""
    n_bands, n_frames = kernel.shape[2:]
    padding, margin = same_padding((n_bands, n_frames), dilation)
    reach = dilation * (n_frames - 1) + 1  # frames that a response depends on
    n_columns = (x.shape[2] + 2 * margin - reach) // STRIDE + 1
    n_at_once = max(1, VALUES_AT_ONCE // (len(kernel) * x.shape[0] * x.shape[1]))
    firsts = range(0, n_columns, n_at_once)
    sizes = [min(n_at_once, n_columns - first) for first in firsts]
    measures: list[list[tuple[Tensor, ...]]] = []
    for first, size in zip(firsts, sizes, strict=True):
        start = STRIDE * first - margin
        stop = start + STRIDE * (size - 1) + reach
        part = x[:, None, :, max(0, start) : stop] - PAD_VALUE
        part = pad(part, (max(0, -start), max(0, stop - x.shape[2])))
        responses = conv2d(part, kernel, bias, stride=STRIDE, padding=(padding, 0), dilation=dilation)
        regions = responses.tensor_split(count_regions(n_regions, x.shape[1]), dim=2)
        measures.append([measure_region(region) for region in regions])
    return [finish_pools(join_measures(parts, sizes)) for parts in zip(*measures, strict=True)]


def modulation_spectrum(x: Tensor) -> Tensor:
    """Compute the modulation spectrum of each band in decibels, (n_clips, n_mels, n_bins)."""
    if x.shape[2] < MODULATION_FRAMES:
        x = x.repeat(1, 1, ceil(MODULATION_FRAMES / x.shape[2]))[:, :, :MODULATION_FRAMES]
    taper = torch.hann_window(MODULATION_FRAMES, periodic=False, dtype=x.dtype, device=x.device)
    groups = []
    for bands in x.split(_n_at_once(x, 1), dim=1):
        windows = bands.unfold(2, MODULATION_FRAMES, MODULATION_HOP)
        windows = windows - windows.mean(3, keepdim=True)
        groups.append(torch.fft.rfft(windows * taper, dim=3).abs().square().mean(2))
    power = torch.cat(groups, dim=1)
    bins = [power[:, :, low:high].mean(2) for low, high in pairwise(MODULATION_BINS)]
    return 10 * (torch.stack(bins, 2) + MODULATION_FLOOR).log10()
