"""TFRecord files of SequenceExample messages, read without TensorFlow.

The record format is described at https://www.tensorflow.org/tutorials/load_data/tfrecord, the encoding of
messages at https://protobuf.dev/programming-guides/encoding, and the messages are defined in
tensorflow/core/example/{example,feature}.proto.
"""

import os
import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skfewaudio._files import open_regular

# Each record: length, checksum of the length, data, checksum of the data; little-endian.
_LENGTH, _CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")
_HEADER_SIZE = _LENGTH.size + _CHECKSUM.size
_MASK_DELTA = 0xA282EAD8  # added to the rotated CRC, because CRCs of data that contain CRCs are problematic
_POLYNOMIAL = 0x82F63B78  # CRC-32C (Castagnoli), bits reversed, as in RFC 3720
_BLOCK_SIZE = 2048
# Field numbers of the messages.
_CONTEXT, _FEATURE_LISTS = 1, 2
_KEY, _VALUE = 1, 2
_BYTES, _FLOATS, _INTEGERS = 1, 2, 3
# Wire types, and the number of bytes of wire types with a fixed size.
_VARINT, _FIXED_64, _DELIMITED, _FIXED_32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED_64: 8, _FIXED_32: 4}

Span = tuple[int, int]  # where a field's content starts and stops


class SequenceExample(NamedTuple):
    """Content of one record: values by name, and lists of values by name."""

    context: dict[str, list[Any]]
    feature_lists: dict[str, list[list[Any]]]


