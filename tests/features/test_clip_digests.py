"""Digests of clips: what changes them, and which files are read again."""

import shutil

import numpy as np
import pytest
import soundfile

from skfewaudio.features._cache import keys as cache_keys
from skfewaudio.features._cache.store import FeatureStore
from skfewaudio.features.clip_digests import digest_clips


@pytest.fixture
def paths(tmp_path, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    paths = [str(tmp_path / f"{k}.wav") for k in range(4)]
    for path, clip in zip(paths, np.random.default_rng(0).normal(size=(4, 500)), strict=True):
        soundfile.write(path, clip / 10, 8000)
    return paths


@pytest.fixture
def n_read(monkeypatch):
    read, digest = [], cache_keys.digest_file
    monkeypatch.setattr(cache_keys, "digest_file", lambda path: read.append(path) or digest(path))
    return read


def test_digest_follows_the_content_not_the_name(paths, tmp_path):
    copy = shutil.copy(paths[0], tmp_path / "copy.wav")
    one, other, again = digest_clips([paths[0], paths[1], copy])
    assert one == again != other


def test_parts_and_waveforms_have_digests(paths):
    clips = [(paths[0], 0.0, 0.01), (paths[0], 0.01, 0.02), np.zeros(5), np.ones(5), (np.zeros(5), 8000)]
    assert len(set(digest_clips(clips))) == 5


def test_missing_file_has_no_digest(paths):
    assert digest_clips(["missing.wav", paths[0]])[0] is None


def test_unchanged_files_are_read_once(paths, n_read, monkeypatch):
    monkeypatch.setattr(cache_keys, "SETTLED_AFTER", 0)
    assert digest_clips(paths) == digest_clips(paths)
    assert sorted(n_read) == paths


@pytest.mark.parametrize(
    "memo",
    [
        *(b"5", b"\xff", b"[" * 10**5, b'{"0.wav": 5}', b'{"0.wav": ["", [0, 0, 0, 0]]}'),
        *(b'{"0.wav": [5, 5]}', b'{"0.wav": {"0": 0}}', b'{"0.wav": ["0123", [true, 0, 0, 0]]}'),
    ],
)
def test_damaged_memo_with_the_right_checksum_is_replaced(memo, paths, n_read, monkeypatch, tmp_path):
    monkeypatch.setattr(cache_keys, "SETTLED_AFTER", 0)
    digests = digest_clips(paths)
    store = FeatureStore(None, None)
    (path,) = (tmp_path / "cache" / "features" / "memos").iterdir()
    store.write_array(str(path), str(tmp_path), np.frombuffer(memo, np.uint8))
    assert digest_clips(paths) == digest_clips(paths) == digests
    assert len(n_read) == 2 * len(paths)


def test_nothing_is_stored_unless_asked(paths, tmp_path, monkeypatch):
    monkeypatch.setattr(cache_keys, "SETTLED_AFTER", 0)
    digest_clips(paths, store=False)
    assert not (tmp_path / "cache").exists()


def test_cache_that_cannot_be_written_is_no_error(paths, tmp_path):
    (tmp_path / "cache").touch()
    assert None not in digest_clips(paths)
