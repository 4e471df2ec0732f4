"""Spectrograms of recordings of any length, section by section in bounded memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skfewaudio.audio.clips import FilePart, as_file_part, is_file_part, is_path
from skfewaudio.audio.io import END_TOLERANCE, iter_clips
from skfewaudio.audio.streaming import LongRecording
from skfewaudio.exceptions import AudioLoadError

Frames = NDArray[np.float32]
# Range in decibels below the loudest frame of a section. Larger ranges need double precision.
RANGE = 100.0
# Files that last longer, in seconds, are decoded in blocks.
LONG_SECONDS = 5.0


@dataclass(frozen=True)
class Section:
    """Consecutive frames of a recording.

    Parameters
    ----------
    first : int
        Number of the first frame in the recording.
    frames : ndarray of shape (n_mels, n_frames), float32
        Log mel spectrogram in decibels.
    core : tuple of int
        Frames of the recording that no other section has in its core: the first one, and the one after the
        last.
    """

    first: int
    frames: Frames
    core: tuple[int, int]


class FrameReader:
    """Read recordings as log mel spectrograms in sections that overlap.

    Parameters
    ----------
    logmel : LogMel
        Fitted transformer with ``compression="db"``.
    core, margin : float
        Length of the core of a section and of the margins beside it, in seconds.
    allow_truncated : bool or None, default=None
        Whether recordings that were cut off are used. None uses the parameter of `logmel`.
    n_threads : int or None, default=None
        Number of threads. None uses the parameter of `logmel`.

    Attributes
    ----------
    frame_seconds : float
        Seconds between frames. Frame t is centred on ``t * frame_seconds``.
    """

    def __init__(
        self,
        logmel: Any,
        *,
        core: float = 60.0,
        margin: float = 15.0,
        allow_truncated: bool | None = None,
        n_threads: int | None = None,
    ) -> None:
        params = logmel.__feature_params__()
        self.sample_rate = int(params["sample_rate"])
        self.hop_length = int(params["hop_length"])
        self.frame_seconds = self.hop_length / self.sample_rate
        self._half = int(params["n_fft"]) // 2
        self._core = max(1, round(core / self.frame_seconds))
        self._margin = max(1, round(margin / self.frame_seconds))
        self._native_rate = self.sample_rate if logmel.sample_rate == "auto" else None
        self._channel = logmel.channel
        self._allow_truncated = logmel.allow_truncated if allow_truncated is None else allow_truncated
        self._n_threads = logmel.n_threads if n_threads is None else n_threads
        plain = clone(logmel) if self._native_rate is None else logmel.with_rate(self.sample_rate)
        self._logmel = plain.set_params(center=False, top_db=RANGE, ref=1.0, n_threads=self._n_threads)

    def read(self, recording: Any) -> Iterator[Section]:
        """Read the sections of a recording; of a part, those whose core overlaps it.

        Parameters
        ----------
        recording : path, tuple or dict
            A clip of any form.

        Yields
        ------
        Section
            Frames are counted from the start of the file.

        Raises
        ------
        AudioLoadError
            If the recording cannot be read, or ends before the part.
        """
        part = as_file_part(recording) if is_path(recording) or is_file_part(recording) else FilePart("clip")
        wanted = int(part.start / self.frame_seconds)
        first = max(0, wanted // self._core * self._core - self._margin)
        last = None if part.end is None else int(np.ceil(part.end / self.frame_seconds))
        blocks = self._open(recording, part, first)
        yield from self._cut(blocks, first, last, wanted // self._core, part)

    def _open(self, recording: Any, part: FilePart, first: int) -> Iterable[Frames]:
        """Return blocks of samples from frame `first` on."""
        if is_path(recording) or is_file_part(recording):
            recording = (part.path, first * self.frame_seconds, None) if first else part.path
        (clip,) = iter_clips(
            [recording],
            sample_rate=self.sample_rate,
            n_threads=1,
            channel=self._channel,
            allow_truncated=self._allow_truncated,
            native_rate=self._native_rate,
            long_seconds=LONG_SECONDS,
        )
        return clip if isinstance(clip, LongRecording) else [clip]

    def _cut(
        self, blocks: Iterable[Frames], first: int, last: int | None, number: int, part: FilePart
    ) -> Iterator[Section]:
        """Cut blocks of samples from frame `first` on into sections from `number` on."""
        held = np.zeros(self._half, dtype=np.float32)
        start = first * self.hop_length - self._half  # number of the first sample that is held
        source = iter(blocks)
        n_samples: int | None = None  # of the recording, when its end is reached
        while True:
            begin = max(first, number * self._core - self._margin)
            end = (number + 1) * self._core + self._margin
            n_needed = (end - 1) * self.hop_length + self._half - start
            if n_samples is None:
                held = _extend(held, source, n_needed)
                if len(held) < n_needed:
                    n_samples = start + len(held)
                    self._check_end(part, n_samples)
                    held = np.pad(held, (0, self._half))
            if n_samples is not None:
                end = min(end, 1 + n_samples // self.hop_length)
            core = number * self._core, min((number + 1) * self._core, end)
            if core[1] <= core[0]:
                return
            yield Section(begin, self._transform(held, start, begin, end), core)
            number += 1
            if last is not None and number * self._core >= last:
                return
            n_old = max(first, number * self._core - self._margin) * self.hop_length - self._half - start
            held, start = held[n_old:], start + n_old

    def _transform(self, held: Frames, start: int, begin: int, end: int) -> Frames:
        """Compute frames `begin` to `end` from samples of which the first has the number `start`."""
        low = begin * self.hop_length - self._half - start
        high = (end - 1) * self.hop_length + self._half - start
        samples = np.ascontiguousarray(held[low:high])
        (frames,) = self._logmel.transform([samples])
        return np.asarray(frames)

    def _check_end(self, part: FilePart, n_samples: int) -> None:
        if n_samples <= 0:
            raise AudioLoadError(part.path, "holds no samples")
        seconds = n_samples / self.sample_rate
        if part.end is not None and seconds < part.end - END_TOLERANCE:
            reason = f"ends at {seconds:.2f} s, before the end of the part at {part.end:g} s"
            raise AudioLoadError(part.path, reason)


def _extend(held: Frames, source: Iterator[Frames], n_needed: int) -> Frames:
    """Append blocks until there are `n_needed` samples or the source ends."""
    parts, n_held = [held], len(held)
    while n_held < n_needed:
        block = next(source, None)
        if block is None:
            break
        parts.append(block)
        n_held += len(block)
    return np.concatenate(parts)
