"""SB-CNN of Salamon and Bello (arXiv:1608.04363)."""

from torch import nn

from ._base import Architecture, check_patch_size, flat_size
from ._blocks import EPS, MOMENTUM, InputNorm, init_glorot_, input_layers

N_FILTERS = (24, 48, 48)
KERNEL = 5
POOL = (2, 4)  # bands, frames
N_UNITS = 64
SMALLEST = (32, 100)  # bands, frames: smallest patch that leaves the third layer one position


class SBCNN(Architecture):
    """Three layers of 5 x 5 filters with ReLU, two of them max-pooled, and a dense layer.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int
        Number of mel bands in a patch, at least 32.
    n_frames : int
        Number of frames in a patch, at least 100.
    dropout : float, default=0.5
        Dropout probability before each dense layer.
    input_norm : {"band", "all", "frame"}, default="band"
        Standardise each mel band, the whole patch (as published) or each frame of the input.
    learn_compression : bool, default=False
        Whether the input is a power spectrogram, whose logarithmic compression is learned as in [2]_.

    Raises
    ------
    ValueError
        If a patch is too small, or contains a negative value although `learn_compression` is set.

    Notes
    -----
    The network of [1]_ with the normalised input of [2]_. With 10 outputs and patches of 128 x 128 it has
    241,434 parameters. The embedding has 64 dimensions.

    References
    ----------
    .. [1] J. Salamon, J. P. Bello, "Deep convolutional neural networks and data augmentation for
       environmental sound classification", IEEE Signal Processing Letters 24 (3), 2017. arXiv:1608.04363.
    .. [2] J. Pons, J. Serra, X. Serra, "Training neural audio classifiers with few data",
       ICASSP 2019. arXiv:1810.10274, section 2.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import SBCNN
    >>> SBCNN(10, n_mels=128, n_frames=128)(torch.zeros(2, 1, 128, 128)).shape
    torch.Size([2, 10])
    """

    patch_frames = 128

    def __init__(
        self,
        n_outputs: int,
        n_mels: int,
        n_frames: int,
        *,
        dropout: float = 0.5,
        input_norm: str = "band",
        learn_compression: bool = False,
    ) -> None:
        super().__init__(n_outputs, n_mels, n_frames)
        check_patch_size("SBCNN", (n_mels, n_frames), SMALLEST)
        # No scale and offset: the first layer, which has no padding, can learn them, and they would require a
        # gradient with respect to the whole input.
        norm = InputNorm(input_norm, n_mels, n_frames, affine=False, eps=EPS, momentum=MOMENTUM)
        layers = input_layers(norm, learn_compression=learn_compression)
        n_channels = 1
        for i, n_filters in enumerate(N_FILTERS, start=1):
            layers[f"conv{i}"] = nn.Conv2d(n_channels, n_filters, KERNEL)
            # ReLU commutes with the maximum, and after pooling has only an eighth of the values.
            if i < len(N_FILTERS):
                layers[f"pool{i}"] = nn.MaxPool2d(POOL)
            layers[f"relu{i}"] = nn.ReLU()
            n_channels = n_filters
        layers["flatten"] = nn.Flatten()
        n_features = flat_size(nn.Sequential(layers), 1, n_mels, n_frames)
        layers["dropout4"] = nn.Dropout(dropout)
        layers["dense4"] = nn.Linear(n_features, N_UNITS)
        layers["relu4"] = nn.ReLU()
        layers["dropout5"] = nn.Dropout(dropout)
        self.trunk = nn.Sequential(layers)
        self.output = nn.Linear(N_UNITS, n_outputs)
        init_glorot_(self)
