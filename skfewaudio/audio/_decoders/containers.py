"""Structure of sound files that decoders do not report: declared sizes, links and cut ends.

Headers are compared with the size of the file, because libsndfile and FFmpeg silently return less sound, or
refuse a whole file, if both disagree.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE  # format tags of wav files that libsndfile reads without a codec
# A writer that cannot seek leaves a placeholder: 0, or a value near the largest signed or unsigned size. sox
# writes 0x7FFFF000 less the header, others the largest value less the header or a multiple of a block.
LARGEST_SIZES = (0x7FFFFFFF, 0xFFFFFFFF)
PLACEHOLDER_MARGIN = 0x10000
LARGEST_KNOWN = 2**62
# Bytes by which a data size may exceed the file: some writers count the header as sound.
EXCESS = 128
W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb"
EBML, SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"
MOST_EBML = 4096  # bytes up to the segment
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
MOST_CHUNKS = 1000  # a damaged file may look like millions of empty ones
LARGEST_INDEX = 2**26  # bytes
DAMAGED = b"?"  # stands for a box of an impossible length
N_VORBIS_HEADERS = 3  # packets


class DataChunk(NamedTuple):
    """The sound in a file of chunks: bytes declared (None if unknown) and present, and a wav's format."""

    declared: int | None
    present: int
    format_tag: int | None = None
    is_padded: bool = False  # samples of 24 bits take 4 bytes, which decoders misread
    lacks_long_size: bool = False  # a writer that could not seek left the size in the ds64 chunk at 0

    @property
    def is_truncated(self) -> bool:
        """Whether more than a header's worth of the declared bytes is missing."""
        return self.declared is not None and self.present < self.declared - EXCESS

    @property
    def is_consistent(self) -> bool:
        """Whether the file holds all declared bytes."""
        return self.declared is not None and self.present >= self.declared


class Layout(NamedTuple):
    """How a container arranges its chunks."""

    header: struct.Struct  # kind and size
    n_counted: int  # bytes of the header that the size includes
    alignment: int
    sound: bytes  # kind of the chunk that holds the sound


WAV = Layout(struct.Struct("<4sI"), 0, 2, b"data")
AIFF = Layout(struct.Struct(">4sI"), 0, 2, b"SSND")
CAF = Layout(struct.Struct(">4sq"), 0, 1, b"data")
W64 = Layout(struct.Struct("<4s12xq"), 24, 8, b"data")


