"""The small rectangular filters of *Randomly weighted CNNs for (music) audio classification*."""

from ._feature_maps import FeatureMapNetwork, FeatureMaps
from ._map_layers import ConvLayer

KERNEL = (3, 3)
POOLS = ((2, 4), (3, 4), (2, 5), (2, 4), (4, 4))  # bands, frames; together they reduce 96 x 1280 to 1


class SmallFilters(FeatureMapNetwork):
    """Five layers of 3 x 3 filters with ELU, each pooled over bands and frames.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int
        Number of mel bands in a patch, at least 96.
    n_frames : int
        Number of frames in a patch, at least 1,280.
    n_filters : int, default=32
        Number of filters of each layer.
    input_norm : {"band", "all", "frame"} or None, default=None
        Standardise each mel band, the whole patch or each frame of the input. None disables standardisation,
        as published for random weights.

    Raises
    ------
    ValueError
        If a patch is too small.

    Notes
    -----
    The network of [1]_ as used in [2]_ with 32, 90 or 717 filters, which give 160, 450 or 3,585 features: the
    mean of each map of each layer. With 10 outputs and 32 filters there are 38,922 parameters. 1,280 frames
    are 27 s at 12 kHz.

    References
    ----------
    .. [1] K. Choi, G. Fazekas, M. Sandler, "Automatic tagging using deep convolutional neural networks",
       ISMIR 2016. arXiv:1606.00298.
    .. [2] J. Pons, X. Serra, "Randomly weighted CNNs for (music) audio classification", ICASSP 2019.
       arXiv:1805.00237.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import SmallFilters
    >>> SmallFilters(10, n_mels=96, n_frames=1280).embed(torch.zeros(1, 1, 96, 1280)).shape
    torch.Size([1, 160])
    """

    patch_frames = 1280
    min_frames = 1280
    min_mels = 96

    def __init__(
        self,
        n_outputs: int,
        n_mels: int,
        n_frames: int,
        *,
        n_filters: int = 32,
        input_norm: str | None = None,
    ) -> None:
        maps = FeatureMaps()
        n_channels = 1
        sources: tuple[str, ...] = ()
        for number, pool in enumerate(POOLS, start=1):
            layer = ConvLayer(n_channels, n_filters, KERNEL, same="both", pool=pool, activation="elu")
            maps.add(f"conv{number}", layer, *sources)
            n_channels, sources = n_filters, (f"conv{number}",)
        super().__init__(n_outputs, n_mels, n_frames, maps, input_norm=input_norm)
