"""Statistics of spectrograms: mel bands, fixed random filters and the modulation spectrum.

Every function takes x of shape (n_clips, n_mels, n_frames), clips of one length. The result of a clip does
not depend on the other clips.
"""

from functools import lru_cache
from itertools import pairwise
from math import ceil

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from skfewaudio._random_filters import (
    FILTER_POOLS,
    FILTER_SHAPES,
    STRIDE,
    band_moments,
    count_regions,
    draw_bank,
    pool_region,
    same_padding,
)

# Value of the padding, in units of `scale`: -37.5 dB with the default, between silence and loud clips.
# Filters sum to zero, so they respond to the level of a clip only where they reach into the padding.
PAD_VALUE = -2.5

BAND_POOLS = ("mean", "std", "max", "low", "step")
LOW_QUANTILE = 0.1  # of a band's frames: approximately the level of the background between events

# Edges of the bins, in cycles per window: single frequencies first, then bins of about half an octave.
MODULATION_BINS = (1, 2, 3, 5, 8, 12, 19, 28, 43, 65)
MODULATION_FRAMES = 128
MODULATION_HOP = 64
MODULATION_FLOOR = 1e-1 / 15**2  # in squared units; hides the fluctuations of rounding and dither


def pool_bands(x: Tensor) -> Tensor:
    """Compute each band's mean, deviation, maximum, tenth percentile and deviation of frame differences."""
    mean, std, maximum, step = band_moments(x)
    return torch.cat([mean, std, maximum, x.quantile(LOW_QUANTILE, dim=2), step], dim=1)


@lru_cache(maxsize=8)
def draw_filters(n_filters: int, seed: int) -> tuple[tuple[Tensor, Tensor], ...]:
    """Draw zero-sum filters of each shape whose responses to white noise have about unit variance."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(draw_bank(n_filters, shape, generator) for shape, _ in FILTER_SHAPES)


def pool_filters(x: Tensor, *, n_filters: int, n_regions: int, seed: int) -> dict[str, Tensor]:
    """Pool the responses of the filters in each region, by each of `FILTER_POOLS`."""
    pooled: dict[str, list[Tensor]] = {name: [] for name in FILTER_POOLS}
    x = x[:, None] - PAD_VALUE
    banks = draw_filters(n_filters, seed)
    for (shape, dilation), bank in zip(FILTER_SHAPES, banks, strict=True):
        kernel, bias = (tensor.to(x.device) for tensor in bank)
        padding = same_padding(shape, dilation)
        responses = conv2d(x, kernel, bias, stride=STRIDE, padding=padding, dilation=dilation)
        for region in responses.tensor_split(count_regions(n_regions, x.shape[2]), dim=2):
            for parts, statistic in zip(pooled.values(), pool_region(region), strict=True):
                parts.append(statistic)
    return {name: torch.cat(parts, dim=1) for name, parts in pooled.items()}


def modulation_spectrum(x: Tensor) -> Tensor:
    """Compute the modulation spectrum of each band in decibels, (n_clips, n_mels, n_bins)."""
    if x.shape[2] < MODULATION_FRAMES:
        x = x.repeat(1, 1, ceil(MODULATION_FRAMES / x.shape[2]))[:, :, :MODULATION_FRAMES]
    windows = x.unfold(2, MODULATION_FRAMES, MODULATION_HOP)
    windows = windows - windows.mean(3, keepdim=True)
    taper = torch.hann_window(MODULATION_FRAMES, periodic=False, device=x.device)
    power = torch.fft.rfft(windows * taper, dim=3).abs().square().mean(2)
    bins = [power[:, :, low:high].mean(2) for low, high in pairwise(MODULATION_BINS)]
    return 10 * (torch.stack(bins, 2) + MODULATION_FLOOR).log10()
