"""Loading of recordings as mono float32 arrays."""

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import partial
from numbers import Integral, Real
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import soxr
from numpy.typing import NDArray

from skfewaudio._threads import ThreadPool, available_threads
from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning

from ._decoders.base import Decoder
from ._decoders.choose import open_audio
from .channels import check_channel, mix
from .clips import FORMS, FilePart, as_file_part, as_sound, is_file_part, is_path, is_sound
from .streaming import LongRecording, is_long

SILENCE_SECONDS = 1.0
N_NAMED = 10  # files named in a warning
# A part may end later than its file by this: annotations are rounded, and encoders pad or trim.
END_TOLERANCE = 0.1
# A small file of silence may become any number of samples. This is 4 GiB, 6.8 hours at 44.1 kHz.
MAX_SAMPLES = 2**30
LIMIT_VARIABLE = "SKFEWAUDIO_MAX_SAMPLES"

Item = TypeVar("Item")
Result = TypeVar("Result")
Samples = NDArray[np.float32]


class AudioInfo(NamedTuple):
    """Properties of a sound file, from its headers.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    n_channels : int
        Number of channels.
    duration : float or None
        Length in seconds, as stated by the file; None if only decoding can tell.
    format : str
        Container and codec.
    """

    sample_rate: int
    n_channels: int
    duration: float | None
    format: str


def load_audio(
    clip: Any,
    *,
    sample_rate: int | None,
    channel: str | int = "mean",
    offset: float = 0.0,
    duration: float | None = None,
    allow_truncated: bool = False,
) -> Samples:
    """Load a recording, or a part of it, as mono at a sample rate.

    All formats of FFmpeg and libsndfile are supported: wav, flac, mp3, ogg, opus, m4a, webm and more.
    Resampling uses soxr's high quality.

    Parameters
    ----------
    clip : str, path-like, tuple or dict
        Path of a file; a part ``(path, start, end)`` in seconds; or sound with its sample rate, as
        ``(array, sample_rate)`` or ``{"array": ..., "sampling_rate": ...}``.
    sample_rate : int or None
        Sample rate of the result in Hz. None keeps the rate of the recording.
    channel : {"mean", "first", "loudest"} or int, default="mean"
        How channels are reduced to one: their mean, the first, the one with the highest power, or the one
        with an index from 0.
    offset : float, default=0.0
        Start in seconds, relative to the start of the clip.
    duration : float, default=None
        Length in seconds. None loads everything to the end.
    allow_truncated : bool, default=False
        Whether a file that was cut off or is damaged is used as far as it can be decoded, with a warning that
        says its length. False raises an error.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        The samples. Integer formats are scaled to [-1, 1). The length of n samples at another rate r is
        ``ceil(n * sample_rate / r)``, as in librosa.

    Raises
    ------
    AudioLoadError
        If the file is missing, unreadable, not audio, truncated, damaged or without samples, contains NaN or
        infinite values, has no such channel, ends before the requested part, or has more than 2 ** 30 samples
        (or the number in the environment variable ``SKFEWAUDIO_MAX_SAMPLES``). The error names the file and
        the cause.
    ValueError, TypeError
        If a parameter or the form of the clip is invalid.

    Warns
    -----
    AudioLoadWarning
        If averaging the channels loses more than 10 dB, or a truncated file is used.

    See Also
    --------
    iter_clips : Load many recordings in threads.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np, soundfile
    >>> from skfewaudio.audio import load_audio
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "silence.wav"
    ...     soundfile.write(path, np.zeros((44100, 2)), 44100)
    ...     print(load_audio(path, sample_rate=8000).shape)
    ...     print(load_audio((path, 0.25, 0.5), sample_rate=8000).shape)
    (8000,)
    (2000,)
    """
    check_sample_rate(sample_rate)
    notes: list[str] = []
    samples = _load(clip, sample_rate, channel, offset, duration, allow_truncated, notes)
    for note in notes:
        warnings.warn(note, AudioLoadWarning, stacklevel=2)
    return samples


