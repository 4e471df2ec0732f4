"""Frame-level networks for waveforms of *Randomly weighted CNNs for (music) audio classification*."""

from ._feature_maps import FeatureMapNetwork, FeatureMaps
from ._map_layers import ConvLayer, FrameMax

STRIDE = 32
LENGTH = 512
LENGTHS = (512, 256, 128, 64, 32)
BACK_END_FRAMES = 7
BACK_END_SHORTEST = BACK_END_FRAMES + 1  # leaves the two frames that are pooled into one


def add_back_end(maps: FeatureMaps, n_channels: int, n_filters: int, *sources: str) -> None:
    """Add three layers of 7-frame filters, two of them residual, with pooling by 2 before the last."""
    kernel = (1, BACK_END_FRAMES)
    maps.add("back1", ConvLayer(n_channels, n_filters, kernel), *sources)
    maps.add("back2", ConvLayer(n_filters, n_filters, kernel, same="frames", residual=True), "back1")
    maps.add("back_pool", FrameMax(2), "back2")
    maps.add("back3", ConvLayer(n_filters, n_filters, kernel, same="frames", residual=True), "back_pool")


class FrameLevel(FeatureMapNetwork):
    """One layer of filters with the length of an audio frame, and a back-end of three layers.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int
        Must be 1, since a waveform has one band.
    n_frames : int
        Number of samples in a patch, at least 736.
    n_filters : int, default=40
        Number of filters of each layer.
    input_norm : {"band", "all"} or None, default=None
        Standardise the input. Both choices are equivalent for a single band. None disables standardisation.

    Raises
    ------
    ValueError
        If a patch is too short or has more than one band.

    Notes
    -----
    The front-end of [1]_ as used in [2]_: filters of 512 samples with a stride of 32. The published numbers
    of filters are 40 and 896, which give 160 and 3,584 features. With 10 outputs and 40 filters there are
    55,850 parameters.

    The code published with [2]_ omits an axis and averages over filters as well as over time, which leaves
    all but three features of the back-end empty. This class implements the intended network.

    References
    ----------
    .. [1] S. Dieleman, B. Schrauwen, "End-to-end learning for music audio", ICASSP 2014.
    .. [2] J. Pons, X. Serra, "Randomly weighted CNNs for (music) audio classification", ICASSP 2019.
       arXiv:1805.00237.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import FrameLevel
    >>> FrameLevel(10, n_mels=1, n_frames=12000).embed(torch.zeros(2, 1, 1, 12000)).shape
    torch.Size([2, 160])
    """

    signal = "waveform"
    patch_frames = 59049
    min_frames = LENGTH + (BACK_END_SHORTEST - 1) * STRIDE

    def __init__(
        self,
        n_outputs: int,
        n_mels: int,
        n_frames: int,
        *,
        n_filters: int = 40,
        input_norm: str | None = None,
    ) -> None:
        maps = FeatureMaps()
        maps.add("frame", ConvLayer(1, n_filters, (1, LENGTH), stride=STRIDE))
        add_back_end(maps, n_filters, n_filters, "frame")
        super().__init__(n_outputs, n_mels, n_frames, maps, input_norm=input_norm)


class FrameLevelManyShapes(FeatureMapNetwork):
    """Parallel filters of five lengths, and a back-end of three layers.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int
        Must be 1, since a waveform has one band.
    n_frames : int
        Number of samples in a patch, at least 225.
    n_filters : int, default=20
        Number of filters of each length and of each layer of the back-end.
    input_norm : {"band", "all"} or None, default=None
        Standardise the input. Both choices are equivalent for a single band. None disables standardisation.

    Raises
    ------
    ValueError
        If a patch is too short or has more than one band.

    Notes
    -----
    The front-end of [1]_ as used in [2]_: filters of 512, 256, 128, 64 and 32 samples with a stride of 32.
    The published numbers of filters are 20 and 448, which give 160 and 3,584 features. With 10 outputs and 20
    filters there are 41,210 parameters. For the features of the back-end in the published code, see
    :class:`FrameLevel`.

    References
    ----------
    .. [1] Z. Zhu, J. H. Engel, A. Hannun, "Learning multiscale features directly from waveforms",
       Interspeech 2016. arXiv:1603.09509.
    .. [2] J. Pons, X. Serra, "Randomly weighted CNNs for (music) audio classification", ICASSP 2019.
       arXiv:1805.00237.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import FrameLevelManyShapes
    >>> FrameLevelManyShapes(10, n_mels=1, n_frames=12000).embed(torch.zeros(2, 1, 1, 12000)).shape
    torch.Size([2, 160])
    """

    signal = "waveform"
    patch_frames = 59049
    min_frames = (BACK_END_SHORTEST - 1) * STRIDE + 1

    def __init__(
        self,
        n_outputs: int,
        n_mels: int,
        n_frames: int,
        *,
        n_filters: int = 20,
        input_norm: str | None = None,
    ) -> None:
        maps = FeatureMaps()
        for length in LENGTHS:
            maps.add(f"frame{length}", ConvLayer(1, n_filters, (1, length), stride=STRIDE, same="frames"))
        front = [f"frame{length}" for length in LENGTHS]
        add_back_end(maps, len(LENGTHS) * n_filters, n_filters, *front)
        super().__init__(n_outputs, n_mels, n_frames, maps, input_norm=input_norm)
