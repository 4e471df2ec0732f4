"""The single layer of timbral filters of *Training neural audio classifiers with few data*."""

import torch
from torch import nn

from ._base import Architecture, check_patch_size
from ._blocks import EPS, MOMENTUM, InputNorm, init_glorot_, input_layers

BANDS = 108 / 128  # fraction of the mel bands that a filter covers
FRAMES = 7


class Timbre(Architecture):
    """One layer of tall filters, each pooled to its largest response in a patch.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int
        Number of mel bands in a patch.
    n_frames : int
        Number of frames in a patch, at least 7.
    n_filters : int, default=None
        Number of filters, which are followed by a linear layer. None uses one filter per output and no linear
        layer.
    input_norm : {"band", "all", "frame"}, default="band"
        Standardise each mel band, the whole patch (as published) or each frame of the input.
    learn_compression : bool, default=False
        Whether the input is a power spectrogram, whose logarithmic compression is learned.

    Raises
    ------
    ValueError
        If a patch is too short, or contains a negative value although `learn_compression` is set.

    Notes
    -----
    The smallest network of [1]_, which follows [2]_. A filter spans 7 frames and 108 of 128 bands, or the
    same fraction of another number of bands, rounded. With 10 outputs and patches of 128 x 128 there are
    7,570 parameters; with 32 filters there are 24,554.

    During training only the window with the largest response of each filter is recomputed with a gradient. If
    several responses are equal, the first window is used.

    References
    ----------
    .. [1] J. Pons, J. Serra, X. Serra, "Training neural audio classifiers with few data",
       ICASSP 2019. arXiv:1810.10274, section 2.
    .. [2] J. Pons, O. Slizovskaia, R. Gong, E. Gomez, X. Serra, "Timbre analysis of music audio signals
       with convolutional neural networks", EUSIPCO 2017. arXiv:1703.06697.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import Timbre
    >>> Timbre(10, n_mels=128, n_frames=128)(torch.zeros(2, 1, 128, 128)).shape
    torch.Size([2, 10])
    """

    patch_frames = 128

    def __init__(
        self,
        n_outputs: int,
        n_mels: int,
        n_frames: int,
        *,
        n_filters: int | None = None,
        input_norm: str = "band",
        learn_compression: bool = False,
    ) -> None:
        super().__init__(n_outputs, n_mels, n_frames)
        check_patch_size("Timbre", (n_mels, n_frames), (1, FRAMES))
        # No scale and offset, for the reason given in SBCNN.
        norm = InputNorm(input_norm, n_mels, n_frames, affine=False, eps=EPS, momentum=MOMENTUM)
        layers = input_layers(norm, learn_compression=learn_compression)
        kernel = (round(BANDS * n_mels), FRAMES)
        layers["filters"] = LargestResponse(1, n_outputs if n_filters is None else n_filters, kernel)
        self.trunk = nn.Sequential(layers)
        self.output = nn.Identity() if n_filters is None else nn.Linear(n_filters, n_outputs)
        init_glorot_(self)


class LargestResponse(nn.Conv2d):
    """Convolution of a single channel without padding, followed by the maximum of each filter's responses.

    The gradient is zero except in one window per filter, but the backward pass of a convolution processes all
    windows. During training the convolution therefore runs without a gradient and only locates these windows.
    """

    bias: nn.Parameter

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute responses (batch, n_filters) to patches of shape (batch, 1, n_mels, n_frames)."""
        if not self.training:
            return super().forward(x).amax(dim=(2, 3))
        with torch.no_grad():
            windows = self._largest_windows(x)
        values = x.flatten(1).gather(1, windows.flatten(1)).view(windows.shape)
        return torch.einsum("bfk,fk->bf", values, self.weight.flatten(1)) + self.bias

    def _largest_windows(self, x: torch.Tensor) -> torch.Tensor:
        """Return indices of each filter's best window in a flat patch, (batch, n_filters, window size)."""
        responses = super().forward(x)
        n_frames, n_positions = x.shape[3], responses.shape[3]
        peak = responses.flatten(2).argmax(dim=2, keepdim=True)
        corner = peak // n_positions * n_frames + peak % n_positions
        rows, columns = (torch.arange(size, device=x.device) for size in self.weight.shape[2:])
        return corner + (rows[:, None] * n_frames + columns).flatten()
