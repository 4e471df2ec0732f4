"""Background noise."""

from numbers import Real
from typing import Any

import torch
from sklearn.utils._param_validation import Interval

from ._base import Augmentation
from ._decibels import DECIBEL
from ._per_clip import draw_uniform

PERCENTILE = 20  # of a clip's levels, an estimate of the level between sound events
FLOOR = 1e-3  # added to the fluctuation before the logarithm: a lower limit 15 dB below the level


class BackgroundNoise(Augmentation):
    """Add stationary noise to each spectrogram at about the level of its quiet parts.

    The noise has the same level in all bands: the 20th percentile of the spectrogram's levels plus an offset
    that is drawn uniformly for each spectrogram. Powers are added, so that loud parts hardly change.

    Parameters
    ----------
    low, high : float, default=-10.0 and 5.0
        Smallest and largest offset, in dB. Spectrograms are assumed to be decibels of power, the default
        output of :class:`~skfewaudio.features.LogMel`.

    Raises
    ------
    ValueError
        If `low` is greater than `high`.

    Notes
    -----
    The power of Gaussian noise in one bin of a periodogram is exponentially distributed, with a standard
    deviation equal to its mean. A mel band sums several bins, which reduces the fluctuation. The power is
    therefore the level times the square root of an exponential variable. Its standard deviation is 0.52 times
    its mean, as for an average over 3.7 independent bins, and its mean is 0.5 dB below the level.

    In [1]_ recorded backgrounds were mixed in. Synthetic noise needs no recordings.

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
        """Add noise to each spectrogram; see :meth:`Augmentation.apply`."""
        if self.low > self.high:
            raise ValueError(f"low={self.low!r} is above high={self.high!r}; offsets go from low to high")
        levels = quiet_levels(spectrograms) + draw_uniform(len(spectrograms), self.low, self.high, generator)
        fluctuation = torch.empty_like(spectrograms).exponential_(generator=generator)
        noise = DECIBEL * levels[:, None, None] + 0.5 * torch.log(fluctuation + FLOOR)
        return torch.logaddexp(DECIBEL * spectrograms, noise) / DECIBEL, targets


def quiet_levels(spectrograms: torch.Tensor) -> torch.Tensor:
    """Compute the 20th percentile of each spectrogram's levels, (n_clips,)."""
    flat = spectrograms.flatten(1)
    # torch.quantile sorts all values and rejects more than 2 ** 24.
    return flat.kthvalue(1 + (flat.shape[1] - 1) * PERCENTILE // 100, dim=1).values
