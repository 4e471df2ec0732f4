"""Building blocks shared by several architectures."""

import math
from collections import OrderedDict

import torch
from torch import nn

# Batch normalisation: TensorFlow's defaults, which the code published with arXiv:1810.10274 uses. Torch's
# momentum is one minus TensorFlow's.
EPS = 1e-3
MOMENTUM = 0.01
# Initial values of a learned compression from arXiv:1810.10274: gain exp(a), offset log(1 + exp(b)).
INITIAL_A = 7.0
INITIAL_B = 1.0
WITHIN_2 = math.erf(2**0.5)  # probability mass of a normal distribution within two standard deviations
TRUNCATED_STD = 0.8796256610342398  # standard deviation of a standard normal variable truncated to (-2, 2)


class InputNorm(nn.Module):
    """Batch normalisation of a spectrogram with one mean and variance per index along an axis.

    Parameters
    ----------
    axis : {"band", "frame", "all"}
        ``"band"`` normalises each mel band separately, ``"all"`` the whole patch at once. ``"frame"`` has
        statistics for the first, second, ... frame of a patch, as in the code published with
        arXiv:1810.10274.
    n_mels, n_frames : int
        Shape of a patch.
    affine : bool, default=True
        Whether to learn a scale and an offset as well.
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


class LearnedLog(nn.Module):
    """Logarithmic compression of a power spectrogram, ``log(alpha x + beta)``, with learned alpha and beta.

    The trainable parameters are a and b, so that ``alpha = exp(a)`` and ``beta = log(1 + exp(b))`` are always
    positive.

    Raises
    ------
    ValueError
        If an input value is negative, as in decibels.

    References
    ----------
    .. [1] J. Pons, J. Serra, X. Serra, "Training neural audio classifiers with few data",
       ICASSP 2019. arXiv:1810.10274, section 2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(INITIAL_A))
        self.b = nn.Parameter(torch.tensor(INITIAL_B))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compress non-negative values of any shape."""
        smallest = x.amin()
        if smallest < 0:  # otherwise the logarithm could be NaN, noticed only after training has failed
            raise ValueError(
                "a learned compression takes power spectrograms, with nothing below 0, and was given "
                f"{smallest.item():.3g}; make them by LogMel(compression=None) or set learn_compression=False"
            )
        return torch.log(self.a.exp() * x + nn.functional.softplus(self.b))


def input_layers(norm: InputNorm, *, learn_compression: bool) -> OrderedDict[str, nn.Module]:
    """Return the first layers of a network: a learned compression if requested, then normalisation."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if learn_compression:
        layers["compression"] = LearnedLog()
    layers["input_norm"] = norm
    return layers


def init_glorot_(module: nn.Module) -> None:
    """Initialise convolutions and linear layers with Glorot-uniform weights and zero biases.

    Parameters
    ----------
    module : torch.nn.Module
        All its convolutions and linear layers are modified in place.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def init_he_(module: nn.Module) -> None:
    """Initialise convolutions with truncated normal weights of variance 2 / fan-in and zero biases.

    Parameters
    ----------
    module : torch.nn.Module
        All its convolutions are modified in place.

    Notes
    -----
    This is the initialisation of He et al., "Delving deep into rectifiers", 2015, arXiv:1502.01852, with a
    normal distribution truncated at two standard deviations. The distribution is widened before truncation so
    that the variance after truncation is 2 / fan-in.
    """
    for layer in module.modules():
        # The meta device holds no values, and torch would import hundreds of modules to draw there.
        if isinstance(layer, nn.Conv2d) and not layer.weight.is_meta:
            fan_in = layer.weight[0].numel()
            std = (2 / fan_in) ** 0.5 / TRUNCATED_STD
            # By inversion: torch's trunc_normal_ needs several times the memory of the weights, and its draws
            # differ between releases.
            with torch.no_grad():
                layer.weight.uniform_(-WITHIN_2, WITHIN_2).erfinv_().mul_(std * 2**0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
