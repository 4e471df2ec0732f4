"""The single layer of timbral filters of *Training neural audio classifiers with few data*."""

import torch
from torch import nn

from ._base import Architecture, check_patch_size
from ._blocks import EPS, MOMENTUM, InputNorm, init_glorot_, input_layers

BANDS = 108 / 128  # share of the mel axis that a filter covers
FRAMES = 7


class Timbre(Architecture):
    """One layer of tall filters, each answering a patch by its largest response.

    Parameters
    ----------
    n_outputs : int
        Units of the last layer.
    n_mels : int
        Mel bands of a patch.
    n_frames : int
        Frames of a patch, at least 7.
    n_filters : int, default=None
        Filters, with a linear layer after them. None is as many as `n_outputs`, with nothing after them: a
        filter each class.
    input_norm : {"band", "all", "frame"}, default="band"
        What the input is standardised by: every mel band, the whole patch as published, or every frame of it.
    learn_compression : bool, default=False
        Take power spectrograms, and learn their logarithmic compression.

    Raises
    ------
    ValueError
        If a patch is too short, or with `learn_compression` holds a negative value.

    Notes
    -----
    The smallest network of [1]_, after [2]_. A filter spans 7 frames and 108 of 128 bands, or that share of
    another number, rounded. With 10 outputs and patches of 128 x 128 there are 7,570 parameters, with 32
    filters 24,554.

    While the network trains, the gradient goes through the window of the largest response alone, computed
    again. Where two responses are equal it takes the first.

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
        # No scale and offset: see SBCNN.
        norm = InputNorm(input_norm, n_mels, n_frames, affine=False, eps=EPS, momentum=MOMENTUM)
        layers = input_layers(norm, learn_compression=learn_compression)
        kernel = (round(BANDS * n_mels), FRAMES)
        layers["filters"] = LargestResponse(1, n_outputs if n_filters is None else n_filters, kernel)
        self.trunk = nn.Sequential(layers)
        self.output = nn.Identity() if n_filters is None else nn.Linear(n_filters, n_outputs)
        init_glorot_(self)


class LargestResponse(nn.Conv2d):
    """Convolution without padding of a single channel, of which each filter's largest value is kept.

    Its gradient is zero but for one window a filter, which the backward pass of a convolution goes through
    all the same. In training the convolution therefore only finds those windows, without a gradient.
    """

    bias: nn.Parameter

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give (batch, n_filters) for patches of shape (batch, 1, n_mels, n_frames)."""
        if not self.training:
            return super().forward(x).amax(dim=(2, 3))
        with torch.no_grad():
            windows = self._largest_windows(x)
        values = x.flatten(1).gather(1, windows.flatten(1)).view(windows.shape)
        return torch.einsum("bfk,fk->bf", values, self.weight.flatten(1)) + self.bias

    def _largest_windows(self, x: torch.Tensor) -> torch.Tensor:
        """Give the places in a flattened patch of each filter's window, (batch, n_filters, window size)."""
        responses = super().forward(x)
        n_frames, n_positions = x.shape[3], responses.shape[3]
        peak = responses.flatten(2).argmax(dim=2, keepdim=True)
        corner = peak // n_positions * n_frames + peak % n_positions
        rows, columns = (torch.arange(size, device=x.device) for size in self.weight.shape[2:])
        return corner + (rows[:, None] * n_frames + columns).flatten()
