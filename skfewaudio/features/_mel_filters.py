"""Mel scale and mel filter banks, equal to librosa's.

librosa is not imported here, because it imports numba, which takes longer than to compute most clips.
"""

import warnings
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Norm = Literal["slaney"] | float | None

# Slaney's Auditory Toolbox: linear below 1 kHz, logarithmic above, with 27 mels for a factor of 6.4.
LINEAR_HZ_PER_MEL = 200.0 / 3
LOG_START_HZ = 1000.0
LOG_START_MEL = LOG_START_HZ / LINEAR_HZ_PER_MEL
LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(frequencies: ArrayLike, *, htk: bool = False) -> NDArray[np.float64]:
    """Convert frequencies in Hz to mels, by Slaney's formula or the formula of HTK."""
    hertz = np.asarray(frequencies, dtype=float)
    if htk:
        return 2595.0 * np.log10(1.0 + hertz / 700.0)
    logarithmic = LOG_START_MEL + np.log(np.maximum(hertz, LOG_START_HZ) / LOG_START_HZ) / LOG_STEP
    return np.where(hertz >= LOG_START_HZ, logarithmic, hertz / LINEAR_HZ_PER_MEL)


def mel_to_hz(mels: ArrayLike, *, htk: bool = False) -> NDArray[np.float64]:
    """Convert mels to frequencies in Hz, by Slaney's formula or the formula of HTK."""
    mels = np.asarray(mels, dtype=float)
    if htk:
        return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    logarithmic = LOG_START_HZ * np.exp(LOG_STEP * (mels - LOG_START_MEL))
    return np.where(mels >= LOG_START_MEL, logarithmic, LINEAR_HZ_PER_MEL * mels)


def triangular_filters(
    *,
    sample_rate: int,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float,
    htk: bool = False,
    norm: Norm = "slaney",
    slopes: str = "hz",
) -> NDArray[np.floating]:
    """Compute a bank of triangular filters (n_mels, 1 + n_fft // 2), with edges at equal distances in mels.

    Parameters
    ----------
    sample_rate : int
        Sample rate in Hz.
    n_fft : int
        Length of the Fourier transform in samples.
    n_mels : int
        Number of filters.
    fmin, fmax : float
        Lowest and highest edge in Hz.
    htk : bool, default=False
        Use the mel scale of HTK instead of Slaney's.
    norm : "slaney", float or None, default="slaney"
        Divide each filter by half its width in Hz, or by its norm of this order. None leaves peaks of 1.
    slopes : {"hz", "mel"}, default="hz"
        Axis on which the slopes are linear: Hz, as in librosa, or mels, as in VGGish.

    Returns
    -------
    filters : ndarray of shape (n_mels, 1 + n_fft // 2)
        Single precision with slopes in Hz, as in librosa; double precision with slopes in mels.
    """
    bins = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    edges = np.linspace(hz_to_mel(fmin, htk=htk), hz_to_mel(fmax, htk=htk), n_mels + 2)
    hertz = mel_to_hz(edges, htk=htk)
    if slopes == "mel":
        filters = _triangles(hz_to_mel(bins, htk=htk), edges)
    else:
        filters = _triangles(bins, hertz).astype(np.float32)
        _warn_of_empty(filters, hertz)
    if norm == "slaney":
        filters *= (2.0 / (hertz[2:] - hertz[:-2]))[:, None]
        return filters
    return filters if norm is None else _normalize(filters, norm)


def _triangles(bins: NDArray[np.floating], edges: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return triangles from each edge to the next but one, with a height of 1 at the edge between."""
    distances = edges[:, None] - bins
    widths = np.diff(edges)[:, None]
    return np.maximum(0, np.minimum(-distances[:-2] / widths[:-1], distances[2:] / widths[1:]))


def _normalize(filters: NDArray[np.floating], order: float) -> NDArray[np.floating]:
    """Divide each filter by its norm, unless that is zero."""
    norms = np.linalg.norm(filters.astype(float), ord=order, axis=-1, keepdims=True)
    return (filters / np.where(norms < np.finfo(filters.dtype).tiny, 1.0, norms)).astype(filters.dtype)


def _warn_of_empty(filters: NDArray[np.floating], hertz: NDArray[np.float64]) -> None:
    """Warn of filters between two bins of the Fourier transform."""
    is_empty = (hertz[:-2] > 0) & (filters.max(axis=1) <= 0)
    if is_empty.any():
        warnings.warn(
            f"Empty filters: {is_empty.sum()} of {len(filters)} mel bands lie between two bins of the "
            "Fourier transform; take fewer bands (n_mels) or longer frames (n_fft)",
            stacklevel=3,
        )
