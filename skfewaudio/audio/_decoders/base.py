"""What decoders have in common."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]


class CannotDecodeError(Exception):
    """Raised by a decoder; the message is a clause without the file's name.

    `is_final` means that the reason is known and no other decoder needs to be tried.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Decoder(Protocol):
    """An open sound file.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    n_channels : int
        Channels of the first block.
    format_name : str
        Container and codec, such as "ogg vorbis".
    n_frames : int or None
        Length stated by the file; None if it is unknown or not reliable.
    problem : str or None
        Why sound is missing at the end, such as "is truncated (10 of 20 frames can be decoded)". Some
        problems are known only after the last block.
    """

    sample_rate: int
    n_channels: int
    format_name: str
    n_frames: int | None
    problem: str | None

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """Iterate over the sound from frame `start` on, as blocks of shape (n_frames, n_channels)."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def truncated(n_read: int, n_expected: int) -> str:
    """Return the problem of a file that ends early."""
    return f"is truncated ({n_read} of {n_expected} frames can be decoded)"
