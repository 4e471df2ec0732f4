"""Convolutional network that embeds log mel spectrograms of any length."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

N_MELS = 64
N_CHANNELS = (32, 64, 128, 256, 256)
RANGE = 80.0  # of the decibels, below the maximum of a clip
MIN_FRAMES = 32
# Longer clips are computed in pieces of this many frames, with a margin of frames that values at the ends of
# a piece depend on.
PIECE = 4096
MARGIN = 32
STEP = 8  # frames per value


class Pooled(NamedTuple):
    """Shape of the output of a convolution, of which the mean and the maximum over time are taken."""

    n_channels: int
    n_bands: int

    @property
    def size(self) -> int:
        """Number of pooled values."""
        return 2 * self.n_channels * self.n_bands


POOLED = {3: Pooled(N_CHANNELS[2], 8), 4: Pooled(N_CHANNELS[3], 4), 5: Pooled(N_CHANNELS[4], 1)}


class SoundNetwork(nn.Module):
    """Five convolutions, of which the last three are pooled over time.

    The first four halve the bands and the first three the frames; the last one spans all remaining bands. A
    value depends on 17, 33 or 49 frames: 0.4, 0.8 or 1.1 s.
    """

    def __init__(self) -> None:
        super().__init__()
        c = N_CHANNELS
        self.layers = nn.Sequential(
            _block(1, c[0], kernel=5, stride=2, padding=2),
            _block(c[0], c[1], kernel=3, stride=2, padding=1),
            _block(c[1], c[2], kernel=3, stride=2, padding=1),
            _block(c[2], c[3], kernel=3, stride=(2, 1), padding=1),
            _block(c[3], c[4], kernel=(4, 3), stride=1, padding=(0, 1)),
        )

    def forward(self, decibels: Tensor) -> dict[int, Tensor]:
        """Embed spectrograms.

        Parameters
        ----------
        decibels : Tensor of shape (n_clips, 64, n_frames)
            Log mel spectrograms in decibels, with at least `MIN_FRAMES` frames.

        Returns
        -------
        dict of int to Tensor of shape (n_clips, n_values)
            For each layer of `POOLED`, the means of its values over time, and then their maxima.
        """
        loudest = decibels.amax(dim=(1, 2), keepdim=True)
        n_frames = decibels.shape[2]
        sums: dict[int, list[Tensor]] = {layer: [] for layer in POOLED}
        maxima: dict[int, list[Tensor]] = {layer: [] for layer in POOLED}
        n_steps = 0
        for start in range(0, n_frames, PIECE):
            first, end = max(0, start - MARGIN), min(n_frames, start + PIECE)
            piece = decibels[:, :, first : end + MARGIN]
            x = ((piece - loudest).clamp_min(-RANGE) / (RANGE / 4) + 2)[:, None]
            skipped, kept = (start - first) // STEP, -(-(end - start) // STEP)
            n_steps += kept
            for number, layer in enumerate(self.layers, start=1):
                x = layer(x)
                if number in POOLED:
                    steps = x[..., skipped : skipped + kept]
                    sums[number].append(steps.sum(dim=3).flatten(1))
                    maxima[number].append(steps.amax(dim=3).flatten(1))
        return {
            layer: torch.cat(
                [torch.stack(sums[layer]).sum(dim=0) / n_steps, torch.stack(maxima[layer]).amax(dim=0)], dim=1
            )
            for layer in POOLED
        }


def _block(n_in: int, n_out: int, *, kernel: object, stride: object, padding: object) -> nn.Module:
    convolution = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=padding, bias=False)  # type: ignore[arg-type]
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out), nn.ReLU())
