"""TFRecord files: checksums, handwritten records and damaged files."""

import struct

import numpy as np
import pytest

from skfewaudio.datasets._tfrecord import crc32c, read_sequence_examples

# A handwritten record. Its checksums were computed with version 2.9 of the package crc32c. Content:
# context {a: integers 1, 300; f: float 6}, feature lists {e: one feature, of the bytes 07 ff}.
RECORD = bytes.fromhex(
    "3000000000000000 95f5d05f"  # length 48, its checksum
    "0a1d"  # context
    "0a0c 0a0161 1207 1a050a0301ac02"  # name, feature: integer list: packed
    "0a0d 0a0166 1208 12060a040000c040"  # name, feature: float list: packed
    "120f"  # feature lists
    "0a0d 0a0165 1208 0a060a040a0207ff"  # name, feature list: feature: bytes list
    "8a7141d1"
)


@pytest.fixture
def read(tmp_path):
    """Return a function that writes bytes to a file and reads its records."""

    def _read(content):
        (tmp_path / "00.tfrecord").write_bytes(content)
        return list(read_sequence_examples(tmp_path / "00.tfrecord"))

    return _read


@pytest.fixture
def feature(read, frame, message):
    """Return a function that parses the values of one encoded feature."""

    def _feature(content):
        context = message((1, message((1, b"a"), (2, content))))
        ((_, example),) = read(frame(message((1, context))))
        return example.context["a"]

    return _feature


# From RFC 3720, section B.4, and the check value in catalogues of CRCs.
@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_checksum_has_the_published_values(data, checksum):
    assert crc32c(data) == checksum


@pytest.mark.parametrize("size", [1, 3, 4, 5, 2047, 2048, 2049, 2051, 4100])
def test_checksum_equals_the_bitwise_algorithm_for_any_size(size, frame):
    data = np.random.default_rng(size).bytes(size)
    masked = struct.unpack("<I", frame(data)[-4:])[0]
    rotated = (masked - 0xA282EAD8) % 2**32
    assert crc32c(data) == (rotated >> 17 | rotated << 15) % 2**32


def test_handwritten_record_is_read(read):
    ((offset, example),) = read(RECORD)
    assert offset == 0
    assert example.context == {"a": [1, 300], "f": [6.0]}
    assert example.feature_lists == {"e": [[b"\x07\xff"]]}


def test_several_records(read):
    assert [offset for offset, _ in read(RECORD * 3)] == [0, len(RECORD), 2 * len(RECORD)]


def test_empty_file_has_no_records(read):
    assert read(b"") == []


def test_empty_record_is_an_empty_example(read, frame):
    assert read(frame(b"")) == [(0, ({}, {}))]


def test_unpacked_integers_and_floats(feature, message):
    assert feature(message((3, b"\x08\x05\x08\xac\x02"))) == [5, 300]
    assert feature(message((2, b"\x0d" + struct.pack("<f", 0.5) + b"\x0d" + struct.pack("<f", -2)))) == [
        0.5,
        -2,
    ]


def test_negative_integers(feature, message):
    assert feature(message((3, message((1, b"\xff" * 9 + b"\x01"))))) == [-1]


def test_unknown_fields_are_ignored(read, frame):
    later = b"\x18\x05" + b"\x21" + bytes(8) + b"\x2d" + bytes(4) + b"\x32\x01x"
    ((_, example),) = read(frame(RECORD[12:-4] + later))
    assert example.context == {"a": [1, 300], "f": [6.0]}


@pytest.mark.parametrize("kept", [1, 11])
def test_file_that_ends_in_a_header_is_reported(read, kept):
    with pytest.raises(
        ValueError, match=rf"00\.tfrecord, byte {len(RECORD)}: .*header, after {kept} of 12 bytes"
    ):
        read(RECORD + RECORD[:kept])


@pytest.mark.parametrize("kept", [12, 40, len(RECORD) - 1])
def test_file_that_ends_in_a_record_is_reported(read, kept):
    with pytest.raises(ValueError, match=rf"byte {len(RECORD)}: .*record, after {kept - 12} of 52 bytes"):
        read(RECORD + RECORD[:kept])


def test_length_beyond_the_end_of_the_file_allocates_no_memory(read, frame):
    length = struct.pack("<Q", 2**60)
    header = length + frame(length)[-4:]
    with pytest.raises(ValueError, match=f"after 0 of {2**60 + 4} bytes"):
        read(header)


