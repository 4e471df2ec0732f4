"""Declared shapes of the inputs and outputs of networks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class WaveformLayout:
    """Place of the waveforms in the input of a network.

    Parameters
    ----------
    n_samples : int or None
        Length of a waveform. None accepts any.
    n_at_once : int or None
        Number of waveforms of a call. None accepts any.
    axis : int or None
        Place of a further axis of length 1. None if there is none.
    has_batch : bool
        Whether the first axis is the waveform's index.
    """

    n_samples: int | None
    n_at_once: int | None
    axis: int | None
    has_batch: bool

    def shape(self, batch: Array) -> Array:
        """Return waveforms (n, n_samples) in the shape of the input."""
        fed = batch if self.has_batch else batch[0]
        return fed if self.axis is None else np.expand_dims(fed, self.axis)

    def split(self, batch: Array) -> Iterator[tuple[Array, int]]:
        """Yield the inputs of the calls for waveforms (n, n_samples), and the number of waveforms in each."""
        n_at_once = self.n_at_once or len(batch)
        for start in range(0, len(batch), n_at_once):
            part = batch[start : start + n_at_once]
            n_missing = n_at_once - len(part)
            filled = np.pad(part, ((0, n_missing), (0, 0))) if n_missing else part
            yield self.shape(filled), len(part)


def waveform_layout(shape: Sequence[Any], name: str) -> WaveformLayout:
    """Find the waveforms in the declared shape of an input.

    Parameters
    ----------
    shape : sequence
        One entry per axis: its size, or anything else (None, a name, -1) if it is not fixed.
    name : str
        Name of the input in errors.

    Returns
    -------
    WaveformLayout

    Raises
    ------
    ValueError
        If no waveform has this shape.
    """
    sizes = [int(size) if isinstance(size, int | np.integer) and size > 0 else None for size in shape]
    if len(sizes) == 1:
        return WaveformLayout(sizes[0], 1, None, False)
    if len(sizes) == 2:
        return WaveformLayout(sizes[1], sizes[0], None, True)
    if len(sizes) == 3 and 1 in sizes[1:]:
        axis = 2 if sizes[2] == 1 else 1
        return WaveformLayout(sizes[3 - axis], sizes[0], axis, True)
    raise ValueError(
        f"{name} has the shape {list(shape)}; expected waveforms: (n_samples,), (n, n_samples), "
        "(n, n_samples, 1) or (n, 1, n_samples)"
    )


def run_layout(layout: WaveformLayout, batch: Array, run: Callable[[Array], Any], name: str) -> Array:
    """Run a network on waveforms, as many at once as it accepts.

    Parameters
    ----------
    layout : WaveformLayout
        Layout of its input.
    batch : ndarray of shape (n, n_samples)
        Waveforms.
    run : callable
        Maps an input of the network to its output.
    name : str
        Name of the network in errors.

    Returns
    -------
    ndarray of shape (n, d) or (n, n_frames, d)
    """
    if layout.n_samples is not None and batch.shape[1] != layout.n_samples:
        raise ValueError(
            f"{name} takes {layout.n_samples} samples at a time, not {batch.shape[1]}; set window=None"
        )
    found = [
        _as_rows(run(fed), len(fed) if layout.has_batch else 0, name)[:n] for fed, n in layout.split(batch)
    ]
    return found[0] if len(found) == 1 else np.concatenate(found)


def _as_rows(output: Any, n: int, name: str) -> Array:
    """Return the output of one call as (n, d) or (n, n_frames, d); `n` is 0 without an axis of waveforms."""
    array = np.asarray(output)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} returned an output of type {array.dtype}; expected numbers")
    if n == 0:
        array = array[None]
        n = 1
    inner = array.shape[1:]
    if len(inner) > 2:  # such as (1, 1, 1024) of a feature map
        inner = tuple(size for size in inner if size != 1) or (1,)
    if array.ndim < 2 or len(array) != n or len(inner) > 2:
        raise ValueError(
            f"{name} returned an output of shape {array.shape} for {n} waveform(s); expected (n, d) or "
            "(n, n_frames, d). Choose another layer with output="
        )
    return array.reshape(len(array), *inner).astype(np.float32, copy=False)
