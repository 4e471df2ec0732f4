"""Searches in processes of this machine."""

import pickle
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from joblib import Parallel, delayed

from skfewaudio.exceptions import WorkerDiedError

from ._tasks import Found, Task, search_task


def run_in_processes(
    model: Any, tasks: Iterable[Task], options: Mapping[str, Any], n_jobs: int
) -> Iterator[tuple[Task, Found]]:
    """Yield each task with its outcome as soon as it is done; the model is read once by each process.

    Raises
    ------
    WorkerDiedError
        If a process died.
    """
    with TemporaryDirectory(prefix="skfewaudio-") as folder:  # only this user may enter it
        path = Path(folder, "model")
        path.write_bytes(pickle.dumps(model))
        # No batches: their outcomes would arrive late and be lost together.
        run = Parallel(n_jobs=n_jobs, batch_size=1, return_as="generator_unordered")
        with closing(run(delayed(_search)(str(path), task, dict(options)) for task in tasks)) as outcomes:
            try:
                yield from outcomes
            except BrokenExecutor as error:
                raise WorkerDiedError(
                    "a worker process died: it was killed, ran out of memory, or crashed. The recordings "
                    "that are done are kept; start again to search the others. If memory is short, use fewer "
                    "n_jobs"
                ) from error


def _search(path: str, task: Task, options: Mapping[str, Any]) -> tuple[Task, Found]:
    return task, search_task(_read_model(path), task, options, 1)


@lru_cache(maxsize=1)
def _read_model(path: str) -> Any:
    """Read the model that the calling process has just written."""
    return pickle.loads(Path(path).read_bytes())
