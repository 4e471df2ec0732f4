"""Thread pools, the number of torch's threads, and locks."""

import multiprocessing
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch

from skfewaudio import LogMel, _threads
from skfewaudio._threads import ProcessLock, ThreadPool, available_threads, share_memory_arenas
from skfewaudio._torch import set_torch_threads, torch_threads
from skfewaudio.audio import iter_clips
from skfewaudio.audio.io import map_ahead, resolve_threads

RATE = 8000
CLIPS = np.random.default_rng(0).normal(0, 0.1, (12, RATE)).astype(np.float32)
needs_fork = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not fork by default")


@pytest.fixture
def two_torch_threads():
    """Let torch use two threads, which it may be denied in parallel test processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def limit_threads(monkeypatch):
    """Function that lets only a number of threads run at once, as in a container with a limit."""
    start = threading.Thread.start

    def limit(n_threads):
        def start_within_limit(thread):
            if sum(other.is_alive() for other in started) >= n_threads:
                raise RuntimeError("can't start new thread")
            started.append(thread)
            start(thread)

        started = []
        monkeypatch.setattr(threading.Thread, "start", start_within_limit)

    return limit


def in_new_thread(function, *args):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result()


def wait_and_return(item):
    time.sleep(0.01)
    return item


@pytest.mark.parametrize("n_threads", [1, 3])
def test_pool_works_with_the_threads_that_could_be_started(limit_threads, n_threads):
    limit_threads(n_threads)
    with ThreadPool(8) as pool:
        assert list(map_ahead(pool, wait_and_return, range(12), n_ahead=16)) == list(range(12))


def test_pool_without_any_thread_raises_an_error_at_once(limit_threads):
    limit_threads(0)
    with ThreadPool(8) as pool, pytest.raises(RuntimeError, match="can't start new thread"):
        list(map_ahead(pool, wait_and_return, range(12), n_ahead=16))


def test_transformer_works_with_the_threads_that_could_be_started(limit_threads):
    expected = LogMel(sample_rate=RATE).transform(CLIPS)
    limit_threads(2)
    np.testing.assert_array_equal(LogMel(sample_rate=RATE, n_threads=100).transform(CLIPS), expected)


def test_features_of_a_single_clip_need_no_further_thread(limit_threads):
    expected = LogMel(sample_rate=RATE).transform(CLIPS)[:1]
    limit_threads(0)
    np.testing.assert_array_equal(LogMel(sample_rate=RATE).transform(CLIPS[:1]), expected)


@pytest.mark.parametrize(
    "work",
    [
        lambda: LogMel(sample_rate=RATE, n_threads=1000).transform(CLIPS[:2]),
        lambda: list(iter_clips([(clip, RATE) for clip in CLIPS[:2]], sample_rate=RATE, n_threads=1000)),
    ],
    ids=["transform", "iter_clips"],
)
def test_no_more_threads_are_started_than_there_are_clips(work, monkeypatch):
    started, start = [], threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda thread: (started.append(thread), start(thread)))
    work()
    workers = [thread for thread in started if not thread.daemon]
    assert 1 <= len(workers) <= 4  # those that decode, and those that compute


class Cluster(joblib.parallel.BACKENDS["threading"]):
    """Backend of a cluster with many more cores than this machine."""

    def effective_n_jobs(self, n_jobs):
        return 500


def test_number_of_threads_does_not_depend_on_the_active_joblib_backend():
    with joblib.parallel_config(backend=Cluster()):
        assert resolve_threads(None) == joblib.cpu_count()


def test_number_of_threads_in_a_daemonic_process_is_found_without_a_warning(monkeypatch):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    assert resolve_threads(None) == joblib.cpu_count()


def test_limit_of_threads_holds_in_the_block_and_the_thread_only(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 8)
    with _threads.limit_threads(2):
        inside = resolve_threads(None), resolve_threads(5), in_new_thread(available_threads)
        with _threads.limit_threads(20):
            assert resolve_threads(None) == 8
    assert inside == (2, 5, 8)
    assert resolve_threads(None) == 8


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has arenas")
def test_threads_share_two_memory_arenas():
    code = (
        "from skfewaudio._threads import share_memory_arenas; share_memory_arenas()\n"
        "import ctypes, threading\n"
        "c = ctypes.CDLL(None); barrier = threading.Barrier(6)\n"
        "def work(): barrier.wait(); b'x' * 5000; barrier.wait()\n"
        "threads = [threading.Thread(target=work) for _ in range(6)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "c.fdopen.restype = ctypes.c_void_p\n"
        "c.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]\n"
        "c.malloc_info(0, c.fdopen(1, b'w')); c.fflush(None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 1 <= done.stdout.count("<heap nr=") <= 2


def test_arenas_of_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(_threads.sys, "platform", "win32")
    monkeypatch.setattr(_threads.ctypes, "CDLL", None)
    share_memory_arenas()


def test_number_of_torch_threads_holds_in_the_block_and_the_thread_only(two_torch_threads):
    with torch_threads(1):
        inside = torch.get_num_threads(), in_new_thread(torch.get_num_threads)
    assert inside == (1, 2)
    assert (torch.get_num_threads(), in_new_thread(torch.get_num_threads)) == (2, 2)


def test_number_of_torch_threads_is_restored_after_an_error(two_torch_threads):
    with pytest.raises(KeyError), torch_threads(1):
        raise KeyError
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("function", [lambda a: a @ a, torch.fft.rfft], ids=["product", "transform"])
def test_computations_of_the_block_run_in_the_thread_alone(two_torch_threads, function):
    a = torch.ones(1000, 1000)
    with torch_threads(1):
        function(a)
        time.sleep(0.1)  # threads of earlier computations wait actively for a moment
        in_thread, in_process = time.thread_time(), time.process_time()
        for _ in range(20):
            function(a)
        in_thread, in_process = time.thread_time() - in_thread, time.process_time() - in_process
    assert in_thread > 0.8 * in_process


def test_number_of_torch_threads_is_set_even_if_no_thread_can_be_started(two_torch_threads, limit_threads):
    limit_threads(0)
    set_torch_threads(1)
    assert torch.get_num_threads() == 1


def test_transforms_in_several_threads_leave_the_number_of_torch_threads(two_torch_threads):
    def transform(n_clips):
        LogMel(sample_rate=RATE, n_threads=2).transform(CLIPS[:n_clips])
        return torch.get_num_threads()

    # A thread that starts while another one sets its number may take it over.
    started = threading.Barrier(4)

    def start():
        torch.get_num_threads()
        started.wait(timeout=60)

    with ThreadPoolExecutor(4, initializer=start) as pool:
        assert set(pool.map(transform, [1, 12, 3, 6] * 3)) == {2}
    assert (torch.get_num_threads(), in_new_thread(torch.get_num_threads)) == (2, 2)


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_lock_that_another_thread_holds_is_free_in_a_forked_process():
    lock = ProcessLock()
    is_held, can_release = threading.Event(), threading.Event()

    def hold():
        with lock:
            is_held.set()
            can_release.wait()

    def acquire():
        with lock:
            pass

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait()
    process = multiprocessing.get_context("fork").Process(target=acquire)
    process.start()
    process.join(30)
    can_release.set()
    holder.join()
    assert process.exitcode == 0


def native_id_after_a_transform(_):
    LogMel(sample_rate=RATE).transform(CLIPS[:1])
    return threading.get_native_id()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not list their threads in /proc")
def test_no_thread_is_left_after_its_pool():
    """A thread that still frees memory while the process forks would leave a lock that nobody releases."""
    for _ in range(50):
        with ThreadPool(2) as pool:
            ids = set(pool.map(native_id_after_a_transform, range(2)))
        assert not ids & {int(task.name) for task in Path("/proc/self/task").iterdir()}