def audio_info(path: Any) -> AudioInfo:
    """Return sample rate, channels, duration and format of a sound file, without decoding it.

    Parameters
    ----------
    path : str or path-like
        Path of the file.

    Returns
    -------
    AudioInfo

    Raises
    ------
    AudioLoadError
        If the file is missing, unreadable or not audio.
    """
    with open_audio(as_file_part(path).path) as decoder:
        n_frames = decoder.n_frames
        return AudioInfo(
            decoder.sample_rate,
            decoder.n_channels,
            None if n_frames is None else n_frames / decoder.sample_rate,
            decoder.format_name,
        )


def audio_duration(path: Any, *, allow_truncated: bool = False) -> float:
    """Return the length of a sound file, decoding it in blocks if its headers do not state the length.

    Parameters
    ----------
    path : str or path-like
        Path of the file.
    allow_truncated : bool, default=False
        Whether a file that was cut off has the length that can be decoded. False raises an error for it.

    Returns
    -------
    float
        Length in seconds.

    Raises
    ------
    AudioLoadError
        If the file cannot be read.
    """
    stated = audio_info(path).duration
    if stated is not None:
        return stated
    with open_blocks(as_file_part(path), "first", allow_truncated, []) as (blocks, rate):
        return sum(map(len, blocks)) / rate


def iter_clips(
    clips: Iterable[Any],
    *,
    sample_rate: int | None,
    n_threads: int | None = None,
    on_error: Literal["raise", "warn"] = "raise",
    channel: str | int = "mean",
    allow_truncated: bool = False,
    native_rate: int | None = None,
    long_seconds: float | None = None,
) -> Iterator[Any]:
    """Load recordings in order, decoding ahead in threads.

    Only a few clips per thread are held in memory at any time, however many recordings there are.

    Parameters
    ----------
    clips : iterable
        The recordings, each in a form that :func:`load_audio` accepts.
    sample_rate : int or None
        Sample rate of the clips in Hz. None keeps the rate of each recording.
    n_threads : int, default=None
        Threads that decode and resample. None uses one per available core.
    on_error : {"raise", "warn"}, default="raise"
        How to handle a file that cannot be read: raise its AudioLoadError, or replace it by one second of
        silence. In the latter case, one AudioLoadWarning at the end counts these files and names the first
        ten with their causes.
    channel, allow_truncated
        As in :func:`load_audio`.
    native_rate : int, default=None
        Sample rate in Hz that the files are expected to have. Files with less than half of it, or more than
        twice, are named in a warning: their sound lies in another band. None accepts all rates.
    long_seconds : float, default=None
        Files that last longer, or whose length only decoding can tell, are returned as a
        :class:`~skfewaudio.audio.streaming.LongRecording`, which is decoded in blocks when it is iterated
        over; errors and warnings about it are issued then. None loads all clips whole.

    Yields
    ------
    ndarray of shape (n_samples,), float32, or LongRecording
        The clips, in the order of ``clips``.

    Raises
    ------
    AudioLoadError
        If a file cannot be read and `on_error` is "raise".

    Warns
    -----
    AudioLoadWarning
        Once at the end, for unreadable files (see `on_error`), for truncated files that are used, and for
        recordings whose channels cancel each other.
    """
    if on_error not in ("raise", "warn"):
        raise ValueError(f"on_error={on_error!r}; expected 'raise' or 'warn'")
    check_channel(channel)
    check_sample_rate(sample_rate)
    notes: list[str] = []

    def load(clip: Any) -> Samples | LongRecording | AudioLoadError:
        try:
            if native_rate is not None:
                notes.extend(_compare_rate(clip, native_rate))
            if long_seconds is not None and is_long(clip, long_seconds):
                opener = partial(open_blocks, channel=channel, allow_truncated=allow_truncated)
                return LongRecording(as_file_part(clip), sample_rate, opener)
            return _load(clip, sample_rate, channel, 0.0, None, allow_truncated, notes)
        except AudioLoadError as error:
            if on_error == "raise":
                raise
            return error

    errors: list[AudioLoadError] = []
    n_threads = resolve_threads(n_threads)
    is_single = isinstance(clips, Sized) and len(clips) == 1  # a new thread would only take time
    with ThreadPool(n_threads) as pool:
        for clip in map(load, clips) if is_single else map_ahead(pool, load, clips, n_ahead=2 * n_threads):
            if isinstance(clip, AudioLoadError):
                errors.append(clip)
                clip = np.zeros(round(SILENCE_SECONDS * (sample_rate or 44100)), dtype=np.float32)
            yield clip
    if errors:
        warn_of_silence(errors)
    if notes:
        head = f"{len(notes)} recording(s) may not be read as intended:"
        warnings.warn(list_lines(head, sorted(notes)), AudioLoadWarning, stacklevel=2)


