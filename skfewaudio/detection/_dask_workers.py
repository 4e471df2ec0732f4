"""Searches on the workers of a Dask cluster, which hold the model as long as it is needed."""

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import replace
from itertools import islice
from typing import Any
from uuid import uuid4

from distributed import Client, KilledWorker, WorkerPlugin, as_completed

from skfewaudio._dask import connect
from skfewaudio._version import __version__
from skfewaudio.exceptions import WorkerDiedError

from ._tasks import Found, Task, search_task

TASKS_PER_THREAD = 4  # that wait at the scheduler, so that no worker waits for the next task
MODELS: dict[str, Any] = {}  # of this worker


class HoldModel(WorkerPlugin):
    """Plugin by which each worker receives the model once; workers that join later receive it, too."""

    def __init__(self, key: str, model: Any) -> None:
        self.name = self.key = key
        self.model = model
        self.version = __version__

    def setup(self, worker: Any) -> None:
        """Keep the model, unless the worker would compute other features."""
        if self.version != __version__:
            raise ValueError(
                f"the worker {worker.address} has skfewaudio {__version__}, and this process has "
                f"{self.version}; install the same version"
            )
        MODELS[self.key] = self.model

    def teardown(self, worker: Any) -> None:
        """Forget the model."""
        MODELS.pop(self.key, None)


def run_on_cluster(
    model: Any, tasks: Iterable[Task], options: Mapping[str, Any], scheduler: str, n_workers: int | None
) -> Iterator[tuple[Task, Found]]:
    """Yield each task with its outcome as soon as it is done.

    A recording that killed several workers has an error instead of events.

    Raises
    ------
    OSError
        If no scheduler answers.
    ValueError
        If Dask is not installed, or workers have another version of skfewaudio.
    WorkerDiedError
        If the scheduler is gone.
    """
    key = f"skfewaudio-model-{uuid4().hex}"
    with connect(scheduler, n_workers, quiet=True) as client:
        client.register_plugin(HoldModel(key, model))
        try:
            yield from _run(client, key, tasks, options)
        finally:
            if client.status == "running":
                client.unregister_worker_plugin(key)


def _run(
    client: Client, key: str, tasks: Iterable[Task], options: Mapping[str, Any]
) -> Iterator[tuple[Task, Found]]:
    """Keep the workers busy, and yield outcomes."""
    left = iter(tasks)
    n_threads = sum(client.nthreads().values()) or 1
    of_future: dict[Any, Task] = {}

    def submit(n_tasks: int) -> list[Any]:
        new = {
            client.submit(_search, key, _with_absolute_path(task), options, pure=False): task
            for task in islice(left, n_tasks)
        }
        of_future.update(new)
        return list(new)

    running = as_completed(submit(TASKS_PER_THREAD * n_threads), loop=client.loop)
    try:
        for future in running:
            task = of_future.pop(future)
            yield task, _outcome_of(future, task)
            for new in submit(1):
                running.add(new)
    finally:
        client.cancel(list(of_future))


def _outcome_of(future: Any, task: Task) -> Found:
    """Return the outcome of a task."""
    try:
        found: Found = future.result()._replace(recording=task.recording)
    except KilledWorker as error:
        return Found(task.recording, None, f"{task.recording}: ended the workers that searched it ({error})")
    except (CancelledError, OSError) as error:
        raise WorkerDiedError(
            f"the Dask scheduler cannot be reached ({error}). The recordings that are done are kept; start "
            "again to search the others"
        ) from error
    events = None if found.events is None else found.events.assign(path=task.recording)
    return found._replace(events=events)


def _with_absolute_path(task: Task) -> Task:
    """Return the task for a worker, which may run in another folder."""
    path = os.path.abspath(task.recording)  # noqa: PTH100
    return replace(task, recording=path, part=None if task.part is None else (path, *task.part[1:]))


def _search(key: str, task: Task, options: Mapping[str, Any]) -> Found:
    """Search in a worker."""
    return search_task(MODELS[key], task, options, 1)
