"""Recordings known from file names and GUANO metadata."""

import struct

import pytest

from skfewaudio.datasets import load_folder
from skfewaudio.datasets._guano import read_guano
from skfewaudio.datasets.recording_names import recordings_of_files, recordings_of_names

NAMES = {
    "1-100032-A-0.wav": "ESC-50 100032",
    "100032-3-0-27.wav": "UrbanSound8K 100032",
    "a001_0_10.wav": "TUT 2017 a001",
    # AudioMoth, also triggered, with the number of the unit, and with hexadecimal seconds
    "20230514_043000.WAV": "recorder 2023-05-14T04:30:00",
    "20230514_043000T.WAV": "recorder 2023-05-14T04:30:00",
    "20230514T043000.wav": "recorder 2023-05-14T04:30:00",
    "24F31901603710EA_20230514_043000.WAV": "24F31901603710EA 2023-05-14T04:30:00",
    "5CC3F4A0.WAV": "recorder 5CC3F4A0",
    "5cc3f4a0.wav": "recorder 5CC3F4A0",
    "AM05_5CC3F4A0.WAV": "AM05 5CC3F4A0",
    # Song Meter
    "SMU01234_20230514_043000.wav": "SMU01234 2023-05-14T04:30:00",
    "S4A01234_20230514_043000_1.wav": "S4A01234 2023-05-14T04:30:00",
    "SM301297_0+1_20230514_043000_000.wav": "SM301297_0+1 2023-05-14T04:30:00",
    "POND-2_20230514$043000.wac": "POND-2 2023-05-14T04:30:00",
    # BAR
    "20230514T043000+1000_REC [27.2819 90.1361].flac": "recorder 2023-05-14T04:30:00",
    "20230514T043000.123456-0430_Dawn_-18.2656+144.5564.flac": "recorder 2023-05-14T04:30:00",
    "202305 4T043000+1000_REC.flac": "recorder 2023-05-04T04:30:00",
    # Others
    "Voice 2023-05-14 04.30.00.m4a": "Voice 2023-05-14T04:30:00",
    "20230514043000.mp3": "recorder 2023-05-14T04:30:00",
}
CLIPS = [
    *("SMU01234_20230514_043000_12.0s_15.0s.wav", "SMU01234_20230514_043000_000012.wav"),
    *("SMU01234_20230514_043000-003.wav", "0.912_7_SMU01234_20230514_043000_12.0s_15.0s.wav"),
    *("SMU01234_20230514T043000_clip3.wav", "SMU01234_20230514_043000_dog.flac"),
]
HEX_CLIPS = ["5CC3F4A0_12.0s_15.0s.wav", "5CC3F4A0_000012.wav", "5CC3F4A0-3.wav", "5cc3f4a0_clip_3.wav"]
UNKNOWN = [
    *("bark.wav", "blues.00000.wav", "12345678.wav", "00000000.WAV", "20230514.wav", "20230514_1.wav"),
    *("20231314_043000.wav", "20230514_250000.wav", "120230514_043000.wav", "20230514_0430001.wav"),
    *("5cc3f4a0_nohash_0.wav", "86f5923d-ef1d-4159-b120-a8dec3f6334e.wav", "5AFCD4F45AFCD4F4.WAV", ""),
]


@pytest.mark.parametrize(("name", "recording"), NAMES.items(), ids=NAMES.keys())
def test_name_identifies_the_recording(name, recording):
    assert recordings_of_names([f"folder/{name}"]) == [recording]


@pytest.mark.parametrize("name", CLIPS)
def test_clip_belongs_to_its_recording(name):
    assert recordings_of_names([name]) == ["SMU01234 2023-05-14T04:30:00"]


@pytest.mark.parametrize("name", HEX_CLIPS)
def test_clip_belongs_to_its_hexadecimal_recording(name):
    assert recordings_of_names([name]) == ["recorder 5CC3F4A0"]


@pytest.mark.parametrize("name", UNKNOWN)
def test_other_names_identify_nothing(name):
    assert recordings_of_names([name]) == [None]


def test_long_names_take_no_long_time():
    assert recordings_of_names(["5CC3F4A0" + "__1" * 80 + "x"]) == [None]


def test_recordings_of_one_night_are_not_one(tmp_path, write_clips):
    write_clips(tmp_path, [f"owl/SMU01234_20230514_04{minute}000.wav" for minute in range(4)])
    assert len(set(load_folder(tmp_path).groups)) == 4


def test_clips_of_several_classes_share_their_recording(tmp_path, write_clips):
    write_clips(tmp_path, ["owl/20230514_043000_0_3.wav", "fox/20230514_043000_9_12.wav", "fox/other.wav"])
    groups = load_folder(tmp_path).groups
    assert groups[0] == groups[2] != groups[1]


def test_names_that_are_not_utf8_can_be_printed():
    assert recordings_of_names(["K\udce4uz_20230514_043000.wav"]) == [r"K\xe4uz 2023-05-14T04:30:00"]


def chunk(kind, content):
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


FORMAT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))
SOUND = chunk(b"data", b"\1\2" * 80)