def _compare_rate(clip: Any, native_rate: int) -> list[str]:
    """Return a note if the rate of a file is far from the expected one."""
    if not (is_path(clip) or is_file_part(clip)):
        return []
    part = as_file_part(clip)
    try:
        rate = audio_info(part.path).sample_rate
    except AudioLoadError:  # reading the clip raises it again
        return []
    if native_rate / 2 <= rate <= native_rate * 2:
        return []
    effect = f"nothing above {native_rate / 2:g} Hz is used" if rate > native_rate else "high bands are empty"
    return [
        f"{part.path}: has a sample rate of {rate} Hz, and the training recordings {native_rate}: {effect}"
    ]


def resolve_threads(n_threads: int | None) -> int:
    """Return `n_threads`, or the number of threads available to this computation if it is None."""
    return available_threads() if n_threads is None else n_threads


def map_ahead(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], *, n_ahead: int
) -> Iterator[Result]:
    """Map a function over items in order, with at most `n_ahead` results pending."""
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            if len(pending) == n_ahead:
                yield pending.popleft().result()
            pending.append(pool.submit(function, item))
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def check_sample_rate(sample_rate: Any) -> None:
    """Check the sample rate of the result.

    Parameters
    ----------
    sample_rate : object
        In Hz, or None for the rate of the recording.

    Raises
    ------
    ValueError
        If it is not an integer above 0.
    TypeError
        If it is not a number.
    """
    if sample_rate is None:
        return
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, Real):
        raise TypeError(f"sample_rate={sample_rate!r}; expected an integer, in Hz, or None")
    if not isinstance(sample_rate, Integral) or sample_rate < 1:
        raise ValueError(f"sample_rate={sample_rate!r}; expected an integer above 0, in Hz, or None")


def _load(
    clip: Any,
    sample_rate: int | None,
    channel: str | int,
    offset: float,
    duration: float | None,
    allow_truncated: bool,
    notes: list[str],
) -> Samples:
    """Load a clip of any form; append warnings to `notes`."""
    check_channel(channel)
    if is_sound(clip):
        sound = as_sound(clip)
        samples, rate, name = sound.samples.astype(np.float32), sound.sample_rate, "clip"
        samples = samples[round(offset * rate) :]
        samples = samples if duration is None else samples[: round(duration * rate)]
    elif is_path(clip) or is_file_part(clip):
        part = _narrow(as_file_part(clip), offset, duration)
        name = part.path
        with open_blocks(part, channel, allow_truncated, notes) as (mixed, rate):
            blocks = list(_limit(mixed, name))
        samples = blocks[0] if len(blocks) == 1 else np.concatenate([np.empty(0, np.float32), *blocks])
    else:
        raise TypeError(f"clip={clip!r}; expected {FORMS}")
    check_finite(samples, name)
    if sample_rate is None or sample_rate == rate:
        return samples
    resampled = _resample(samples, rate, sample_rate)
    check_finite(resampled, name)
    return resampled


