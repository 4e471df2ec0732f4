"""TFRecord files of SequenceExample messages, read without TensorFlow.

The framing is that of https://www.tensorflow.org/tutorials/load_data/tfrecord, the encoding that of
https://protobuf.dev/programming-guides/encoding, and the messages are Google's
tensorflow/core/example/{example,feature}.proto.
"""

import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Each record: length, checksum of the length, data, checksum of the data; little-endian.
_LENGTH, _CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")
_HEADER_SIZE = _LENGTH.size + _CHECKSUM.size
_MASK_DELTA = 0xA282EAD8  # added to a rotated checksum, so that checksums of checksums stay unlike them
_POLYNOMIAL = 0x82F63B78  # CRC-32C (Castagnoli), bits reversed, as in RFC 3720
_BLOCK_SIZE = 2048
# Field numbers of the messages.
_CONTEXT, _FEATURE_LISTS = 1, 2
_KEY, _VALUE = 1, 2
_BYTES, _FLOATS, _INTEGERS = 1, 2, 3
# Wire types, and the bytes of those whose size is fixed.
_VARINT, _FIXED_64, _DELIMITED, _FIXED_32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED_64: 8, _FIXED_32: 4}

Span = tuple[int, int]  # where a field's content starts and stops


class SequenceExample(NamedTuple):
    """One record: values by name, and lists of values by name."""

    context: dict[str, list[Any]]
    feature_lists: dict[str, list[list[Any]]]


class _FormatError(Exception):
    """What is wrong, and at which byte of a record's data."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position


def read_sequence_examples(path: Path) -> Iterator[tuple[int, SequenceExample]]:
    """Give each record of a file and the byte it starts at; whatever is damaged raises a ValueError.

    Checksums are verified before anything is believed.
    """
    for offset, data in _read_records(path):
        try:
            yield offset, _parse_example(data)
        except _FormatError as error:
            where = offset + _HEADER_SIZE + error.position
            raise ValueError(f"{path}, byte {where}: {error}; this is no SequenceExample") from error


def _read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give the offset and the data of each record."""
    size = path.stat().st_size
    with path.open("rb") as file:
        offset = 0
        while offset < size:
            header = file.read(_HEADER_SIZE)
            if len(header) < _HEADER_SIZE:
                raise ValueError(f"{path}, byte {offset}: {_cut_off(len(header), _HEADER_SIZE, 'header')}")
            if not _is_intact(header):
                raise ValueError(
                    f"{path}, byte {offset}: the length of a record does not fit its checksum; the file is "
                    "damaged, compressed or no TFRecord file"
                )
            (length,) = _LENGTH.unpack_from(header)
            rest = size - offset - _HEADER_SIZE
            if length + _CHECKSUM.size > rest:
                raise ValueError(
                    f"{path}, byte {offset}: {_cut_off(rest, length + _CHECKSUM.size, 'record')}"
                )
            data = file.read(length + _CHECKSUM.size)
            if not _is_intact(data):
                raise ValueError(
                    f"{path}, byte {offset}: a record does not fit its checksum; get the file again"
                )
            yield offset, data[:length]
            offset += _HEADER_SIZE + len(data)


def _cut_off(present: int, expected: int, what: str) -> str:
    """Say that the file ends too early."""
    return f"the file ends within a record's {what}, after {present} of {expected} bytes; get it again"


def _is_intact(data: bytes) -> bool:
    """Tell whether `data` ends in its own checksum."""
    checksum = crc32c(data[: -_CHECKSUM.size])
    rotated = (checksum >> 15 | checksum << 17) & 0xFFFFFFFF
    return (rotated + _MASK_DELTA) & 0xFFFFFFFF == _CHECKSUM.unpack(data[-_CHECKSUM.size :])[0]


def crc32c(data: bytes) -> int:
    """Give the checksum of RFC 3720, many bytes at a time.

    It is linear: what each byte adds depends on its value and on how many bytes follow it, and no more.
    """
    tables = _tables()
    register = 0xFFFFFFFF
    for start in range(0, len(data), _BLOCK_SIZE):
        block = np.frombuffer(data[start : start + _BLOCK_SIZE], np.uint8).copy()
        carried = np.frombuffer(_CHECKSUM.pack(register), np.uint8)[: len(block)]
        block[: len(carried)] ^= carried
        parts = tables[np.arange(len(block))[::-1], block]
        register = int(np.bitwise_xor.reduce(parts)) ^ register >> 8 * len(block)
    return register ^ 0xFFFFFFFF


