"""Sound files to float32 mono arrays."""

import os
import struct
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

import joblib
import numpy as np
import soundfile as sf
import soxr

from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning

# Rates outside are taken for damage: a flipped byte in a header would otherwise ask for a
# resampling to billions of samples.
LOWEST_RATE, HIGHEST_RATE = 1_000, 10_000_000
BLOCK_SAMPLES = 2**20  # read at once: a header's own count of frames is never trusted for an allocation
UNKNOWN_LENGTHS = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # what writers to a pipe leave as the size of a wav's data
SILENCE_SECONDS = 1.0
N_NAMED = 10  # bad files that a warning names

Item = TypeVar("Item")
Result = TypeVar("Result")


def load_audio(path: str | os.PathLike[str], *, sample_rate: int | None) -> np.ndarray:
    """Read a sound file as mono at a sample rate.

    Everything libsndfile reads is read: wav, flac, ogg, mp3 and more, with any number of channels
    (their mean is taken) at any rate (soxr's high-quality resampling).

    Parameters
    ----------
    path : str or path-like
        The file.
    sample_rate : int or None
        Rate of the result in Hz; None keeps the file's own.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        The samples; integer formats are scaled to [-1, 1). A file of n samples at another rate r
        gives ``ceil(n * sample_rate / r)``, as in librosa.

    Raises
    ------
    AudioLoadError
        If the file is missing, not readable, not audio, truncated, without samples, or holds NaN or
        infinite values. The error names the file and the cause.

    See Also
    --------
    iter_clips : Read many files, in threads.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np, soundfile
    >>> from skfewaudio.audio import load_audio
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "silence.wav"
    ...     soundfile.write(path, np.zeros((22050, 2)), 22050)
    ...     load_audio(path, sample_rate=8000).shape
    (8000,)
    """
    name = os.fspath(path)
    _check_file(name)
    try:
        with sf.SoundFile(name) as file:
            samples = _read_mono(file, name)
            file_rate = file.samplerate
    # TypeError: soundfile takes the extension .raw for samples without a header.
    except (sf.SoundFileError, RuntimeError, TypeError) as error:
        raise AudioLoadError(name, f"cannot be decoded as audio ({error})") from error
    _check_samples(samples, name)
    if sample_rate is None or sample_rate == file_rate:
        return samples
    resampled = _resample(samples, file_rate, sample_rate)
    _check_samples(resampled, name)
    return resampled


def iter_clips(
    paths: Iterable[str | os.PathLike[str]],
    *,
    sample_rate: int | None,
    n_threads: int | None = None,
    on_error: Literal["raise", "warn"] = "raise",
) -> Iterator[np.ndarray]:
    """Read sound files one after the other, decoding ahead in threads.

    Only a few clips per thread are held at any time, however many files there are.

    Parameters
    ----------
    paths : iterable of str or path-like
        The files.
    sample_rate : int or None
        Rate of the clips in Hz; None keeps each file's own.
    n_threads : int, default=None
        Threads that decode and resample. None takes as many as there are cores to use.
    on_error : {"raise", "warn"}, default="raise"
        What a file that cannot be read does: end the iteration with its AudioLoadError, or be
        replaced by one second of silence. In the latter case one AudioLoadWarning at the end counts
        these files and names the first ten with their causes.

    Yields
    ------
    ndarray of shape (n_samples,), float32
        The clips, in the order of `paths`.

    Raises
    ------
    AudioLoadError
        If a file cannot be read and `on_error` is "raise".
    """
    if on_error not in ("raise", "warn"):
        raise ValueError(f"on_error={on_error!r}; expected 'raise' or 'warn'")

    def load(path: str | os.PathLike[str]) -> np.ndarray | AudioLoadError:
        try:
            return load_audio(path, sample_rate=sample_rate)
        except AudioLoadError as error:
            if on_error == "raise":
                raise
            return error

    errors: list[AudioLoadError] = []
    n_threads = resolve_threads(n_threads)
    with ThreadPoolExecutor(n_threads) as pool:
        for clip in map_ahead(pool, load, paths, n_ahead=2 * n_threads):
            if isinstance(clip, AudioLoadError):
                errors.append(clip)
                clip = np.zeros(round(SILENCE_SECONDS * (sample_rate or 44100)), dtype=np.float32)
            yield clip
    if errors:
        warnings.warn(_summary(errors), AudioLoadWarning, stacklevel=2)


