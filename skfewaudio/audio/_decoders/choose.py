"""Choice of the decoder of a file."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from skfewaudio.exceptions import AudioLoadError

from .base import CannotDecodeError, Decoder
from .chained import ChainedDecoder
from .containers import (
    EXTENSIBLE,
    FLOAT,
    PCM,
    find_data_chunk,
    find_declared_size,
    find_tag_end,
    read_ogg_pages,
)
from .libsndfile import SoundfileDecoder
from .sources import Source, open_slice, open_source

# Rates outside this range are treated as damage: a flipped byte in a header would otherwise cause resampling
# to billions of samples.
LOWEST_RATE, HIGHEST_RATE = 1_000, 10_000_000
UNTAGGED = (b"MAC ", b"wvpk", b"fLaC", b"TTA1", b"MPCK", b"MP+", b"tBaK")  # with ID3 tags all the same
CONVERT = "convert it, for example: ffmpeg -i FILE FILE.wav"


@contextmanager
def open_audio(name: str) -> Iterator[Decoder]:
    """Open a sound file with the decoder that reads it whole.

    libsndfile decodes uncompressed wav files and Ogg Vorbis whose structure is sound, where it is as fast or
    faster. FFmpeg decodes the rest. Formats that FFmpeg does not know are left to libsndfile.

    Parameters
    ----------
    name : str
        Path of the file.

    Yields
    ------
    Decoder

    Raises
    ------
    AudioLoadError
        If the file is missing, unreadable, empty or not audio.
    """
    structure = _examine(name)
    try:
        decoder = structure.open(name)
        try:
            if not LOWEST_RATE <= decoder.sample_rate <= HIGHEST_RATE:
                raise AudioLoadError(name, f"has a header with a sample rate of {decoder.sample_rate} Hz")
            decoder.problem = structure.problem
            yield decoder
        finally:
            decoder.close()
    except CannotDecodeError as error:
        raise AudioLoadError(name, str(error)) from error


class Structure(NamedTuple):
    """How a file is to be read, by its structure."""

    problem: str | None = None  # why sound is missing at the end
    prefers_libsndfile: bool = False
    links: Sequence[int] = ()  # where the chained parts of an Ogg file begin
    is_mpeg: bool = False
    head: bytes = b""  # stands for the first bytes of the file
    start: int = 0  # of the sound behind a tag

    def open(self, name: str) -> Decoder:
        """Open the file with one decoder or else with the other."""
        kinds: tuple[Callable[..., Decoder], ...] = (_open_by_ffmpeg, SoundfileDecoder)
        if self.prefers_libsndfile:
            kinds = kinds[::-1]
        elif self.is_mpeg:
            kinds = (_open_by_ffmpeg,)
        if any(self.links):
            return ChainedDecoder(kinds[0], name, self.links)
        reasons = []
        for kind in kinds:
            try:
                # By a suffix, libsndfile takes any content for MPEG audio, and writes warnings to stderr.
                return kind(name, None if self.prefers_libsndfile else self._open_source(name))
            except CannotDecodeError as error:
                reasons.append(error)
        reason = reasons[kinds.index(_open_by_ffmpeg)]
        if reason.is_final:
            raise reason
        raise CannotDecodeError(f"cannot be decoded as audio ({reason}); {CONVERT}")

    def _open_source(self, name: str) -> Source:
        """Open the file as decoders shall see it."""
        if self.start:
            return open_slice(name, self.start, Path(name).stat().st_size)
        return open_source(name, self.head)


def _open_by_ffmpeg(name: str, source: Source | None = None) -> Decoder:
    """Open a file by FFmpeg, whose libraries take 18 MB of memory: other files do not load them."""
    from .ffmpeg import FFmpegDecoder

    return FFmpegDecoder(name, source)


def _examine(name: str) -> Structure:
    """Check the structure of a file."""
    path = Path(name)
    try:
        if path.is_dir():
            raise AudioLoadError(name, "is a directory, not a sound file")
        if path.exists() and not path.is_file():  # reading from a pipe could block forever
            raise AudioLoadError(name, "is not a regular file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise AudioLoadError(name, "is empty (0 bytes)")
            head = file.read(4)
            file.seek(0)
            if head == b"OggS":
                return _examine_ogg(file, size)
            start = find_tag_end(file)
            file.seek(start)
            if start and file.read(4).startswith(UNTAGGED):
                return Structure(start=start)
            file.seek(0)
            if head[:3] == b"ID3" or (head[0] == 0xFF and head[1:2] >= b"\xe0"):
                return Structure(is_mpeg=True)
            return _examine_chunks(name, file, size)
    except AudioLoadError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioLoadError(name, f"cannot be opened ({reason})") from error


def _examine_ogg(file: BinaryIO, size: int) -> Structure:
    pages = read_ogg_pages(file, size)
    if pages is None or pages.n_streams > 1:
        return Structure()
    problem = "is truncated (its last page is incomplete)" if pages.is_cut else None
    return Structure(problem, pages.is_vorbis and pages.is_tidy and not pages.is_cut, pages.links)


def _examine_chunks(name: str, file: BinaryIO, size: int) -> Structure:
    chunk = find_data_chunk(file, size)
    if chunk is None:
        file.seek(0)
        declared = find_declared_size(file)
        is_cut = declared is not None and size < declared
        return Structure(f"is truncated ({size} of {declared} bytes)" if is_cut else None)
    if chunk.is_padded:
        raise AudioLoadError(name, f"stores samples of 24 bits in 4 bytes, as integers or floats; {CONVERT}")
    is_plain = chunk.format_tag in (PCM, FLOAT, EXTENSIBLE)
    problem = f"is truncated ({chunk.present} of {chunk.declared} bytes of sound)"
    return Structure(
        problem if chunk.is_truncated else None,
        is_plain and chunk.is_consistent,
        head=b"RIFF" if chunk.lacks_long_size else b"",  # in RF64, FFmpeg trusts the size of 0
    )
