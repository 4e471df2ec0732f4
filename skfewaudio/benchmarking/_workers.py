"""Parallel backend of a run: local processes or the workers of a Dask cluster."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import joblib

TIMEOUT = 30  # seconds to wait for a scheduler


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
    try:
        import distributed
    except ImportError as error:
        raise ValueError("--scheduler needs Dask: pip install skfewaudio[dask]") from error
    with ExitStack() as stack:
        if scheduler == "local":
            cluster: Any = stack.enter_context(distributed.SpecCluster(**_local_cluster(n_workers)))
        else:
            cluster = scheduler
        client = stack.enter_context(distributed.Client(cluster, timeout=TIMEOUT))
        n_found = len(client.scheduler_info(n_workers=-1)["workers"])
        print(f"Dask: {n_found} workers at {client.scheduler.address}", file=sys.stderr)
        stack.enter_context(joblib.parallel_config(backend="dask"))
        yield


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
                    "memory_limit": 0,  # no limit: Dask must not restart workers for torch's memory
                    "env": {"CUDA_VISIBLE_DEVICES": str(number % n_gpus)} if n_gpus else {},
                },
            }
            for number in range(n_workers)
        },
    }
