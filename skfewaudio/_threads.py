"""Threads: a pool that works with as few threads as can be started, and a lock that survives a fork."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import RLock
from typing import Any


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