@pytest.mark.parametrize("position", [0, 7, 8, 11])
def test_damaged_length_is_reported(read, position):
    damaged = bytearray(RECORD * 2)
    damaged[len(RECORD) + position] ^= 1
    with pytest.raises(ValueError, match=rf"byte {len(RECORD)}: the length of a record does not fit"):
        read(bytes(damaged))


@pytest.mark.parametrize("position", [12, 30, len(RECORD) - 1])
def test_damaged_data_are_reported(read, position):
    damaged = bytearray(RECORD * 2)
    damaged[len(RECORD) + position] ^= 0x80
    with pytest.raises(ValueError, match=rf"byte {len(RECORD)}: a record does not fit its checksum"):
        read(bytes(damaged))


def test_records_before_the_damage_are_returned(tmp_path):
    (tmp_path / "00.tfrecord").write_bytes(RECORD + b"x")
    records = read_sequence_examples(tmp_path / "00.tfrecord")
    assert next(records)[0] == 0
    with pytest.raises(ValueError, match="header"):
        next(records)


# Each case is a context with one feature "a" at byte 12 of the file, with one error.
@pytest.mark.parametrize(
    ("data", "byte", "reason"),
    [
        (b"\x0a\x05\x0a\x01", 12, "field 1 reaches beyond"),
        (b"\x0a", 13, "an integer is cut off"),
        (b"\x0b\x0c", 12, "field 1 has the wire type 3"),
        (b"\xff" * 10 + b"\x01", 12, "more than ten bytes"),
        (b"\x08\x05", 13, "field 1 has the wire type 0, not 2"),
        (b"\x0a\x05\x0a\x03\x0a\x01a", 16, "no name or no value"),
        (b"\x0a\x07\x0a\x05\x0a\x01\xff\x12\x00", 18, "not UTF-8"),
        (b"\x0a\x0b\x0a\x09\x0a\x01a\x12\x04\x0a\x02\x08\x05", 24, "bytes have the wire type 0"),
        (
            b"\x0a\x0c\x0a\x0a\x0a\x01a\x12\x05\x12\x03\x0a\x01x",
            25,
            "floats have the wire type 2 and 1 bytes",
        ),
        (
            b"\x0a\x0e\x0a\x0c\x0a\x01a\x12\x07\x1a\x05\x0d\x00\x00\x00\x00",
            24,
            "integers have the wire type 5",
        ),
        (b"\x0a\x0c\x0a\x0a\x0a\x01a\x12\x05\x1a\x03\x0a\x01\x80", 25, "an integer is cut off"),
    ],
)
def test_invalid_message_is_reported_with_its_byte(read, frame, data, byte, reason):
    with pytest.raises(
        ValueError, match=rf"00\.tfrecord, byte {byte}: .*{reason}.*; this is not a SequenceExample"
    ):
        read(frame(data))


def test_file_written_by_tensorflow_is_read(tmp_path):
    tf = pytest.importorskip("tensorflow")
    path = tmp_path / "00.tfrecord"
    example = tf.train.SequenceExample(
        context=tf.train.Features(
            feature={
                "video_id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"-0RWZT-miFs"])),
                "start_time_seconds": tf.train.Feature(float_list=tf.train.FloatList(value=[0.1])),
                "labels": tf.train.Feature(int64_list=tf.train.Int64List(value=[0, 526, -1])),
            }
        ),
        feature_lists=tf.train.FeatureLists(
            feature_list={
                "audio_embedding": tf.train.FeatureList(
                    feature=[
                        tf.train.Feature(
                            bytes_list=tf.train.BytesList(value=[bytes(range(second, second + 128))])
                        )
                        for second in range(10)
                    ]
                )
            }
        ),
    )
    with tf.io.TFRecordWriter(str(path)) as writer:
        for _ in range(2):
            writer.write(example.SerializeToString())
    for _, read in read_sequence_examples(path):
        assert read.context["video_id"] == [b"-0RWZT-miFs"]
        assert read.context["start_time_seconds"] == [np.float32(0.1)]
        assert read.context["labels"] == [0, 526, -1]
        assert read.feature_lists["audio_embedding"][9] == [bytes(range(9, 137))]
    assert len(list(read_sequence_examples(path))) == 2
