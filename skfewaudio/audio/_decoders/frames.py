"""Samples of FFmpeg's frames as float32."""

from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from .base import Block

# Full scale of integer samples; FFmpeg returns 24 bits in the upper bytes of 32.
SCALES = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31}
# PyAV counts the planes of a frame up to a null pointer, which is missing, and crashes, after eight or more.
MOST_PLANES = 7
WITHOUT_ARRAY = {"s64": "dbl", "s64p": "dbl"}  # formats without a numpy type in PyAV


def to_float(frame: Any) -> Block:
    """Return the samples of a frame as float32 of shape (n_frames, n_channels), full scale 1."""
    frame = _convert(frame)
    samples = frame.to_ndarray()
    samples = samples.T if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels)
    kind = samples.dtype.str[1:]
    if kind == "u1":
        return ((samples.astype(np.float32) - 128) / SCALES[kind]).astype(np.float32)
    if kind in SCALES:
        return samples.astype(np.float32) / np.float32(SCALES[kind])
    return np.ascontiguousarray(samples, dtype=np.float32)


def _convert(frame: Any) -> Any:
    """Return a frame in a format from which PyAV makes an array."""
    name = WITHOUT_ARRAY.get(frame.format.name, frame.format.name)
    if frame.format.is_planar and frame.layout.nb_channels > MOST_PLANES:
        name = av.AudioFormat(name).packed.name
    if name == frame.format.name:
        return frame
    return av.AudioResampler(format=name, layout=frame.layout).resample(frame)[0]


def join(blocks: list[Block]) -> Iterator[Block]:
    """Join consecutive blocks with the same number of channels."""
    while blocks:
        n_channels = blocks[0].shape[1]
        n_same = next((i for i, block in enumerate(blocks) if block.shape[1] != n_channels), len(blocks))
        yield np.concatenate(blocks[:n_same])
        blocks = blocks[n_same:]
