"""VGGish, the network of *CNN architectures for large-scale audio classification* (arXiv:1609.09430)."""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import nn

from ._base import Architecture
from ._blocks import init_glorot_

N_MELS = 64
N_FRAMES = 96
BLOCKS = ((64,), (128,), (256, 256), (512, 512))  # filters of each 3 x 3 layer; pooling ends a block
DENSE = (12288, 4096, 4096, 128)  # 4 bands x 6 frames x 512 filters, then the units of each layer


class VGGish(Architecture):
    """VGGish: six layers of 3 x 3 filters in four pooled blocks, and three dense layers, with ReLU.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int, default=64
        Number of mel bands in a patch, must be 64.
    n_frames : int, default=96
        Number of frames in a patch, must be 96.

    Raises
    ------
    ValueError
        If patches have another shape.

    Notes
    -----
    The embedding has 128 dimensions. There are 72,141,184 parameters before the output layer, and 72,142,474
    with 10 outputs. Weights are initialised with He-uniform values (variance 2 / fan-in), the output layer
    with Glorot-uniform values, and biases with zeros.

    The state dict has the names of the published PyTorch weights with the prefix ``"trunk."``, so that
    :func:`load_backbone` accepts the published weights directly.

    References
    ----------
    .. [1] S. Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017.
       arXiv:1609.09430.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import VGGish
    >>> VGGish(10).embed(torch.zeros(2, 1, 64, 96)).shape
    torch.Size([2, 128])
    """

    patch_frames = N_FRAMES
    trunk: nn.Sequential

    def __init__(self, n_outputs: int, n_mels: int = N_MELS, n_frames: int = N_FRAMES) -> None:
        super().__init__(n_outputs, n_mels, n_frames)
        if (n_mels, n_frames) != (N_MELS, N_FRAMES):
            raise ValueError(
                f"VGGish takes patches of {N_MELS} bands x {N_FRAMES} frames, not of {n_mels} x {n_frames}; "
                f'make them by LogMel.from_preset("vggish") and patch_frames={N_FRAMES}'
            )
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            time_first=TimeFirst(),
            features=convolutions(),
            flatten=FlattenPlaces(),
            embeddings=dense_layers(),
            relu=nn.ReLU(),
        )
        self.trunk = nn.Sequential(layers)
        self.output = nn.Linear(DENSE[-1], n_outputs)
        init_glorot_(self.output)

    def embed_linear(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the embedding before its ReLU.

        Parameters
        ----------
        x : tensor of shape (batch, 1, 64, 96)
            Patches.

        Returns
        -------
        tensor of shape (batch, 128)
        """
        return self.trunk[:-1](x)


class TimeFirst(nn.Module):
    """Transposition of (batch, 1, n_mels, n_frames) to (batch, 1, n_frames, n_mels), as in TensorFlow."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Swap the last two axes."""
        return x.transpose(2, 3)


class FlattenPlaces(nn.Module):
    """Flattening in the order time, band, filter, as in TensorFlow."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Flatten (batch, n_filters, n_frames, n_mels) to (batch, n_features)."""
        return x.permute(0, 2, 3, 1).flatten(1)


def convolutions() -> nn.Sequential:
    """Build the blocks of 3 x 3 layers, with modules numbered as in the published weights."""
    layers: list[nn.Module] = []
    n_channels = 1
    for block in BLOCKS:
        for n_filters in block:
            conv = nn.Conv2d(n_channels, n_filters, 3, padding=1)
            init_he_uniform_(conv)
            layers += [conv, nn.ReLU()]
            n_channels = n_filters
        layers.insert(-1, nn.MaxPool2d(2))  # before the ReLU: equal values at a quarter of the cost
    return nn.Sequential(*layers)


def dense_layers() -> nn.Sequential:
    """Build the dense layers, without the ReLU of the last one."""
    layers: list[nn.Module] = []
    for n_inputs, n_units in pairwise(DENSE):
        # Drawing 67 million weights takes most of the time; skipping torch's own initialisation halves it.
        linear = nn.utils.skip_init(nn.Linear, n_inputs, n_units, device=torch.empty(0).device)
        init_he_uniform_(linear)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def init_he_uniform_(layer: nn.Conv2d | nn.Linear) -> None:
    """Initialise a layer with He-uniform weights and zero biases."""
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
