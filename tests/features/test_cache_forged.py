"""Cache entries that others have written: no crash, and none is trusted."""

import json
import os
import struct
import zlib

import numpy as np
import pytest

from skfewaudio import MFCC, CachedFeatures
from skfewaudio.exceptions import FeatureCacheWarning
from skfewaudio.features._cache import files as cache_files
from skfewaudio.features._cache import secret as cache_secret
from skfewaudio.features._cache.files import DamagedEntryError, decode, encode
from skfewaudio.features._cache.store import FeatureStore

DIRECTORY, KEY = "MFCC-0123456789abcdef", "ab" * 20
NAME = f"{DIRECTORY}/{KEY}"
FEATURES = np.arange(120, dtype=np.float32)
SECRET, OTHER_SECRET = bytes(32), bytes(range(32))
RATE = 8000

DTYPES = [
    *(
        "|O",
        "O",
        "object",
        "<f4",
        "|V8",
        "|S3",
        "<U2",
        "<M8[s]",
        "<m8",
        "<f3",
        "<f16",
        "<c32",
        "f4,O",
        "i4,i4",
    ),
    *("|b1", "|i1", "|u1", ">f8", "=f4", "<f2", "", "f", "<f4 ", "\n<f4", "<f44", "(2,)f4", "<i4,(2,)O"),
    *([["a", "|O"]], [], {"names": ["a"], "formats": ["O"]}, None, 4, True, 1e3),
]
SHAPES = [
    *([120], [], [0], [-1], [-120], [2, 60], [60, -2], [0, 2**62], [0, 2**63], [2**62, 4], [2**64], [10**30]),
    *([1] * 64, [1] * 65, [120.0], [True] * 3, ["120"], [None], [[120]], "120", 120, {}, None, [1.5, 2]),
]


def describe(rng):
    """Return the bytes of a description: forged, or not even JSON."""
    dtype, shape = DTYPES[rng.integers(len(DTYPES))], SHAPES[rng.integers(len(SHAPES))]
    text = json.dumps([dtype, shape]).encode()
    kind = rng.integers(8)
    if kind == 0:
        text = b"[" * int(rng.integers(1, 4000))
    elif kind == 1:
        text = rng.bytes(int(rng.integers(0, 60)))
    elif kind == 2:
        text = json.dumps([dtype, shape, dtype][: rng.integers(4)]).encode()
    elif kind == 3:
        text = b'["<f4", [' + b"9" * int(rng.integers(1, 5000)) + b"]]"
    return text


def forge_body(rng):
    """Return everything after the header, with any size of the description and of the values."""
    text = describe(rng)
    declared = len(text) if rng.random() < 0.8 else int(rng.choice([0, 1, len(text) + 9, 2**31, 2**32 - 1]))
    n_bytes = int(rng.choice([0, 1, 120, 480, 481, 960, 1920]))
    return struct.pack("<I", declared) + text + b"A" * n_bytes


def sign(body, secret):
    checksum = cache_files._start_checksum(NAME, secret)
    checksum.update(body)
    return cache_files.HEADER.pack(cache_files.MAGIC, checksum.digest()) + body


def sign_as_earlier_version(body):
    """Return an entry with the checksum of earlier versions, which needs no secret."""
    checksum = zlib.crc32(body, zlib.crc32(NAME.encode()))
    return struct.pack("<8sI", b"skfewF1\n", checksum) + body


def well_formed_body():
    return encode(FEATURES, NAME, OTHER_SECRET)[cache_files.HEADER.size :]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "package"))
    return FeatureStore(tmp_path / "features", "10G")


def path_of(store):
    path = store.location / DIRECTORY / KEY[:2] / f"{KEY}.features"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def check_forged(rng):
    """Decode a forged entry of each kind."""
    body = forge_body(rng)
    for content in (sign(body, OTHER_SECRET), sign_as_earlier_version(body), rng.bytes(200)):
        with pytest.raises(DamagedEntryError):
            decode(bytearray(content), NAME, SECRET)
    try:  # with the right checksum: refused, unless it describes numbers of the right size
        array = decode(bytearray(sign(body, SECRET)), NAME, SECRET)
    except DamagedEntryError:
        return
    assert array.dtype.kind in "biufc"
    assert not array.dtype.hasobject
    assert array.nbytes <= len(body)
    array.copy()


