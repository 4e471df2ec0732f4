"""Random masks over bands and frames."""

from numbers import Integral
from typing import Any

import torch
from sklearn.utils._param_validation import Interval

from ._base import Augmentation
from ._per_clip import draw_below, positions

NON_NEGATIVE = Interval(Integral, 0, None, closed="left")


class SpecAugment(Augmentation):
    """Mask a random run of mel bands and a random run of frames in each spectrogram.

    Masked values are set to the spectrogram's mean level. The width of a mask is drawn uniformly from 0 to
    the largest width, and is at most half the number of bands or frames. Masks may overlap.

    Parameters
    ----------
    max_bands : int, default=8
        Largest width of a mask over bands, in bands.
    max_frames : int, default=20
        Largest width of a mask over frames, in frames.
    n_band_masks : int, default=1
        Number of masks over bands.
    n_frame_masks : int, default=1
        Number of masks over frames.

    Notes
    -----
    These are the masks of [1]_ without its time warping. The spectrogram may have any compression.

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
        "max_bands": [NON_NEGATIVE],
        "max_frames": [NON_NEGATIVE],
        "n_band_masks": [NON_NEGATIVE],
        "n_frame_masks": [NON_NEGATIVE],
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
        """Mask parts of each spectrogram; see :meth:`Augmentation.apply`."""
        n_clips, n_mels, n_frames = spectrograms.shape
        bands = _draw_masks((n_clips, self.n_band_masks), self.max_bands, n_mels, generator)
        frames = _draw_masks((n_clips, self.n_frame_masks), self.max_frames, n_frames, generator)
        means = spectrograms.mean(dim=(1, 2), keepdim=True)
        return torch.where(bands[:, :, None] | frames[:, None, :], means, spectrograms), targets


def _draw_masks(
    shape: tuple[int, int], max_width: int, length: int, generator: torch.Generator
) -> torch.Tensor:
    """Draw masks of shape (n_clips, n_masks) and return their union along an axis, (n_clips, length)."""
    limit = min(max_width, length // 2) + 1
    widths = torch.randint(limit, (*shape, 1), generator=generator, device=generator.device)
    starts = draw_below(length - widths + 1, generator)
    index = positions(length, generator)
    return ((index >= starts) & (index < starts + widths)).any(dim=1)
