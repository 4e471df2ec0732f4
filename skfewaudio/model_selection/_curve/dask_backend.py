"""Dask backend for joblib that handles the loss of workers."""

import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from contextlib import suppress
from functools import partial
from typing import Any, Self

from distributed import KilledWorker
from distributed.comm import CommClosedError
from joblib._dask import DaskDistributedBackend

N_SEND_ATTEMPTS = 10  # data may have to be sent again while workers are replaced


class PatientDaskBackend(DaskDistributedBackend):
    """Backend that reports failures for which joblib's own backend waits forever (seen with joblib 1.6)."""

    @classmethod
    def from_active(cls, backend: DaskDistributedBackend) -> Self:
        """Create a backend with the client and the options of an active one."""
        return cls(
            client=backend.client,
            wait_for_workers_timeout=backend.wait_for_workers_timeout,
            **backend.submit_kwargs,
        )

    def share(self, data: Any) -> Any:
        """Send data to every worker and return a future that refers to it in tasks."""
        for _ in range(N_SEND_ATTEMPTS - 1):
            try:
                return self.client.scatter(data, broadcast=True, hash=False)
            except CommClosedError:  # a worker has just died; wait until it is replaced
                time.sleep(1)
        return self.client.scatter(data, broadcast=True, hash=False)

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return the number of worker threads, but at least 2."""
        # With 1, joblib would run the tasks in this process and leave the worker idle.
        return 2 if (count := super().effective_n_jobs(n_jobs)) == 1 else count

    def submit(self, func: Any, callback: Callable[[Any], None] | None = None) -> Any:
        """Submit a task to the scheduler."""
        future = super().submit(func, callback)
        if callback is not None:
            future.add_done_callback(partial(_report_failure, callback))
        return future

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Cancel all tasks, including tasks that wait for a worker."""
        submitted = list(self._results)
        super().abort_everything(ensure_ready)
        with suppress(OSError):  # if the scheduler is gone, so are its tasks
            self.client.cancel(submitted)


def _report_failure(callback: Callable[[Any], None], future: Future) -> None:
    """Pass an error of the scheduler to joblib, which only notices errors of the task itself."""
    error = future.exception()
    if isinstance(error, KilledWorker):
        broken = BrokenExecutor(str(error))
        broken.__cause__ = error
        error = broken
    if error is not None:
        callback(error)
