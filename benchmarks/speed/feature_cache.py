"""Comparison of two feature stores, files and SQLite, and times with an empty and a full cache on real clips.

Two processes write half of the entries each, then both read all of them. Then one process measures the size
of the store and removes half of its bytes. The disk cache is warm, as it is between the folds of an
evaluation.

    python benchmarks/speed/feature_cache.py
    python benchmarks/speed/feature_cache.py --data-home <folder that contains ESC-50-master>
"""

import argparse
import hashlib
import multiprocessing
import sqlite3
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfewaudio.datasets import load_esc50
from skfewaudio.features import MFCC, CachedFeatures, FeatureCache, LogMel, RandomCNNFeatures
from skfewaudio.features._cache.files import decode, encode
from skfewaudio.features._cache.store import FeatureStore

DIRECTORY = "LogMel-0123456789abcdef"
BLOCK = 64  # entries stored at a time
SHAPES = {"0.5 kB": (120,), "110 kB": (64, 430)}


SECRET = bytes(32)  # of the checksums, which cost the same with any secret


class Files:
    """The package's store, one file per entry."""

    def __init__(self, folder: str) -> None:
        self.store, self.cache = FeatureStore(folder, None), FeatureCache(folder, None)

    def write(self, names: list[str], features: NDArray[Any]) -> None:
        """Write a block of entries."""
        for name in names:
            self.store.put(DIRECTORY, name, features)

    def read(self, name: str) -> NDArray[Any] | None:
        """Read an entry."""
        return self.store.get(DIRECTORY, name)

    def count(self) -> int:
        """Return the size of all entries in bytes."""
        return self.cache.info()["n_bytes"]

    def halve(self) -> None:
        """Remove the older half."""
        self.cache.reduce_size(self.count() // 2)


class Sqlite:
    """SQLite table with the same entries and checksums, in write-ahead mode, one transaction per block."""

    def __init__(self, folder: str) -> None:
        self.base = sqlite3.connect(f"{folder}/cache.sqlite", timeout=60, isolation_level=None)
        self.base.execute("PRAGMA journal_mode=WAL")
        self.base.execute("PRAGMA synchronous=NORMAL")
        self.base.execute(
            "CREATE TABLE IF NOT EXISTS entries (name TEXT PRIMARY KEY, used REAL, n_bytes INT, content BLOB)"
        )
        self.base.execute("CREATE INDEX IF NOT EXISTS by_use ON entries (used, n_bytes)")

    def write(self, names: list[str], features: NDArray[Any]) -> None:
        """Write a block of entries."""
        rows = [(name, time.time(), features.nbytes, encode(features, name, SECRET)) for name in names]
        self.base.execute("BEGIN IMMEDIATE")
        self.base.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", rows)
        self.base.execute("COMMIT")

    def read(self, name: str) -> NDArray[Any] | None:
        """Read an entry."""
        row = self.base.execute("SELECT content FROM entries WHERE name = ?", [name]).fetchone()
        return None if row is None else decode(bytearray(row[0]), name, SECRET)

    def count(self) -> int:
        """Return the size of all entries in bytes."""
        return self.base.execute("SELECT sum(n_bytes) FROM entries").fetchone()[0]

    def halve(self) -> None:
        """Remove the older half."""
        half = self.base.execute("SELECT count(*) / 2 FROM entries").fetchone()[0]
        self.base.execute(
            "DELETE FROM entries WHERE name IN (SELECT name FROM entries ORDER BY used LIMIT ?)", [half]
        )


STORES: dict[str, Callable[[str], Any]] = {"files": Files, "sqlite": Sqlite}


def make_keys(n_entries: int) -> list[str]:
    """Return made-up cache keys."""
    return [hashlib.sha256(str(index).encode()).hexdigest()[:40] for index in range(n_entries)]


def write(store: str, folder: str, names: list[str], shape: tuple[int, ...], queue: Any) -> None:
    """Write entries in a process, and send the total time and the longest time of a block."""
    opened, features = STORES[store](folder), np.ones(shape, np.float32)
    start, longest = time.perf_counter(), 0.0
    for first in range(0, len(names), BLOCK):
        before = time.perf_counter()
        opened.write(names[first : first + BLOCK], features)
        longest = max(longest, time.perf_counter() - before)
    queue.put((time.perf_counter() - start, longest))


def read(store: str, folder: str, names: list[str], shape: tuple[int, ...], queue: Any) -> None:
    """Read entries in a process, and send the time and the number found."""
    opened = STORES[store](folder)
    start = time.perf_counter()
    n_found = sum(opened.read(name) is not None for name in names)
    queue.put((time.perf_counter() - start, n_found))


def run_in_two_processes(
    task: Callable[..., None], store: str, folder: str, parts: list[list[str]], shape: Any
) -> list:
    """Run a task in two processes and return their results."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=task, args=(store, folder, part, shape, queue)) for part in parts]
    for process in processes:
        process.start()
    results = [queue.get() for _ in processes]
    for process in processes:
        process.join()
    return results


def seconds(function: Callable[..., Any], *args: Any) -> float:
    """Measure the time of one call."""
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


def measure(store: str, folder: str, names: list[str], shape: tuple[int, ...]) -> list[float]:
    """Measure the seconds for writing, for the longest block, for reading and for counting."""
    STORES[store](folder)
    wrote = run_in_two_processes(write, store, folder, [names[::2], names[1::2]], shape)
    found = run_in_two_processes(read, store, folder, [names, names[::-1]], shape)
    if any(n_found != len(names) for _, n_found in found):
        raise RuntimeError(f"{store}: entries are missing")
    counted = seconds(STORES[store](folder).count)
    return [max(t for t, _ in wrote), max(t for _, t in wrote), max(t for t, _ in found), counted]


def compare_stores(n_entries: int, n_repeats: int) -> None:
    """Print the median seconds of each step, for both stores and both entry sizes."""
    names = make_keys(n_entries)
    print(f"{n_entries} entries, two processes, median seconds of {n_repeats}")
    print(f"{'entry':8}{'store':8}{'write':>8}{'longest block':>15}{'read all':>10}{'count':>8}{'halve':>8}")
    with tempfile.TemporaryDirectory() as base:
        rows: dict[tuple[str, str], list[list[float]]] = {}
        for size, shape in SHAPES.items():
            for repeat, store in product(range(n_repeats), STORES):
                folder = Path(base, size, store, str(repeat))
                folder.mkdir(parents=True)
                rows.setdefault((size, store), []).append(measure(store, str(folder), names, shape))
        # Nothing is removed before everything is written: ext4 creates files slowly after many were removed.
        for (size, store), measured in rows.items():
            for repeat, row in enumerate(measured):
                row.append(seconds(STORES[store](str(Path(base, size, store, str(repeat)))).halve))
            wrote, longest, read_in, counted, halved = np.median(measured, axis=0)
            print(
                f"{size:8}{store:8}{wrote:8.2f}{longest:15.3f}{read_in:10.2f}{counted:8.3f}{halved:8.2f}",
                flush=True,
            )


def print_cache_times(data_home: Path, n_repeats: int) -> None:
    """Print the seconds of three transformers without a cache, with an empty cache and with a full one."""
    paths = load_esc50(data_home, subset="esc10").paths
    print(f"\n{len(paths)} clips, median seconds of {n_repeats}")
    print(f"{'':20}{'no cache':>10}{'cold':>8}{'warm':>8}{'warm / no cache':>17}")
    for transformer in (LogMel(), MFCC(), RandomCNNFeatures()):
        rows = []
        for _ in range(n_repeats):
            with tempfile.TemporaryDirectory() as folder:
                cached = CachedFeatures(transformer, location=folder)
                rows.append([seconds(each.transform, paths) for each in (transformer, cached, cached)])
        plain, cold, warm = np.median(rows, axis=0)
        name = type(transformer).__name__
        print(f"{name:20}{plain:10.2f}{cold:8.2f}{warm:8.3f}{warm / plain:17.4f}", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-home", type=Path, help="folder that contains ESC-50-master")
    parser.add_argument("--n-entries", type=int, default=10_000)
    parser.add_argument("--n-repeats", type=int, default=3)
    args = parser.parse_args()
    compare_stores(args.n_entries, args.n_repeats)
    if args.data_home:
        print_cache_times(args.data_home, args.n_repeats)


if __name__ == "__main__":
    main()
