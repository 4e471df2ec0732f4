"""joblib's Dask backend, made to survive its workers."""

import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from contextlib import suppress
from functools import partial
from typing import Any, Self

from distributed import KilledWorker
from distributed.comm import CommClosedError
from joblib._dask import DaskDistributedBackend

N_ATTEMPTS = 10  # to send data while workers come and go


class PatientDaskBackend(DaskDistributedBackend):
    """Backend that tells of failures which joblib's own waits for without end (seen with joblib 1.6)."""

    @classmethod
    def like(cls, backend: DaskDistributedBackend) -> Self:
        """Take the client and the options of an active backend."""
        return cls(
            client=backend.client,
            wait_for_workers_timeout=backend.wait_for_workers_timeout,
            **backend.submit_kwargs,
        )

    def share(self, data: Any) -> Any:
        """Send data to every worker, and give what stands for it in a task."""
        for _ in range(N_ATTEMPTS - 1):
            try:
                return self.client.scatter(data, broadcast=True, hash=False)
            except CommClosedError:  # by a worker that has just died: until it is replaced, others will do
                time.sleep(1)
        return self.client.scatter(data, broadcast=True, hash=False)

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Count the workers' threads."""
        # joblib would do the work of a single one in this process, and leave the worker idle.
        return 2 if (count := super().effective_n_jobs(n_jobs)) == 1 else count

    def submit(self, func: Any, callback: Callable[[Any], None] | None = None) -> Any:
        """Hand a task to the scheduler."""
        future = super().submit(func, callback)
        if callback is not None:
            future.add_done_callback(partial(_report_failure, callback))
        return future

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Forget all tasks, those that wait for a worker too."""
        submitted = list(self._results)
        super().abort_everything(ensure_ready)
        with suppress(OSError):  # where the scheduler is gone, so are its tasks
            self.client.cancel(submitted)


def _report_failure(callback: Callable[[Any], None], future: Future) -> None:
    """Tell joblib of an error of the scheduler's; those of the task itself it knows of."""
    error = future.exception()
    if isinstance(error, KilledWorker):
        broken = BrokenExecutor(str(error))
        broken.__cause__ = error
        error = broken
    if error is not None:
        callback(error)
