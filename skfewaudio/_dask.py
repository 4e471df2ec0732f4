"""Connection to a Dask cluster, which may be started on this machine."""

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import joblib

TIMEOUT = 30  # seconds to wait for a scheduler
# Dask makes workers return freed memory to the system at once. They then ask for it again for nearly every
# array, which makes a search for events take a third more processor time. None leaves it to the C library.
WORKER_ENVIRONMENT = {"distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None}


@contextmanager
def connect(scheduler: str, n_workers: int | None, *, quiet: bool = False) -> Iterator[Any]:
    """Yield a client of a Dask cluster; a cluster that was started is stopped at the end.

    Parameters
    ----------
    scheduler : str
        Address of a scheduler, or ``"local"`` to start a cluster on this machine.
    n_workers : int or None
        Number of worker processes of a local cluster. None is one per GPU, or one per core without GPUs.
    quiet : bool, default=False
        Do not write the number of workers to stderr.

    Yields
    ------
    distributed.Client

    Raises
    ------
    ValueError
        If Dask is not installed.
    OSError
        If no scheduler answers.
    """
    try:
        import dask
        import distributed
    except ImportError as error:
        raise ValueError("--scheduler needs Dask: pip install skfewaudio[dask]") from error
    with ExitStack() as stack:
        if scheduler == "local":
            with dask.config.set(WORKER_ENVIRONMENT):
                cluster: Any = stack.enter_context(
                    distributed.SpecCluster(**_local_cluster(n_workers), silence_logs=logging.WARNING)
                )
        else:
            cluster = scheduler
        client = stack.enter_context(distributed.Client(cluster, timeout=TIMEOUT))
        if not quiet:
            n_found = len(client.scheduler_info(n_workers=-1)["workers"])
            print(f"Dask: {n_found} workers at {client.scheduler.address}", file=sys.stderr)
        yield client


def _local_cluster(n_workers: int | None) -> dict[str, Any]:
    """Return the arguments of a SpecCluster whose workers have one thread and, if available, one GPU each."""
    import torch
    from distributed import Nanny, Scheduler

    n_gpus = torch.cuda.device_count()
    n_workers = n_workers or n_gpus or joblib.cpu_count()
    return {
        "scheduler": {"cls": Scheduler, "options": {"dashboard_address": ":0", "host": "127.0.0.1"}},
        "workers": {
            number: {
                "cls": Nanny,
                "options": {
                    "nthreads": 1,
                    "silence_logs": logging.WARNING,
                    "memory_limit": 0,  # no limit: Dask must not restart workers for torch's memory
                    "env": {"CUDA_VISIBLE_DEVICES": str(number % n_gpus)} if n_gpus else {},
                },
            }
            for number in range(n_workers)
        },
    }
