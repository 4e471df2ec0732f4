"""Random variation of events, so that a handful of clips stands for more."""

import numpy as np

from ._spectra import Frames

MAX_SHIFT = 2.0  # mel bands
TILT_DECIBELS, TILT_POINTS = 3.0, 5  # deviation of the gain at points along the mel axis
MAX_STRETCH = 1.2


def vary(event: Frames, generator: np.random.Generator) -> Frames:
    """Change the pitch, the spectral colour and the tempo of an event.

    Parameters
    ----------
    event : ndarray of shape (n_mels, n_frames)
        Decibels.
    generator : numpy.random.Generator
        Source of random numbers.

    Returns
    -------
    ndarray of shape (n_mels, n_frames_varied)
    """
    n_mels, n_frames = event.shape
    bands = np.arange(n_mels)
    event = _interpolate(event, bands + generator.uniform(-MAX_SHIFT, MAX_SHIFT))
    points = np.linspace(0, n_mels - 1, TILT_POINTS)
    gains = np.interp(bands, points, generator.normal(0, TILT_DECIBELS, TILT_POINTS))
    factor = np.exp(generator.uniform(-1, 1) * np.log(MAX_STRETCH))
    places = np.linspace(0, n_frames - 1, max(2, round(n_frames * factor)))
    return _interpolate((event + gains[:, None].astype(np.float32)).T, places).T


def _interpolate(rows: Frames, places: np.ndarray) -> Frames:
    """Return rows at fractional indices; outside, the first and the last row."""
    places = np.clip(places, 0, len(rows) - 1)
    before = places.astype(np.intp)
    after = np.minimum(before + 1, len(rows) - 1)
    share = (places - before).astype(np.float32)[:, None]
    between: Frames = rows[before] * (1 - share) + rows[after] * share
    return between
