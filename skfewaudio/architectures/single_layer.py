"""The single layer of tall filters of *Randomly weighted CNNs for (music) audio classification*."""

from ._feature_maps import FeatureMapNetwork, FeatureMaps
from ._map_layers import ConvLayer

FRAMES = 7


class SingleLayer(FeatureMapNetwork):
    """One layer of filters of 7 frames and all bands, or most of them.

    Parameters
    ----------
    n_outputs : int
        Units of the last layer.
    n_mels : int
        Mel bands of a patch.
    n_frames : int
        Frames of a patch, at least 7.
    n_filters : int, default=160
        Filters.
    bands : float, default=0.9
        Share of the bands that a filter covers, rounded down to whole ones; a filter answers with the largest
        response over its places along the bands. With 1 it has a single place.
    input_norm : {"band", "all", "frame"} or None, default=None
        What the input is standardised by. None takes it as it is, as published for random weights.

    Raises
    ------
    ValueError
        If a patch is too short.

    Notes
    -----
    The filters of 7 x 96 and, for `bands` of 0.9, of 7 x 86 of [1]_, which has 160 or 3,585 of them. The
    embedding is the mean of each filter's map. With 10 outputs, 160 filters and patches of 96 bands there
    are 98,090 parameters.

    References
    ----------
    .. [1] J. Pons, X. Serra, "Randomly weighted CNNs for (music) audio classification", ICASSP 2019.
       arXiv:1805.00237.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import SingleLayer
    >>> SingleLayer(10, n_mels=96, n_frames=128).embed(torch.zeros(2, 1, 96, 128)).shape
    torch.Size([2, 160])
    """

    min_frames = FRAMES

    def __init__(
        self,
        n_outputs: int,
        n_mels: int,
        n_frames: int,
        *,
        n_filters: int = 160,
        bands: float = 0.9,
        input_norm: str | None = None,
    ) -> None:
        if not 0 < bands <= 1:
            raise ValueError(f"bands={bands}; expected a share of the bands, above 0 and at most 1")
        height = max(1, int(bands * n_mels))
        maps = FeatureMaps()
        pool = (n_mels - height + 1, 1)
        maps.add(f"{FRAMES}x{height}", ConvLayer(1, n_filters, (height, FRAMES), pool=pool))
        super().__init__(n_outputs, n_mels, n_frames, maps, input_norm=input_norm)
