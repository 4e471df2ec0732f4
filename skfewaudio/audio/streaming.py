"""Long recordings, decoded and resampled block by block in bounded memory."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning

from ._decoders.choose import open_audio
from .clips import FilePart, as_file_part, is_file_part, is_path

Samples = NDArray[np.float32]
OpenBlocks = Callable[..., AbstractContextManager[tuple[Iterator[Samples], int]]]
# Files with fewer bytes are never looked into: at 24 kbit/s they hold little more than a minute.
SMALLEST_LONG_FILE = 200_000


class LongRecording:
    """A recording that is decoded anew at each iteration.

    Parameters
    ----------
    part : FilePart
        The file, or the part of it.
    sample_rate : int or None
        Sample rate of the blocks in Hz. None keeps the rate of the file.
    open_blocks : callable
        Context manager from `part` and a list for notes to an iterator of mono blocks and their rate.
    """

    def __init__(self, part: FilePart, sample_rate: int | None, open_blocks: OpenBlocks) -> None:
        self.part = part
        self.sample_rate = sample_rate
        self._open_blocks = open_blocks

    def __iter__(self) -> Iterator[Samples]:
        """Iterate over consecutive blocks of shape (n_samples,).

        Raises
        ------
        AudioLoadError
            If the recording cannot be read, which may be found after some blocks.

        Warns
        -----
        AudioLoadWarning
            At the end, as :func:`~skfewaudio.audio.load_audio` does.
        """
        notes: list[str] = []
        with self._open_blocks(self.part, notes=notes) as (blocks, rate):
            checked = (_check_block(block, self.part.path) for block in blocks)
            if self.sample_rate is None or self.sample_rate == rate:
                yield from checked
            else:
                yield from resample_blocks(checked, rate, self.sample_rate)
        for note in notes:
            warnings.warn(note, AudioLoadWarning, stacklevel=2)


def is_long(clip: Any, seconds: float) -> bool:
    """Return whether a clip is a file, or a part of one, that lasts longer or has an unknown length.

    Parameters
    ----------
    clip : object
        A clip of any form.
    seconds : float
        Shorter clips are not long.

    Returns
    -------
    bool
        False for files that cannot be opened, and for sound in memory.
    """
    if not (is_path(clip) or is_file_part(clip)):
        return False
    part = as_file_part(clip)
    if part.end is not None and part.end - part.start <= seconds:
        return False
    try:
        if Path(part.path).stat().st_size < SMALLEST_LONG_FILE:
            return False
        with open_audio(part.path) as decoder:
            return decoder.n_frames is None or decoder.n_frames / decoder.sample_rate - part.start > seconds
    except (OSError, ValueError):  # reading the clip raises the error; ValueError: a null byte in the name
        return False


def resample_blocks(blocks: Iterator[Samples], old_rate: int, new_rate: int) -> Iterator[Samples]:
    """Resample consecutive blocks like one long array, to a length rounded up."""
    stream = soxr.ResampleStream(old_rate, new_rate, 1, dtype="float32", quality="HQ")
    n_in = n_out = 0
    for block in blocks:
        n_in += len(block)
        resampled = stream.resample_chunk(block)
        n_out += len(resampled)
        yield resampled
    n_missing = -(-n_in * new_rate // old_rate) - n_out
    rest = stream.resample_chunk(np.empty(0, dtype=np.float32), last=True)[:n_missing]
    yield np.pad(rest, (0, n_missing - len(rest)))


def _check_block(block: Samples, name: str) -> Samples:
    if not np.isfinite(block).all():
        raise AudioLoadError(name, "holds NaN or infinite samples")
    return block
