"""Noise behind what is heard."""

from numbers import Real
from typing import Any

import torch
from sklearn.utils._param_validation import Interval

from ._base import Augmentation
from ._decibels import DECIBEL
from ._per_clip import uniform

PERCENTILE = 20  # of a clip's levels: what most clips fall back to between events
FLOOR = 1e-3  # added to the fluctuation, whose logarithm would have no lower limit: 15 dB below the level


class BackgroundNoise(Augmentation):
    """Add stationary noise to each spectrogram, somewhat below or above its own quiet parts.

    The noise has one level in all bands: the 20th percentile of the spectrogram's own levels and an offset,
    drawn evenly for each. Powers are added, so that loud parts stay as they are.

    Parameters
    ----------
    low, high : float, default=-10.0 and 5.0
        Smallest and largest offset, in dB. Levels are taken to be decibels of power, as
        :class:`~skfewaudio.features.LogMel` gives them by default.

    Raises
    ------
    ValueError
        If `low` is above `high`.

    Notes
    -----
    The power of Gaussian noise in one bin of a periodogram is exponentially distributed, and fluctuates as
    much as its mean. A mel band adds up several bins, which evens them out: here the power is the level times
    the square root of an exponential variable. Its standard deviation is 0.52 of its mean, as that of an
    average over 3.7 independent bins, and its mean is 0.5 dB below the level.

    Recorded backgrounds were mixed in for [1]_; a noise floor needs no recordings.

    References
    ----------
    .. [1] J. Salamon, J. P. Bello, "Deep convolutional neural networks and data augmentation for
       environmental sound classification", IEEE Signal Processing Letters 24 (3), 2017. arXiv:1608.04363.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.augmentation import BackgroundNoise
    >>> spectrograms = torch.full((1, 64, 100), -60.0)
    >>> spectrograms[:, 20:24] = 0.0  # a tone
    >>> noisy, _ = BackgroundNoise(0.0, 0.0)(spectrograms, torch.ones(1, 1), torch.Generator().manual_seed(0))
    >>> round(noisy[:, :20].mean().item()), round(noisy[:, 20:24].mean().item())
    (-57, 0)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "low": [Interval(Real, None, None, closed="neither")],
        "high": [Interval(Real, None, None, closed="neither")],
    }

    def __init__(self, low: float = -10.0, high: float = 5.0) -> None:
        self.low = low
        self.high = high

    def apply(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add each spectrogram's noise; as :meth:`Augmentation.apply`."""
        if self.low > self.high:
            raise ValueError(f"low={self.low!r} is above high={self.high!r}; offsets go from low to high")
        levels = quiet_levels(spectrograms) + uniform(len(spectrograms), self.low, self.high, generator)
        fluctuation = torch.empty_like(spectrograms).exponential_(generator=generator)
        noise = DECIBEL * levels[:, None, None] + 0.5 * torch.log(fluctuation + FLOOR)
        return torch.logaddexp(DECIBEL * spectrograms, noise) / DECIBEL, targets


def quiet_levels(spectrograms: torch.Tensor) -> torch.Tensor:
    """Give the 20th percentile of each spectrogram's levels, (n_clips,)."""
    flat = spectrograms.flatten(1)
    # torch.quantile sorts all and refuses more than 2 ** 24 values.
    return flat.kthvalue(1 + (flat.shape[1] - 1) * PERCENTILE // 100, dim=1).values