def test_forged_entries_raise_one_error():
    rng = np.random.default_rng(0)
    for _ in range(300):
        check_forged(rng)


@pytest.mark.long
def test_ten_thousand_forged_entries_raise_one_error():
    rng = np.random.default_rng(1)
    for _ in range(10_000):
        check_forged(rng)


@pytest.mark.parametrize("dtype", ["|O", "<M8[s]", "|S4", "|V4", "<U1"])
def test_entry_of_other_values_than_numbers_is_refused(dtype):
    text = json.dumps([dtype, [120]]).encode()
    body = struct.pack("<I", len(text)) + text + b"A" * 120 * np.dtype(dtype).itemsize
    with pytest.raises(DamagedEntryError, match="its values are"):
        decode(bytearray(sign(body, SECRET)), NAME, SECRET)


@pytest.mark.parametrize("shape", [[121], [119], [-120], [0], [0, 2**63], [2**62, 120]])
def test_entry_whose_shape_does_not_fit_its_size_is_refused(shape):
    text = json.dumps(["<f4", shape]).encode()
    body = struct.pack("<I", len(text)) + text + b"A" * 480
    with pytest.raises(DamagedEntryError, match="its shape is"):
        decode(bytearray(sign(body, SECRET)), NAME, SECRET)


def test_entry_of_another_user_is_not_trusted(store):
    path_of(store).write_bytes(sign(well_formed_body(), OTHER_SECRET))
    with pytest.raises(DamagedEntryError, match="checksum"):
        store.get(DIRECTORY, KEY)


def test_entry_of_an_earlier_version_is_not_trusted(store):
    path_of(store).write_bytes(sign_as_earlier_version(well_formed_body()))
    with pytest.raises(DamagedEntryError, match="checksum"):
        store.get(DIRECTORY, KEY)


def test_name_and_content_are_separate_in_the_checksum():
    body = encode(FEATURES, "ab", SECRET)
    shifted = bytearray(body[: cache_files.HEADER.size] + b"b" + body[cache_files.HEADER.size :])
    with pytest.raises(DamagedEntryError):
        decode(shifted, "a", SECRET)


def test_forged_entries_are_computed_again_with_one_warning(store):
    clips = np.random.default_rng(0).normal(size=(6, 4000))
    cached = CachedFeatures(MFCC(sample_rate=RATE), location=store.location)
    expected = cached.transform(clips)
    rng = np.random.default_rng(2)
    for path in store.location.glob("*/*/*.features"):
        path.write_bytes(sign_as_earlier_version(forge_body(rng)))
    with pytest.warns(FeatureCacheWarning, match="6 sound") as warned:
        np.testing.assert_array_equal(cached.transform(clips), expected)
    assert len(warned) == 1
    assert cached.warm(clips)["n_hits"] == 6


# Files that are no entries


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipe_is_refused(store):
    os.mkfifo(path_of(store))
    with pytest.raises(DamagedEntryError, match="Not a regular file"):
        store.get(DIRECTORY, KEY)


def test_device_is_refused(store):
    path_of(store).symlink_to("/dev/zero")
    with pytest.raises(DamagedEntryError, match="Not a regular file"):
        store.get(DIRECTORY, KEY)


def test_file_larger_than_the_cache_is_not_read(store):
    with path_of(store).open("wb") as file:
        file.truncate(2**40)  # a hole, which takes no space
    with pytest.raises(DamagedEntryError, match="larger than the cache"):
        store.get(DIRECTORY, KEY)


