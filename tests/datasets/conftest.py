"""Small datasets on disk."""

import io
import struct
from functools import cache

import numpy as np
import pytest
import soundfile


@cache
def _encode(number, rate, suffix):
    """Encode a short sound, a different one for each number."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.full(80, 0.001 * (number + 1)), rate, format=suffix[1:].upper())
    return buffer.getvalue()


@pytest.fixture
def write_clips():
    """Return a function that writes short sound files with the given names into a folder."""

    def _write(folder, names, rate=8000):
        for number, name in enumerate(names):
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_encode(number, rate, file.suffix))

    return _write


def _checksum(data):
    """Compute the CRC-32C checksum bit by bit, masked as in TFRecord files."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)


@pytest.fixture
def frame():
    """Return a function that frames bytes as a record of a TFRecord file."""

    def _frame(data):
        length = struct.pack("<Q", len(data))
        return length + _checksum(length) + data + _checksum(data)

    return _frame


def _integer(value):
    """Encode an integer with seven bits per byte."""
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


@pytest.fixture
def message():
    """Return a function that encodes fields ``(number, content)`` with bytes as content."""

    def _message(*fields):
        return b"".join(bytes([number << 3 | 2]) + _integer(len(data)) + data for number, data in fields)

    return _message


@pytest.fixture
def clip_record(message):
    """Return a function that encodes a clip as in AudioSet's embeddings."""

    def _clip_record(video, labels, seconds):
        features = {
            b"video_id": message((1, message((1, video)))),
            b"start_time_seconds": message((2, message((1, struct.pack("<f", 30.0))))),
            b"end_time_seconds": message((2, message((1, struct.pack("<f", 40.0))))),
            b"labels": message((3, message((1, b"".join(map(_integer, labels)))))),
        }
        context = message(*((1, message((1, name), (2, value))) for name, value in features.items()))
        frames = message(*((1, message((1, message((1, second))))) for second in seconds))
        lists = message((1, message((1, b"audio_embedding"), (2, frames))))
        return message((1, context), (2, lists))

    return _clip_record