@cache
def _tables() -> NDArray[np.uint32]:
    """Give what a byte adds to the checksum, by how many bytes follow it and by its value."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(_POLYNOMIAL), table >> 1)
    tables = np.empty((_BLOCK_SIZE, 256), dtype=np.uint32)
    tables[0] = table
    for n_following in range(1, _BLOCK_SIZE):
        before = tables[n_following - 1]
        tables[n_following] = before >> 8 ^ table[before & 0xFF]
    return tables


def _parse_example(data: bytes) -> SequenceExample:
    """Read a SequenceExample."""
    example = SequenceExample({}, {})
    for features in _messages(data, (0, len(data)), _CONTEXT):
        for name, feature in _entries(data, features):
            example.context[name] = _parse_feature(data, feature)
    for lists in _messages(data, (0, len(data)), _FEATURE_LISTS):
        for name, features in _entries(data, lists):
            example.feature_lists[name] = [_parse_feature(data, one) for one in _messages(data, features, 1)]
    return example


def _entries(data: bytes, span: Span) -> Iterator[tuple[str, Span]]:
    """Give the keys of a map, and where their values are."""
    for entry in _messages(data, span, 1):
        keys, values = (list(_messages(data, entry, number)) for number in (_KEY, _VALUE))
        if not keys or not values:
            raise _FormatError(entry[0], "a feature has no name or no value")
        start, stop = keys[-1]
        try:
            yield data[start:stop].decode(), values[-1]
        except UnicodeDecodeError as error:
            raise _FormatError(start, "the name of a feature is not UTF-8") from error


def _parse_feature(data: bytes, span: Span) -> list[Any]:
    """Read the values of a Feature, of whichever kind they are."""
    values: list[Any] = []
    for number, decode in _DECODERS.items():
        for content in _messages(data, span, number):
            for field, wire_type, where in _fields(data, content):
                if field == 1:
                    values += decode(data, wire_type, where)
    return values


def _decode_bytes(data: bytes, wire_type: int, span: Span) -> list[bytes]:
    if wire_type != _DELIMITED:
        raise _FormatError(span[0], f"bytes have the wire type {wire_type}")
    return [data[slice(*span)]]


def _decode_floats(data: bytes, wire_type: int, span: Span) -> list[float]:
    """Read a float, or packed ones."""
    content = data[slice(*span)]
    if wire_type not in (_DELIMITED, _FIXED_32) or len(content) % 4:
        raise _FormatError(span[0], f"floats have the wire type {wire_type} and {len(content)} bytes")
    return np.frombuffer(content, "<f4").tolist()


def _decode_integers(data: bytes, wire_type: int, span: Span) -> list[int]:
    """Read a signed integer, or packed ones."""
    if wire_type not in (_DELIMITED, _VARINT):
        raise _FormatError(span[0], f"integers have the wire type {wire_type}")
    values = []
    position, stop = span
    while position < stop:
        value, position = _read_varint(data, position, stop)
        values.append(value - (1 << 64) if value >> 63 else value)
    return values


_DECODERS: dict[int, Callable[[bytes, int, Span], list[Any]]] = {
    _BYTES: _decode_bytes,
    _FLOATS: _decode_floats,
    _INTEGERS: _decode_integers,
}


def _messages(data: bytes, span: Span, number: int) -> Iterator[Span]:
    """Give where the fields of a number are that hold messages, names or bytes."""
    for found, wire_type, content in _fields(data, span):
        if found == number and wire_type != _DELIMITED:
            raise _FormatError(content[0], f"field {number} has the wire type {wire_type}, not {_DELIMITED}")
        if found == number:
            yield content


def _fields(data: bytes, span: Span) -> Iterator[tuple[int, int, Span]]:
    """Give the number, the wire type and the place of each field of a message."""
    position, stop = span
    while position < stop:
        start = position
        tag, begin = _read_varint(data, start, stop)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            _, position = _read_varint(data, begin, stop)
        elif wire_type == _DELIMITED:
            size, begin = _read_varint(data, begin, stop)
            position = begin + size
        elif wire_type in _FIXED_SIZES:
            position = begin + _FIXED_SIZES[wire_type]
        else:
            raise _FormatError(start, f"field {number} has the wire type {wire_type}")
        if position > stop:
            raise _FormatError(start, f"field {number} reaches beyond what it is part of")
        yield number, wire_type, (begin, position)


def _read_varint(data: bytes, position: int, stop: int) -> tuple[int, int]:
    """Read an integer of seven bits a byte, and give the position after it."""
    value = 0
    for n_read in range(10):
        if position + n_read >= stop:
            raise _FormatError(position, "an integer is cut off")
        byte = data[position + n_read]
        value |= (byte & 0x7F) << 7 * n_read
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position + n_read + 1
    raise _FormatError(position, "an integer has more than ten bytes")
