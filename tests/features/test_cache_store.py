"""FeatureStore and FeatureCache: stored arrays, damage, concurrent and killed processes, and size."""

import errno
import multiprocessing
import os
import signal
import sys
import time

import numpy as np
import pytest

from skfewaudio.features import FeatureCache
from skfewaudio.features._cache import files as cache_files
from skfewaudio.features._cache import store as cache_store
from skfewaudio.features._cache.files import DamagedEntryError
from skfewaudio.features._cache.store import FeatureStore

DIRECTORY, OTHER = "MFCC-0123456789abcdef", "LogMel-0123456789abcdef"
FEATURES = np.arange(6, dtype=np.float32).reshape(2, 3)
KB = 1024
needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
ignore_fork_warning = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


def name(number):
    return f"{number:02x}" * 20


def path_of(store, number, directory=DIRECTORY):
    return store.location / directory / name(number)[:2] / f"{name(number)}.features"


def fill(store, n_entries, *, n_bytes=100, directory=DIRECTORY):
    """Write entries with times of last use that are a second apart, the oldest first."""
    for number in range(n_entries):
        store.put(directory, name(number), np.zeros(n_bytes, np.uint8))
        used = time.time() - 1000 + number
        os.utime(path_of(store, number, directory), (used, used))


def stored(store, n_entries, directory=DIRECTORY):
    return [number for number in range(n_entries) if store.get(directory, name(number)) is not None]


@pytest.fixture
def store(tmp_path):
    return FeatureStore(tmp_path / "features", "10G")


@pytest.fixture
def cache(store):
    return FeatureCache(store.location)


# Stored arrays


@pytest.mark.parametrize(
    "array",
    [
        FEATURES,
        FEATURES.T,
        np.float64(3.5),
        np.empty((0, 4), np.float32),
        np.array([1, 255], np.uint8),
        np.array([0.5], np.float16),
        np.array([1.5, np.nan], ">f8"),
    ],
    ids=["2-D", "transposed", "number", "empty", "bytes", "half", "big-endian"],
)
def test_stored_array_is_returned_unchanged(array, store):
    store.put(DIRECTORY, name(1), np.asarray(array))
    found = store.get(DIRECTORY, name(1))
    np.testing.assert_array_equal(found, array)
    assert (found.dtype, found.shape) == (array.dtype, np.shape(array))


def test_returned_array_is_writeable_and_aligned(store):
    store.put(DIRECTORY, name(1), FEATURES)
    flags = store.get(DIRECTORY, name(1)).flags
    assert flags.writeable
    assert flags.aligned
    assert flags.c_contiguous


def test_unknown_entry_is_none(store):
    assert store.get(DIRECTORY, name(1)) is None


def test_entry_belongs_to_one_directory(store):
    store.put(DIRECTORY, name(1), FEATURES)
    assert store.get(OTHER, name(1)) is None


def test_entry_is_replaced(store):
    store.put(DIRECTORY, name(1), FEATURES)
    store.put(DIRECTORY, name(1), FEATURES + 1)
    np.testing.assert_array_equal(store.get(DIRECTORY, name(1)), FEATURES + 1)


def test_default_location_is_in_the_package_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path))
    assert FeatureCache().location == tmp_path / "features"


# Damage


@pytest.mark.parametrize("position", [0, 9, 13, 20, 70, -1])
def test_changed_byte_is_detected(position, store):
    store.put(DIRECTORY, name(1), FEATURES)
    content = bytearray(path_of(store, 1).read_bytes())
    content[position] ^= 1
    path_of(store, 1).write_bytes(content)
    with pytest.raises(DamagedEntryError, match="checksum"):
        store.get(DIRECTORY, name(1))


@pytest.mark.parametrize("n_bytes", [0, 5, 16, 40, 80])
def test_truncated_entry_is_detected(n_bytes, store):
    store.put(DIRECTORY, name(1), FEATURES)
    os.truncate(path_of(store, 1), n_bytes)
    with pytest.raises(DamagedEntryError):
        store.get(DIRECTORY, name(1))


