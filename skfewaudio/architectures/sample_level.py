"""The sample-level network for waveforms (arXiv:1703.01789)."""

from ._feature_maps import FeatureMapNetwork, FeatureMaps
from ._map_layers import ConvLayer

KERNEL = (1, 3)
N_LAYERS = 7


class SampleLevel(FeatureMapNetwork):
    """Seven layers of filters of 3 samples, each of which reduces the length to a third.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int
        Must be 1, since a waveform has one band.
    n_frames : int
        Number of samples in a patch, at least 2,187.
    n_filters : int, default=23
        Number of filters of each layer.
    input_norm : {"band", "all"} or None, default=None
        Standardise the input. Both choices are equivalent for a single band. None disables standardisation.

    Raises
    ------
    ValueError
        If a patch is too short or has more than one band.

    Notes
    -----
    The front-end of [1]_ as used in [2]_: the first layer has a stride of 3 samples, and each of the other
    layers is followed by max pooling by 3. The published numbers of filters are 23 and 512, which give 161
    and 3,584 features. With 10 outputs and 23 filters there are 11,372 parameters.

    References
    ----------
    .. [1] J. Lee, J. Park, K. L. Kim, J. Nam, "Sample-level deep convolutional neural networks for music
       auto-tagging using raw waveforms", SMC 2017. arXiv:1703.01789.
    .. [2] J. Pons, X. Serra, "Randomly weighted CNNs for (music) audio classification", ICASSP 2019.
       arXiv:1805.00237.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import SampleLevel
    >>> SampleLevel(10, n_mels=1, n_frames=12000).embed(torch.zeros(2, 1, 1, 12000)).shape
    torch.Size([2, 161])
    """

    signal = "waveform"
    patch_frames = 59049
    min_frames = 3**N_LAYERS

    def __init__(
        self,
        n_outputs: int,
        n_mels: int,
        n_frames: int,
        *,
        n_filters: int = 23,
        input_norm: str | None = None,
    ) -> None:
        maps = FeatureMaps()
        maps.add("conv0", ConvLayer(1, n_filters, KERNEL, stride=3))
        for number in range(1, N_LAYERS):
            layer = ConvLayer(n_filters, n_filters, KERNEL, same="frames", pool=(1, 3))
            maps.add(f"conv{number}", layer, f"conv{number - 1}")
        super().__init__(n_outputs, n_mels, n_frames, maps, input_norm=input_norm)
