"""Augmentations along the time axis: tempo, shift and crop."""

from math import ceil
from numbers import Real
from typing import Any

import torch
from sklearn.utils._param_validation import Interval

from ._base import Augmentation
from ._per_clip import draw_below, draw_uniform, gather_frames, positions


class TimeStretch(Augmentation):
    """Change the tempo of each spectrogram at constant pitch.

    Levels between two frames are interpolated linearly. The number of frames is kept: a spectrogram that is
    read faster continues from its beginning.

    Parameters
    ----------
    max_change : float, default=0.2
        Largest change, as the natural logarithm of the rate, from 0 to 3. Rates are drawn log-uniformly from
        exp(-max_change) to exp(max_change). 0.2 means 18 % slower to 22 % faster.

    See Also
    --------
    FrequencyShift : Changes the pitch.

    References
    ----------
    .. [1] J. Schlüter, T. Grill, "Exploring data augmentation for improved singing voice detection with
       neural networks", ISMIR 2015.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.augmentation import TimeStretch
    >>> spectrograms = torch.arange(6.0).expand(2, 1, 6)
    >>> stretched, _ = TimeStretch(0.7)(spectrograms, torch.eye(2), torch.Generator().manual_seed(1))
    >>> stretched[:, 0].round(decimals=2)
    tensor([[0.0000, 1.4300, 2.8700, 4.3000, 1.3100, 1.1700],
            [0.0000, 0.7300, 1.4700, 2.2000, 2.9400, 3.6700]])
    """

    _parameter_constraints: dict[str, list[Any]] = {"max_change": [Interval(Real, 0, 3, closed="both")]}

    def __init__(self, max_change: float = 0.2) -> None:
        self.max_change = max_change

    def apply(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Read each spectrogram at its own rate; see :meth:`Augmentation.apply`."""
        n_clips, _, n_frames = spectrograms.shape
        rates = draw_uniform(n_clips, -self.max_change, self.max_change, generator).exp()
        places = torch.remainder(rates[:, None] * positions(n_frames, generator), n_frames)
        before = places.long()
        after = (before + 1) % n_frames
        share = (places - before)[:, None]
        stretched = torch.lerp(gather_frames(spectrograms, before), gather_frames(spectrograms, after), share)
        return stretched, targets


class TimeShift(Augmentation):
    """Roll the frames of each spectrogram by a random number, so that it starts at another moment.

    Frames shifted past the end re-enter at the beginning. All shifts are equally likely.

    Notes
    -----
    Random delays are among the augmentations of [1]_.

    References
    ----------
    .. [1] K. J. Piczak, "Environmental sound classification with convolutional neural networks", MLSP 2015.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.augmentation import TimeShift
    >>> spectrograms = torch.arange(5.0).expand(2, 1, 5)
    >>> shifted, _ = TimeShift()(spectrograms, torch.eye(2), torch.Generator().manual_seed(2))
    >>> shifted[:, 0]
    tensor([[3., 4., 0., 1., 2.],
            [2., 3., 4., 0., 1.]])
    """

    def apply(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Roll each spectrogram; see :meth:`Augmentation.apply`."""
        n_clips, _, n_frames = spectrograms.shape
        starts = torch.randint(n_frames, (n_clips, 1), generator=generator, device=generator.device)
        return gather_frames(spectrograms, (positions(n_frames, generator) + starts) % n_frames), targets


class RandomCrop(Augmentation):
    """Crop each spectrogram at random and repeat the crop to the original length.

    The classifiers repeat short clips in the same way, so the result resembles a shorter clip.

    Parameters
    ----------
    min_share : float, default=0.5
        Shortest crop, as a fraction of the frames, above 0 and at most 1. All lengths from it to the whole
        clip are equally likely, and so are all positions.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.augmentation import RandomCrop
    >>> spectrograms = torch.arange(8.0).expand(2, 1, 8)
    >>> cropped, _ = RandomCrop()(spectrograms, torch.eye(2), torch.Generator().manual_seed(7))
    >>> cropped[:, 0]
    tensor([[3., 4., 5., 6., 3., 4., 5., 6.],
            [1., 2., 3., 4., 5., 6., 1., 2.]])
    """

    _parameter_constraints: dict[str, list[Any]] = {"min_share": [Interval(Real, 0, 1, closed="right")]}

    def __init__(self, min_share: float = 0.5) -> None:
        self.min_share = min_share

    def apply(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Crop and repeat each spectrogram; see :meth:`Augmentation.apply`."""
        n_clips, _, n_frames = spectrograms.shape
        shortest = ceil(self.min_share * n_frames)
        lengths = torch.randint(
            shortest, n_frames + 1, (n_clips, 1), generator=generator, device=generator.device
        )
        starts = draw_below(n_frames - lengths + 1, generator)
        return gather_frames(spectrograms, starts + positions(n_frames, generator) % lengths), targets
