"""Convolutional network that embeds log mel spectrograms of any length."""

import torch
from torch import Tensor, nn

N_MELS = 64
N_CHANNELS = (32, 64, 128, 256, 256)
N_FEATURES = 2 * N_CHANNELS[-1]
RANGE = 80.0  # of the decibels, below the maximum of a clip
MIN_FRAMES = 32
# Longer clips are computed in pieces of this many frames, with a margin of frames that values at the ends of
# a piece depend on.
PIECE = 4096
MARGIN = 32
STEP = 8  # frames per value


class SoundNetwork(nn.Module):
    """Five convolutions, then the mean and the maximum over time.

    The first four halve the bands and the first three the frames; the last one spans all remaining bands. A
    value depends on 49 frames, or 1.1 s.
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

    def forward(self, decibels: Tensor) -> Tensor:
        """Embed spectrograms.

        Parameters
        ----------
        decibels : Tensor of shape (n_clips, 64, n_frames)
            Log mel spectrograms in decibels, with at least `MIN_FRAMES` frames.

        Returns
        -------
        Tensor of shape (n_clips, N_FEATURES)
        """
        loudest = decibels.amax(dim=(1, 2), keepdim=True)
        n_frames = decibels.shape[2]
        sums: list[Tensor] = []
        maxima: list[Tensor] = []
        n_values = 0
        for start in range(0, n_frames, PIECE):
            first, end = max(0, start - MARGIN), min(n_frames, start + PIECE)
            piece = decibels[:, :, first : end + MARGIN]
            x = (piece - loudest).clamp_min(-RANGE) / (RANGE / 4) + 2
            skipped, kept = (start - first) // STEP, -(-(end - start) // STEP)
            x = self.layers(x[:, None]).squeeze(2)[:, :, skipped : skipped + kept]
            sums.append(x.sum(dim=2))
            maxima.append(x.amax(dim=2))
            n_values += x.shape[2]
        mean = torch.stack(sums).sum(dim=0) / n_values
        return torch.cat([mean, torch.stack(maxima).amax(dim=0)], dim=1)


def _block(n_in: int, n_out: int, *, kernel: object, stride: object, padding: object) -> nn.Module:
    convolution = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=padding, bias=False)  # type: ignore[arg-type]
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out), nn.ReLU())
