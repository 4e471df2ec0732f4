"""Decoding by libsndfile."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import soundfile as sf

from .base import Block, CannotDecodeError, truncated

BLOCK_SAMPLES = 2**18  # samples read at once: the frame count in a header is never trusted for allocation
LONGEST_PAGE = 255 * 4096  # frames on a page of Ogg Vorbis at most: packets, and half a block for each


class SoundfileDecoder:
    """Decoder of formats that libsndfile reads; see `Decoder`."""

    def __init__(self, name: str, source: BinaryIO | None = None) -> None:
        self._file_object = source or self._open_file_object(name)
        self._name = name
        self._open()
        self._is_used = False
        self.sample_rate: int = self._file.samplerate
        self.n_channels: int = self._file.channels
        self.format_name = f"{self._file.format} {self._file.subtype}".lower()
        self.n_frames: int | None = self._file.frames
        self.problem: str | None = None

    def _open_file_object(self, name: str) -> BinaryIO | None:
        """Open a file whose name is not valid UTF-8, which libsndfile requires."""
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            return Path(name).open("rb")
        return None

    def _open(self) -> None:
        """Open the file at its beginning."""
        if self._file_object is not None:
            self._file_object.seek(0)
        try:
            self._file = sf.SoundFile(self._file_object or self._name)
        # TypeError: soundfile treats the suffix .raw as samples without a header.
        except (sf.SoundFileError, RuntimeError, TypeError) as error:
            self._close_file_object()
            raise CannotDecodeError(str(error)) from error

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """Iterate over blocks of shape (n_frames, n_channels) from frame `start` on."""
        if self._is_used:
            self._file.close()
            self._open()
        self._is_used = True
        n_read = 0
        n_at_once = max(1, BLOCK_SAMPLES // self.n_channels)
        try:
            if (reachable := min(start, self._last_reachable())) > 0:
                n_read = self._file.seek(reachable)
            while len(block := self._file.read(n_at_once, dtype="float32", always_2d=True)):
                n_read += len(block)
                if n_read > start:
                    yield block[max(0, start - n_read + len(block)) :]
        except (sf.SoundFileError, RuntimeError) as error:
            self.problem = f"is damaged after {n_read / self.sample_rate:.2f} s ({error})"
        if self.problem is None and n_read < self._file.frames:
            self.problem = truncated(n_read, self._file.frames)

    def _last_reachable(self) -> int:
        """Return the last frame that is found exactly: on the last page of Vorbis, libsndfile errs."""
        return self._file.frames - (LONGEST_PAGE if self._file.subtype == "VORBIS" else 0)

    def close(self) -> None:
        """Close the file."""
        with suppress(sf.SoundFileError):
            self._file.close()
        self._close_file_object()

    def _close_file_object(self) -> None:
        if self._file_object is not None:
            self._file_object.close()
