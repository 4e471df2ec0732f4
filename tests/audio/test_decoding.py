"""Files as recorders, phones and encoders write them: all of the sound is read, or the error says why not."""

import os

import av
import numpy as np
import pytest
import soundfile as sf

from skfewaudio.audio import audio_duration, audio_info, load_audio
from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning

RATE = 48000
N_SAMPLES = 2 * RATE


@pytest.fixture(scope="module")
def noise():
    return 0.1 * np.random.default_rng(0).standard_normal(N_SAMPLES)


def encode(path, samples, codec, *, container=None, rate=RATE, options=None):
    """Write a mono file with FFmpeg."""
    with av.open(str(path), "w", format=container, options=options or {}) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.layout = "mono"
        stream.bit_rate = 96000
        depths = [fmt.name for fmt in stream.codec.audio_formats or ()]
        stream.format = next((name for name in ("s16", "s16p") if name in depths), stream.format)
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate = rate
        frame.pts = 0
        resampler = av.AudioResampler(stream.format, "mono", rate, frame_size=stream.frame_size or None)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return path


def read(path, **kwargs):
    return load_audio(path, sample_rate=None, **kwargs)


def reason(path, **kwargs):
    with pytest.raises(AudioLoadError) as caught:
        read(path, **kwargs)
    return caught.value.reason


def best_correlation(found, expected, most_lag=3000):
    """Return the highest correlation over lags: codecs add or cut a delay."""
    spectrum = np.fft.rfft(found, 2**18) * np.conj(np.fft.rfft(expected, 2**18))
    correlation = np.fft.irfft(spectrum)
    return max(correlation[:most_lag].max(), correlation[-most_lag:].max()) / np.sqrt(
        (found**2).sum() * (expected**2).sum()
    )


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("m4a", "aac"),
        ("aac", "aac"),
        ("mp4", "aac"),
        ("opus", "libopus"),
        ("webm", "libopus"),
        ("mka", "flac"),
        ("mp2", "mp2"),
        ("mp3", "libmp3lame"),
        ("caf", "alac"),
        ("wv", "wavpack"),
        ("wma", "wmav2"),
        ("ac3", "ac3"),
        ("tta", "tta"),
        ("oga", "flac"),
    ],
)
def test_formats_of_phones_and_encoders_are_read(tmp_path, suffix, codec):
    seconds = np.arange(N_SAMPLES) / RATE
    chirp = 0.3 * np.sin(2 * np.pi * (200 + 400 * seconds) * seconds)
    found = read(encode(tmp_path / f"clip.{suffix}", chirp, codec))
    assert abs(len(found) - N_SAMPLES) < 0.1 * RATE
    assert best_correlation(found, chirp) > 0.9


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mka", "flac"), ("caf", "alac"), ("m4a", "alac"), ("tta", "tta"), ("wv", "wavpack"), ("oga", "flac")],
)
def test_lossless_formats_are_read_exactly(tmp_path, noise, suffix, codec):
    path = encode(tmp_path / f"clip.{suffix}", noise, codec)
    np.testing.assert_allclose(read(path), noise, atol=2**-15)


