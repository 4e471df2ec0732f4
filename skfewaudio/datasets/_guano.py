"""GUANO metadata of wav files: notes of a recorder about the recording.

https://github.com/riggsd/guano-spec
"""

import os
import stat
from pathlib import Path
from typing import BinaryIO

_MAX_CHUNKS, _MAX_BYTES = 100, 2**20  # the metadata of recorders is far smaller
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)  # the data chunk of a recording that was not closed, or of more than 4 GB


def read_guano(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the fields of the GUANO metadata in a wav file; empty if there are none. No sound is decoded."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return {}
        with Path(path).open("rb") as file:
            return _parse_fields(_read_chunk(file, b"guan"))
    except (OSError, ValueError):  # ValueError: a null character in the name
        return {}


def _read_chunk(file: BinaryIO, wanted: bytes) -> bytes:
    """Return the content of the first chunk of a kind in a RIFF or RF64 file, or nothing."""
    header = file.read(12)
    if header[:4] not in (b"RIFF", b"RF64", b"BW64") or header[8:] != b"WAVE":
        return b""
    data_size = 0
    for _ in range(_MAX_CHUNKS):
        kind, size = file.read(4), int.from_bytes(file.read(4), "little")
        start = file.tell()
        if kind == wanted:
            return file.read(min(size, _MAX_BYTES))
        if kind == b"ds64":
            data_size = int.from_bytes(file.read(16)[8:], "little")
        if kind == b"data" and size in _UNKNOWN_SIZES:
            size = data_size
        if len(kind) < 4 or (kind == b"data" and not size):
            break
        file.seek(start + size + size % 2)
    return b""


def _parse_fields(content: bytes) -> dict[str, str]:
    """Return the fields by name; the first of two equal names counts."""
    fields: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(" \t\0\ufeff"), value.strip(" \t\0\r"))
    return fields
