"""Spectrograms of recordings of any length, section by section in bounded memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skfewaudio.audio.clips import FilePart, as_file_part, is_file_part, is_path
from skfewaudio.audio.io import END_TOLERANCE, iter_clips
from skfewaudio.audio.streaming import LongRecording
from skfewaudio.exceptions import AudioLoadError

from ._spectra import limit_below_peak

Frames = NDArray[np.float32]
# Range in decibels below the loudest frame of a section. Larger ranges need double precision.
RANGE = 100.0
# Files that last longer, in seconds, are decoded in blocks.
LONG_SECONDS = 5.0
# Frames that are computed at once, which bounds the memory for samples and spectra.
FRAMES_AT_ONCE = 256


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
        self._n_fft = int(params["n_fft"])
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
        """Cut the frames of blocks of samples, from frame `first` on, into sections from `number` on."""
        stream = _FrameStream(blocks, self._transform, n_fft=self._n_fft, hop_length=self.hop_length)
        while True:
            begin = max(first, number * self._core - self._margin)
            end = (number + 1) * self._core + self._margin
            frames = stream.frames(begin - first, end - first)
            if stream.n_samples is not None:
                self._check_end(part, first * self.hop_length + stream.n_samples)
                end = min(end, first + stream.n_frames)
            core = number * self._core, min((number + 1) * self._core, end)
            if core[1] <= core[0]:
                return
            yield Section(begin, limit_below_peak(frames, RANGE), core)
            number += 1
            if last is not None and number * self._core >= last:
                return

    def _transform(self, samples: Frames) -> Frames:
        (frames,) = self._logmel.transform([samples])
        return np.asarray(frames)

    def _check_end(self, part: FilePart, n_samples: int) -> None:
        if n_samples <= 0:
            raise AudioLoadError(part.path, "holds no samples")
        seconds = n_samples / self.sample_rate
        if part.end is not None and seconds < part.end - END_TOLERANCE:
            reason = f"ends at {seconds:.2f} s, before the end of the part at {part.end:g} s"
            raise AudioLoadError(part.path, reason)


class _FrameStream:
    """Frames of samples that come in blocks; each frame is computed once, and few samples are held.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (n_samples,)
        Consecutive samples.
    transform : callable
        Function from samples to the frames (n_mels, n_frames) that lie in them.
    n_fft, hop_length : int
        Samples of a frame, and between frames. Frame t is centred on sample ``t * hop_length``.

    Attributes
    ----------
    n_samples : int or None
        Number of samples in all blocks. None until the end is reached.
    n_frames : int
        Number of frames that have been computed.
    """

    def __init__(
        self,
        blocks: Iterable[Frames],
        transform: Callable[[Frames], Frames],
        *,
        n_fft: int,
        hop_length: int,
    ) -> None:
        self.n_samples: int | None = None
        self.n_frames = 0
        self._pieces = _split(blocks, FRAMES_AT_ONCE * hop_length)
        self._transform = transform
        self._hop_length = hop_length
        self._n_fft = n_fft
        self._n_read = 0
        self._samples = np.zeros(n_fft // 2, dtype=np.float32)  # from the next frame on
        self._held: list[Frames] = []
        self._first = 0  # number of the first frame that is held

    def frames(self, begin: int, end: int) -> Frames:
        """Return frames `begin` to `end`, or to the last frame, and forget those before `begin`."""
        while self.n_frames < end and self.n_samples is None:
            self._read(end - self.n_frames)
        held = np.concatenate(self._held, axis=1) if self._held else np.empty((0, 0), dtype=np.float32)
        self._held = [held[:, begin - self._first :].copy()]
        self._first = begin
        return self._held[0][:, : end - begin]

    def _read(self, n_needed: int) -> None:
        """Read a piece of samples, and compute frames if there are enough samples for some."""
        piece = next(self._pieces, None)
        if piece is None:
            self.n_samples = self._n_read
            piece = np.zeros(self._n_fft // 2, dtype=np.float32)
        else:
            self._n_read += len(piece)
        self._samples = np.concatenate([self._samples, piece])
        n_ready = 1 + (len(self._samples) - self._n_fft) // self._hop_length
        if self.n_samples is None:
            n_ready = min(n_ready, len(self._samples) // self._hop_length)  # hops may be longer than frames
        if n_ready >= (min(n_needed, FRAMES_AT_ONCE) if self.n_samples is None else 1):
            n_used = self._n_fft + (n_ready - 1) * self._hop_length
            self._held.append(self._transform(self._samples[:n_used]))
            self._samples = self._samples[n_ready * self._hop_length :].copy()
            self.n_frames += n_ready


def _split(blocks: Iterable[Frames], size: int) -> Iterator[Frames]:
    """Split blocks of samples into pieces of at most `size`."""
    for block in blocks:
        for start in range(0, len(block), size):
            yield block[start : start + size]
