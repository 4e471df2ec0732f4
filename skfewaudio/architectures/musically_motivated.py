"""The timbral and temporal filters of *Randomly weighted CNNs for (music) audio classification*."""

from collections.abc import Sequence

from ._base import check_patch_size
from ._feature_maps import FeatureMapNetwork, FeatureMaps
from ._map_layers import BandMean, ConvLayer

# Of a timbral filter: share of the bands, frames, and how many times n_filters there are of it.
TIMBRAL = ((0.9, 7, 1), (0.9, 3, 2), (0.9, 1, 4), (0.4, 7, 1), (0.4, 3, 2), (0.4, 1, 4))
# Frames of the temporal filters. There are 1, 2, 4 and 8 times n_filters of them.
TEMPORAL = {"music": (165, 128, 64, 32), "events": (64, 32, 16, 8)}


class MusicallyMotivated(FeatureMapNetwork):
    """Filters shaped after what they are to find: timbre along the bands, rhythm along the frames.

    Timbral filters cover most or some of the bands and few frames, and answer with the largest response over
    their places along the bands. Temporal filters are long, and take the mean over the bands.

    Parameters
    ----------
    n_outputs : int
        Units of the last layer.
    n_mels : int
        Mel bands of a patch, at least 3.
    n_frames : int
        Frames of a patch.
    n_filters : int, default=4
        Filters of the rarest shape of either kind; `n_filters` of 4 gives 56 features of either.
    timbral, temporal : bool, default=True
        Which kinds there are.
    temporal_frames : {"events", "music"} or sequence of 4 int, default="events"
        Lengths of the temporal filters: 64, 32, 16 and 8 frames for sound events, 165, 128, 64 and 32 for
        music, or others.
    input_norm : {"band", "all", "frame"} or None, default=None
        What the input is standardised by. None takes it as it is, as published for random weights.

    Raises
    ------
    ValueError
        If there is neither kind, or not one length for each of the temporal filters, or if a patch has too
        few bands for timbral filters of two heights.

    Notes
    -----
    The front-end of [1]_ as [2]_ has it. The timbral filters cover 0.9 and 0.4 of the bands and 7, 3 and 1
    frames; there are 1, 2 and 4 times `n_filters` of them. Of the temporal ones, longest first, there are 1,
    2, 4 and 8 times as many, less a quarter of `n_filters` each, so that the two kinds are equal in number.
    With 10 outputs, 96 bands and 4 filters there are 10,578 parameters.

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
    """Give the lengths that a name stands for."""
    lengths = TEMPORAL.get(temporal_frames, ()) if isinstance(temporal_frames, str) else temporal_frames
    if len(lengths) != 4 or len(set(lengths)) != 4:
        raise ValueError(
            f"temporal_frames={temporal_frames!r}; expected {' or '.join(map(repr, TEMPORAL))}, or four "
            "different lengths"
        )
    return lengths
