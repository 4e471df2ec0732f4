"""Parallel backend of a run: local processes or the workers of a Dask cluster."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import joblib

from skfewaudio._dask import connect


@contextmanager
def parallel_backend(scheduler: str | None, n_workers: int | None) -> Iterator[None]:
    """Run joblib's parallel calls in local processes or on a Dask cluster, inside a `with` block.

    Parameters
    ----------
    scheduler : str or None
        Address of a Dask scheduler, or ``"local"`` to start a cluster on this machine. None uses joblib's
        processes.
    n_workers : int or None
        Number of worker processes of a local cluster. None is one per GPU, or one per core without GPUs.

    Raises
    ------
    ValueError
        If Dask is not installed.
    OSError
        If no scheduler answers.
    """
    if scheduler is None:
        with warnings.catch_warnings():
            # joblib restarts a process whose memory has grown; no result is lost.
            warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
            yield
        return
    with connect(scheduler, n_workers), joblib.parallel_config(backend="dask"):
        yield