def guano(**fields):
    names = {name.replace("_", " "): value for name, value in fields.items()}
    lines = ["GUANO|Version:  1.0", "", *(f"{name}:  {value}" for name, value in names.items())]
    return chunk(b"guan", "\n".join(lines).encode())


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a wav file of chunks and returns its path."""

    def _write(*chunks, name="clip.wav", kind=b"RIFF"):
        content = b"WAVE" + b"".join(chunks)
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(kind + struct.pack("<I", len(content)) + content)
        return str(file)

    return _write


SERIAL = {"Make": "Wildlife Acoustics, Inc.", "Serial": "SMU01234"}
START = {"Timestamp": "2023-05-14T04:30:00.123+02:00"}


@pytest.mark.parametrize(
    ("fields", "recording"),
    [
        ({"Original_Filename": "SMU01234_20230514_043000.wav"}, "SMU01234 2023-05-14T04:30:00"),
        ({"Original_Filename": "20230514_043000.WAV", **SERIAL}, "SMU01234 2023-05-14T04:30:00"),
        ({"Original_Filename": "20230514_043000.WAV"}, "recorder 2023-05-14T04:30:00"),
        ({"Original_Filename": "REC001.WAV", **SERIAL, **START}, "SMU01234 2023-05-14T04:30:00"),
        ({**SERIAL, **START}, "SMU01234 2023-05-14T04:30:00"),
        ({"Loc_Position": "50.1 8.25", **START}, "50.1 8.25 2023-05-14T04:30:00"),
        (SERIAL, None),
        (START, None),
        ({"Make": "Pettersson", **START}, None),
        ({"Timestamp": "today", **SERIAL}, None),
    ],
)
def test_metadata_identify_recorder_and_time(write, fields, recording):
    assert recordings_of_files([write(FORMAT, SOUND, guano(**fields))]) == [recording]


def test_renamed_clip_belongs_to_the_recording_of_its_metadata(write):
    renamed = write(FORMAT, SOUND, guano(**SERIAL, **START), name="dog.wav")
    other = write(FORMAT, SOUND, name="SMU01234_20230514_043000_12.wav")
    assert len(set(recordings_of_files([renamed, other]))) == 1


def test_name_of_a_recorder_is_preferred_to_metadata(write):
    file = write(FORMAT, SOUND, guano(Serial="X", **START), name="SMU9_20240101_000000.wav")
    assert recordings_of_files([file]) == ["SMU9 2024-01-01T00:00:00"]


def test_metadata_tell_recorders_with_equal_file_names_apart(write):
    files = [
        write(FORMAT, SOUND, guano(Serial=serial), name=f"{serial}/20230514_043000.wav") for serial in "AB"
    ]
    assert recordings_of_files(files) == ["A 2023-05-14T04:30:00", "B 2023-05-14T04:30:00"]


def test_equal_file_names_are_one_recording_if_metadata_are_incomplete(write):
    first = write(FORMAT, SOUND, guano(Serial="A"), name="A/20230514_043000.wav")
    second = write(FORMAT, SOUND, name="B/20230514_043000_12.wav")
    assert recordings_of_files([first, second]) == ["recorder 2023-05-14T04:30:00"] * 2


def test_groups_of_a_folder_are_known_from_metadata(write, tmp_path):
    for name in ("owl/1.wav", "owl/2.wav", "fox/3.wav"):
        write(FORMAT, SOUND, guano(**SERIAL, **START), name=name)
    assert load_folder(tmp_path).groups.tolist() == ["SMU01234 2023-05-14T04:30:00"] * 3


DS64 = chunk(b"ds64", struct.pack("<QQQI", 0, 160, 80, 0))
UNCLOSED = b"data" + b"\xff" * 4 + b"\1\2" * 80


@pytest.mark.parametrize(
    "chunks",
    [
        [FORMAT, SOUND, guano(A="b")],
        [guano(A="b"), FORMAT, SOUND],
        [FORMAT, chunk(b"LIST", b"odd"), SOUND, guano(A="b")],
        [FORMAT, SOUND, chunk(b"guan", "\ufeffA: b\r\n\0\0".encode())],
        [FORMAT, SOUND, chunk(b"guan", b"A:b\n\xff\xfe: x")],
    ],
    ids=["last", "first", "odd chunk", "padded", "not UTF-8"],
)
def test_metadata_are_found(write, chunks):
    assert read_guano(write(*chunks))["A"] == "b"


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
def test_metadata_of_large_files_are_found(write, kind):
    assert read_guano(write(DS64, FORMAT, UNCLOSED, guano(A="b"), kind=kind))["A"] == "b"


@pytest.mark.parametrize(
    "content",
    [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEguan\xff\xff\xff\xff", b"RIFF\0\0\0\0AVI "],
)
def test_damaged_files_have_no_metadata(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    assert read_guano(tmp_path / "a.wav") == {}


def test_files_that_are_not_closed_have_no_metadata(write):
    assert read_guano(write(FORMAT, UNCLOSED, guano(A="b"))) == {}


@pytest.mark.parametrize("name", ["none.wav", "a\0b.wav", "."])
def test_missing_files_have_no_metadata(tmp_path, name):
    assert read_guano(f"{tmp_path}/{name}") == {}
