import warnings

import librosa
import numpy as np
import pytest
import soundfile as sf
import torch
from sklearn.base import clone

from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning
from skfewaudio.features import LogMel, _mel_spectrogram

LIBROSA_NAMES = ("n_fft", "hop_length", "win_length", "window", "center", "pad_mode", "power")
MEL_NAMES = ("n_mels", "fmin", "fmax", "htk", "norm")


def noise(n_samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)


def librosa_mel(clip, log_mel):
    """Compute the same mel spectrogram with librosa."""
    params = log_mel.get_params()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # clips shorter than n_fft, empty bands
        return librosa.feature.melspectrogram(
            y=clip, sr=log_mel.sample_rate, **{name: params[name] for name in LIBROSA_NAMES + MEL_NAMES}
        )


SETTINGS = {
    "defaults": {},
    "few-data": {"n_fft": 1024, "n_mels": 128},
    "2048/512": {"sample_rate": 22050, "n_fft": 2048, "hop_length": 512},
    "reflect": {"sample_rate": 22050, "n_fft": 1024, "hop_length": 300, "pad_mode": "reflect"},
    "edge, short window": {"n_fft": 1024, "win_length": 601, "hop_length": 256, "pad_mode": "edge"},
    "htk, no norm": {"n_fft": 2048, "n_mels": 40, "htk": True, "norm": None, "fmin": 50.0, "fmax": 8000.0},
    "odd, magnitude": {"n_fft": 1023, "hop_length": 311, "power": 1.0, "n_mels": 33, "norm": 1.0},
    "not centred": {"n_fft": 512, "hop_length": 512, "win_length": 300, "center": False},
    "hamming, cubed": {"window": "hamming", "power": 3.0, "n_mels": 7},
}
with_settings = pytest.mark.parametrize("params", SETTINGS.values(), ids=SETTINGS)


@with_settings
def test_power_equals_librosa(params):
    log_mel = LogMel(compression=None, **params)
    clips = [noise(n) for n in (22050, 30001, 1500, 44100)]
    for ours, clip in zip(log_mel.transform(clips), clips, strict=True):
        np.testing.assert_allclose(ours, librosa_mel(clip, log_mel), rtol=1e-4)


@with_settings
def test_db_equals_librosa(params):
    log_mel = LogMel(compression="db", **params)
    t = np.arange(20000) / 44100
    clip = (np.sin(2 * np.pi * 1000 * t) * np.geomspace(1, 1e-6, len(t))).astype(np.float32)
    expected = librosa.power_to_db(librosa_mel(clip, log_mel))
    np.testing.assert_allclose(log_mel.transform([clip])[0], expected, atol=0.01)


def test_quiet_bands_beside_a_loud_tone_equal_librosa():
    log_mel = LogMel(compression=None, sample_rate=22050, n_fft=2048, hop_length=512)
    clip = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    np.testing.assert_allclose(log_mel.transform([clip])[0], librosa_mel(clip, log_mel), rtol=1e-4)


@pytest.mark.parametrize("params", [{"top_db": None, "amin": 1e-30}, {"power": 1.0}])
def test_decibels_of_a_wide_range_equal_librosa(params):
    log_mel = LogMel(compression="db", sample_rate=22050, hop_length=512, **params)
    clip = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    expected = librosa.power_to_db(librosa_mel(clip, log_mel), amin=log_mel.amin, top_db=log_mel.top_db)
    np.testing.assert_allclose(log_mel.transform([clip])[0], expected, atol=0.01)


def test_real_recordings_equal_librosa(shared_data):
    paths = sorted((shared_data / "data" / "ESC-50-master" / "audio").glob("*.ogg"))[::80]
    log_mel = LogMel(compression=None)
    for ours, path in zip(log_mel.transform(paths), paths, strict=True):
        expected = librosa_mel(sf.read(path, dtype="float32")[0], log_mel)
        np.testing.assert_allclose(ours, expected, rtol=1e-4)


@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("n_samples", [1, 2, 100, 511, 1023])
def test_clip_shorter_than_a_frame_equals_librosa(pad_mode, n_samples):
    log_mel = LogMel(compression=None, pad_mode=pad_mode, n_fft=1024, hop_length=100)
    clip = noise(n_samples)
    np.testing.assert_allclose(
        log_mel.transform([clip])[0], librosa_mel(clip, log_mel), rtol=1e-4, atol=1e-12
    )


