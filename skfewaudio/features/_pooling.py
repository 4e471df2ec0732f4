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

# (bands, frames) of a filter and its dilation: squares small, large and spread, a column and a row.
FILTER_SHAPES = (((3, 3), 1), ((7, 7), 1), ((3, 3), 3), ((15, 3), 1), ((3, 15), 1))
STRIDE = 2  # the statistics of every second response, both ways, classify as well as those of all
BIAS_SCALE = 0.3  # of the filters' unit-variance response: spreads the thresholds of the counts
# What surrounds a clip, in units: -37.5 dB, between silence and loud, so that the filters feel its level
# where they reach beyond it. They do not elsewhere, as they sum to zero.
SURROUNDINGS = -2.5
FILTER_POOLS = ("share", "max", "mean", "std")

BAND_POOLS = ("mean", "std", "max", "low", "step")
LOW_SHARE = 0.1  # of a band's frames: about the level that a background has between events

# Edges of the bins, in cycles per window: frequencies apart at first, then about half an octave together.
MODULATION_BINS = (1, 2, 3, 5, 8, 12, 19, 28, 43, 65)
MODULATION_FRAMES = 128
MODULATION_HOP = 64
MODULATION_FLOOR = 1e-1 / 15**2  # in squared units: rounding and dither must not count as a rhythm


def pool_bands(x: Tensor) -> Tensor:
    """Pool every band over time by mean, deviation, maximum, tenth percentile, deviation of differences."""
    steps = x.diff(dim=2) if x.shape[2] > 1 else torch.zeros_like(x)
    low = x.quantile(LOW_SHARE, dim=2)
    pooled = [x.mean(2), x.std(2, correction=0), x.amax(2), low, steps.std(2, correction=0)]
    return torch.cat(pooled, dim=1)


@lru_cache(maxsize=8)
def draw_filters(n_filters: int, seed: int) -> tuple[tuple[Tensor, Tensor], ...]:
    """Draw filters of each shape that sum to zero and answer white noise with about unit variance."""
    generator = torch.Generator().manual_seed(seed)
    banks = []
    for (n_bands, n_frames), _ in FILTER_SHAPES:
        kernel = torch.randn(n_filters, 1, n_bands, n_frames, generator=generator)
        kernel /= (n_bands * n_frames) ** 0.5
        kernel -= kernel.mean(dim=(2, 3), keepdim=True)
        banks.append((kernel, BIAS_SCALE * torch.randn(n_filters, generator=generator)))
    return tuple(banks)


def count_regions(n_regions: int, n_mels: int) -> int:
    """Give the parts of the mel axis that are pooled apart: no more than rows of responses."""
    return min(n_regions, ceil(n_mels / STRIDE))


def pool_filters(x: Tensor, *, n_filters: int, n_regions: int, seed: int) -> dict[str, Tensor]:
    """Pool the filters' responses in each region, in four ways: shares above 0, maximum, and so on."""
    pooled: dict[str, list[Tensor]] = {name: [] for name in FILTER_POOLS}
    x = x[:, None] - SURROUNDINGS
    for ((n_bands, n_frames), dilation), bank in zip(
        FILTER_SHAPES, draw_filters(n_filters, seed), strict=True
    ):
        kernel, bias = (tensor.to(x.device) for tensor in bank)
        padding = (dilation * (n_bands - 1) // 2, dilation * (n_frames - 1) // 2)
        responses = conv2d(x, kernel, bias, stride=STRIDE, padding=padding, dilation=dilation)
        for region in responses.tensor_split(count_regions(n_regions, x.shape[2]), dim=2):
            values = region.flatten(2)
            # Two moments take a tenth of the time of torch's std, and the values are of order one.
            variance = values.square().mean(2) - values.mean(2).square()
            pooled["share"].append((values > 0).to(values.dtype).mean(2))
            pooled["max"].append(values.amax(2))
            pooled["mean"].append(values.relu().mean(2))
            pooled["std"].append(variance.clamp(min=0).sqrt())
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
