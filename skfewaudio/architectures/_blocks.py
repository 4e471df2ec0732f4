"""Pieces that several architectures are made of."""

import torch
from torch import nn


class InputNorm(nn.Module):
    """Batch normalisation of a spectrogram, with one mean and variance for each index along an axis.

    Parameters
    ----------
    axis : {"band", "frame", "all"}
        ``"band"`` normalises every mel band by itself, ``"all"`` the whole patch at once. ``"frame"`` has
        statistics for the first, second, ... frame of a patch, as the code published with arXiv:1810.10274.
    n_mels, n_frames : int
        Shape of a patch.
    affine : bool, default=True
        Learn a scale and an offset too.
    eps, momentum : float
        As in :class:`torch.nn.BatchNorm2d`.
    """

    def __init__(
        self,
        axis: str,
        n_mels: int,
        n_frames: int,
        *,
        affine: bool = True,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
    ) -> None:
        super().__init__()
        sizes = {"band": (n_mels, (2, 1)), "frame": (n_frames, (3, 1)), "all": (1, (1, 1))}
        if axis not in sizes:
            raise ValueError(f"input normalisation by {axis!r} is unknown; expected one of {sorted(sizes)}")
        n_channels, self.swap = sizes[axis]
        self.norm = nn.BatchNorm2d(n_channels, affine=affine, eps=eps, momentum=momentum)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise patches of shape (batch, 1, n_mels, n_frames)."""
        return self.norm(x.transpose(*self.swap)).transpose(*self.swap)


def init_glorot_(module: nn.Module) -> None:
    """Give the kernels of convolutions and linear layers Glorot-uniform values, their biases zeros."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
