"""The timbral and temporal filters of *Randomly weighted CNNs for (music) audio classification*."""

from collections.abc import Sequence

from ._base import check_patch_size
from ._feature_maps import FeatureMapNetwork, FeatureMaps
from ._map_layers import BandMean, ConvLayer

# Timbral filters: fraction of the bands, frames, and number of filters as a multiple of n_filters.
TIMBRAL = ((0.9, 7, 1), (0.9, 3, 2), (0.9, 1, 4), (0.4, 7, 1), (0.4, 3, 2), (0.4, 1, 4))
# Frames of the temporal filters, whose numbers are about 1, 2, 4 and 8 times n_filters.
TEMPORAL = {"music": (165, 128, 64, 32), "events": (64, 32, 16, 8)}


class MusicallyMotivated(FeatureMapNetwork):
    """Filters with musically motivated shapes: timbral along the bands, temporal along the frames.

    Timbral filters cover many bands and few frames, and their responses are max-pooled over the positions
    along the bands. Temporal filters cover many frames, and are applied to the mean over the bands.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int
        Number of mel bands in a patch, at least 3.
    n_frames : int
        Number of frames in a patch.
    n_filters : int, default=4
        Base number of filters, see Notes. 4 gives 56 timbral and 56 temporal features.
    timbral, temporal : bool, default=True
        Whether to use timbral filters, and whether to use temporal filters.
    temporal_frames : {"events", "music"} or sequence of 4 int, default="events"
        Lengths of the temporal filters in frames: 64, 32, 16 and 8 for sound events, 165, 128, 64 and 32 for
        music, or four other lengths.
    input_norm : {"band", "all", "frame"} or None, default=None
        Standardise each mel band, the whole patch or each frame of the input. None disables standardisation,
        as published for random weights.

    Raises
    ------
    ValueError
        If neither kind of filter is used, if `temporal_frames` is not a known name or four different lengths,
        or if a patch has too few bands for timbral filters of two heights.

    Notes
    -----
    The front-end of [1]_ as used in [2]_. Timbral filters cover 0.9 and 0.4 of the bands and 7, 3 and 1
    frames, with 1, 2 and 4 times `n_filters` filters respectively. Temporal filters, from the longest to the
    shortest, number 1, 2, 4 and 8 times `n_filters`, each reduced by a quarter of `n_filters`, so that there
    are as many temporal as timbral filters. With 10 outputs, 96 bands and 4 filters there are 10,578
    parameters.

    References
    ----------
    .. [1] J. Pons, O. Nieto, M. Prockup, E. Schmidt, A. Ehmann, X. Serra, "End-to-end learning for music
       audio tagging at scale", ISMIR 2018. arXiv:1711.02520.
    .. [2] J. Pons, X. Serra, "Randomly weighted CNNs for (music) audio classification", ICASSP 2019.
       arXiv:1805.00237.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.architectures import MusicallyMotivated
    >>> MusicallyMotivated(10, n_mels=96, n_frames=128).embed(torch.zeros(2, 1, 96, 128)).shape
    torch.Size([2, 112])
    """

    min_mels = 3

    def __init__(
        self,
        n_outputs: int,
        n_mels: int,
        n_frames: int,
        *,
        n_filters: int = 4,
        timbral: bool = True,
        temporal: bool = True,
        temporal_frames: str | Sequence[int] = "events",
        input_norm: str | None = None,
    ) -> None:
        check_patch_size(type(self).__name__, (n_mels, n_frames), (self.min_mels, self.min_frames))
        maps = FeatureMaps()
        if timbral:
            add_timbral(maps, n_filters, n_mels)
        if temporal:
            add_temporal(maps, n_filters, _check_lengths(temporal_frames))
        if not maps.n_filters:
            raise ValueError("timbral=False with temporal=False leaves no filters; set one of them")
        super().__init__(n_outputs, n_mels, n_frames, maps, input_norm=input_norm)


def add_timbral(maps: FeatureMaps, n_filters: int, n_mels: int) -> None:
    """Add the layers of timbral filters."""
    for share, n_frames, times in TIMBRAL:
        height = max(1, int(share * n_mels))
        pool = (n_mels - height + 1, 1)
        layer = ConvLayer(1, times * n_filters, (height, n_frames), same="frames", pool=pool)
        maps.add(f"{n_frames}x{height}", layer)


def add_temporal(maps: FeatureMaps, n_filters: int, lengths: Sequence[int]) -> None:
    """Add the mean over the bands and the layers of temporal filters."""
    maps.add("envelope", BandMean())
    for length, times in zip(lengths, (1, 2, 4, 8), strict=True):
        layer = ConvLayer(1, times * n_filters - n_filters // 4, (1, length), same="frames")
        maps.add(f"{length}x1", layer, "envelope")


def _check_lengths(temporal_frames: str | Sequence[int]) -> Sequence[int]:
    """Return the four filter lengths, which may be given by name."""
    lengths = TEMPORAL.get(temporal_frames, ()) if isinstance(temporal_frames, str) else temporal_frames
    if len(lengths) != 4 or len(set(lengths)) != 4:
        raise ValueError(
            f"temporal_frames={temporal_frames!r}; expected {' or '.join(map(repr, TEMPORAL))}, or four "
            "different lengths"
        )
    return lengths
