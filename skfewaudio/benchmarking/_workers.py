"""Where the fits of a run are computed: here, or by the workers of a Dask cluster."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import joblib

TIMEOUT = 30  # seconds to wait for a scheduler


@contextmanager
def workers(scheduler: str | None, n_workers: int | None) -> Iterator[None]:
    """Let joblib's parallel calls run by the workers of a Dask cluster, or by its own processes.

    Parameters
    ----------
    scheduler : str or None
        Address of a scheduler, or ``"local"`` for a cluster of this machine's own; None for joblib's
        processes.
    n_workers : int or None
        Processes of a cluster of this machine's own; None is one for each GPU, or without one for each core.

    Raises
    ------
    ValueError
        If Dask is not installed.
    OSError
        If no scheduler answers.
    """
    if scheduler is None:
        with warnings.catch_warnings():
            # joblib starts a process anew whose memory has grown; what it was to do is done all the same.
            warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
            yield
        return
    try:
        import distributed
    except ImportError as error:
        raise ValueError("--scheduler needs Dask: pip install skfewaudio[dask]") from error
    with ExitStack() as stack:
        if scheduler == "local":
            cluster: Any = stack.enter_context(distributed.SpecCluster(**_plan(n_workers)))
        else:
            cluster = scheduler
        client = stack.enter_context(distributed.Client(cluster, timeout=TIMEOUT))
        n_found = len(client.scheduler_info(n_workers=-1)["workers"])
        print(f"Dask: {n_found} workers at {client.scheduler.address}", file=sys.stderr)
        stack.enter_context(joblib.parallel_config(backend="dask"))
        yield


def _plan(n_workers: int | None) -> dict[str, Any]:
    """Describe a cluster whose workers have one thread each, and one GPU each where there are any."""
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
                    "memory_limit": 0,  # none: a worker is not ended for what torch holds
                    "env": {"CUDA_VISIBLE_DEVICES": str(number % n_gpus)} if n_gpus else {},
                },
            }
            for number in range(n_workers)
        },
    }
