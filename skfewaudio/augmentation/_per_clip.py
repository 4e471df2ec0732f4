"""Random numbers for each clip, drawn on the generator's device, and indexing of bands and frames."""

import torch


def draw(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Draw numbers uniformly from [0, 1), in single precision whatever torch's default."""
    return torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float32)


def draw_uniform(n: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """Draw n numbers uniformly from [low, high)."""
    return low + (high - low) * draw((n,), generator)


def draw_below(limits: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw for each limit a whole number from 0 to limit - 1."""
    drawn = draw(limits.shape, generator)
    return torch.minimum((drawn * limits).long(), limits - 1)


def positions(n: int, generator: torch.Generator) -> torch.Tensor:
    """Return 0 to n - 1 as an array of shape (1, n)."""
    return torch.arange(n, device=generator.device)[None]


def gather_bands(spectrograms: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Select bands of each spectrogram by an index of shape (n_clips, n_bands)."""
    return spectrograms.gather(1, index[:, :, None].expand(-1, -1, spectrograms.shape[2]))


def gather_frames(spectrograms: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Select frames of each spectrogram by an index of shape (n_clips, n_frames)."""
    return spectrograms.gather(2, index[:, None, :].expand(-1, spectrograms.shape[1], -1))
