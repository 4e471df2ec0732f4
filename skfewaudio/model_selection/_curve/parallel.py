"""Execution of fits on the active joblib backend."""

import warnings
from collections.abc import Generator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError
from contextlib import closing
from dataclasses import replace
from typing import Any

import joblib
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed

from skfewaudio.exceptions import WorkerDiedError

from .fits import CurveFit, Outcome, SharedWork, run_fit
from .packed_clips import pack

# Dask, too, gives up on a fit after four workers have died.
N_RUN_ATTEMPTS = 4
Outcomes = Generator[tuple[CurveFit, Outcome], None, None]


def run_fits(work: SharedWork, fits: Sequence[CurveFit], n_jobs: int | None) -> Outcomes:
    """Yield each fit with its outcome as soon as it is done, in any order.

    Raises
    ------
    WorkerDiedError
        If a worker process died and the backend does not run its fits again.
    """
    if _uses_processes(n_jobs):
        work = replace(work, X=pack(work.X))
    left = dict.fromkeys(fits)
    n_attempts = 0
    while left:
        n_before = len(left)
        try:
            with closing(_stream(work, list(left), n_jobs)) as outcomes:
                for fit, outcome in outcomes:
                    del left[fit]
                    yield fit, outcome
        except (BrokenExecutor, CancelledError) as error:
            # Dask cancels fits when all workers that hold their data are gone; the data is sent again.
            n_attempts = n_attempts + 1 if len(left) == n_before else 1
            if isinstance(error, BrokenExecutor) or n_attempts == N_RUN_ATTEMPTS:
                raise _worker_died(work, len(left), len(fits)) from error


def _worker_died(work: SharedWork, n_left: int, n_fits: int) -> WorkerDiedError:
    return WorkerDiedError(
        f"a worker process died with {n_left} of {n_fits} fits of {work.pipeline!r} to go: it was killed, "
        "ran out of memory, or crashed. The rows of finished fits have been passed to on_result; call again "
        "with these rows as `finished` to resume. If memory is short, use fewer n_jobs"
    )


def _uses_processes(n_jobs: int | None) -> bool:
    """Return whether fits run in other processes."""
    backend, _ = get_active_backend()
    return not getattr(backend, "supports_sharedmem", False) and joblib.effective_n_jobs(n_jobs) > 1


def _stream(work: SharedWork, fits: list[CurveFit], n_jobs: int | None) -> Outcomes:
    """Yield outcomes from joblib; closing the generator early stops the workers."""
    backend, _ = get_active_backend()
    shared: Any = work
    # No batches: their outcomes would arrive late and be lost together.
    options: dict[str, Any] = {"n_jobs": n_jobs, "batch_size": 1}
    if type(backend).__name__ == "DaskDistributedBackend":
        from .dask_backend import PatientDaskBackend

        options["backend"] = backend = PatientDaskBackend.from_active(backend)
        shared = backend.share(work)
    tasks = [delayed(run_fit)(shared, fit) for fit in fits]
    if not backend.supports_return_generator:
        step = joblib.effective_n_jobs(n_jobs)
        for start in range(0, len(tasks), step):
            yield from Parallel(**options)(tasks[start : start + step])
        return
    results = Parallel(**options, return_as="generator_unordered")(tasks)
    try:
        # `yield from` would close joblib's generator first, outside the warning filter below.
        for result in results:  # noqa: UP028
            yield result
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", ".*tasks", UserWarning
            )  # unfinished work is discarded on purpose
            results.close()
