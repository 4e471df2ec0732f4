import os

import librosa
import numpy as np
import pytest
import soundfile as sf

from skfewaudio.audio import iter_clips, load_audio
from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning

RATE = 22050
LOSSY = {"ogg", "mp3"}


def tone(n_samples=RATE, frequency=440.0):
    """Return a tone with a little noise."""
    rng = np.random.default_rng(0)
    t = np.arange(n_samples) / RATE
    return (0.3 * np.sin(2 * np.pi * frequency * t) + 0.01 * rng.normal(size=n_samples)).astype(np.float32)


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "tone.wav"
    sf.write(path, tone(), RATE)
    return path


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_reads_every_format(tmp_path, extension):
    path = tmp_path / f"tone.{extension}"
    sf.write(path, tone(), RATE)
    samples = load_audio(path, sample_rate=RATE)
    assert samples.dtype == np.float32
    assert samples.shape == (RATE,)
    np.testing.assert_allclose(samples, tone(), atol=0.1 if extension in LOSSY else 1e-4)


@pytest.mark.parametrize("n_channels", [2, 3, 6])
def test_channels_are_averaged(tmp_path, n_channels):
    channels = np.random.default_rng(0).uniform(-0.5, 0.5, (1000, n_channels)).astype(np.float32)
    sf.write(tmp_path / "x.wav", channels, RATE, subtype="FLOAT")
    np.testing.assert_allclose(
        load_audio(tmp_path / "x.wav", sample_rate=RATE), channels.mean(axis=1), atol=1e-7
    )


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100])
def test_resampling_equals_librosas(wav, sample_rate):
    expected = librosa.resample(sf.read(wav, dtype="float32")[0], orig_sr=RATE, target_sr=sample_rate)
    np.testing.assert_allclose(load_audio(wav, sample_rate=sample_rate), expected, atol=1e-7)


def test_real_recording_equals_librosas(shared_data):
    path = sorted((shared_data / "data" / "ESC-50-master" / "audio").glob("*.ogg"))[0]
    samples, rate = sf.read(path, dtype="float32")
    expected = librosa.resample(samples, orig_sr=rate, target_sr=12000)
    np.testing.assert_allclose(load_audio(path, sample_rate=12000), expected, atol=1e-7)


def test_without_sample_rate_the_rate_of_the_file_is_kept(wav):
    assert load_audio(wav, sample_rate=None).shape == (RATE,)


def test_one_sample_survives_resampling(tmp_path):
    sf.write(tmp_path / "x.wav", np.array([0.5]), 44100)
    assert load_audio(tmp_path / "x.wav", sample_rate=8000).shape == (1,)


def test_reads_a_file_longer_than_a_block(tmp_path):
    long = np.tile(tone(), 50)
    sf.write(tmp_path / "x.wav", np.stack([long, long], axis=1), RATE, subtype="FLOAT")
    np.testing.assert_allclose(load_audio(tmp_path / "x.wav", sample_rate=RATE), long, atol=1e-7)


def test_wav_written_to_a_pipe_loads(wav):
    content = bytearray(wav.read_bytes())
    position = content.index(b"data") + 4
    content[position : position + 4] = b"\xff\xff\xff\xff"
    wav.write_bytes(content)
    assert load_audio(wav, sample_rate=RATE).shape == (RATE,)


def test_extension_does_not_matter(wav):
    assert load_audio(wav.rename(wav.with_suffix(".txt")), sample_rate=RATE).shape == (RATE,)


def reason(path):
    """Return the reason of the AudioLoadError that a file raises."""
    with pytest.raises(AudioLoadError) as caught:
        load_audio(path, sample_rate=RATE)
    assert caught.value.path == os.fspath(path)
    return caught.value.reason


def test_missing_file_is_named(tmp_path):
    assert "No such file" in reason(tmp_path / "nowhere.wav")


def test_directory_is_refused(tmp_path):
    assert "directory" in reason(tmp_path)


def test_null_byte_in_the_name_is_refused():
    assert "null" in reason("a\0b.wav")


