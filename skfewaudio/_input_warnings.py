"""Warnings about input that is valid but probably a mistake."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .exceptions import InputWarning

# Waveforms have thousands of samples, a mean near 0, similar neighbours, and a mean over clips that is as
# small as for independent clips. Statistics, embeddings and spectrograms of ESC-10, scaled in any way, do not
# have all of these properties; random sets of five or more of its recordings nearly always do.
MIN_SAMPLES = 1000
MIN_ROWS = 4
MAX_OFFSET = 0.02  # median mean of a row, relative to its root mean square
MIN_CORRELATION = 0.1  # median correlation of successive values
MEAN_POWER = 0.5, 1.5  # power of the mean over rows, relative to that of independent rows
MIN_LEVEL_SPREAD = 0.01  # normalised rows are not waveforms
N_INSPECTED_ROWS = 20
# Share of frames by which silence at the end of new clips may exceed that of any training clip.
MORE_SILENCE = 0.2


def warn_of_waveforms(X: NDArray[Any]) -> None:
    """Warn if a table of feature vectors looks like a table of waveforms."""
    if X.shape[1] < MIN_SAMPLES or not _looks_like_waveforms(X[:: -(-len(X) // N_INSPECTED_ROWS)]):
        return
    warnings.warn(
        f"X looks like {X.shape[0]} waveforms of {X.shape[1]} samples, and this classifier takes feature "
        "vectors or spectrograms; put a transformer before it: make_pipeline(LogMel(), ...)",
        InputWarning,
        stacklevel=5,
    )


def _looks_like_waveforms(X: NDArray[Any]) -> bool:
    rows = X[X.any(axis=1)].astype(np.float64)
    if len(rows) < MIN_ROWS:
        return False
    levels = np.sqrt(np.square(rows).mean(axis=1))
    offsets = np.abs(rows.mean(axis=1)) / levels
    lagged = (rows[:, 1:] * rows[:, :-1]).mean(axis=1) / levels**2
    mean_power = len(rows) * np.square(rows.mean(axis=0)).mean() / np.square(levels).mean()
    return bool(
        np.median(offsets) < MAX_OFFSET
        and np.median(lagged) > MIN_CORRELATION
        and MEAN_POWER[0] < mean_power < MEAN_POWER[1]
        and np.ptp(levels) > MIN_LEVEL_SPREAD * levels.mean()
    )


def measure_silence(clips: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Compute the share of silent frames at the end of each spectrogram; 0 for clips without any sound.

    In a silent frame, all bands have the lowest value of the clip. Digital silence has this property in every
    compression, and with decibels of a limited range also frames below this range.
    """
    return np.array([_measure_clip(clip) for clip in clips])


def _measure_clip(clip: NDArray[Any]) -> float:
    audible = np.flatnonzero((clip != clip.min()).any(axis=0))
    return 1 - (audible[-1] + 1) / clip.shape[1] if len(audible) else 0.0


def warn_of_padding(clips: Sequence[NDArray[Any]], trained: float | None) -> None:
    """Warn if at least half of the clips end in far more silence than any training clip.

    Parameters
    ----------
    clips : sequence of ndarray of shape (n_mels, n_frames)
        Spectrograms.
    trained : float or None
        Largest share of silent frames at the end of a training clip; None if it is not known.
    """
    if trained is None:
        return
    shares = measure_silence(clips)
    padded = shares > trained + MORE_SILENCE
    if padded.mean() < 0.5:
        return
    warnings.warn(
        f"{padded.sum()} of {len(padded)} clips end in silence, for {np.median(shares[padded]):.0%} of their "
        f"length (median), and the training clips for at most {trained:.0%}: if they were padded with zeros, "
        "pass a list of clips without the padding",
        InputWarning,
        stacklevel=5,
    )
