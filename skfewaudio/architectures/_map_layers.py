"""Convolutional layers that can compute any stretch of their output frames."""

from collections.abc import Callable
from math import ceil

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # as everywhere

# Largest number of values in a filter for which a convolution of one channel is faster as a matrix product.
SMALL_KERNEL = 16
# Filters of one channel to apply at once on a CPU: their responses stay in a core's cache until pooled.
FILTERS_AT_ONCE = 32
ACTIVATIONS: dict[str, Callable[..., torch.Tensor]] = {"relu": F.relu, "elu": F.elu}


class MapLayer(nn.Module):
    """Base class of layers that map (batch, n_channels, n_bands, n_frames) to other maps, from any frame on.

    A subclass computes the number of output frames of an input, and any stretch of these frames.
    """

    n_filters = 0  # maps that count as features; 0 for a layer that only prepares the input of the next

    def n_frames_of(self, n_frames: int) -> int:
        """Return the number of output frames for a number of input frames."""
        raise NotImplementedError

    def stretch(self, x: torch.Tensor, first: int, last: int) -> torch.Tensor:
        """Compute the output frames first, ..., last - 1."""
        raise NotImplementedError

    def n_values_of(self, x: torch.Tensor) -> int:
        """Count the intermediate values computed for one output frame of a patch."""
        return x.shape[2]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute all output frames."""
        return self.stretch(x, 0, self.n_frames_of(x.shape[3]))


class ConvLayer(MapLayer):
    """Convolution, activation and max pooling, computed in the fastest equivalent order.

    Parameters
    ----------
    n_channels, n_filters : int
        Number of input and output maps.
    kernel : tuple of int
        Size of a filter in bands and frames.
    stride : int, default=1
        Step of the filters in frames.
    same : {"both", "frames"} or None, default=None
        Axes padded with zeros so that the convolution keeps their length (divided by the stride). An odd zero
        is added at the end. None disables padding.
    pool : tuple of int, default=(1, 1)
        Size of the max pooling in bands and frames.
    activation : {"relu", "elu"}, default="relu"
        Activation function. Both are monotonic, so that pooling can be computed first.
    residual : bool, default=False
        Whether to add the input, which must have the same number of maps and frames as the output.

    Raises
    ------
    ValueError
        If `same` or `activation` is unknown.
    """

    def __init__(
        self,
        n_channels: int,
        n_filters: int,
        kernel: tuple[int, int],
        *,
        stride: int = 1,
        same: str | None = None,
        pool: tuple[int, int] = (1, 1),
        activation: str = "relu",
        residual: bool = False,
    ) -> None:
        super().__init__()
        if same not in (None, "both", "frames"):
            raise ValueError(f"same={same!r}; expected 'both', 'frames' or None")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation={activation!r}; expected one of {', '.join(ACTIVATIONS)}")
        self.conv = nn.Conv2d(n_channels, n_filters, kernel, stride=(1, stride))
        self.n_filters = n_filters
        self.same = same
        self.pool = pool
        self.activate = ACTIVATIONS[activation]
        self.residual = residual

    def n_frames_of(self, n_frames: int) -> int:
        """Return the number of output frames for a number of input frames."""
        return self._n_places(n_frames) // self.pool[1]

    def n_values_of(self, x: torch.Tensor) -> int:
        """Count the intermediate values computed for one output frame of a patch."""
        n_bands = x.shape[2] if self.same == "both" else x.shape[2] - self.conv.kernel_size[0] + 1
        n_pooled = self.n_filters * n_bands // self.pool[0]
        return min(self._n_at_once(x), self.n_filters) * n_bands * self.pool[1] + n_pooled

    def stretch(self, x: torch.Tensor, first: int, last: int) -> torch.Tensor:
        """Compute the output frames first, ..., last - 1."""
        (kernel, stride), width = self._frame_axis, x.shape[3]
        n_padded = 0
        if self.same is not None:
            n_padded = max((self._n_places(width) - 1) * stride + kernel - width, 0) // 2
        start = first * self.pool[1] * stride - n_padded
        stop = (last * self.pool[1] - 1) * stride + kernel - n_padded
        bands = self.conv.kernel_size[0] - 1 if self.same == "both" else 0
        seen = x[..., max(start, 0) : min(stop, width)]
        padding = (max(-start, 0), max(stop - width, 0), bands // 2, bands - bands // 2)
        seen = F.pad(seen, padding) if any(padding) else seen
        n_at_once = self._n_at_once(x)
        filters = (parameter.split(n_at_once) for parameter in self.conv.parameters())  # weights and biases
        parts = [self._pool(self._convolve(seen, *some)) for some in zip(*filters, strict=True)]
        maps = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        # Gradients may need the values before activation.
        maps = self.activate(maps, inplace=not torch.is_grad_enabled())
        return maps + x[..., first:last] if self.residual else maps

    @property
    def _frame_axis(self) -> tuple[int, int]:
        """Length and step of a filter in frames."""
        return self.conv.kernel_size[1], self.conv.stride[1]

    def _n_places(self, n_frames: int) -> int:
        """Count the positions of a filter along the frames."""
        kernel, stride = self._frame_axis
        return (n_frames - kernel) // stride + 1 if self.same is None else ceil(n_frames / stride)

    def _n_at_once(self, x: torch.Tensor) -> int:
        """Return the number of filters to apply at once."""
        is_large = self.conv.weight[0].numel() > SMALL_KERNEL
        if x.is_cpu and x.shape[1] == 1 and is_large and self.pool[0] > 1 and not torch.is_grad_enabled():
            return FILTERS_AT_ONCE
        return self.n_filters

    def _convolve(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        (height, width), stride = self.conv.kernel_size, self.conv.stride[1]
        if torch.is_grad_enabled() or x.shape[1] > 1 or height * width > SMALL_KERNEL:
            return F.conv2d(x, weight, bias, stride=(1, stride))
        windows = x.squeeze(1).unfold(1, height, 1).unfold(2, width, stride)
        maps = F.linear(windows.reshape(-1, height * width), weight.flatten(1), bias)
        return maps.view(*windows.shape[:3], -1).permute(0, 3, 1, 2)

    def _pool(self, maps: torch.Tensor) -> torch.Tensor:
        if self.pool == (1, 1):
            return maps
        if self.pool == (maps.shape[2], 1):
            return maps.amax(dim=2, keepdim=True)
        # Ten times as fast in this memory format as in the default one.
        return F.max_pool2d(maps.contiguous(memory_format=torch.channels_last), self.pool)


class BandMean(MapLayer):
    """Mean over the bands."""

    def n_frames_of(self, n_frames: int) -> int:
        """Return the number of output frames for a number of input frames."""
        return n_frames

    def stretch(self, x: torch.Tensor, first: int, last: int) -> torch.Tensor:
        """Compute the output frames first, ..., last - 1."""
        return x[..., first:last].mean(dim=2, keepdim=True)


class FrameMax(MapLayer):
    """Max pooling over neighbouring frames.

    Parameters
    ----------
    n_pooled : int
        Number of frames that are pooled into one.
    """

    def __init__(self, n_pooled: int) -> None:
        super().__init__()
        self.n_pooled = n_pooled

    def n_frames_of(self, n_frames: int) -> int:
        """Return the number of output frames for a number of input frames."""
        return n_frames // self.n_pooled

    def stretch(self, x: torch.Tensor, first: int, last: int) -> torch.Tensor:
        """Compute the output frames first, ..., last - 1."""
        return F.max_pool2d(x[..., first * self.n_pooled : last * self.n_pooled], (1, self.n_pooled))
