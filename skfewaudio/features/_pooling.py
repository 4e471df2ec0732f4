"""What the statistics of spectrograms are made of: bands, fixed random filters, the modulation spectrum.

Every function takes x of shape (n_clips, n_mels, n_frames), clips of one length, and gives a row of numbers
for each, the same whatever clips are beside it.
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

# What surrounds a clip, in units: -37.5 dB, between silence and loud, so that the filters feel its level
# where they reach beyond it. They do not elsewhere, as they sum to zero.
SURROUNDINGS = -2.5

BAND_POOLS = ("mean", "std", "max", "low", "step")
LOW_SHARE = 0.1  # of a band's frames: about the level that a background has between events

# Edges of the bins, in cycles per window: frequencies apart at first, then about half an octave together.
MODULATION_BINS = (1, 2, 3, 5, 8, 12, 19, 28, 43, 65)
MODULATION_FRAMES = 128
MODULATION_HOP = 64
MODULATION_FLOOR = 1e-1 / 15**2  # in squared units: rounding and dither must not count as a rhythm


def pool_bands(x: Tensor) -> Tensor:
    """Pool every band over time by mean, deviation, maximum, tenth percentile, deviation of differences."""
    mean, std, maximum, step = band_moments(x)
    return torch.cat([mean, std, maximum, x.quantile(LOW_SHARE, dim=2), step], dim=1)


@lru_cache(maxsize=8)
def draw_filters(n_filters: int, seed: int) -> tuple[tuple[Tensor, Tensor], ...]:
    """Draw filters of each shape that sum to zero and answer white noise with about unit variance."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(draw_bank(n_filters, shape, generator) for shape, _ in FILTER_SHAPES)


def pool_filters(x: Tensor, *, n_filters: int, n_regions: int, seed: int) -> dict[str, Tensor]:
    """Pool the filters' responses in each region, in four ways: shares above 0, maximum, and so on."""
    pooled: dict[str, list[Tensor]] = {name: [] for name in FILTER_POOLS}
    x = x[:, None] - SURROUNDINGS
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
    """Give the power of every band's fluctuations by rate, in decibels: (n_clips, n_mels, n_bins)."""
    if x.shape[2] < MODULATION_FRAMES:
        x = x.repeat(1, 1, ceil(MODULATION_FRAMES / x.shape[2]))[:, :, :MODULATION_FRAMES]
    windows = x.unfold(2, MODULATION_FRAMES, MODULATION_HOP)
    windows = windows - windows.mean(3, keepdim=True)
    taper = torch.hann_window(MODULATION_FRAMES, periodic=False, device=x.device)
    power = torch.fft.rfft(windows * taper, dim=3).abs().square().mean(2)
    bins = [power[:, :, low:high].mean(2) for low, high in pairwise(MODULATION_BINS)]
    return 10 * (torch.stack(bins, 2) + MODULATION_FLOOR).log10()
