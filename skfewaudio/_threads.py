"""Threads: their number, a pool that works with as few as can be started, and what must hold for forks."""

import ctypes
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import RLock, Thread
from typing import Any

END_SECONDS = 1.0
M_ARENA_MAX = -8  # of malloc.h

_most_threads: ContextVar[int | None] = ContextVar("_most_threads", default=None)


def available_threads() -> int:
    """Return the number of available cores, or the limit of `limit_threads` if it is lower."""
    import joblib  # imported here, so that commands that start no threads do not wait for it

    n_cores: int = joblib.cpu_count()
    limit = _most_threads.get()
    return n_cores if limit is None else min(limit, n_cores)


@contextmanager
def limit_threads(n_threads: int | None) -> Iterator[None]:
    """Run a block in which `available_threads` returns at most `n_threads` in the calling thread.

    None sets no limit.
    """
    token = _most_threads.set(n_threads)
    try:
        yield
    finally:
        _most_threads.reset(token)


def share_memory_arenas() -> None:
    """Limit the memory of this process to two arenas with glibc; other C libraries are not changed.

    By default, threads get arenas of their own, which keep memory that the threads have freed.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_ARENA_MAX, 2)


class ThreadPool(ThreadPoolExecutor):
    """Pool whose threads are started when there is work for them.

    If the system refuses to start a thread, the running threads do the work. Only if no thread can be
    started, `submit` raises the RuntimeError of Python.

    Parameters
    ----------
    n_threads : int
        Maximum number of threads.
    initializer : callable, default=None
        Function that each thread calls when it starts.
    """

    def __init__(self, n_threads: int, *, initializer: Callable[[], Any] | None = None) -> None:
        super().__init__(n_threads, initializer=initializer)

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()
        except RuntimeError:
            if not self._threads:
                raise

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            for thread in self._threads:
                join_to_the_end(thread)


def join_to_the_end(thread: Thread) -> None:
    """Join a thread, and wait on Linux until the system has ended it, one second at most.

    Before Python 3.13, a thread can be joined while libraries still free what they keep per thread. MKL
    holds a lock of its memory meanwhile, and a process forked at this moment would wait for it for ever.
    """
    thread.join()
    deadline = time.monotonic() + END_SECONDS
    in_system = Path("/proc/self/task", str(thread.native_id))
    while in_system.exists() and time.monotonic() < deadline:
        time.sleep(0)


class ProcessLock:
    """Reentrant lock that is free in a forked process, in which the thread that held it does not exist."""

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._lock = RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
