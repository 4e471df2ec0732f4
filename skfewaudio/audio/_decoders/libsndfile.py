"""Decoding by libsndfile."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import soundfile as sf

from .base import Block, CannotDecodeError, truncated

BLOCK_SAMPLES = 2**18  # samples read at once: the frame count in a header is never trusted for allocation


class SoundfileDecoder:
    """Decoder of formats that libsndfile reads; see `Decoder`."""

    def __init__(self, name: str, source: BinaryIO | None = None) -> None:
        self._file_object = source
        try:
            self._file = sf.SoundFile(source or self._openable(name))
        # TypeError: soundfile treats the suffix .raw as samples without a header.
        except (sf.SoundFileError, RuntimeError, TypeError) as error:
            self._close_file_object()
            raise CannotDecodeError(str(error)) from error
        self.sample_rate: int = self._file.samplerate
        self.n_channels: int = self._file.channels
        self.format_name = f"{self._file.format} {self._file.subtype}".lower()
        self.n_frames: int | None = self._file.frames
        self.problem: str | None = None

    def _openable(self, name: str) -> str | BinaryIO:
        """Return the name, or an open file if the name is not valid UTF-8, which libsndfile requires."""
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            self._file_object = Path(name).open("rb")  # noqa: SIM115, closed with the decoder
            return self._file_object
        return name

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """Iterate over blocks of shape (n_frames, n_channels) from frame `start` on."""
        n_read = start
        n_at_once = max(1, BLOCK_SAMPLES // self.n_channels)
        try:
            if start or self._file.tell():
                self._file.seek(min(start, self._file.frames))
            while len(block := self._file.read(n_at_once, dtype="float32", always_2d=True)):
                n_read += len(block)
                yield block
        except (sf.SoundFileError, RuntimeError) as error:
            self.problem = f"is damaged after {n_read / self.sample_rate:.2f} s ({error})"
        if self.problem is None and n_read < self._file.frames:
            self.problem = truncated(n_read, self._file.frames)

    def close(self) -> None:
        """Close the file."""
        with suppress(sf.SoundFileError):
            self._file.close()
        self._close_file_object()

    def _close_file_object(self) -> None:
        if self._file_object is not None:
            self._file_object.close()