def test_large_file_is_verified_before_memory_is_allocated(store, monkeypatch):
    monkeypatch.setattr(cache_files, "LARGE", 100)
    store.put(DIRECTORY, KEY, FEATURES)
    np.testing.assert_array_equal(store.get(DIRECTORY, KEY), FEATURES)
    path_of(store).write_bytes(sign(well_formed_body(), OTHER_SECRET))
    monkeypatch.setattr(cache_files, "bytearray", None, raising=False)
    with pytest.raises(DamagedEntryError, match="checksum"):
        store.get(DIRECTORY, KEY)


@pytest.mark.parametrize("content", [b"[" * 10**5, b"5", b"\xff", b"null", b'{"a": NaN}'])
def test_damaged_description_of_a_transformer_is_empty(content, store):
    store.put(DIRECTORY, KEY, FEATURES)
    (store.location / DIRECTORY / "settings.json").write_bytes(content)
    assert store.read_description(DIRECTORY) == {}


def test_links_to_folders_are_not_followed_when_the_cache_is_cleared(store, tmp_path):
    outside = tmp_path / "outside"
    (outside / "ab").mkdir(parents=True)
    (outside / "settings.json").touch()
    (outside / "ab" / "x.features").touch()
    store.location.mkdir()
    (store.location / DIRECTORY).symlink_to(outside)
    assert list(store.files()) == []
    store.tidy()
    assert (outside / "settings.json").exists()


# The secret


def test_secret_is_private_and_kept(store):
    first = cache_secret.load_secret()
    cache_secret._load_own.cache_clear()
    path = store.location.parent / "package" / "features.key"
    assert cache_secret.load_secret() == first == path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_secrets_differ(store, tmp_path, monkeypatch):
    first = cache_secret.load_secret()
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "second"))
    assert cache_secret.load_secret() != first


@pytest.mark.skipif(os.name != "posix", reason="needs permissions")
@pytest.mark.parametrize("change", [lambda path: path.chmod(0o644), lambda path: os.chown(path, 12345, -1)])
def test_secret_that_others_may_know_is_not_used(change, store, tmp_path, monkeypatch):
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "home")
    planted = cache_secret.load_secret()
    cache_secret._load_own.cache_clear()
    try:
        change(tmp_path / "package" / "features.key")
    except PermissionError:
        pytest.skip("only root can give files away")
    assert cache_secret.load_secret() != planted
    assert (tmp_path / "home" / "features.key").exists()


def test_damaged_secret_is_replaced(store, tmp_path):
    path = tmp_path / "package" / "features.key"
    path.parent.mkdir()
    path.write_bytes(b"short")
    path.chmod(0o600)
    assert len(cache_secret.load_secret()) == 32
    assert path.read_bytes() == cache_secret.load_secret()


def test_users_with_a_common_secret_share_entries(store, tmp_path, monkeypatch):
    key = tmp_path / "lab.key"
    key.write_bytes(os.urandom(40))
    key.chmod(0o640)
    monkeypatch.setenv("SKFEWAUDIO_CACHE_KEY", str(key))
    store.put(DIRECTORY, KEY, FEATURES)
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "of another user"))
    np.testing.assert_array_equal(store.get(DIRECTORY, KEY), FEATURES)


@pytest.mark.parametrize("problem", ["missing", "short", "open"])
def test_unusable_common_secret_is_named_and_nothing_is_cached(problem, store, tmp_path, monkeypatch):
    key = tmp_path / f"{problem}.key"
    if problem != "missing":
        key.write_bytes(bytes(5 if problem == "short" else 40))
        key.chmod(0o644 if problem == "open" else 0o600)
    monkeypatch.setenv("SKFEWAUDIO_CACHE_KEY", str(key))
    cached = CachedFeatures(MFCC(sample_rate=RATE), location=store.location)
    with pytest.warns(FeatureCacheWarning, match=rf"SKFEWAUDIO_CACHE_KEY names .*{problem}\.key"):
        cached.transform(np.zeros((1, 4000)))
    assert not list(store.location.glob("*/*/*.features"))
