"""Which files are sound files."""

import av
import numpy as np
import pytest
import soundfile as sf

from skfewaudio.audio.formats import FFMPEG_SUFFIXES, SOUNDFILE_SUFFIXES, audio_suffixes, is_audio_file


def test_the_formats_in_the_tables_are_known_to_the_decoders():
    assert set(SOUNDFILE_SUFFIXES) <= set(sf.available_formats())
    assert all(av.formats_available & {name, *name.split(",")} for name in FFMPEG_SUFFIXES)


def test_usual_suffixes_are_listed():
    assert {".wav", ".flac", ".mp3", ".m4a", ".opus", ".webm", ".bwf", ".sph"} <= audio_suffixes()
    assert not {".txt", ".csv", ".png", ".raw", ".heic"} & audio_suffixes()


@pytest.mark.parametrize("name", ["a.WAV", "a.Flac", ".hidden.wav"])
def test_the_case_of_a_suffix_does_not_matter(tmp_path, name):
    assert is_audio_file(tmp_path / name)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64"])
def test_a_file_without_a_suffix_is_known_by_its_first_bytes(tmp_path, suffix):
    sf.write(tmp_path / f"clip.{suffix}", np.zeros(8000), 16000)
    assert is_audio_file((tmp_path / f"clip.{suffix}").rename(tmp_path / "clip"))


@pytest.mark.parametrize(
    "content", [b"", b"some notes", b"\x89PNG\r\n\x1a\n", b"\xff\xff\xff\xff", b"RIFF\0\0\0\0AVI "]
)
def test_other_files_without_a_suffix_are_no_sound(tmp_path, content):
    (tmp_path / "README").write_bytes(content)
    assert not is_audio_file(tmp_path / "README")


def test_a_missing_file_without_a_suffix_is_no_sound(tmp_path):
    assert not is_audio_file(tmp_path / "nowhere")
