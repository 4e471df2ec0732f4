"""Decoding of Ogg files that consist of several parts, one after the other."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from .base import Block, CannotDecodeError, Decoder
from .sources import open_slice


class ChainedDecoder:
    """Decoder that opens the parts of a chained Ogg file one after the other; see `Decoder`.

    libsndfile stops after the first part, and FFmpeg does not trim the ends of all of them.
    """

    def __init__(self, kind: Callable[..., Decoder], name: str, links: Sequence[int]) -> None:
        bounds = pairwise([*links, Path(name).stat().st_size])
        self._open = [lambda a=a, b=b: kind(name, open_slice(name, a, b)) for a, b in bounds]
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
            try:
                part = open_part()
            except CannotDecodeError as error:
                self.problem = f"is damaged after {position / self.sample_rate:.2f} s ({error})"
                return
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
                if part.problem is not None:
                    self.problem = part.problem
                    return
            finally:
                part.close()

    def close(self) -> None:
        """Do nothing: each part is closed when it has been read."""
