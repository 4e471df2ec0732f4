"""Random numbers, one a clip, from a generator and on its device; and bands and frames taken by index."""

import torch


def uniform(n: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """Draw numbers from [low, high)."""
    return low + (high - low) * torch.rand(n, generator=generator, device=generator.device)


def below(limits: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw a whole number from 0 to each limit, which is itself left out."""
    drawn = torch.rand(limits.shape, generator=generator, device=generator.device)
    return torch.minimum((drawn * limits).long(), limits - 1)


def positions(n: int, generator: torch.Generator) -> torch.Tensor:
    """Give 0 to n - 1, as a row."""
    return torch.arange(n, device=generator.device)[None]


def take_bands(spectrograms: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Give bands by number, each spectrogram's own, (n_clips, n_bands)."""
    return spectrograms.gather(1, index[:, :, None].expand(-1, -1, spectrograms.shape[2]))


def take_frames(spectrograms: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Give frames by number, each spectrogram's own, (n_clips, n_frames)."""
    return spectrograms.gather(2, index[:, None, :].expand(-1, spectrograms.shape[1], -1))