def test_entry_renamed_to_another_key_is_detected(store):
    store.put(DIRECTORY, name(1), FEATURES)
    path_of(store, 2).parent.mkdir()
    path_of(store, 1).rename(path_of(store, 2))
    with pytest.raises(DamagedEntryError):
        store.get(DIRECTORY, name(2))


def test_entry_that_cannot_be_read_counts_as_damaged(store):
    path_of(store, 1).mkdir(parents=True)
    with pytest.raises(DamagedEntryError):
        store.get(DIRECTORY, name(1))


# Atomic writes


def test_failed_write_keeps_the_old_entry_and_leaves_no_partial_file(monkeypatch, store):
    store.put(DIRECTORY, name(1), FEATURES)

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.put(DIRECTORY, name(1), FEATURES + 1)
    np.testing.assert_array_equal(store.get(DIRECTORY, name(1)), FEATURES)
    assert not list(store.location.rglob("*.partial"))


def write_forever(location, first):
    """Write the same entries repeatedly; the values of an entry equal its number."""
    store = FeatureStore(location, "10G")
    number = first
    while True:
        store.put(DIRECTORY, name(number % 50), np.full(20_000, number % 50))
        number += 1


def start(function, *args):
    process = multiprocessing.get_context("fork").Process(target=function, args=args)
    process.start()
    return process


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@needs_fork
@ignore_fork_warning
def test_killed_processes_leave_only_complete_entries(store):
    for _ in range(3):
        writers = [start(write_forever, store.location, first) for first in (0, 7)]
        wait_for(lambda: len(list(store.location.glob("*/*/*.features"))) >= 30)
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
        numbers = stored(store, 50)
        assert len(numbers) >= 30
        for number in numbers:
            np.testing.assert_array_equal(store.get(DIRECTORY, name(number)), np.full(20_000, number))
            path_of(store, number).unlink()


def write_some(location, numbers):
    store = FeatureStore(location, None)
    for number in numbers:
        store.put(DIRECTORY, name(number), np.full(1000, number))


@needs_fork
@ignore_fork_warning
def test_two_processes_write_at_the_same_time(store):
    writers = [start(write_some, store.location, numbers) for numbers in (range(200), range(199, 50, -1))]
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    for number in range(200):
        np.testing.assert_array_equal(store.get(DIRECTORY, name(number)), np.full(1000, number))


def test_old_partial_files_are_removed(cache, store):
    store.put(DIRECTORY, name(1), FEATURES)
    old, fresh = (path_of(store, 1).with_name(f"{letter}.partial") for letter in "ab")
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    cache.info()
    assert not old.exists()
    assert fresh.exists()


# Size


def test_least_recently_used_entries_are_removed_first(cache, store):
    fill(store, 10)
    removed = cache.reduce_size(6 * 4 * KB)
    assert stored(store, 10) == [4, 5, 6, 7, 8, 9]
    assert removed == 4 * 4 * KB


def test_reading_updates_the_time_of_last_use(cache, store):
    fill(store, 10)
    store.get(DIRECTORY, name(0))
    cache.reduce_size(2 * 4 * KB)
    assert stored(store, 10) == [0, 9]


def test_recently_used_entry_is_not_touched(monkeypatch, store):
    store.put(DIRECTORY, name(1), FEATURES)
    touched = []
    monkeypatch.setattr(os, "utime", lambda *args: touched.append(args))
    store.get(DIRECTORY, name(1))
    assert not touched
    monkeypatch.setattr(cache_files, "TOUCH_AFTER", -1.0)
    store.get(DIRECTORY, name(1))
    assert len(touched) == 1


def test_cache_stays_within_its_size(tmp_path):
    store = FeatureStore(tmp_path, max_size="100K")
    sizes = []
    for number in range(100):
        store.put(DIRECTORY, name(number), FEATURES)
        sizes.append(FeatureCache(tmp_path).info()["n_bytes"])
    assert 80 * KB < max(sizes) <= 100 * KB


