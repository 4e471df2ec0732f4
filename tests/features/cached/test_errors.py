"""Unreadable files, transformers that cannot be cached, damaged entries, and unwritable disks."""

import errno
import os

import numpy as np
import pytest
import soundfile as sf
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skfewaudio import MFCC, CachedFeatures, FeatureCache, LogMel, RandomCNNFeatures, VGGishEmbed
from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning, FeatureCacheWarning, WeightsNotFoundError
from skfewaudio.features._cache import files as cache_files

RATE = 8000


@pytest.mark.parametrize("bad", ["missing", "empty", "folder", "not audio"])
def test_error_for_unreadable_file_is_the_same_without_cache(bad, cached, paths, tmp_path):
    path = tmp_path / f"{bad}.wav"
    {"empty": path.touch, "folder": path.mkdir, "not audio": lambda: path.write_text("x"), "missing": int}[
        bad
    ]()
    errors = []
    for transformer in (cached.transformer, cached):
        with pytest.raises(AudioLoadError) as error:
            transformer.transform([paths[0], str(path)])
        errors.append(str(error.value))
    assert errors[0] == errors[1]


def test_features_of_silence_for_unreadable_files_are_not_stored(cached, paths, tmp_path, assert_same):
    (tmp_path / "text.wav").write_text("no sound")
    X = ["nowhere.wav", *paths[:3], str(tmp_path / "text.wav"), *paths[3:]]
    cached.set_params(transformer__on_error="warn", n_at_once=2)
    with pytest.warns(AudioLoadWarning) as expected:
        features = cached.transformer.transform(X)
    for n_hits in (0, 5):
        with pytest.warns(AudioLoadWarning) as warned:
            found = cached.warm(X)
        assert (found["n_hits"], found["n_computed"]) == (n_hits, 5 - n_hits)
        assert [str(each.message) for each in warned] == [str(each.message) for each in expected]
    with pytest.warns(AudioLoadWarning):
        assert_same(cached.transform(X), features)


def test_file_changed_while_features_are_computed_is_not_stored(
    cached, paths, while_computing, assert_same, clips
):
    while_computing(lambda X: sf.write(paths[0], clips[1], RATE, subtype="FLOAT"))
    cached.transform(paths[:1])
    while_computing(None)
    sf.write(paths[0], clips[0], RATE, subtype="FLOAT")
    assert_same(cached.transform(paths[:1]), cached.transformer.transform(paths[:1]))


@pytest.mark.parametrize(
    "transformer", [StandardScaler(), RandomCNNFeatures(random_state=None)], ids=["scaler", "random"]
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_stateful_transformer_is_refused(method, transformer, location, clips):
    with pytest.raises(ValueError, match="requires_fit is false"):
        getattr(CachedFeatures(transformer, location=location), method)(clips)


def test_fit_checks_the_parameters_of_the_transformer(location, clips):
    with pytest.raises(ValueError, match="n_mfcc=200"):
        CachedFeatures(MFCC(n_mfcc=200), location=location).fit(clips)


def test_lambda_parameter_is_refused(location, clips):
    cached = CachedFeatures(LogMel(ref=lambda mel: 1.0), location=location)
    with pytest.raises(TypeError, match=r"cannot be cached: ref=<function .*lambda"):
        cached.transform(clips)


def test_non_numeric_output_is_refused(location, clips):
    cached = CachedFeatures(FunctionTransformer(np.array2string), location=location)
    with pytest.raises(TypeError, match="expected an array or a list"):
        cached.transform(clips)


def test_error_note_contains_the_indices_of_the_clips(location, clips):
    clips = [*clips, clips[0][:10]]
    transformer = RandomCNNFeatures("single_layer", n_filters=4, sample_rate=RATE, pad_mode=None)
    cached = CachedFeatures(transformer, location=location)
    cached.warm(clips[:4])
    with pytest.raises(ValueError, match="clip 1 has") as error:
        cached.transform(clips)
    assert "[4, 5]" in error.value.__notes__[0]


def test_damaged_entries_are_replaced_with_one_warning(cached, location, counts, assert_same, clips):
    cached.warm(clips)
    entries = list(location.glob("*/*/*.features"))
    entries[0].write_bytes(b"")
    entries[1].write_bytes(entries[2].read_bytes())
    with pytest.warns(FeatureCacheWarning, match=r"2 sound\(s\) are damaged") as warned:
        found = cached.transform(clips)
    assert len(warned) == 1
    assert_same(found, cached.transformer.transform(clips))
    assert counts(cached, clips) == (5, 0, 0)


def test_damaged_entries_are_counted(cached, location, counts, clips):
    cached.warm(clips)
    next(location.glob("*/*/*.features")).write_bytes(b"x" * 1000)
    with pytest.warns(FeatureCacheWarning):
        assert counts(cached, clips) == (4, 1, 1)


def test_unwritable_location_warns_once_and_features_are_computed(cached, location, assert_same, clips):
    location.write_text("a file is in the way")
    with pytest.warns(FeatureCacheWarning, match="cannot be written") as warned:
        results = [cached.transform(clips) for _ in range(2)]
    assert len(warned) == 1
    for result in results:
        assert_same(result, cached.transformer.transform(clips))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_full_or_read_only_disk_still_returns_cached_features(
    number, cached, calls, monkeypatch, assert_same, clips
):
    cached.warm(clips[:3])

    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(cache_files, "_write_and_rename", refuse)
    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(cache_files, "TOUCH_AFTER", -1.0)
    with pytest.warns(FeatureCacheWarning, match=os.strerror(number)):
        found = cached.transform(clips)
    assert calls == [3, 2]
    assert_same(found, cached.transformer.transform(clips))


def test_cache_stays_within_its_size(location, assert_same, noise, clips):
    cached = CachedFeatures(LogMel(sample_rate=RATE), location=location, max_size="20K")
    clips = [noise(seed=seed) for seed in range(20)]
    assert_same(cached.transform(clips), cached.transformer.transform(clips))
    assert 0 < FeatureCache(location).info()["n_bytes"] <= 20 * 1024


def test_error_for_missing_weights_is_the_same_without_cache(location, clips):
    with pytest.raises(WeightsNotFoundError, match=r"nowhere\.pth does not exist"):
        CachedFeatures(VGGishEmbed("nowhere.pth"), location=location).transform(clips)
