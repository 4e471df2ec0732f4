"""Structure of sound files that decoders do not report: declared sizes, links and cut ends.

Headers are compared with the size of the file, because libsndfile and FFmpeg silently return less sound, or
refuse a whole file, if both disagree.
"""

import struct
from typing import BinaryIO, NamedTuple

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE  # format tags of wav files that libsndfile reads without a codec
# A writer that cannot seek leaves a placeholder: 0, or a value near the largest signed or unsigned size. sox
# writes 0x7FFFF000 less the header, others the largest value less the header or a multiple of a block.
LARGEST_SIZES = (0x7FFFFFFF, 0xFFFFFFFF)
PLACEHOLDER_MARGIN = 0x10000
UNKNOWN_64 = (0, 0xFFFFFFFFFFFFFFFF)
# Bytes by which a data size may exceed the file: some writers count the header as sound.
EXCESS = 128
W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"


class DataChunk(NamedTuple):
    """The sound in a file of chunks: bytes declared (None if unknown) and present, and a wav's format tag."""

    declared: int | None
    present: int
    format_tag: int | None = None

    @property
    def is_truncated(self) -> bool:
        """Whether more than a header's worth of the declared bytes is missing."""
        return self.declared is not None and self.present < self.declared - EXCESS

    @property
    def is_consistent(self) -> bool:
        """Whether the file holds all declared bytes."""
        return self.declared is not None and self.present >= self.declared


def find_data_chunk(file: BinaryIO, size: int) -> DataChunk | None:
    """Find the sound in a wav, RF64, AIFF or AU file.

    Parameters
    ----------
    file : binary file
        Open file, at its beginning.
    size : int
        Bytes of the file.

    Returns
    -------
    DataChunk or None
        None for other formats, and if there is no chunk of sound.
    """
    head = file.read(12)
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:] == b"WAVE":
        return _find_in_chunks(file, size, "<4sI", b"data")
    if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        return _find_in_chunks(file, size, ">4sI", b"SSND")
    if head[:4] == b".snd":
        start, declared = struct.unpack(">II", head[4:12])
        return DataChunk(_known(declared), size - start)
    return None


def _find_in_chunks(file: BinaryIO, size: int, layout: str, wanted: bytes) -> DataChunk | None:
    """Walk over chunks up to the wanted one."""
    tag = long_size = None
    while len(chunk := file.read(8)) == 8:
        kind, length = struct.unpack(layout, chunk)
        if kind == wanted:
            present = size - file.tell()
            if length == 0xFFFFFFFF and long_size is not None:
                return DataChunk(None if long_size in UNKNOWN_64 else long_size, present, tag)
            return DataChunk(None if length == 0 and present else _known(length), present, tag)
        if kind == b"fmt ":
            tag = int.from_bytes(file.read(2), "little")
            file.seek(length + length % 2 - 2, 1)
        elif kind == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], "little")
            file.seek(length + length % 2 - 16, 1)
        else:
            file.seek(length + length % 2, 1)
    return None


def _known(size: int) -> int | None:
    """Return a 32-bit size, or None for the placeholder of a writer that could not seek."""
    return None if any(0 <= largest - size <= PLACEHOLDER_MARGIN for largest in LARGEST_SIZES) else size


class OggPages(NamedTuple):
    """The pages of an Ogg file."""

    links: list[int]  # where each of the chained parts begins
    n_streams: int  # side by side in a part, such as sound and pictures
    is_vorbis: bool
    is_cut: bool  # in the middle of a page


def read_ogg_pages(file: BinaryIO, size: int) -> OggPages | None:
    """Walk over the headers of the pages of an Ogg file; None if it is not one, or is damaged."""
    links: list[int] = []
    n_streams, is_vorbis, is_cut, after_data, position = 0, True, False, True, 0
    while position < size and not is_cut:
        file.seek(position)
        header = file.read(27)
        if len(header) < 27 or header[:4] != b"OggS":
            if not links or not b"OggS".startswith(header[:4]):
                return None
            is_cut = True
            break
        lacing = file.read(header[26])
        begins = bool(header[5] & 2)
        if begins:
            links += [position] if after_data else []
            n_streams = 1 if after_data else n_streams + 1
            is_vorbis = is_vorbis and file.read(7) == b"\x01vorbis"
        after_data = not begins
        position += 27 + header[26] + sum(lacing)
        is_cut = position > size or len(lacing) < header[26]
    return OggPages(links, n_streams, is_vorbis, is_cut) if links else None


def count_mpeg_frames(file: BinaryIO) -> int | None:
    """Return the number of MPEG frames that a Xing, Info or VBRI header states, or None without one."""
    head = file.read(10)
    offset = 0
    if head[:3] == b"ID3" and len(head) == 10:
        offset = 10 + sum(
            (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
        )
    file.seek(offset)
    frame = file.read(4096)  # junk between tag and first frame is rare and short
    start = next((i for i in range(len(frame) - 3) if frame[i] == 0xFF and frame[i + 1] & 0xE0 == 0xE0), None)
    if start is None:
        return None
    for name, at, flagged in ((b"Xing", 8, True), (b"Info", 8, True), (b"VBRI", 14, False)):
        found = frame.find(name, start, start + 64)
        if found < 0 or len(frame) < found + at + 4:
            continue
        if flagged and not frame[found + 7] & 1:
            return None
        return int.from_bytes(frame[found + at : found + at + 4], "big") or None
    return None