def test_size_includes_entries_of_other_processes(tmp_path):
    fill(FeatureStore(tmp_path, max_size=None), 50)
    cache_store._cache_sizes.forget(tmp_path)  # as in a new process
    store = FeatureStore(tmp_path, max_size="40K")
    store.put(DIRECTORY, name(99), FEATURES)
    assert FeatureCache(tmp_path).info()["n_bytes"] <= 40 * KB
    assert store.get(DIRECTORY, name(99)) is not None


def test_cache_is_not_measured_at_every_write(tmp_path, monkeypatch):
    n_scans = []
    files = FeatureStore.files
    monkeypatch.setattr(FeatureStore, "files", lambda self: n_scans.append(1) or files(self))
    fill(FeatureStore(tmp_path, max_size="100M"), 100)
    assert len(n_scans) == 1


def test_entry_larger_than_the_cache_is_not_stored(tmp_path):
    store = FeatureStore(tmp_path, max_size="40K")
    fill(store, 5)
    store.put(DIRECTORY, name(99), np.zeros(50 * KB, np.uint8))
    assert stored(store, 100) == [0, 1, 2, 3, 4]


def test_cache_with_unremovable_entries_is_not_measured_at_every_write(tmp_path, monkeypatch):
    fill(FeatureStore(tmp_path, max_size=None), 30)
    store = FeatureStore(tmp_path, max_size="100K")
    monkeypatch.setattr(cache_store, "remove", lambda path: False)
    monkeypatch.setattr(cache_store, "RECOUNT_SHARE", 0.5)
    n_scans = []
    files = FeatureStore.files
    monkeypatch.setattr(FeatureStore, "files", lambda self: n_scans.append(1) or files(self))
    fill(store, 20)
    assert len(n_scans) == 2  # at the first write, and after 50 kB


@pytest.mark.parametrize(
    ("given", "n_bytes"), [("10G", 10 * 2**30), ("1.5 MB", 3 * 2**19), (700, 700), (None, None)]
)
def test_size_is_a_number_or_a_string(given, n_bytes, tmp_path):
    assert FeatureCache(tmp_path, given).max_size == n_bytes


@pytest.mark.parametrize("given", ["ten", 0, -1, "5X", ""])
def test_invalid_sizes_are_refused(given):
    with pytest.raises(ValueError, match="expected a positive number of bytes"):
        FeatureCache(max_size=given)


# Info and clearing


def test_info_lists_entries_per_transformer(cache, store):
    fill(store, 3)
    fill(store, 2, n_bytes=5 * KB, directory=OTHER)
    store.write_description(DIRECTORY, {"n_mfcc": 20})
    info = cache.info()
    assert (info["n_entries"], info["n_bytes"]) == (5, 7 * 4 * KB)
    assert [(each["name"], each["n_entries"], each["params"]) for each in info["transformers"]] == [
        ("LogMel", 2, {}),
        ("MFCC", 3, {"n_mfcc": 20}),
    ]


def test_missing_cache_directory_is_empty(cache):
    info = cache.info()
    assert (info["n_entries"], info["n_bytes"], info["transformers"]) == (0, 0, [])
    assert cache.clear() == 0


@pytest.mark.parametrize("which", ["MFCC", DIRECTORY])
def test_clearing_one_transformer_keeps_the_others(which, cache, store):
    fill(store, 3)
    fill(store, 2, directory=OTHER)
    assert cache.clear(which) == 3
    assert (stored(store, 3), stored(store, 2, OTHER)) == ([], [0, 1])


def test_clearing_all_removes_the_directories(cache, store):
    fill(store, 3)
    store.write_description(DIRECTORY, {})
    assert cache.clear() == 3
    assert not list(store.location.glob("MFCC*"))


def test_clearing_keeps_foreign_files(tmp_path):
    store = FeatureStore(tmp_path, None)
    cache = FeatureCache(tmp_path)
    fill(store, 3)
    foreign = [
        tmp_path / "thesis.tex",
        tmp_path / "photos" / "ab" / "x.features",
        path_of(store, 1).with_suffix(".x"),
    ]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    cache.clear()
    assert all(path.exists() for path in foreign)


def test_entries_can_be_written_after_clearing(cache, store):
    fill(store, 3)
    cache.clear()
    fill(store, 3)
    assert stored(store, 3) == [0, 1, 2]
