"""Levels of log mel spectrograms, and their excess over the background."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import percentile_filter, uniform_filter1d

Frames = NDArray[np.float32]

# The background of a band is this percentile of its medians over blocks of a second: events that fill less
# than half of the context do not raise it.
FLOOR_PERCENTILE = 40
BLOCK_SECONDS = 1.0
# Shares of the bands and decibels that count for the activity of a frame.
ACTIVE_BANDS = 0.25
ACTIVE_DECIBELS = 3.0
# Largest excess that is represented, in decibels below the loudest value of a region.
RANGE = 60.0
SILENCE = -200.0


def mean_level(frames: Frames) -> float:
    """Return the mean power of frames in decibels."""
    return float(10 * np.log10(np.power(10, frames / 10).sum(axis=0).mean() + 1e-20))


def add_powers(a: Frames, b: Frames) -> Frames:
    """Return the decibels of the sum of two powers."""
    total: Frames = np.logaddexp(a * np.float32(np.log(10) / 10), b * np.float32(np.log(10) / 10))
    return total * np.float32(10 / np.log(10))


def background_floor(frames: Frames, *, block: int, context: int) -> Frames:
    """Estimate the background of each band and frame.

    Parameters
    ----------
    frames : ndarray of shape (n_mels, n_frames)
        Decibels.
    block : int
        Frames of a block, of which the median is taken.
    context : int
        Number of blocks around a frame that its background is estimated from.

    Returns
    -------
    ndarray of shape (n_mels, n_frames) or (n_mels, 1)
    """
    n_frames = frames.shape[1]
    block = max(1, min(block, n_frames // 5))
    n_blocks = n_frames // block
    blocks = frames[:, : n_blocks * block].reshape(len(frames), n_blocks, block)
    medians = np.median(blocks, axis=2)
    if n_blocks <= context:
        return np.percentile(medians, FLOOR_PERCENTILE, axis=1, keepdims=True).astype(np.float32)
    floor = percentile_filter(medians, FLOOR_PERCENTILE, size=(1, context), mode="nearest")
    repeated = np.repeat(floor, block, axis=1)
    return np.pad(repeated, ((0, 0), (0, n_frames - n_blocks * block)), mode="edge").astype(np.float32)


def excess(frames: Frames, floor: Frames) -> Frames:
    """Return decibels above the background, 0 at least."""
    return np.maximum(frames - floor, 0).astype(np.float32)


def limit_below_peak(frames: Frames, decibels: float) -> Frames:
    """Raise values that are further than some decibels below the largest one."""
    return np.maximum(frames, np.float32(float(frames.max()) - decibels))


def activity(above: Frames) -> NDArray[np.float64]:
    """Return the mean excess of the most active bands of each frame, smoothed over three frames."""
    n_bands = max(1, round(ACTIVE_BANDS * len(above)))
    strong = np.maximum(above - ACTIVE_DECIBELS, 0)
    top = np.partition(strong, len(above) - n_bands, axis=0)[-n_bands:]
    smooth: NDArray[np.float64] = uniform_filter1d(top.mean(axis=0).astype(np.float64), 3)
    return smooth


def trim(active: NDArray[np.float64], start: int, end: int, share: float) -> tuple[int, int]:
    """Return the first and last frame between `start` and `end` in which the activity stands out.

    Parameters
    ----------
    active : ndarray of shape (n_frames,)
        Activity.
    start, end : int
        Frames between which the edges are searched.
    share : float
        Share of the range of the activity, from its tenth percentile to its maximum.
    """
    part = active[start:end]
    if len(part) < 3:
        return start, end
    low, high = np.percentile(part, 10), part.max()
    above = np.flatnonzero(part > low + share * (high - low))
    return (start + int(above[0]), start + int(above[-1]) + 1) if len(above) else (start, end)


def cut_region(above: Frames, start: int, end: int, *, margin: int, least: int) -> Frames:
    """Cut frames with a margin from an excess spectrogram, filled with zeros beyond its ends.

    Parameters
    ----------
    above : ndarray of shape (n_mels, n_frames)
        Excess.
    start, end : int
        First frame, and the frame after the last.
    margin, least : int
        Frames beside the region, and the smallest number of frames of the result. The number is rounded up
        to one of few lengths, so that regions are computed together.
    """
    width = round_length(max(end - start + 2 * margin, least))
    first = (start + end - width) // 2
    region = np.zeros((len(above), width), dtype=np.float32)
    low, high = max(0, first), min(above.shape[1], first + width)
    if high > low:
        region[:, low - first : high - first] = above[:, low:high]
    return limit_range(region)


def limit_range(region: Frames) -> Frames:
    """Raise the background so that no value exceeds it by more than `RANGE`."""
    over = float(region.max()) - RANGE
    return np.maximum(region - np.float32(over), 0) if over > 0 else region


def round_length(n_frames: int) -> int:
    """Round a number of frames up to a length of a grid, with steps of an eighth of the length."""
    step = max(2, 2 ** (int(n_frames).bit_length() - 4))
    return -(-n_frames // step) * step