def test_clip_shorter_than_a_frame_is_zero_padded_without_center():
    log_mel = LogMel(center=False, n_fft=1024)
    padded = np.pad(noise(500), (0, 524))
    np.testing.assert_array_equal(log_mel.transform([noise(500)]), log_mel.transform([padded]))


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"compression": "log10"}, lambda mel: np.log10(mel + np.finfo(float).eps)),
        ({"compression": "log10", "offset": 0.5}, lambda mel: np.log10(mel + 0.5)),
        ({"compression": "log"}, lambda mel: np.log(mel + 0.01)),
        ({"compression": "log", "offset": 1e-6}, lambda mel: np.log(mel + 1e-6)),
        ({"compression": "log10_10000"}, lambda mel: np.log10(10000 * mel + 1)),
        ({"compression": "db"}, librosa.power_to_db),
        (
            {"compression": "db", "ref": np.max, "top_db": 20.0},
            lambda mel: librosa.power_to_db(mel, ref=np.max, top_db=20),
        ),
        (
            {"compression": "db", "ref": 0.1, "amin": 1e-3, "top_db": None},
            lambda mel: librosa.power_to_db(mel, ref=0.1, amin=1e-3, top_db=None),
        ),
    ],
)
def test_compressions(params, expected):
    clip = noise(10_000)
    mel = LogMel(compression=None).transform([clip])[0]
    np.testing.assert_allclose(LogMel(**params).transform([clip])[0], expected(mel), atol=1e-4)


def test_top_db_applies_to_each_clip_separately():
    clips = np.stack([noise(5000), 1e-6 * noise(5000, seed=1)])
    together = LogMel(compression="db").transform(clips)
    np.testing.assert_array_equal(together[1], LogMel(compression="db").transform(clips[1:])[0])


def test_clips_of_equal_length_give_an_array():
    result = LogMel(n_mels=64).transform(np.stack([noise(5000)] * 3))
    assert isinstance(result, np.ndarray)
    assert result.dtype == np.float32
    assert result.shape == (3, 64, 5)


def test_clips_of_different_lengths_give_a_list():
    result = LogMel(n_mels=64).transform([noise(5000), noise(5001), noise(9000), noise(5000)])
    assert isinstance(result, list)
    assert [clip.shape for clip in result] == [(64, 5), (64, 5), (64, 9), (64, 5)]
    np.testing.assert_array_equal(result[0], result[3])


def test_result_does_not_depend_on_other_clips():
    clips = [noise(n, seed=n) for n in (100, 5000, 30_000, 400_000, 1, 7000)]
    log_mel = LogMel(hop_length=256)
    for alone, together in zip(
        map(log_mel.transform, [[clip] for clip in clips]), log_mel.transform(clips), strict=True
    ):
        np.testing.assert_array_equal(alone[0], together)


def test_long_clip_in_blocks_equals_librosa(monkeypatch):
    monkeypatch.setattr(_mel_spectrogram, "CPU_FRAME_BYTES", 50_000)
    log_mel = LogMel(compression=None)
    clip = noise(50_000)
    np.testing.assert_allclose(log_mel.transform([clip])[0], librosa_mel(clip, log_mel), rtol=1e-4)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_threads_do_not_change_the_result(n_threads):
    clips = [noise(n, seed=n) for n in range(1000, 200_000, 20_000)]
    for ours, expected in zip(
        LogMel(n_threads=n_threads).transform(clips), LogMel().transform(clips), strict=True
    ):
        np.testing.assert_array_equal(ours, expected)


def test_number_of_torch_threads_is_restored():
    before = torch.get_num_threads()
    LogMel(n_threads=3).transform([noise(1000)])
    assert torch.get_num_threads() == before


def test_array_list_and_paths_agree(tmp_path):
    clips = np.stack([noise(5000, seed) for seed in range(3)])
    paths = [tmp_path / f"{index}.wav" for index in range(3)]
    for path, clip in zip(paths, clips, strict=True):
        sf.write(path, clip, 44100, subtype="FLOAT")
    expected = LogMel().transform(clips)
    np.testing.assert_allclose(LogMel().transform(list(clips)), expected, atol=1e-6)
    np.testing.assert_allclose(LogMel().transform(paths), expected, atol=1e-6)
    np.testing.assert_allclose(LogMel().transform(clips.astype(np.float64)), expected, atol=1e-6)


def test_silence_is_finite():
    for compression in ("log10", "log", "log10_10000", "db", None):
        assert np.isfinite(LogMel(compression=compression).transform(np.zeros((1, 5000)))).all()


