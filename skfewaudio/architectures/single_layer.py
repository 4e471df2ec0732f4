"""The single layer of tall filters of *Randomly weighted CNNs for (music) audio classification*."""

from ._feature_maps import FeatureMapNetwork, FeatureMaps
from ._map_layers import ConvLayer

FRAMES = 7


class SingleLayer(FeatureMapNetwork):
    """One layer of filters that cover 7 frames and all bands, or most of them.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int
        Number of mel bands in a patch.
    n_frames : int
        Number of frames in a patch, at least 7.
    n_filters : int, default=160
        Number of filters.
    bands : float, default=0.9
        Fraction of the bands that a filter covers, above 0 and at most 1, rounded down to whole bands. Its
        responses are max-pooled over the positions along the bands. With 1 there is a single position.
    input_norm : {"band", "all", "frame"} or None, default=None
        Standardise each mel band, the whole patch or each frame of the input. None disables standardisation,
        as published for random weights.

    Raises
    ------
    ValueError
        If a patch is too short.

    Notes
    -----
    With 96 bands these are the filters of [1]_: 7 x 96 for `bands` of 1 and 7 x 86 for `bands` of 0.9. The
    paper uses 160 or 3,585 filters. The embedding is the mean of each filter's map. With 10 outputs, 160
    filters and patches of 96 bands there are 98,090 parameters.

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
