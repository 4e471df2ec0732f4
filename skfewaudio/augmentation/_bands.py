"""Augmentations along the mel axis: pitch and spectral colour."""

from numbers import Integral, Real
from typing import Any

import torch
from sklearn.utils._param_validation import Interval
from torch.nn.functional import interpolate

from ._base import Augmentation
from ._per_clip import gather_bands, positions


class FrequencyShift(Augmentation):
    """Shift each spectrogram up or down by a whole number of mel bands, a small change of pitch.

    Parameters
    ----------
    max_bands : int, default=4
        Largest shift in either direction, in mel bands. All whole numbers up to it are equally likely. The
        bands that enter at the edge repeat the outermost band.

    See Also
    --------
    TimeStretch : Changes the tempo.

    Notes
    -----
    A shift along the mel axis changes the pitch only where the mel scale is logarithmic, which is above 1 kHz
    in Slaney's formula. Below, all partials move by the same number of Hz. For a few bands the result is
    close to the pitch shifts of [1]_, which helped most among the augmentations tested there. The spectrogram
    may have any compression.

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
        """Shift each spectrogram; see :meth:`Augmentation.apply`."""
        n_clips, n_mels, _ = spectrograms.shape
        limits = (-self.max_bands, self.max_bands + 1)
        shifts = torch.randint(*limits, (n_clips, 1), generator=generator, device=generator.device)
        index = (positions(n_mels, generator) - shifts).clamp(0, n_mels - 1)
        return gather_bands(spectrograms, index), targets


class RandomEqualizer(Augmentation):
    """Add a smooth random curve over the mel bands, which imitates another microphone or room.

    Each spectrogram gets its own curve. The curve interpolates linearly between equally spaced points on the
    mel axis, whose heights are normally distributed. The mean of the heights is a change of gain.

    Parameters
    ----------
    deviation : float, default=4.0
        Standard deviation of a point's height, in the unit of the spectrogram. The default assumes decibels,
        the default output of :class:`~skfewaudio.features.LogMel`. With its ``compression="log10"``, use a
        tenth of the value in dB.
    n_points : int, default=5
        Number of points from the lowest band to the highest. 1 changes only the gain.

    Notes
    -----
    The random filters of [1]_ are bell-shaped and applied one at a time. Linear interpolation between random
    levels is the linear type of [2]_.

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
        """Add each spectrogram's curve; see :meth:`Augmentation.apply`."""
        n_clips, n_mels, _ = spectrograms.shape
        points = torch.empty(n_clips, 1, self.n_points, dtype=torch.float32, device=generator.device)
        points.normal_(generator=generator)
        curves = interpolate(self.deviation * points, size=n_mels, mode="linear", align_corners=True)
        return spectrograms + curves.transpose(1, 2), targets
