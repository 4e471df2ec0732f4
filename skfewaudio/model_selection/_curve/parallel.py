"""Cells through joblib, on whatever backend is active."""

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

from .fits import Cell, Outcome, SharedWork, run_cell
from .packed_clips import pack

# As many workers as a cell may take down before Dask itself gives it up.
N_ATTEMPTS = 4
Outcomes = Generator[tuple[Cell, Outcome], None, None]


def run_cells(work: SharedWork, cells: Sequence[Cell], n_jobs: int | None) -> Outcomes:
    """Yield each cell with what came of it, as soon as it is there and in whatever order.

    Raises
    ------
    WorkerDiedError
        If a process died, and the backend does not run its cells again.
    """
    if _sends_data(n_jobs):
        work = replace(work, X=pack(work.X))
    left = dict.fromkeys(cells)
    n_attempts = 0
    while left:
        n_before = len(left)
        try:
            with closing(_stream(work, list(left), n_jobs)) as outcomes:
                for cell, outcome in outcomes:
                    del left[cell]
                    yield cell, outcome
        except (BrokenExecutor, CancelledError) as error:
            # Dask cancels cells when all workers that hold their data are gone: new ones get it anew.
            n_attempts = n_attempts + 1 if len(left) == n_before else 1
            if isinstance(error, BrokenExecutor) or n_attempts == N_ATTEMPTS:
                raise _tell(work, len(left), len(cells)) from error


def _tell(work: SharedWork, n_left: int, n_cells: int) -> WorkerDiedError:
    return WorkerDiedError(
        f"a worker process died with {n_left} of {n_cells} fits of {work.pipeline!r} to go: it was killed, "
        "ran out of memory, or crashed. Finished fits have been handed to on_result; call again with their "
        "rows as `finished` to go on from there. Where memory is short, take fewer n_jobs"
    )


def _sends_data(n_jobs: int | None) -> bool:
    """Tell whether cells run in other processes."""
    backend, _ = get_active_backend()
    return not getattr(backend, "supports_sharedmem", False) and joblib.effective_n_jobs(n_jobs) > 1


def _stream(work: SharedWork, cells: list[Cell], n_jobs: int | None) -> Outcomes:
    """Yield what joblib gives; closed early, it stops the workers."""
    backend, _ = get_active_backend()
    shared: Any = work
    # Cells one by one: batches would be handed on late, and lost together.
    options: dict[str, Any] = {"n_jobs": n_jobs, "batch_size": 1}
    if type(backend).__name__ == "DaskDistributedBackend":
        from .dask_backend import PatientDaskBackend

        options["backend"] = backend = PatientDaskBackend.like(backend)
        shared = backend.share(work)
    tasks = [delayed(run_cell)(shared, cell) for cell in cells]
    if not backend.supports_return_generator:
        step = joblib.effective_n_jobs(n_jobs)
        for start in range(0, len(tasks), step):
            yield from Parallel(**options)(tasks[start : start + step])
        return
    results = Parallel(**options, return_as="generator_unordered")(tasks)
    try:
        # `yield from` would close joblib's generator before we do, and let it warn.
        for result in results:  # noqa: UP028
            yield result
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*tasks", UserWarning)  # that work is thrown away is meant
            results.close()