def resolve_threads(n_threads: int | None) -> int:
    """Give the number of threads for an `n_threads` parameter; None takes the cores this process may use."""
    return joblib.effective_n_jobs(-1) if n_threads is None else n_threads


def map_ahead(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], *, n_ahead: int
) -> Iterator[Result]:
    """Map over items in order, with at most `n_ahead` of them taken and not yet handed out."""
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


def _check_file(name: str) -> None:
    """Tell what is wrong with a file before libsndfile, whose messages say less, opens it."""
    path = Path(name)
    try:
        if path.is_dir():
            raise AudioLoadError(name, "is a directory, not a sound file")
        if path.exists() and not path.is_file():  # reading from a pipe could wait for ever
            raise AudioLoadError(name, "is not a regular file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise AudioLoadError(name, "is empty (0 bytes)")
            _check_wav_length(file, name, size)
    except AudioLoadError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioLoadError(name, f"cannot be opened ({reason})") from error


def _check_wav_length(file: BinaryIO, name: str, size: int) -> None:
    """Find a truncated wav, which libsndfile silently reads as a shorter one."""
    header = file.read(12)
    if header[:4] != b"RIFF" or header[8:] != b"WAVE":
        return
    while len(chunk := file.read(8)) == 8:
        kind, length = struct.unpack("<4sI", chunk)
        if kind != b"data":
            file.seek(length + length % 2, os.SEEK_CUR)
            continue
        present = size - file.tell()
        if length not in UNKNOWN_LENGTHS and present < length:
            raise AudioLoadError(name, f"is truncated ({present} of {length} bytes of sound)")
        return


def _read_mono(file: sf.SoundFile, name: str) -> np.ndarray:
    """Read block by block and mix as the blocks come, up to the end that the decoder finds."""
    if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        raise AudioLoadError(name, f"has a header that tells a sample rate of {file.samplerate} Hz")
    blocks = [np.empty(0, dtype=np.float32)]
    n_frames = max(1, BLOCK_SAMPLES // file.channels)
    while len(block := file.read(n_frames, dtype="float32", always_2d=True)):
        with np.errstate(over="ignore", invalid="ignore"):  # found as non-finite samples later
            blocks.append(block[:, 0] if file.channels == 1 else block.mean(axis=1))
    n_read = sum(map(len, blocks))
    if n_read < file.frames:
        raise AudioLoadError(name, f"is truncated ({n_read} of {file.frames} frames can be decoded)")
    return np.concatenate(blocks) if len(blocks) > 2 else blocks[-1]


def _check_samples(samples: np.ndarray, name: str) -> None:
    """Refuse a clip without samples, or with NaN or infinite ones."""
    if not len(samples):
        raise AudioLoadError(name, "holds no samples")
    finite = np.isfinite(samples)
    if not finite.all():
        n_bad = len(samples) - np.count_nonzero(finite)
        raise AudioLoadError(name, f"holds NaN or infinite samples ({n_bad} of {len(samples)})")


def _resample(samples: np.ndarray, old_rate: int, new_rate: int) -> np.ndarray:
    """Resample as `librosa.resample(res_type="soxr_hq")` does, to a length rounded up."""
    n_samples = -(-len(samples) * new_rate // old_rate)
    resampled = soxr.resample(samples, old_rate, new_rate, quality="HQ")[:n_samples]
    return np.pad(resampled, (0, n_samples - len(resampled)))


def _summary(errors: Sequence[AudioLoadError]) -> str:
    """Say how many files were replaced by silence, which, and why."""
    lines = [
        f"{len(errors)} sound file(s) could not be read; {SILENCE_SECONDS:g} s of silence stands in for each:"
    ]
    lines += [f"  {error}" for error in errors[:N_NAMED]]
    if len(errors) > N_NAMED:
        lines.append(f"  ... and {len(errors) - N_NAMED} more")
    return "\n".join(lines)
