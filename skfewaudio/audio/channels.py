"""From the channels of a recording to one."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from skfewaudio.exceptions import AudioLoadError

# Power lost by averaging, in dB, beyond which channels cancel each other: uncorrelated channels lose 3 dB.
MOST_LOST_DB = 10.0
CHANNEL_CHOICES = ("mean", "first", "loudest")

Blocks = Iterable[NDArray[np.float32]]
Open = Callable[[], Blocks]


def check_channel(channel: str | int) -> None:
    """Raise ValueError unless a parameter `channel` is a known name or an index of at least 0."""
    is_index = isinstance(channel, int | np.integer) and not isinstance(channel, bool) and channel >= 0
    if not is_index and channel not in CHANNEL_CHOICES:
        names = ", ".join(map(repr, CHANNEL_CHOICES))
        raise ValueError(f"channel={channel!r}; expected {names} or the index of a channel, from 0")


def mix(open_blocks: Open, channel: str | int, name: str, notes: list[str]) -> Iterator[NDArray[np.float32]]:
    """Reduce blocks of several channels to one.

    Parameters
    ----------
    open_blocks : callable
        Returns the blocks, of shape (n_frames, n_channels); called twice for ``"loudest"``.
    channel : {"mean", "first", "loudest"} or int
        The mean over the channels, the first one, the one with the highest power, or the one with an index
        from 0.
    name : str
        Name of the recording, for errors and notes.
    notes : list of str
        Receives a message if averaging loses more than 10 dB of the channels' mean power, because they cancel
        each other.

    Yields
    ------
    ndarray of shape (n_frames,), float32

    Raises
    ------
    AudioLoadError
        If there is no channel of that index.
    """
    if channel == "mean":
        yield from _average(open_blocks(), name, notes)
        return
    index = (
        0 if channel == "first" else _find_loudest(open_blocks()) if channel == "loudest" else int(channel)
    )
    for block in open_blocks():
        if index >= block.shape[1]:
            raise AudioLoadError(name, f"has {block.shape[1]} channels, and channel={index} was requested")
        yield block[:, index]


def _average(blocks: Blocks, name: str, notes: list[str]) -> Iterator[NDArray[np.float32]]:
    """Average the channels of each block; note at the end if they cancelled each other."""
    before = after = 0.0
    for block in blocks:
        if block.shape[1] == 1:
            yield block[:, 0]
            continue
        with np.errstate(over="ignore", invalid="ignore"):  # detected later as non-finite samples
            mean = block.mean(axis=1)
            before += float(np.vdot(block, block)) / block.shape[1]
            after += float(np.vdot(mean, mean))
        yield mean
    if after < before * 10 ** (-MOST_LOST_DB / 10):
        lost = f"{10 * np.log10(before / after):.0f} dB" if after else "all"
        notes.append(
            f"{name}: loses {lost} of its power when its channels are averaged, because they cancel each "
            "other; use channel='first' or 'loudest'"
        )


def _find_loudest(blocks: Blocks) -> int:
    """Return the index of the channel with the highest power."""
    power = np.zeros(1)
    for block in blocks:
        power = np.resize(power, block.shape[1]) + np.square(block, dtype=np.float64).sum(axis=0)
    return int(power.argmax())
