"""sample_rate="auto": the rate of the training recordings, with frames of one duration."""

import pickle
import warnings

import numpy as np
import pytest
import soundfile as sf
from sklearn.base import clone

from skfewaudio import CachedFeatures, LogMel, load_model, make_few_shot_classifier, save_model
from skfewaudio.exceptions import AudioLoadWarning
from skfewaudio.features._native_rate import find_native_rate, scale_frames
from skfewaudio.model_selection import few_shot_curve
from skfewaudio.persistence import read_card


def tone(rate, frequency, seed=0):
    noise = 0.01 * np.random.default_rng(seed).standard_normal(rate // 2)
    return 0.3 * np.sin(2 * np.pi * frequency * np.arange(rate // 2) / rate) + noise


@pytest.fixture
def write(tmp_path):
    def write(rate, name, frequency=440, seed=0):
        sf.write(tmp_path / name, tone(rate, frequency, seed), rate)
        return str(tmp_path / name)

    return write


def test_the_most_frequent_rate_is_chosen(write):
    paths = [write(8000, "a.wav"), write(8000, "b.flac"), write(16000, "c.wav")]
    assert find_native_rate(paths) == 8000


def test_of_equally_frequent_rates_the_highest_is_chosen(write):
    assert find_native_rate([write(8000, "a.wav"), write(16000, "b.wav")]) == 16000


def test_parts_and_sounds_count_with_their_rates(write):
    sound = (np.ones(10), 32000)
    assert (
        find_native_rate([(write(8000, "a.wav"), 0, 0.1), sound, {"array": sound[0], "sampling_rate": 32000}])
        == 32000
    )


def test_arrays_and_unreadable_files_do_not_count(write, tmp_path):
    (tmp_path / "bad.wav").write_text("no sound")
    assert find_native_rate([str(tmp_path / "bad.wav"), write(8000, "a.wav")]) == 8000
    assert find_native_rate([np.ones(10)]) == find_native_rate([]) == 44100


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(44100, (2048, 1024)), (8000, (512, 186)), (384000, (32768, 8916)), (1000, (64, 23))],
)
def test_frames_keep_their_duration(rate, expected):
    assert scale_frames(2048, 1024, rate) == expected


def test_logmel_is_that_of_the_chosen_rate(write):
    paths = [write(8000, "a.wav"), write(8000, "b.wav", 880)]
    auto = LogMel(sample_rate="auto").fit(paths)
    assert auto.sample_rate_ == 8000
    expected = LogMel(sample_rate=8000, n_fft=512, hop_length=186).transform(paths)
    np.testing.assert_array_equal(auto.transform(paths), expected)


def test_the_window_is_scaled_too(write):
    paths = [write(22050, "a.wav")]
    expected = LogMel(sample_rate=22050, n_fft=1024, hop_length=512, win_length=500).transform(paths)
    auto = LogMel(sample_rate="auto", win_length=1000)
    np.testing.assert_array_equal(auto.fit_transform(paths), expected)


def test_recordings_of_other_rates_are_resampled(write):
    auto = LogMel(sample_rate="auto").fit([write(16000, "a.wav")])
    assert auto.transform([write(16000, "a.wav"), write(11025, "b.wav")]).shape[0] == 2


def test_without_fit_the_rate_is_that_of_compact_discs():
    X = np.random.default_rng(0).normal(size=(2, 5000))
    np.testing.assert_array_equal(LogMel(sample_rate="auto").transform(X), LogMel().transform(X))


def test_a_refit_chooses_anew(write):
    auto = LogMel(sample_rate="auto").fit([write(8000, "a.wav")])
    assert auto.fit([write(16000, "b.wav")]).sample_rate_ == 16000
    assert not hasattr(clone(auto), "sample_rate_")
    assert pickle.loads(pickle.dumps(auto)).sample_rate_ == 16000


@pytest.mark.parametrize("rate", [3900, 16100])
def test_recordings_of_a_far_rate_are_named(write, rate):
    auto = LogMel(sample_rate="auto").fit([write(8000, "a.wav")])
    with pytest.warns(
        AudioLoadWarning, match=rf"far.wav: has a sample rate of {rate} Hz, and the training"
    ) as caught:
        auto.transform([write(8000, "b.wav"), write(rate, "far.wav"), write(rate, "far2.wav")])
    assert len(caught) == 1


@pytest.mark.parametrize("rate", [4000, 8000, 16000])
def test_recordings_of_a_near_rate_are_not_named(write, rate):
    auto = LogMel(sample_rate="auto").fit([write(8000, "a.wav")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        auto.transform([write(rate, "near.wav")])


def test_cached_features_are_those_of_the_chosen_rate(write, tmp_path):
    paths = [write(8000, "a.wav"), write(8000, "b.wav", 880)]
    expected = LogMel(sample_rate="auto").fit_transform(paths)
    cached = CachedFeatures(LogMel(sample_rate="auto"), location=tmp_path / "cache")
    for _ in range(2):
        np.testing.assert_array_equal(cached.fit(paths).transform(paths), expected)
    assert cached.warm(paths)["n_hits"] == 2
    same = CachedFeatures(LogMel(sample_rate=8000, n_fft=512, hop_length=186), location=tmp_path / "cache")
    assert same.warm(paths)["n_hits"] == 2


def test_the_recommended_classifier_hears_what_lies_above_22_khz(write):
    frequencies = [40_000, 60_000]
    paths = [write(192_000, f"{f}-{i}.wav", f, i) for f in frequencies for i in range(6)]
    y = np.repeat(["low", "high"], 6)
    training, test = np.arange(12) % 2 == 0, np.arange(12) % 2 == 1
    model = make_few_shot_classifier().fit(list(np.array(paths)[training]), y[training])
    assert model.score(list(np.array(paths)[test]), y[test]) == 1


def test_a_saved_model_keeps_its_rate(write, tmp_path):
    paths = [write(8000, f"{f}-{i}.wav", f, i) for f in (400, 1600) for i in range(3)]
    model = make_few_shot_classifier().fit(paths, np.repeat(["a", "b"], 3))
    save_model(model, tmp_path / "m.model")
    assert read_card(tmp_path / "m.model")["sample_rate"] == 8000
    loaded = load_model(tmp_path / "m.model")
    np.testing.assert_array_equal(loaded.predict_proba(paths), model.predict_proba(paths))


def test_the_learning_curve_computes_features_once_at_the_native_rate(write, monkeypatch):
    paths = [write(8000, f"{f}-{i}.wav", f, i) for f in (400, 1600) for i in range(4)]
    calls = []
    transform = LogMel.transform
    monkeypatch.setattr(LogMel, "transform", lambda self, X: calls.append(self._rate) or transform(self, X))
    few_shot_curve(
        make_few_shot_classifier(), paths, np.repeat(["a", "b"], 4), n_shots=[1, 2], cv=2, n_repeats=2
    )
    assert calls == [8000]
