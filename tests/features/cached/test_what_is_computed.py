"""What is found, and what is computed anew."""

import os
import shutil
from pathlib import Path

import pytest
import soundfile as sf

from skfewaudio import MFCC
from skfewaudio.exceptions import AudioLoadError
from skfewaudio.features._cache import keys as _cache_keys

RATE = 8000


def test_missing_clips_alone_are_computed_in_one_batch(cached, calls, clips):
    cached.transform(clips[[1, 3]])
    cached.transform(clips)
    cached.transform(clips[::-1])
    assert calls == [2, 3]


def test_equal_clips_are_computed_once(cached, calls, clips):
    cached.transform(clips[[0, 1, 0, 0]])
    assert calls == [2]


def test_what_was_computed_before_an_error_is_kept(cached, paths, counts):
    cached.set_params(n_at_once=2)
    with pytest.raises(AudioLoadError):
        cached.transform([*paths[:4], "nowhere.wav"])
    assert counts(cached, paths) == (4, 1, 0)


def test_copy_at_another_place_is_found(cached, paths, tmp_path, counts):
    cached.warm(paths)
    copy = shutil.copy(paths[0], tmp_path / "copy.wav")
    assert counts(cached, [copy]) == (1, 0, 0)


def test_same_content_with_another_ending_is_another_sound(cached, paths, tmp_path, counts):
    cached.warm(paths)  # libsndfile may go by the ending
    assert counts(cached, [shutil.copy(paths[0], tmp_path / "copy.au")]) == (0, 1, 0)


def test_array_is_told_from_another_type_and_length(cached, counts, clips):
    cached.warm([clips[0]])
    assert counts(cached, [clips[0].astype(float)]) == (0, 1, 0)
    assert counts(cached, [clips[0][:-1]]) == (0, 1, 0)
    assert counts(cached, clips) == (1, 4, 0)


def test_changed_file_is_computed_anew(cached, paths, monkeypatch, counts, assert_same, clips):
    monkeypatch.setattr(_cache_keys, "SETTLED_AFTER", 0)
    cached.warm(paths)
    state = Path(paths[0]).stat()
    sf.write(paths[0], clips[1] / 2, RATE, subtype="FLOAT")
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns))  # of the same size and time
    assert counts(cached, paths) == (4, 1, 0)
    assert_same(cached.transform(paths[:1]), cached.transformer.transform(paths[:1]))


@pytest.mark.parametrize("change", [{"n_mfcc": 12}, {"sample_rate": 4000}, {"lifter": 3}, {"summary": None}])
def test_changed_parameter_is_computed_anew(change, cached, counts, assert_same, clips):
    cached.warm(clips)
    cached.set_params(**{f"transformer__{name}": value for name, value in change.items()})
    assert counts(cached, clips) == (0, 5, 0)
    assert_same(cached.transform(clips), cached.transformer.transform(clips))


@pytest.mark.parametrize("change", [{"device": "cpu"}, {"n_threads": 1}, {"on_error": "warn"}])
def test_parameter_that_has_no_part_in_the_result_is_no_matter(change, cached, counts, clips):
    cached.warm(clips)
    cached.set_params(**{f"transformer__{name}": value for name, value in change.items()})
    assert counts(cached, clips) == (5, 0, 0)


def test_new_version_of_the_features_is_computed_anew(cached, monkeypatch, counts, clips):
    cached.warm(clips)
    monkeypatch.setattr(type(cached.transformer), "feature_version", 2)
    assert counts(cached, clips) == (0, 5, 0)


def test_class_with_the_same_parameters_has_features_of_its_own(cached, counts, clips):
    cached.warm(clips)
    cached.set_params(transformer=MFCC(sample_rate=RATE))
    assert counts(cached, clips) == (0, 5, 0)


@pytest.fixture
def n_read(monkeypatch):
    read, digest = [], _cache_keys.hashlib.file_digest
    monkeypatch.setattr(
        _cache_keys.hashlib, "file_digest", lambda file, kind: read.append(file.name) or digest(file, kind)
    )
    return read


def test_file_that_has_not_changed_is_read_once(cached, paths, n_read, monkeypatch):
    monkeypatch.setattr(_cache_keys, "SETTLED_AFTER", 0)
    cached.warm(paths)
    cached.warm(paths)
    assert n_read == paths


def test_file_just_written_is_read_again(cached, paths, n_read):
    cached.warm(paths)
    cached.warm(paths)
    assert n_read == paths * 2


def test_damaged_memory_of_contents_is_replaced(cached, paths, n_read, monkeypatch, location, counts):
    monkeypatch.setattr(_cache_keys, "SETTLED_AFTER", 0)
    cached.warm(paths)
    (memo,) = location.glob("memos/*.memo")
    memo.write_bytes(b"{}")
    for _ in range(2):
        assert counts(cached, paths) == (5, 0, 0)
    assert n_read == paths * 2
