"""Cache hits, cache misses, and how often files are read."""

import os
import shutil
from pathlib import Path

import pytest
import soundfile as sf

from skfewaudio import MFCC
from skfewaudio.exceptions import AudioLoadError
from skfewaudio.features._cache import keys as cache_keys

RATE = 8000


def test_only_missing_clips_are_computed_in_one_batch(cached, calls, clips):
    cached.transform(clips[[1, 3]])
    cached.transform(clips)
    cached.transform(clips[::-1])
    assert calls == [2, 3]


def test_equal_clips_are_computed_once(cached, calls, clips):
    cached.transform(clips[[0, 1, 0, 0]])
    assert calls == [2]


def test_features_computed_before_an_error_are_stored(cached, paths, counts):
    cached.set_params(n_at_once=2)
    with pytest.raises(AudioLoadError):
        cached.transform([*paths[:4], "nowhere.wav"])
    assert counts(cached, paths) == (4, 1, 0)


def test_file_with_the_same_content_is_a_hit(cached, paths, tmp_path, counts):
    cached.warm(paths)
    copy = shutil.copy(paths[0], tmp_path / "copy.wav")
    assert counts(cached, [copy]) == (1, 0, 0)


def test_same_content_with_another_extension_is_a_miss(cached, paths, tmp_path, counts):
    cached.warm(paths)  # libsndfile may use the extension
    assert counts(cached, [shutil.copy(paths[0], tmp_path / "copy.au")]) == (0, 1, 0)


def test_array_of_another_dtype_or_length_is_a_miss(cached, counts, clips):
    cached.warm([clips[0]])
    assert counts(cached, [clips[0].astype(float)]) == (0, 1, 0)
    assert counts(cached, [clips[0][:-1]]) == (0, 1, 0)
    assert counts(cached, clips) == (1, 4, 0)


def test_changed_file_is_a_miss(cached, paths, monkeypatch, counts, assert_same, clips):
    monkeypatch.setattr(cache_keys, "SETTLED_AFTER", 0)
    cached.warm(paths)
    state = Path(paths[0]).stat()
    sf.write(paths[0], clips[1] / 2, RATE, subtype="FLOAT")
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns))  # same size and modification time
    assert counts(cached, paths) == (4, 1, 0)
    assert_same(cached.transform(paths[:1]), cached.transformer.transform(paths[:1]))


@pytest.mark.parametrize("change", [{"n_mfcc": 12}, {"sample_rate": 4000}, {"lifter": 3}, {"summary": None}])
def test_changed_parameter_is_a_miss(change, cached, counts, assert_same, clips):
    cached.warm(clips)
    cached.set_params(**{f"transformer__{name}": value for name, value in change.items()})
    assert counts(cached, clips) == (0, 5, 0)
    assert_same(cached.transform(clips), cached.transformer.transform(clips))


@pytest.mark.parametrize("change", [{"device": "cpu"}, {"n_threads": 1}, {"on_error": "warn"}])
def test_parameter_that_does_not_change_the_result_is_a_hit(change, cached, counts, clips):
    cached.warm(clips)
    cached.set_params(**{f"transformer__{name}": value for name, value in change.items()})
    assert counts(cached, clips) == (5, 0, 0)


def test_new_feature_version_is_a_miss(cached, monkeypatch, counts, clips):
    cached.warm(clips)
    monkeypatch.setattr(type(cached.transformer), "feature_version", 2)
    assert counts(cached, clips) == (0, 5, 0)


def test_another_class_with_the_same_parameters_is_a_miss(cached, counts, clips):
    cached.warm(clips)
    cached.set_params(transformer=MFCC(sample_rate=RATE))
    assert counts(cached, clips) == (0, 5, 0)


@pytest.fixture
def n_read(monkeypatch):
    read, digest = [], cache_keys.hashlib.file_digest
    monkeypatch.setattr(
        cache_keys.hashlib, "file_digest", lambda file, kind: read.append(file.name) or digest(file, kind)
    )
    return read


def test_unchanged_file_is_read_once(cached, paths, n_read, monkeypatch):
    monkeypatch.setattr(cache_keys, "SETTLED_AFTER", 0)
    cached.warm(paths)
    cached.warm(paths)
    assert n_read == paths


def test_recently_written_file_is_read_again(cached, paths, n_read):
    cached.warm(paths)
    cached.warm(paths)
    assert n_read == paths * 2


def test_damaged_memo_of_digests_is_replaced(cached, paths, n_read, monkeypatch, location, counts):
    monkeypatch.setattr(cache_keys, "SETTLED_AFTER", 0)
    cached.warm(paths)
    (memo,) = location.glob("memos/*.memo")
    memo.write_bytes(b"{}")
    for _ in range(2):
        assert counts(cached, paths) == (5, 0, 0)
    assert n_read == paths * 2