def _limit(blocks: Iterator[Samples], name: str) -> Iterator[Samples]:
    """Iterate over blocks, up to the largest number of samples that a clip may have."""
    limit, n_samples = int(os.environ.get(LIMIT_VARIABLE) or MAX_SAMPLES), 0
    for block in blocks:
        n_samples += len(block)
        if n_samples > limit:
            raise AudioLoadError(
                name,
                f"has more than {limit:,} samples. Use parts of it, (path, start, end), or set "
                f"{LIMIT_VARIABLE} to a larger number of samples",
            )
        yield block


def _narrow(part: FilePart, offset: float, duration: float | None) -> FilePart:
    """Return the part of a part that begins `offset` seconds later."""
    start = part.start + offset
    end = part.end if duration is None else start + duration
    if part.end is not None and end is not None:
        end = min(end, part.end)
    return as_file_part((part.path, start, end))


@contextmanager
def open_blocks(
    part: FilePart, channel: str | int, allow_truncated: bool, notes: list[str]
) -> Iterator[tuple[Iterator[Samples], int]]:
    """Open a part of a file, and return an iterator over blocks of one channel and the rate of the file.

    Warnings are appended to `notes`, at the latest when the iterator ends.
    """
    with open_audio(part.path) as decoder:
        if part.is_whole and decoder.problem and not allow_truncated:
            raise AudioLoadError(part.path, decoder.problem)

        def cut() -> Iterator[NDArray[np.float32]]:
            return _cut(decoder, part, allow_truncated, notes)

        yield mix(cut, channel, part.path, notes), decoder.sample_rate


def _cut(
    decoder: Decoder, part: FilePart, allow_truncated: bool, notes: list[str]
) -> Iterator[NDArray[np.float32]]:
    """Iterate over the blocks of a part, and check that the file holds all of it."""
    rate = decoder.sample_rate
    position = first = round(part.start * rate)
    last = None if part.end is None else round(part.end * rate)
    for block in decoder.blocks(first):
        n_left = len(block) if last is None else last - position
        yield block[:n_left]
        position += min(len(block), n_left)
        if last is not None and position >= last:
            return
    n_missing = 0 if last is None else last - position
    problem = decoder.problem
    if problem is None and first and position == first:
        problem = f"ends before {part.start:g} s, where the part starts"
    elif problem is None and n_missing > END_TOLERANCE * rate:
        problem = f"ends at {position / rate:.2f} s, before the end of the part at {part.end:g} s"
    if problem is None:
        return
    if not allow_truncated or position == first:
        raise AudioLoadError(part.path, problem)
    notes.append(f"{part.path}: {problem}; the first {position / rate:.2f} s are used")


def check_finite(samples: Samples, name: str) -> None:
    """Raise AudioLoadError for a clip without samples, or with NaN or infinite samples."""
    if not len(samples):
        raise AudioLoadError(name, "holds no samples")
    finite = np.isfinite(samples)
    if not finite.all():
        n_bad = len(samples) - np.count_nonzero(finite)
        raise AudioLoadError(name, f"holds NaN or infinite samples ({n_bad} of {len(samples)})")


def _resample(samples: Samples, old_rate: int, new_rate: int) -> Samples:
    """Resample as `librosa.resample(res_type="soxr_hq")` does, to a length rounded up."""
    n_samples = -(-len(samples) * new_rate // old_rate)
    resampled = soxr.resample(samples, old_rate, new_rate, quality="HQ")[:n_samples]
    return np.pad(resampled, (0, n_samples - len(resampled)))


def warn_of_silence(errors: Sequence[AudioLoadError]) -> None:
    """Warn that silence stands in for files that could not be read."""
    stand_in = f"{SILENCE_SECONDS:g} s of silence stands in for each"
    head = f"{len(errors)} sound file(s) could not be read; {stand_in}:"
    warnings.warn(list_lines(head, errors), AudioLoadWarning, stacklevel=3)


def list_lines(head: str, items: Sequence[object]) -> str:
    """Return a message with a first line, and a line for each of the first items."""
    lines = [head, *(f"  {item}" for item in items[:N_NAMED])]
    if len(items) > N_NAMED:
        lines.append(f"  ... and {len(items) - N_NAMED} more")
    return "\n".join(lines)
