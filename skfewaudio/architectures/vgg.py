"""The VGG of *Training neural audio classifiers with few data* (arXiv:1810.10274)."""

from collections import OrderedDict

from torch import nn

from ._base import Architecture, flat_size
from ._blocks import InputNorm, init_glorot_

N_LAYERS = 5
# TensorFlow's defaults, which the published code leaves as they are; torch's momentum is one minus theirs.
EPS = 1e-3
MOMENTUM = 0.01


class VGG(Architecture):
    """Five layers of 3 x 3 filters, each with ELU, batch normalisation and 2 x 2 max pooling.

    Parameters
    ----------
    n_outputs : int
        Units of the last layer.
    n_mels : int
        Mel bands of a patch, at least 32.
    n_frames : int
        Frames of a patch, at least 32.
    n_filters : int, default=32
        Filters of every layer: 32 in the paper's classifier, 128 in its prototypical network.
    dropout : float, default=0.5
        Share of the flattened activations left out before the last layer.
    input_norm : {"all", "band", "frame"}, default="all"
        Statistics of the input's batch normalisation. In the published code the classifier has one mean and
        variance in all, the prototypical network one for each frame of the patch.
    momentum : float, default=0.01
        Weight of a new batch in the running averages of batch normalisation.

    Raises
    ------
    ValueError
        If a patch is too small for five poolings.

    Notes
    -----
    For a patch of 128 x 128 the last layer sees 16 ``n_filters`` values. With 10 outputs and the input
    normalised as a whole, 32 filters make 42,744 and 128 filters 613,656 parameters.

    References
    ----------
    .. [1] J. Pons, J. Serra, X. Serra, "Training neural audio classifiers with few data",
       ICASSP 2019. arXiv:1810.10274, section 2.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import VGG
    >>> VGG(10, n_mels=128, n_frames=128)(torch.zeros(2, 1, 128, 128)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        n_outputs: int,
        n_mels: int,
        n_frames: int,
        *,
        n_filters: int = 32,
        dropout: float = 0.5,
        input_norm: str = "all",
        momentum: float = MOMENTUM,
    ) -> None:
        super().__init__(n_outputs, n_mels, n_frames)
        smallest = 2**N_LAYERS
        if min(n_mels, n_frames) < smallest:
            raise ValueError(
                f"patches of {n_mels} bands x {n_frames} frames are too small for VGG, which halves both "
                f"{N_LAYERS} times; give it at least {smallest} x {smallest}"
            )
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            input_norm=InputNorm(input_norm, n_mels, n_frames, eps=EPS, momentum=momentum)
        )
        for i in range(N_LAYERS):
            layers[f"conv{i + 1}"] = nn.Conv2d(n_filters if i else 1, n_filters, 3, padding=1)
            layers[f"elu{i + 1}"] = nn.ELU()
            layers[f"norm{i + 1}"] = nn.BatchNorm2d(n_filters, eps=EPS, momentum=momentum)
            layers[f"pool{i + 1}"] = nn.MaxPool2d(2)
        layers["flatten"] = nn.Flatten()
        layers["dropout"] = nn.Dropout(dropout)
        self.trunk = nn.Sequential(layers)
        self.output = nn.Linear(flat_size(self.trunk, 1, n_mels, n_frames), n_outputs)
        init_glorot_(self)
