"""Normalised cross-correlation of spectrograms."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

Spectrogram = NDArray[np.float32]

_BLOCK_FRAMES = 8192  # frames that are transformed at once
# Windows that vary less, in dB, are taken for silence: their correlation would be that of rounding errors.
_MIN_DEVIATION = 0.1


@dataclass(frozen=True)
class Template:
    """Spectrogram of an event, centred and scaled to unit norm.

    Parameters
    ----------
    values : ndarray of shape (n_mels, n_frames)
        The spectrogram.
    by_band : bool
        Whether each band is centred, instead of the whole spectrogram.
    """

    values: Spectrogram
    by_band: bool

    @classmethod
    def from_spectrogram(cls, spectrogram: Spectrogram, *, by_band: bool) -> Self:
        """Centre and scale a spectrogram in dB; a constant one becomes zeros."""
        centred = spectrogram - spectrogram.mean(axis=1 if by_band else None, keepdims=True, dtype=np.float64)
        norm = np.sqrt(np.sum(centred**2))
        is_constant = norm <= _MIN_DEVIATION * np.sqrt(centred.size)
        return cls((centred * (0.0 if is_constant else 1 / norm)).astype(np.float32), by_band)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.values.shape[1]


class CorrelatedSpectrogram:
    """Spectrogram that is correlated with templates.

    Parameters
    ----------
    spectrogram : ndarray of shape (n_mels, n_frames)
        In dB.
    n_padded : int
        Frames of the mean spectrum that are added at both ends, so that templates may reach beyond.
    n_least : int
        Length to which a shorter spectrogram is padded.
    """

    def __init__(self, spectrogram: Spectrogram, *, n_padded: int, n_least: int) -> None:
        # The mean spectrum does not change correlations by band; others keep the overall mean.
        mean = spectrogram.mean(axis=1, keepdims=True, dtype=np.float64)
        n_missing = max(0, n_least - spectrogram.shape[1] - 2 * n_padded)
        self.n_before = n_padded
        after = np.repeat(mean, n_padded + n_missing, axis=1)
        joined = np.concatenate([np.repeat(mean, n_padded, axis=1), spectrogram, after], axis=1)
        self.values = (joined - mean.mean()).astype(np.float32)
        self._spectra: dict[int, list[NDArray[np.complex64]]] = {}

    @property
    def n_frames(self) -> int:
        """Number of frames, with those that were added."""
        return self.values.shape[1]

    def correlate(self, template: Template) -> NDArray[np.float32]:
        """Compute the correlation, from -1 to 1, of a template with the window that starts at each frame.

        The result has the shape (n_frames - template.n_frames + 1,).
        """
        n_windows = self.n_frames - template.n_frames + 1
        products = np.concatenate(list(self._products(template)))[:n_windows]
        variation = self._variation(template)
        floor = _MIN_DEVIATION**2 * template.values.size
        norms = np.sqrt(np.maximum(variation, floor))
        return np.where(variation > floor, np.clip(products / norms, -1, 1), 0).astype(np.float32)

    def _products(self, template: Template) -> Iterator[NDArray[np.float32]]:
        """Yield the inner products of the template with the windows, block by block."""
        n_block = next_fast_len(min(_BLOCK_FRAMES, self.n_frames) + template.n_frames, real=True)
        conjugate = np.conj(rfft(template.values, n_block))
        for start in range(0, self.n_frames, n_block - template.n_frames + 1):
            spectrum = rfft(self.values[:, start : start + n_block], n_block)
            yield irfft((spectrum * conjugate).sum(axis=0), n_block)[: n_block - template.n_frames + 1]

    def _variation(self, template: Template) -> NDArray[np.float64]:
        """Compute the sum of squared deviations from the mean in each window."""
        squares = _window_sums(np.sum(self.values**2, axis=0, dtype=np.float64), template.n_frames)
        if not template.by_band:
            total = _window_sums(self.values.sum(axis=0, dtype=np.float64), template.n_frames)
            return squares - total**2 / template.values.size
        for band in self.values:
            squares -= _window_sums(band, template.n_frames) ** 2 / template.n_frames
        return squares


def _window_sums(values: NDArray[np.floating], n_frames: int) -> NDArray[np.float64]:
    """Return the sum of each `n_frames` consecutive values."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    return sums[n_frames:] - sums[:-n_frames]
