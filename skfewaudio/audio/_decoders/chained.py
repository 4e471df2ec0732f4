"""Decoding of Ogg files that consist of several parts, one after the other."""

import io
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from .base import Block, Decoder


class FileSlice(io.RawIOBase):
    """Read-only file that is a range of bytes of another one."""

    def __init__(self, name: str, start: int, stop: int) -> None:
        self._file = Path(name).open("rb")  # noqa: SIM115, closed with the slice
        self._start, self._size = start, stop - start
        self.seek(0)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position of the slice."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._file.tell() - self._start, io.SEEK_END: self._size}
        position = max(0, origin[whence] + offset)
        self._file.seek(self._start + position)
        return position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read at most as many bytes as the slice has left."""
        n_left = self._start + self._size - self._file.tell()
        data = self._file.read(max(0, min(len(buffer), n_left)))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


class ChainedDecoder:
    """Decoder that opens the parts of a chained Ogg file one after the other; see `Decoder`.

    libsndfile stops after the first part, and FFmpeg does not trim the ends of all of them.
    """

    def __init__(self, kind: Callable[..., Decoder], name: str, links: Sequence[int]) -> None:
        bounds = pairwise([*links, Path(name).stat().st_size])
        self._open = [lambda a=a, b=b: kind(name, _buffered(name, a, b)) for a, b in bounds]
        first = self._open[0]()
        self.sample_rate, self.n_channels = first.sample_rate, first.n_channels
        self.format_name = first.format_name
        self.n_frames: int | None = None
        self.problem: str | None = None
        first.close()

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """Iterate over blocks of shape (n_frames, n_channels) from frame `start` on."""
        position = 0
        for open_part in self._open:
            part = open_part()
            try:
                if part.sample_rate != self.sample_rate:
                    rates = f"{self.sample_rate} to {part.sample_rate} Hz"
                    seconds = position / self.sample_rate
                    self.problem = f"changes its sample rate from {rates} at {seconds:.2f} s; split it there"
                    return
                for block in part.blocks():
                    if position + len(block) > start:
                        yield block[max(0, start - position) :]
                    position += len(block)
                self.problem = self.problem or part.problem
            finally:
                part.close()

    def close(self) -> None:
        """Do nothing: each part is closed when it has been read."""


def _buffered(name: str, start: int, stop: int) -> BinaryIO:
    return io.BufferedReader(FileSlice(name, start, stop))