def find_data_chunk(file: BinaryIO, size: int) -> DataChunk | None:
    """Find the sound in a wav, RF64, W64, AIFF, CAF or AU file.

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
        return _find_in_chunks(file, size, WAV)
    if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        return _find_in_chunks(file, size, AIFF)
    if head[:4] == b"caff":
        file.seek(8)
        return _find_in_chunks(file, size, CAF)
    if head == W64_RIFF:
        file.seek(40)
        return _find_in_chunks(file, size, W64)
    if head[:4] == b".snd":
        start, declared = struct.unpack(">II", head[4:12])
        return DataChunk(_known(declared), size - start)
    return None


def _find_in_chunks(file: BinaryIO, size: int, layout: Layout) -> DataChunk | None:
    """Walk over chunks up to the one with the sound."""
    long_size: int | None = None
    tag, is_padded = None, False
    for _ in range(MOST_CHUNKS):
        header = file.read(layout.header.size)
        if len(header) < layout.header.size:
            break
        kind, length = layout.header.unpack(header)
        start, length = file.tell(), length - layout.n_counted
        if kind == layout.sound:
            if length == 0xFFFFFFFF and long_size is not None:
                length = long_size
            declared = _known(length) if length or start == size else None
            return DataChunk(declared, size - start, tag, is_padded, long_size == 0 and declared is None)
        if kind == b"fmt " and layout is WAV:
            fields = file.read(16)
            tag, n_channels, frame_size, depth = (
                int.from_bytes(fields[i : i + 2], "little") for i in (0, 2, 12, 14)
            )
            is_padded = depth == 24 and frame_size == 4 * n_channels > 0
        elif kind == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], "little")
        if not 0 <= length <= size:
            break
        file.seek(start + length + -length % layout.alignment)
    return None


def _known(size: int) -> int | None:
    """Return a size, or None for the placeholder of a writer that could not seek."""
    is_placeholder = any(0 <= largest - size <= PLACEHOLDER_MARGIN for largest in LARGEST_SIZES)
    return None if is_placeholder or not 0 <= size < LARGEST_KNOWN else size


def find_declared_size(file: BinaryIO) -> int | None:
    """Return the size of a Matroska, AVI or ASF file by its headers; None if unknown, and for other formats.

    Parameters
    ----------
    file : binary file
        Open file, at its beginning.
    """
    head = file.read(16)
    if head[:4] == EBML:
        return _find_segment_end(head + file.read(MOST_EBML))
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        size = _known(int.from_bytes(head[4:8], "little"))
        return size + 8 if size else None  # more of a long file may follow
    if head == ASF:
        return _find_asf_end(file, head + file.read(8))
    return None


def _find_segment_end(head: bytes) -> int | None:
    """Return where the segment of a Matroska file ends; a live recording leaves its size unknown."""
    position = 0
    for kind in (EBML, SEGMENT):
        if head[position : position + 4] != kind:
            return None
        position += 4
        n_bytes = 9 - head[position].bit_length() if head[position : position + 1] else 0
        size = int.from_bytes(head[position : position + n_bytes], "big") & ~(-1 << 7 * n_bytes)
        if size == (1 << 7 * n_bytes) - 1:
            return None
        position += n_bytes + size
    return position


def _find_asf_end(file: BinaryIO, head: bytes) -> int | None:
    """Return where the sound of an ASF file ends: editors of tags leave the size in its header as it was."""
    start = int.from_bytes(head[16:24], "little")
    file.seek(min(start, LARGEST_KNOWN))
    data = file.read(24)
    size = _known(int.from_bytes(data[16:], "little"))
    return start + size if data[:16] == ASF_DATA and size else None


class OggPages(NamedTuple):
    """The pages of an Ogg file."""

    links: list[int]  # where each of the chained parts begins
    n_streams: int  # side by side in a part, such as sound and pictures
    is_vorbis: bool
    is_cut: bool  # in the middle of a page
    is_tidy: bool  # the sound begins on a page of its own, as the specification of Vorbis demands


def read_ogg_pages(file: BinaryIO, size: int) -> OggPages | None:
    """Walk over the headers of the pages of an Ogg file; None if it is not one, or is damaged."""
    links: list[int] = []
    n_streams, is_vorbis, is_cut, is_tidy, position = 0, True, False, True, 0
    after_data, has_sound, n_packets = True, True, 0
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
        if begins and after_data:
            links = [*(links if has_sound else links[:-1]), position]  # some files repeat the headers
            n_streams, has_sound, n_packets = 1, False, 0
        elif begins:
            n_streams += 1
        if begins:
            is_vorbis = is_vorbis and file.read(7) == b"\x01vorbis"
        after_data = not begins
        has_sound = has_sound or int.from_bytes(header[6:14], "little", signed=True) > 0
        n_before, n_packets = n_packets, n_packets + sum(length < 255 for length in lacing)
        if n_before < N_VORBIS_HEADERS <= n_packets:
            is_tidy = is_tidy and n_packets == N_VORBIS_HEADERS and lacing[-1] < 255
        position += 27 + header[26] + sum(lacing)
        is_cut = position > size or len(lacing) < header[26]
    return OggPages(links, n_streams, is_vorbis, is_cut, is_tidy) if links else None


def find_tag_end(file: BinaryIO) -> int:
    """Return where an ID3 tag at the beginning of a file ends; 0 without one."""
    head = file.read(10)
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


def count_mpeg_frames(file: BinaryIO) -> int | None:
    """Return the number of MPEG frames that a Xing, Info or VBRI header states, or None without one."""
    file.seek(find_tag_end(file))
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


def lacks_index(file: BinaryIO) -> bool:
    """Return whether an MP4 file, of whole boxes up to its end or the cut, has no index (moov)."""
    kinds = [kind for kind, _, _ in _walk_boxes(file)]
    return kinds[:1] == [b"ftyp"] and not {b"moov", b"moof", DAMAGED}.intersection(kinds)


def has_regular_packets(file: BinaryIO) -> bool:
    """Return whether the index of an MP4 file states one duration for all packets of sound but the last."""
    boxes = {kind: (start, end) for kind, start, end in _walk_boxes(file)}
    if b"moov" not in boxes or b"moof" in boxes:
        return False
    start, end = boxes[b"moov"]
    file.seek(start)
    index = file.read(min(end - start, LARGEST_INDEX))
    times = index.find(b"stts", index.find(b"soun")) + 8  # of the first track of sound
    n_runs, _, _, n_last = struct.unpack(">4I", index[times : times + 16].ljust(16, b"\0"))
    return n_runs == 1 or (n_runs == 2 and n_last == 1)


def _walk_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Iterate over the kinds of the outer boxes of an MP4 file, and the positions of their contents."""
    size = file.seek(0, 2)
    position = 0
    for _ in range(MOST_CHUNKS):
        if position >= size:
            return
        file.seek(position)
        head = file.read(16)
        length, kind, start = int.from_bytes(head[:4], "big"), head[4:8], position + 8
        if length == 1 and len(head) == 16:
            length, start = int.from_bytes(head[8:], "big"), start + 8
        elif length == 0 or len(head) < 16:  # to the end
            length = max(size - position, 8)
        if position + length < start:
            break
        yield kind, start, position + length
        position += length
    yield DAMAGED, 0, 0


def has_equal_blocks(stream_info: bytes | None) -> bool:
    """Return whether the header of a FLAC file states one size for all blocks.

    Only then does the number of a frame give its position in every version of the format.
    """
    return stream_info is not None and stream_info[:2] == stream_info[2:4]
