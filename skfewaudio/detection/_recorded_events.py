"""Events of training with the noise of their recordings."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._spectra import Frames

# The power of noise that is subtracted, relative to its mean, because the power varies; and decibels by which
# a value is lowered at most.
SUBTRACTED = 1.5
MAX_REDUCTION = 30.0


class RecordedEvent(NamedTuple):
    """An annotated event.

    Parameters
    ----------
    clean, recorded : ndarray of shape (n_mels, n_frames)
        Decibels of the event without the noise of its recording, and with it. The same if no background of
        its recording is known.
    own : tuple of int
        Backgrounds of the same recording.
    """

    clean: Frames
    recorded: Frames
    own: tuple[int, ...] = ()

    def among(self, kept: NDArray[np.int64]) -> "RecordedEvent":
        """Return the event with the numbers of its backgrounds among those that are kept."""
        return self._replace(own=tuple(np.flatnonzero(np.isin(kept, self.own)).tolist()))


def separate_noise(
    clips: Sequence[Frames], backgrounds: Sequence[Frames], is_own: NDArray[np.bool_]
) -> list[RecordedEvent]:
    """Subtract the noise of the recordings from clips of events, and remove silence around the events.

    Parameters
    ----------
    clips : sequence of n_events arrays of shape (n_mels, n_frames)
        Decibels of the clips.
    backgrounds : sequence of n_backgrounds arrays of shape (n_mels, n_frames)
        Decibels of the backgrounds.
    is_own : ndarray of shape (n_events, n_backgrounds), bool
        Whether a clip and a background are parts of one recording.

    Returns
    -------
    list of RecordedEvent
    """
    powers = [np.power(10, frames / 10).mean(axis=1) for frames in backgrounds]
    n_frames = np.array([frames.shape[1] for frames in backgrounds])
    events = []
    for recorded, row in zip(clips, is_own, strict=True):
        own, clean = np.flatnonzero(row), recorded
        if len(own):
            clean = subtract_noise(
                recorded, np.average([powers[i] for i in own], axis=0, weights=n_frames[own])
            )
        first, last = active_part(clean)
        events.append(RecordedEvent(clean[:, first:last], recorded[:, first:last], tuple(own.tolist())))
    return events


def subtract_noise(frames: Frames, power: NDArray[np.floating]) -> Frames:
    """Subtract noise from each band.

    Parameters
    ----------
    frames : ndarray of shape (n_mels, n_frames)
        Decibels.
    power : ndarray of shape (n_mels,)
        Mean power of the noise.

    Returns
    -------
    ndarray of shape (n_mels, n_frames)
    """
    share = 1 - SUBTRACTED * power[:, None] / np.power(10, frames / 10)
    reduction = 10 * np.log10(np.maximum(share, 10 ** (-MAX_REDUCTION / 10)))
    return (frames + reduction).astype(np.float32)


def active_part(frames: Frames, *, below: float = 30.0) -> NDArray[np.int64]:
    """Return the first frame of a clip that is less than `below` decibels under its loudest, and its end."""
    level = 10 * np.log10(np.power(10, frames / 10).sum(axis=0) + 1e-20)
    loud = np.flatnonzero(level > level.max() - below)
    return np.array([loud[0], loud[-1] + 1], dtype=np.int64)