def test_input_is_unchanged():
    clip = noise(5000)
    clip.flags.writeable = False
    LogMel(center=False).transform([clip])
    np.testing.assert_array_equal(clip, noise(5000))


def test_unreadable_file_raises_an_error(tmp_path):
    with pytest.raises(AudioLoadError, match="nowhere"):
        LogMel().transform([tmp_path / "nowhere.wav"])


def test_unreadable_file_is_replaced_by_silence_with_on_error_warn(tmp_path):
    sf.write(tmp_path / "x.wav", noise(44100), 44100)
    with pytest.warns(AudioLoadWarning, match="nowhere"):
        result = LogMel(on_error="warn").transform([tmp_path / "x.wav", tmp_path / "nowhere.wav"])
    np.testing.assert_array_equal(result[1], LogMel().transform(np.zeros((1, 44100)))[0])


def test_fit_opens_no_file(tmp_path):
    log_mel = LogMel()
    assert log_mel.fit([tmp_path / "nowhere.wav"]) is log_mel


def test_fit_does_not_change_parameters_or_global_random_state():
    log_mel = LogMel.from_preset("vggish")
    params, state, torch_state = log_mel.get_params(), np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    log_mel.fit_transform([noise(16000)])
    assert log_mel.get_params() == params
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_fft": 0}, "n_fft.*must be an int"),
        ({"hop_length": 10.5}, "hop_length.*must be an int"),
        ({"compression": "ln"}, "compression.*must be a str among"),
        ({"pad_mode": "wrap"}, "pad_mode.*must be a str among"),
        ({"on_error": "ignore"}, "on_error.*must be a str among"),
        ({"win_length": 4096}, "win_length=4096 is above n_fft=2048"),
        ({"fmax": 30000.0}, "fmax=30000.0; expected fmin < fmax <= sample_rate / 2 = 22050"),
        ({"fmin": 5000.0, "fmax": 4000.0}, "fmin=5000.0"),
        ({"window": "hat"}, "hat"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_bad_parameters_are_refused(params, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(LogMel(**params), method)([noise(5000)])


def test_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device='abacus'"):
        LogMel(device="abacus").transform([noise(5000)])


def test_preset_can_be_overridden():
    log_mel = LogMel.from_preset("random-cnn", n_mels=40)
    assert (log_mel.sample_rate, log_mel.n_fft, log_mel.n_mels) == (12000, 512, 40)


def test_default_equals_librosa_decibels():
    clip = noise(50_000)
    mel = librosa.feature.melspectrogram(y=clip, sr=44100, n_fft=2048, hop_length=1024, n_mels=64)
    np.testing.assert_allclose(LogMel().transform([clip])[0], librosa.power_to_db(mel), atol=0.01)


def test_few_data_preset_equals_librosa_with_the_settings_of_the_paper():
    clip = noise(50_000)
    mel = librosa.feature.melspectrogram(y=clip, sr=44100, n_fft=1024, hop_length=1024, n_mels=128)
    expected = np.log10(mel + np.finfo(float).eps)
    np.testing.assert_allclose(LogMel.from_preset("few-data").transform([clip])[0], expected, atol=1e-3)


def test_unknown_preset_error_lists_the_known_presets():
    with pytest.raises(ValueError, match="'few-data', 'random-cnn', 'vggish'"):
        LogMel.from_preset("best")


@pytest.mark.parametrize("name", ["few-data", "vggish", "random-cnn"])
def test_presets_can_be_cloned(name):
    log_mel = LogMel.from_preset(name)
    assert clone(log_mel).get_params() == log_mel.get_params()


def test_filters_triangular_in_mel_have_the_peaks_of_librosa():
    params = LogMel(n_fft=8192, n_mels=20, norm="slaney")._check_settings()
    ours = _mel_spectrogram.mel_filters(LogMel(n_fft=8192, n_mels=20, mel_slopes="mel")._check_settings())
    theirs = _mel_spectrogram.mel_filters(params)
    np.testing.assert_allclose(ours.argmax(axis=1), theirs.argmax(axis=1), atol=1)
    np.testing.assert_allclose(ours.max(axis=1), theirs.max(axis=1), rtol=0.05)


@pytest.mark.gpu
def test_gpu_equals_cpu():
    clips = [noise(n, seed=n) for n in (100, 50_000, 200_000)]
    for ours, expected in zip(
        LogMel(device="cuda").transform(clips), LogMel(device="cpu").transform(clips), strict=True
    ):
        np.testing.assert_allclose(ours, expected, atol=1e-4)
