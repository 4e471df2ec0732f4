"""Changes along the mel axis: of pitch and of colour."""

from numbers import Integral, Real
from typing import Any

import torch
from sklearn.utils._param_validation import Interval
from torch.nn.functional import interpolate

from ._base import Augmentation
from ._per_clip import positions, take_bands


class FrequencyShift(Augmentation):
    """Move each spectrogram up or down by a whole number of mel bands: a small change of pitch.

    Parameters
    ----------
    max_bands : int, default=4
        Largest shift, in mel bands, either way; all whole numbers up to it are equally likely. The bands that
        come in at the edge repeat the outermost one.

    See Also
    --------
    TimeStretch : Changes the tempo.

    Notes
    -----
    A shift along a mel axis is one of pitch only where the mel scale is logarithmic, in Slaney's form from
    1 kHz upwards; below, all partials move by the same number of Hz. For a few bands that comes close to the
    shifts of pitch in [1]_, which helped most of all changes. Any compression of levels will do.

    References
    ----------
    .. [1] J. Schlüter, T. Grill, "Exploring data augmentation for improved singing voice detection with
       neural networks", ISMIR 2015.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.augmentation import FrequencyShift
    >>> spectrograms = torch.arange(5.0)[:, None].expand(2, 5, 1)
    >>> shifted, _ = FrequencyShift(2)(spectrograms, torch.eye(2), torch.Generator().manual_seed(5))
    >>> shifted[:, :, 0]
    tensor([[1., 2., 3., 4., 4.],
            [0., 0., 0., 1., 2.]])
    """

    _parameter_constraints: dict[str, list[Any]] = {"max_bands": [Interval(Integral, 0, None, closed="left")]}

    def __init__(self, max_bands: int = 4) -> None:
        self.max_bands = max_bands

    def apply(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Move each spectrogram; as :meth:`Augmentation.apply`."""
        n_clips, n_mels, _ = spectrograms.shape
        limits = (-self.max_bands, self.max_bands + 1)
        shifts = torch.randint(*limits, (n_clips, 1), generator=generator, device=generator.device)
        index = (positions(n_mels, generator) - shifts).clamp(0, n_mels - 1)
        return take_bands(spectrograms, index), targets


class RandomEqualizer(Augmentation):
    """Add a smooth random curve over the mel bands: the colouring of another microphone or room.

    The curve is drawn anew for each spectrogram. It goes in straight lines through points at equal distances
    on the mel axis, whose heights are normally distributed. Their mean is a change of gain.

    Parameters
    ----------
    deviation : float, default=4.0
        Standard deviation of a point's height, in dB. Levels are taken to be decibels, as
        :class:`~skfewaudio.features.LogMel` gives them by default; with its ``compression="log10"`` a tenth
        of the decibels is right.
    n_points : int, default=5
        Points from the lowest band to the highest; 1 changes the gain alone.

    Notes
    -----
    The random filters of [1]_ are bell-shaped, one at a time; straight lines between random levels are the
    linear type of [2]_.

    References
    ----------
    .. [1] J. Schlüter, T. Grill, "Exploring data augmentation for improved singing voice detection with
       neural networks", ISMIR 2015.
    .. [2] H. Nam, S.-H. Kim, Y.-H. Park, "FilterAugment: an acoustic environmental data augmentation method",
       ICASSP 2022. arXiv:2110.03282.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.augmentation import RandomEqualizer
    >>> equalizer, generator = RandomEqualizer(6.0, n_points=2), torch.Generator().manual_seed(0)
    >>> coloured, _ = equalizer(torch.zeros(1, 5, 3), torch.eye(1), generator)
    >>> coloured[0, :, 0].round().tolist()
    [9.0, 6.0, 4.0, 1.0, -2.0]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "deviation": [Interval(Real, 0, None, closed="left")],
        "n_points": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, deviation: float = 4.0, *, n_points: int = 5) -> None:
        self.deviation = deviation
        self.n_points = n_points

    def apply(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add each spectrogram's curve; as :meth:`Augmentation.apply`."""
        n_clips, n_mels, _ = spectrograms.shape
        points = torch.randn(n_clips, 1, self.n_points, generator=generator, device=generator.device)
        curves = interpolate(self.deviation * points, size=n_mels, mode="linear", align_corners=True)
        return spectrograms + curves.transpose(1, 2), targets
