"""Bands and frames that are hidden."""

from numbers import Integral
from typing import Any

import torch
from sklearn.utils._param_validation import Interval

from ._base import Augmentation
from ._per_clip import below, positions

COUNT = Interval(Integral, 0, None, closed="left")


class SpecAugment(Augmentation):
    """Hide a run of mel bands and a run of frames in each spectrogram, at random places.

    What is hidden has the spectrogram's mean level. A mask's width is drawn evenly from 0 to the largest, but
    none is wider than half the bands or frames there are. Masks may overlap.

    Parameters
    ----------
    max_bands : int, default=8
        Largest width of a mask over bands.
    max_frames : int, default=20
        Largest width of a mask over frames.
    n_band_masks : int, default=1
        Masks over bands.
    n_frame_masks : int, default=1
        Masks over frames.

    Notes
    -----
    The masks of [1]_, without its warping of time. Any compression of levels will do.

    References
    ----------
    .. [1] D. S. Park et al., "SpecAugment: a simple data augmentation method for automatic speech
       recognition", Interspeech 2019. arXiv:1904.08779.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.augmentation import SpecAugment
    >>> spectrograms = torch.arange(6.0)[:, None] + torch.arange(8.0)
    >>> masks, generator = SpecAugment(max_bands=2, max_frames=3), torch.Generator().manual_seed(4)
    >>> hidden, _ = masks(spectrograms[None], torch.ones(1, 1), generator)
    >>> hidden[0]
    tensor([[ 0.,  6.,  6.,  6.,  4.,  5.,  6.,  7.],
            [ 1.,  6.,  6.,  6.,  5.,  6.,  7.,  8.],
            [ 2.,  6.,  6.,  6.,  6.,  7.,  8.,  9.],
            [ 6.,  6.,  6.,  6.,  6.,  6.,  6.,  6.],
            [ 4.,  6.,  6.,  6.,  8.,  9., 10., 11.],
            [ 5.,  6.,  6.,  6.,  9., 10., 11., 12.]])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "max_bands": [COUNT],
        "max_frames": [COUNT],
        "n_band_masks": [COUNT],
        "n_frame_masks": [COUNT],
    }

    def __init__(
        self, max_bands: int = 8, max_frames: int = 20, *, n_band_masks: int = 1, n_frame_masks: int = 1
    ) -> None:
        self.max_bands = max_bands
        self.max_frames = max_frames
        self.n_band_masks = n_band_masks
        self.n_frame_masks = n_frame_masks

    def apply(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Hide parts of each spectrogram; as :meth:`Augmentation.apply`."""
        n_clips, n_mels, n_frames = spectrograms.shape
        bands = _masks((n_clips, self.n_band_masks), self.max_bands, n_mels, generator)
        frames = _masks((n_clips, self.n_frame_masks), self.max_frames, n_frames, generator)
        means = spectrograms.mean(dim=(1, 2), keepdim=True)
        return torch.where(bands[:, :, None] | frames[:, None, :], means, spectrograms), targets


def _masks(shape: tuple[int, int], widest: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """Tell which positions of an axis are in any of some masks, (n_clips, length)."""
    limit = min(widest, length // 2) + 1
    widths = torch.randint(limit, (*shape, 1), generator=generator, device=generator.device)
    starts = below(length - widths + 1, generator)
    places = positions(length, generator)
    return ((places >= starts) & (places < starts + widths)).any(dim=1)