def test_unreadable_file_is_refused(wav, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert "Permission denied" in reason(wav)


def test_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    assert "regular file" in reason(tmp_path / "pipe.wav")


def test_file_of_too_many_samples_is_refused(wav, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_MAX_SAMPLES", str(RATE - 1))
    with pytest.raises(AudioLoadError, match="more than 22,049 samples"):
        load_audio(wav, sample_rate=RATE)
    assert len(load_audio((wav, 0.0, 0.5), sample_rate=RATE)) == RATE // 2


def test_empty_file_is_refused(tmp_path):
    (tmp_path / "x.wav").touch()
    assert "0 bytes" in reason(tmp_path / "x.wav")


def test_text_is_refused(tmp_path):
    (tmp_path / "x.wav").write_text("no sound here")
    assert "cannot be decoded" in reason(tmp_path / "x.wav")


def test_file_without_samples_is_refused(tmp_path):
    sf.write(tmp_path / "x.wav", np.zeros(0), RATE)
    assert "no samples" in reason(tmp_path / "x.wav")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_samples_are_counted(tmp_path, value):
    samples = tone()
    samples[[10, 20]] = value
    sf.write(tmp_path / "x.wav", samples, RATE, subtype="FLOAT")
    assert f"2 of {RATE}" in reason(tmp_path / "x.wav")


def test_channels_whose_mean_overflows_are_refused(tmp_path):
    sf.write(tmp_path / "x.wav", np.full((10, 2), 3e38, dtype=np.float32), RATE, subtype="FLOAT")
    assert "infinite" in reason(tmp_path / "x.wav")


def test_absurd_sample_rate_is_refused(tmp_path):
    sf.write(tmp_path / "x.wav", tone(), 3)
    assert "3 Hz" in reason(tmp_path / "x.wav")


@pytest.mark.parametrize("extension", ["wav", "mp3"])
def test_truncated_file_is_reported_as_truncated(tmp_path, extension, capfd):
    path = tmp_path / f"x.{extension}"
    sf.write(path, tone(), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "truncated" in reason(path)


def test_truncated_flac_is_refused(tmp_path):
    sf.write(tmp_path / "x.flac", tone(), RATE)
    content = (tmp_path / "x.flac").read_bytes()
    (tmp_path / "x.flac").write_bytes(content[: len(content) // 2])
    reason(tmp_path / "x.flac")


@pytest.fixture
def folder(tmp_path):
    """Paths of ten clips of different lengths, in order."""
    paths = [tmp_path / f"{index}.wav" for index in range(10)]
    for index, path in enumerate(paths):
        sf.write(path, tone(100 * (index + 1)), RATE)
    return paths


@pytest.mark.parametrize("n_threads", [1, 3, None])
def test_iter_clips_keeps_the_order(folder, n_threads):
    lengths = [len(clip) for clip in iter_clips(folder, sample_rate=RATE, n_threads=n_threads)]
    assert lengths == [100 * (index + 1) for index in range(10)]


def test_iter_clips_holds_few_clips_at_once(folder):
    taken = []
    paths = (taken.append(path) or path for path in folder)
    next(iter_clips(paths, sample_rate=RATE, n_threads=1))
    assert len(taken) <= 3


def test_iter_clips_raises_the_error_of_the_first_bad_file(folder):
    folder[4].write_bytes(b"")
    clips = iter_clips(folder, sample_rate=RATE)
    with pytest.raises(AudioLoadError, match=r"4\.wav: is empty"):
        list(clips)


def test_iter_clips_warns_once_and_replaces_bad_files_by_silence(folder):
    folder[2].write_bytes(b"")
    folder[7].unlink()
    with pytest.warns(AudioLoadWarning) as caught:
        clips = list(iter_clips(folder, sample_rate=RATE, on_error="warn"))
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message.startswith("2 sound file(s)")
    assert "2.wav: is empty" in message
    assert "7.wav: cannot be opened" in message
    assert [len(clip) for clip in clips] == [100, 200, RATE, 400, 500, 600, 700, RATE, 900, 1000]
    assert not clips[2].any()


def test_iter_clips_names_ten_bad_files_at_most(tmp_path):
    with pytest.warns(AudioLoadWarning, match=r"25 sound file(.|\n)*and 15 more"):
        list(iter_clips([tmp_path / f"{i}" for i in range(25)], sample_rate=RATE, on_error="warn"))


def test_iter_clips_refuses_an_unknown_on_error(folder):
    with pytest.raises(ValueError, match="expected 'raise' or 'warn'"):
        next(iter_clips(folder, sample_rate=RATE, on_error="ignore"))


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), 22050.5, 0, -8000, "8000", True])
def test_sample_rate_that_is_no_integer_is_refused(rate, tmp_path):
    error = TypeError if isinstance(rate, str | bool) else ValueError
    sf.write(tmp_path / "clip.wav", np.zeros(800), 8000)
    with pytest.raises(error, match="expected an integer"):
        load_audio(tmp_path / "clip.wav", sample_rate=rate)
    with pytest.raises(error, match="expected an integer"):
        list(iter_clips([tmp_path / "clip.wav"], sample_rate=rate))