def strip_first_mpeg_frame(path):
    """Remove the frame with the Xing header."""
    content = path.read_bytes()
    first = content.find(b"\xff\xfb")
    path.write_bytes(content[content.find(b"\xff\xfb", first + 4) :])
    return path


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_mp3_without_a_header_is_read_whole(tmp_path, noise, mode):
    quiet_start = noise * np.repeat([1e-3, 1.0], N_SAMPLES // 2)  # misleads estimates from the first frames
    sf.write(tmp_path / "clip.mp3", quiet_start, RATE, bitrate_mode=mode, compression_level=0.4)
    found = read(strip_first_mpeg_frame(tmp_path / "clip.mp3"))
    assert N_SAMPLES <= len(found) < N_SAMPLES + 3 * 1152


@pytest.mark.parametrize("suffix", ["flac", "tta", "wv"])
def test_format_without_tags_of_its_own_is_read_behind_an_id3_tag(tmp_path, noise, suffix):
    path = encode(tmp_path / f"clip.{suffix}", noise, {"wv": "wavpack"}.get(suffix, suffix))
    whole = read(path)
    path.write_bytes(b"ID3\x03\0\0\0\0\x01\0" + bytes(128) + path.read_bytes())
    np.testing.assert_array_equal(read(path), whole)


def test_mp3_with_a_header_that_was_cut_off_is_truncated(tmp_path, noise):
    sf.write(tmp_path / "clip.mp3", noise, RATE)
    content = (tmp_path / "clip.mp3").read_bytes()
    (tmp_path / "clip.mp3").write_bytes(content[: len(content) // 2])
    assert f"of {N_SAMPLES} frames can be decoded" in reason(tmp_path / "clip.mp3")


def test_mp3_with_tags_and_junk_around_it_is_read(tmp_path, noise):
    sf.write(tmp_path / "clip.mp3", noise, RATE)
    whole = read(tmp_path / "clip.mp3")
    content = (tmp_path / "clip.mp3").read_bytes()
    tag = b"ID3\x03\x00\x00\x00\x00\x07\x76" + bytes(1014)
    (tmp_path / "clip.mp3").write_bytes(tag + content + b"TAG" + b"x" * 125 + b"APETAGEX" + bytes(24))
    np.testing.assert_array_equal(read(tmp_path / "clip.mp3"), whole)


@pytest.mark.parametrize("stated", [0, N_SAMPLES // 2, 2 * N_SAMPLES])
def test_flac_with_another_length_in_its_header_is_read_whole(tmp_path, noise, stated):
    sf.write(tmp_path / "clip.flac", noise, RATE)
    whole = read(tmp_path / "clip.flac")
    content = bytearray((tmp_path / "clip.flac").read_bytes())
    content[21] &= 0xF0
    content[22:26] = stated.to_bytes(4, "big")
    (tmp_path / "clip.flac").write_bytes(content)
    np.testing.assert_array_equal(read(tmp_path / "clip.flac"), whole)


def test_flac_that_was_cut_off_is_truncated(tmp_path, noise):
    sf.write(tmp_path / "clip.flac", noise, RATE)
    content = (tmp_path / "clip.flac").read_bytes()
    (tmp_path / "clip.flac").write_bytes(content[: len(content) * 2 // 3])
    assert "is truncated" in reason(tmp_path / "clip.flac")


def test_flac_with_a_damaged_frame_in_the_middle_is_damaged(tmp_path, noise):
    sf.write(tmp_path / "clip.flac", noise, RATE)
    content = bytearray((tmp_path / "clip.flac").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 100] = bytes(reversed(content[middle : middle + 100]))
    (tmp_path / "clip.flac").write_bytes(content)
    assert "is damaged" in reason(tmp_path / "clip.flac")


# 0x7FFFF000 is what sox writes to a pipe; 44 bytes too many are the header, counted as sound.
@pytest.mark.parametrize("size", [0, 2 * N_SAMPLES + 44, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFDB, 0xFFFFFFFF])
def test_wav_with_a_placeholder_or_slightly_wrong_size_is_read_whole(tmp_path, noise, size):
    sf.write(tmp_path / "clip.wav", noise, RATE)
    whole = read(tmp_path / "clip.wav")
    content = bytearray((tmp_path / "clip.wav").read_bytes())
    content[40:44] = size.to_bytes(4, "little")
    (tmp_path / "clip.wav").write_bytes(content)
    np.testing.assert_array_equal(read(tmp_path / "clip.wav"), whole)


def test_wav_that_states_far_more_than_there_is_is_truncated(tmp_path, noise):
    sf.write(tmp_path / "clip.wav", noise, RATE)
    content = (tmp_path / "clip.wav").read_bytes()
    (tmp_path / "clip.wav").write_bytes(content[: len(content) // 2])
    assert reason(tmp_path / "clip.wav") == (
        f"is truncated ({len(content) // 2 - 44} of {2 * N_SAMPLES} bytes of sound)"
    )


def test_aiff_that_was_cut_off_is_truncated(tmp_path, noise):
    sf.write(tmp_path / "clip.aiff", noise, RATE)
    content = (tmp_path / "clip.aiff").read_bytes()
    (tmp_path / "clip.aiff").write_bytes(content[: len(content) // 2])
    assert "is truncated" in reason(tmp_path / "clip.aiff")


@pytest.mark.parametrize(
    ("suffix", "codec", "container"),
    [("webm", "libopus", "webm"), ("wma", "wmav2", "asf"), ("avi", "mp2", "avi")],
)
def test_container_that_states_more_bytes_than_there_are_is_truncated(
    tmp_path, noise, suffix, codec, container
):
    path = encode(tmp_path / f"clip.{suffix}", noise, codec, container=container)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert reason(path).startswith(f"is truncated ({len(content) // 2} of ")


def test_wma_whose_tags_have_been_edited_is_read_whole(tmp_path, noise):
    path = encode(tmp_path / "clip.wma", noise, "wmav2", container="asf")
    whole = read(path)
    content = path.read_bytes()
    size = len(content).to_bytes(8, "little")
    assert size in content
    path.write_bytes(content.replace(size, (10 * len(content)).to_bytes(8, "little")))
    np.testing.assert_array_equal(read(path), whole)


def test_live_webm_of_unknown_size_is_read_as_far_as_it_goes(tmp_path, noise):
    path = encode(tmp_path / "clip.webm", noise, "libopus", container="webm", options={"live": "1"})
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert len(read(path)) > N_SAMPLES // 4


def test_rf64_whose_sizes_were_never_written_is_read_whole(tmp_path, noise):
    sf.write(tmp_path / "clip.wav", noise, RATE, format="RF64")
    whole = read(tmp_path / "clip.wav")
    content = bytearray((tmp_path / "clip.wav").read_bytes())
    start = content.index(b"ds64") + 8
    content[start : start + 24] = bytes(24)
    (tmp_path / "clip.wav").write_bytes(content)
    np.testing.assert_array_equal(read(tmp_path / "clip.wav"), whole)


def test_all_parts_of_a_chained_ogg_file_are_read(tmp_path, noise):
    sf.write(tmp_path / "a.ogg", noise[:50000], RATE)
    sf.write(tmp_path / "b.ogg", noise[50000:], RATE)
    parts = [read(tmp_path / name) for name in ("a.ogg", "b.ogg")]
    (tmp_path / "ab.ogg").write_bytes((tmp_path / "a.ogg").read_bytes() + (tmp_path / "b.ogg").read_bytes())
    np.testing.assert_array_equal(read(tmp_path / "ab.ogg"), np.concatenate(parts))
    found = load_audio((tmp_path / "ab.ogg", 1.0, 1.5), sample_rate=None)
    np.testing.assert_array_equal(found, np.concatenate(parts)[RATE : RATE * 3 // 2])


def test_a_chained_ogg_file_of_two_rates_is_refused(tmp_path, noise):
    sf.write(tmp_path / "a.ogg", noise, RATE)
    sf.write(tmp_path / "b.ogg", noise, 32000)
    (tmp_path / "ab.ogg").write_bytes((tmp_path / "a.ogg").read_bytes() + (tmp_path / "b.ogg").read_bytes())
    assert (
        reason(tmp_path / "ab.ogg")
        == "changes its sample rate from 48000 to 32000 Hz at 2.00 s; split it there"
    )


def test_ogg_that_was_cut_off_is_truncated(tmp_path, noise):
    sf.write(tmp_path / "clip.ogg", noise, RATE)
    content = (tmp_path / "clip.ogg").read_bytes()
    (tmp_path / "clip.ogg").write_bytes(content[: len(content) // 2])
    assert "is truncated" in reason(tmp_path / "clip.ogg")


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_a_truncated_recording_is_used_as_far_as_it_goes_if_allowed(tmp_path, noise, suffix):
    path = tmp_path / f"clip.{suffix}"
    sf.write(path, noise, RATE)
    whole = read(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.warns(AudioLoadWarning, match=r"truncated.*the first [01]\.\d+ s are used"):
        found = read(path, allow_truncated=True)
    assert 0.4 * N_SAMPLES < len(found) < 0.8 * N_SAMPLES
    np.testing.assert_allclose(found[: len(found) // 2], whole[: len(found) // 2], atol=1e-4)


def test_a_recording_without_its_index_says_so(tmp_path, noise):
    path = encode(tmp_path / "clip.m4a", noise, "aac")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "index (moov) is missing" in reason(path)


def test_a_file_name_that_is_not_utf8_is_read(tmp_path, noise):
    sf.write(tmp_path / "clip.wav", noise, RATE)
    for suffix in ("wav", "ogg", "flac"):
        sf.write(tmp_path / f"clip.{suffix}", noise, RATE)
        path = tmp_path / os.fsdecode(b"K\xe4uzchen." + suffix.encode())
        assert len(read((tmp_path / f"clip.{suffix}").rename(path))) == N_SAMPLES


def test_a_video_without_sound_says_so(tmp_path):
    with av.open(str(tmp_path / "clip.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for _ in range(3):
            file.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24"))
            )
        file.mux(stream.encode(None))
    assert "holds no sound" in reason(tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.m3u8", "#EXTM3U\n#EXTINF:10,\n{wav}\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile {wav}\n"),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 97\n"),
    ],
)
def test_a_list_of_other_files_is_not_followed(tmp_path, noise, name, content):
    sf.write(tmp_path / "clip.wav", noise, RATE)
    (tmp_path / name).write_text(content.format(wav=tmp_path / "clip.wav"))
    assert "cannot be decoded as audio" in reason(tmp_path / name)


def test_what_cannot_be_decoded_says_how_to_convert_it(tmp_path):
    (tmp_path / "clip.wav").write_bytes(bytes(range(256)) * 20)
    assert "convert it, for example: ffmpeg -i FILE FILE.wav" in reason(tmp_path / "clip.wav")


def test_decoders_print_nothing(tmp_path, noise, capfd):
    sf.write(tmp_path / "clip.mp3", noise, RATE)
    content = bytearray((tmp_path / "clip.mp3").read_bytes())
    content[3000:3100] = bytes(100)
    (tmp_path / "clip.mp3").write_bytes(content)
    read(tmp_path / "clip.mp3")
    assert capfd.readouterr() == ("", "")


def test_info_reads_the_header(tmp_path, noise):
    sf.write(tmp_path / "clip.flac", np.stack([noise, noise], axis=1), RATE)
    assert audio_info(tmp_path / "clip.flac") == (RATE, 2, 2.0, "flac flac")


def test_info_has_no_duration_where_only_decoding_tells(tmp_path, noise):
    assert audio_info(encode(tmp_path / "clip.aac", noise, "aac")).duration is None


def test_length_is_decoded_if_the_headers_do_not_state_it(tmp_path, noise):
    path = encode(tmp_path / "clip.aac", noise, "aac")
    assert audio_duration(path) == len(load_audio(path, sample_rate=None)) / audio_info(path).sample_rate
