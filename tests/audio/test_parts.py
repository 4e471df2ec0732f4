"""Parts of recordings, and the other forms of a clip."""

import tracemalloc

import numpy as np
import pytest
import soundfile as sf

from skfewaudio.audio import iter_clips, load_audio
from skfewaudio.audio.clips import as_file_part, as_sound
from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning

RATE = 16000


@pytest.fixture(scope="module", params=["wav", "flac", "ogg", "mp3", "aiff", "caf"])
def recording(request, tmp_path_factory):
    """Path of ten seconds of noise, and its samples as they are read."""
    path = tmp_path_factory.mktemp("parts") / f"long.{request.param}"
    sf.write(path, 0.1 * np.random.default_rng(0).standard_normal(10 * RATE), RATE)
    return path, load_audio(path, sample_rate=None)


@pytest.mark.parametrize(("start", "end"), [(0, 1), (0.5, 1.25), (4.2, 6.7), (9.5, 10), (8.0, None)])
def test_a_part_equals_that_part_of_the_whole(recording, start, end):
    path, whole = recording
    expected = whole[round(start * RATE) : None if end is None else round(end * RATE)]
    np.testing.assert_allclose(load_audio((path, start, end), sample_rate=None), expected, atol=1e-4)


def test_offset_and_duration_select_a_part(recording):
    path, whole = recording
    found = load_audio(path, sample_rate=None, offset=2.0, duration=0.5)
    np.testing.assert_allclose(found, whole[2 * RATE : 2 * RATE + RATE // 2], atol=1e-4)


def test_offset_counts_from_the_start_of_a_part(recording):
    path, whole = recording
    found = load_audio((path, 2.0, 3.0), sample_rate=None, offset=0.25, duration=5.0)
    np.testing.assert_allclose(found, whole[round(2.25 * RATE) : 3 * RATE], atol=1e-4)


def test_a_part_is_resampled_as_a_clip_of_its_own(recording):
    path, whole = recording
    expected = load_audio((whole[RATE : 2 * RATE], RATE), sample_rate=8000)
    np.testing.assert_allclose(load_audio((path, 1, 2), sample_rate=8000), expected, atol=1e-4)


def test_a_part_that_starts_after_the_end_is_refused(recording):
    with pytest.raises(AudioLoadError, match="ends before 12 s, where the part starts"):
        load_audio((recording[0], 12, 13), sample_rate=None)


def test_a_part_that_ends_long_after_the_end_is_refused(recording):
    with pytest.raises(AudioLoadError, match=r"ends at 10\.\d\d s, before the end of the part at 12 s"):
        load_audio((recording[0], 9, 12), sample_rate=None)


def test_a_part_that_ends_just_after_the_end_is_read(recording):
    path, whole = recording
    found = load_audio((path, 9, 10.05), sample_rate=None)
    np.testing.assert_allclose(found[:RATE], whole[9 * RATE : 10 * RATE], atol=1e-4)


def test_memory_follows_the_part(tmp_path):
    path = tmp_path / "long.wav"
    sf.write(path, np.zeros(20 * 60 * RATE, dtype=np.float32), RATE)
    tracemalloc.start()
    load_audio((path, 600, 601), sample_rate=None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6  # the whole file has 77 MB


def test_a_part_of_a_truncated_file_is_read_if_it_is_there(tmp_path):
    path = tmp_path / "cut.wav"
    sf.write(path, np.ones(10 * RATE) * 0.1, RATE)
    path.write_bytes(path.read_bytes()[: 44 + 2 * 5 * RATE])
    assert load_audio((path, 1, 2), sample_rate=None).shape == (RATE,)
    with pytest.raises(AudioLoadError, match="is truncated"):
        load_audio((path, 4, 6), sample_rate=None)
    with pytest.warns(AudioLoadWarning, match="is truncated"):
        assert load_audio((path, 4, 6), sample_rate=None, allow_truncated=True).shape == (RATE,)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (("a.wav", 2, 1), "ends at 1 s and starts at 2 s"),
        (("a.wav", 1, 1), "ends at 1 s and starts at 1 s"),
        (("a.wav", -1, 1), "start of clip is -1; expected seconds"),
        (("a.wav", "0", 1), "start of clip is '0'; expected seconds"),
        (("a.wav", 0, np.inf), "end of clip is inf"),
    ],
)
def test_impossible_times_are_refused(part, message):
    with pytest.raises(ValueError, match=message):
        as_file_part(part)


def test_missing_times_stand_for_the_whole_file():
    assert as_file_part(("a.wav", None, float("nan"))) == as_file_part("a.wav")


SOUND = 0.1 * np.sin(np.arange(RATE, dtype=np.float32))


@pytest.mark.parametrize(
    "clip",
    [
        (SOUND, RATE),
        {"array": SOUND, "sampling_rate": RATE},
        {"array": SOUND, "sampling_rate": RATE, "path": None},
        (SOUND.astype(np.float64), np.int64(RATE)),
        (SOUND, float(RATE)),
    ],
)
def test_sound_with_its_rate_is_a_clip(clip, tmp_path):
    sf.write(tmp_path / "x.wav", SOUND, RATE, subtype="FLOAT")
    for rate in (None, RATE, 8000):
        expected = load_audio(tmp_path / "x.wav", sample_rate=rate)
        np.testing.assert_allclose(load_audio(clip, sample_rate=rate), expected, atol=1e-7)


@pytest.mark.parametrize("rate", [0, -1, 44100.5, "44100", True, None])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(ValueError, match=r"sample rate .*; expected a positive integer in Hz"):
        as_sound({"array": SOUND, "sampling_rate": rate})


@pytest.mark.parametrize(
    ("samples", "advice"),
    [
        (np.zeros(10, np.int16), "divide by 32768.0"),
        (np.zeros(10, np.int32), "divide by 2147483648.0"),
        (np.zeros(10, np.uint8), "scale them"),
        (np.zeros(10, bool), "scale them"),
    ],
)
def test_integers_are_refused_with_their_scale(samples, advice):
    with pytest.raises(TypeError, match=advice):
        load_audio((samples, RATE), sample_rate=None)


@pytest.mark.parametrize(("shape", "axis"), [((2, 1000), 0), ((1000, 2), 1)])
def test_channels_of_arrays_are_to_be_mixed(shape, axis):
    with pytest.raises(ValueError, match=rf"If these are 2 channels, mix them: clip.mean\(axis={axis}\)"):
        load_audio((np.zeros(shape), RATE), sample_rate=None)


@pytest.mark.parametrize("clip", [3, None, ("a.wav", 1), b"a.wav", {"array": SOUND}, SOUND])
def test_other_forms_are_named(clip):
    with pytest.raises(TypeError, match=r"expected a path, \(path, start, end\) in seconds"):
        load_audio(clip, sample_rate=None)


def test_iter_clips_takes_all_forms(tmp_path):
    sf.write(tmp_path / "x.wav", SOUND, RATE, subtype="FLOAT")
    forms = [
        tmp_path / "x.wav",
        (tmp_path / "x.wav", 0, 1),
        (SOUND, RATE),
        {"array": SOUND, "sampling_rate": RATE},
    ]
    for clip in iter_clips(forms, sample_rate=None):
        np.testing.assert_allclose(clip, SOUND, atol=1e-7)