class _FormatError(Exception):
    """Error in the encoding of a message, with its byte position in the record's data."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position


def read_sequence_examples(path: Path) -> Iterator[tuple[int, SequenceExample]]:
    """Yield each record of a file with its byte offset; damaged content raises a ValueError.

    The checksums of a record are verified before its data are parsed.
    """
    for offset, data in _read_records(path):
        try:
            yield offset, _parse_example(data)
        except _FormatError as error:
            where = offset + _HEADER_SIZE + error.position
            raise ValueError(f"{path}, byte {where}: {error}; this is not a SequenceExample") from error


def _read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the offset and the data of each record."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        offset = 0
        while offset < size:
            header = file.read(_HEADER_SIZE)
            if len(header) < _HEADER_SIZE:
                raise ValueError(
                    f"{path}, byte {offset}: {_describe_truncation(len(header), _HEADER_SIZE, 'header')}"
                )
            if not _has_valid_checksum(header):
                raise ValueError(
                    f"{path}, byte {offset}: the length of a record does not fit its checksum; the file is "
                    "damaged, compressed or not a TFRecord file"
                )
            (length,) = _LENGTH.unpack_from(header)
            rest = size - offset - _HEADER_SIZE
            if length + _CHECKSUM.size > rest:
                raise ValueError(
                    f"{path}, byte {offset}: {_describe_truncation(rest, length + _CHECKSUM.size, 'record')}"
                )
            data = file.read(length + _CHECKSUM.size)
            if not _has_valid_checksum(data):
                raise ValueError(
                    f"{path}, byte {offset}: a record does not fit its checksum; get the file again"
                )
            yield offset, data[:length]
            offset += _HEADER_SIZE + len(data)


def _describe_truncation(present: int, expected: int, what: str) -> str:
    """Return the message for a file that ends too early."""
    return f"the file ends within a record's {what}, after {present} of {expected} bytes; get it again"


def _has_valid_checksum(data: bytes) -> bool:
    """Return whether `data` ends with the checksum of the bytes before."""
    checksum = crc32c(data[: -_CHECKSUM.size])
    rotated = (checksum >> 15 | checksum << 17) & 0xFFFFFFFF
    return (rotated + _MASK_DELTA) & 0xFFFFFFFF == _CHECKSUM.unpack(data[-_CHECKSUM.size :])[0]


def crc32c(data: bytes) -> int:
    """Compute the CRC-32C checksum of RFC 3720, in blocks of bytes.

    The checksum is linear: a byte's contribution depends only on its value and the number of bytes after it.
    """
    tables = _checksum_tables()
    register = 0xFFFFFFFF
    for start in range(0, len(data), _BLOCK_SIZE):
        block = np.frombuffer(data[start : start + _BLOCK_SIZE], np.uint8).copy()
        carried = np.frombuffer(_CHECKSUM.pack(register), np.uint8)[: len(block)]
        block[: len(carried)] ^= carried
        parts = tables[np.arange(len(block))[::-1], block]
        register = int(np.bitwise_xor.reduce(parts)) ^ register >> 8 * len(block)
    return register ^ 0xFFFFFFFF


@cache
def _checksum_tables() -> NDArray[np.uint32]:
    """Return the contribution of a byte to the checksum, by the number of bytes after it and its value."""
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
    """Parse a SequenceExample."""
    example = SequenceExample({}, {})
    for features in _delimited_fields(data, (0, len(data)), _CONTEXT):
        for name, feature in _map_entries(data, features):
            example.context[name] = _parse_feature(data, feature)
    for lists in _delimited_fields(data, (0, len(data)), _FEATURE_LISTS):
        for name, features in _map_entries(data, lists):
            example.feature_lists[name] = [
                _parse_feature(data, one) for one in _delimited_fields(data, features, 1)
            ]
    return example


def _map_entries(data: bytes, span: Span) -> Iterator[tuple[str, Span]]:
    """Yield the keys of a map, and the spans of their values."""
    for entry in _delimited_fields(data, span, 1):
        keys, values = (list(_delimited_fields(data, entry, number)) for number in (_KEY, _VALUE))
        if not keys or not values:
            raise _FormatError(entry[0], "a feature has no name or no value")
        start, stop = keys[-1]
        try:
            yield data[start:stop].decode(), values[-1]
        except UnicodeDecodeError as error:
            raise _FormatError(start, "the name of a feature is not UTF-8") from error


def _parse_feature(data: bytes, span: Span) -> list[Any]:
    """Parse the values of a Feature, which are bytes, floats or integers."""
    values: list[Any] = []
    for number, decode in _DECODERS.items():
        for content in _delimited_fields(data, span, number):
            for field, wire_type, where in _all_fields(data, content):
                if field == 1:
                    values += decode(data, wire_type, where)
    return values


def _decode_bytes(data: bytes, wire_type: int, span: Span) -> list[bytes]:
    if wire_type != _DELIMITED:
        raise _FormatError(span[0], f"bytes have the wire type {wire_type}")
    return [data[slice(*span)]]


def _decode_floats(data: bytes, wire_type: int, span: Span) -> list[float]:
    """Decode one float or several packed floats."""
    content = data[slice(*span)]
    if wire_type not in (_DELIMITED, _FIXED_32) or len(content) % 4:
        raise _FormatError(span[0], f"floats have the wire type {wire_type} and {len(content)} bytes")
    return np.frombuffer(content, "<f4").tolist()


def _decode_integers(data: bytes, wire_type: int, span: Span) -> list[int]:
    """Decode one signed integer or several packed integers."""
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


def _delimited_fields(data: bytes, span: Span, number: int) -> Iterator[Span]:
    """Yield the spans of all length-delimited fields (messages, strings, bytes) with a field number."""
    for found, wire_type, content in _all_fields(data, span):
        if found == number and wire_type != _DELIMITED:
            raise _FormatError(content[0], f"field {number} has the wire type {wire_type}, not {_DELIMITED}")
        if found == number:
            yield content


def _all_fields(data: bytes, span: Span) -> Iterator[tuple[int, int, Span]]:
    """Yield the number, the wire type and the span of each field of a message."""
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
            raise _FormatError(start, f"field {number} reaches beyond the end of its message")
        yield number, wire_type, (begin, position)


def _read_varint(data: bytes, position: int, stop: int) -> tuple[int, int]:
    """Decode an integer with seven bits per byte, and return it with the position after it."""
    value = 0
    for n_read in range(10):
        if position + n_read >= stop:
            raise _FormatError(position, "an integer is cut off")
        byte = data[position + n_read]
        value |= (byte & 0x7F) << 7 * n_read
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position + n_read + 1
    raise _FormatError(position, "an integer has more than ten bytes")
