"""Devices and threads of torch, its use after a fork, and tensors of arrays."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import numpy as np
import torch
from numpy.typing import NDArray

from ._threads import ProcessLock, join_to_the_end


def resolve_device(device: str | torch.device | None) -> torch.device:
    """Return the torch device for a `device` parameter.

    Parameters
    ----------
    device : str, torch.device or None
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ... None uses CUDA if available, and the CPU otherwise.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If the name is not a device, or the device is not available.
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(
            f"device={device!r} cannot be used here; expected 'cpu', 'cuda', 'cuda:0', ... or None "
            f"for the fastest available ({error})"
        ) from error
    return resolved


def to_tensor(array: NDArray) -> torch.Tensor:
    """Return an array as a tensor on the CPU, which must not be written to: it may share the memory.

    Read-only arrays, such as memory-mapped ones, are copied, because torch warns about them.
    """
    return torch.from_numpy(np.require(array, requirements="W"))


class _Forked:
    """Whether this process was forked. The threads of OpenMP are then missing, and torch waits for them."""

    here = False


def _use_one_thread_after_fork() -> None:
    _Forked.here = True
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_use_one_thread_after_fork)

_n_threads_lock = ProcessLock()


@contextmanager
def torch_threads(n_threads: int) -> Iterator[None]:
    """Run a block with a number of torch's threads, which other threads of the process do not notice.

    A forked process keeps to one thread.
    """
    before = torch.get_num_threads()
    set_torch_threads(n_threads)
    try:
        yield
    finally:
        set_torch_threads(before)


def set_torch_threads(n_threads: int) -> None:
    """Set the number of torch's threads for computations of the calling thread only.

    torch also uses the number for threads that are started later. A thread started here restores it.
    """
    wanted = 1 if _Forked.here else n_threads
    if torch.get_num_threads() == wanted:
        return
    is_known, is_set = Event(), Event()

    def restore() -> None:
        of_new_threads = torch.get_num_threads()
        is_known.set()
        is_set.wait()
        torch.set_num_threads(of_new_threads)

    keeper = Thread(target=restore, daemon=True)
    with _n_threads_lock:
        try:
            with suppress(RuntimeError):  # no further thread can be started
                keeper.start()
                is_known.wait()
            torch.set_num_threads(wanted)
        finally:
            is_set.set()
        if keeper.ident is not None:
            join_to_the_end(keeper)
