"""VGG of *Training neural audio classifiers with few data* (arXiv:1810.10274)."""

from torch import nn

from ._base import Architecture, check_patch_size, flat_size
from ._blocks import EPS, MOMENTUM, InputNorm, init_glorot_, input_layers

N_LAYERS = 5


class VGG(Architecture):
    """Five layers of 3 x 3 filters, each with ELU, batch normalisation and 2 x 2 max pooling.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int
        Number of mel bands in a patch, at least 32.
    n_frames : int
        Number of frames in a patch, at least 32.
    n_filters : int, default=32
        Number of filters of every layer: 32 in the paper's classifier, 128 in its prototypical network.
    dropout : float, default=0.5
        Dropout probability of the flattened activations before the output layer.
    input_norm : {"band", "all", "frame"}, default="band"
        Standardise each mel band, the whole patch or each frame of the input. The paper uses ``"all"`` in the
        classifier and ``"frame"`` in the prototypical network, both with a learned scale and offset.
        ``"band"`` has no scale and offset.
    momentum : float, default=0.01
        Weight of a new batch in the running averages of batch normalisation.
    pool_first : bool, default=True
        Whether to pool before ELU and batch normalisation, which reduces the computation time to between half
        and two thirds. False is the published order.
    learn_compression : bool, default=False
        Whether the input is a power spectrogram, whose logarithmic compression is learned.

    Raises
    ------
    ValueError
        If a patch is too small for five poolings, or contains a negative value although `learn_compression`
        is set.

    Notes
    -----
    For a patch of 128 x 128 the output layer has 16 ``n_filters`` inputs. With 10 outputs there are 42,762
    parameters for 32 filters and 613,386 for 128 filters, and two more if `input_norm` is ``"all"``.

    ELU is monotonic, so the order of ELU and max pooling makes no difference. With `pool_first`, batch
    normalisation uses the statistics of the pooled maps, and a negative scale does not turn the maximum into
    a minimum.

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

    patch_frames = 128

    def __init__(
        self,
        n_outputs: int,
        n_mels: int,
        n_frames: int,
        *,
        n_filters: int = 32,
        dropout: float = 0.5,
        input_norm: str = "band",
        momentum: float = MOMENTUM,
        pool_first: bool = True,
        learn_compression: bool = False,
    ) -> None:
        super().__init__(n_outputs, n_mels, n_frames)
        check_patch_size("VGG", (n_mels, n_frames), (2**N_LAYERS, 2**N_LAYERS))
        norm = InputNorm(
            input_norm, n_mels, n_frames, affine=input_norm != "band", eps=EPS, momentum=momentum
        )
        layers = input_layers(norm, learn_compression=learn_compression)
        for i in range(1, N_LAYERS + 1):
            layers[f"conv{i}"] = nn.Conv2d(1 if i == 1 else n_filters, n_filters, 3, padding=1)
            if pool_first:
                layers[f"pool{i}"] = nn.MaxPool2d(2)
            layers[f"elu{i}"] = nn.ELU()
            layers[f"norm{i}"] = nn.BatchNorm2d(n_filters, eps=EPS, momentum=momentum)
            if not pool_first:
                layers[f"pool{i}"] = nn.MaxPool2d(2)
        layers["flatten"] = nn.Flatten()
        layers["dropout"] = nn.Dropout(dropout)
        self.trunk = nn.Sequential(layers)
        self.output = nn.Linear(flat_size(self.trunk, 1, n_mels, n_frames), n_outputs)
        init_glorot_(self)
