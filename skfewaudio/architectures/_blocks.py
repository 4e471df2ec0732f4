"""Pieces that several architectures are made of."""

import math
from collections import OrderedDict

import torch
from torch import nn

# Of batch normalisation: TensorFlow's defaults, which the code published with arXiv:1810.10274 leaves as they
# are; torch's momentum is one minus theirs.
EPS = 1e-3
MOMENTUM = 0.01
# exp(A) is the gain and log(1 + exp(B)) the offset that a learnt compression starts from: arXiv:1810.10274.
A = 7.0
B = 1.0
WITHIN_2 = math.erf(2**0.5)  # share of a normal distribution within two standard deviations
TRUNCATED_STD = 0.8796256610342398  # of a standard normal variable that is kept within (-2, 2)


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


class LearntLog(nn.Module):
    """Logarithm of a power spectrogram, ``log(alpha x + beta)`` with alpha and beta learnt.

    ``alpha = exp(a)`` and ``beta = log(1 + exp(b))`` stay positive; a and b are the parameters.

    Raises
    ------
    ValueError
        If a value is negative, as in decibels.

    References
    ----------
    .. [1] J. Pons, J. Serra, X. Serra, "Training neural audio classifiers with few data",
       ICASSP 2019. arXiv:1810.10274, section 2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(A))
        self.b = nn.Parameter(torch.tensor(B))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compress values of any shape, none below 0."""
        smallest = x.amin()
        if smallest < 0:  # else the logarithm may be NaN, which shows only when training has failed
            raise ValueError(
                "a learnt compression takes power spectrograms, with nothing below 0, and was given "
                f"{smallest.item():.3g}; make them by LogMel(compression=None) or set learn_compression=False"
            )
        return torch.log(self.a.exp() * x + nn.functional.softplus(self.b))


def input_layers(norm: InputNorm, *, learn_compression: bool) -> OrderedDict[str, nn.Module]:
    """Start a network: a learnt compression if asked for, then normalisation."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if learn_compression:
        layers["compression"] = LearntLog()
    layers["input_norm"] = norm
    return layers


def init_glorot_(module: nn.Module) -> None:
    """Give the kernels of convolutions and linear layers Glorot-uniform values, their biases zeros.

    Parameters
    ----------
    module : torch.nn.Module
        Changed in place, with all the layers in it.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def init_he_(module: nn.Module) -> None:
    """Give the kernels of convolutions truncated normal values of variance 2 / fan-in, their biases zeros.

    Parameters
    ----------
    module : torch.nn.Module
        Changed in place, with all the layers in it.

    Notes
    -----
    Values lie within two standard deviations of the normal distribution before it is cut, which is made wider
    by what the cut takes away: He et al., "Delving deep into rectifiers", 2015, arXiv:1502.01852.
    """
    for layer in module.modules():
        # On the meta device there is nothing to draw, and torch would load hundreds of modules for it.
        if isinstance(layer, nn.Conv2d) and not layer.weight.is_meta:
            fan_in = layer.weight[0].numel()
            std = (2 / fan_in) ** 0.5 / TRUNCATED_STD
            # Through the inverse of the distribution: torch's own takes several times the weights' memory,
            # and draws others from release to release.
            with torch.no_grad():
                layer.weight.uniform_(-WITHIN_2, WITHIN_2).erfinv_().mul_(std * 2**0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
