"""Dask clusters that are started on this machine."""

import pytest

from skfewaudio import _dask

distributed = pytest.importorskip("distributed")


class StartedError(Exception):
    """Raised instead of starting a cluster."""


def test_workers_do_not_return_each_freed_array_to_the_system(monkeypatch):
    environments = []

    def start(**_):
        environments.append(distributed.nanny._get_env_variables("distributed.nanny.pre-spawn-environ"))
        raise StartedError

    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    monkeypatch.setattr(distributed, "SpecCluster", start)
    with pytest.raises(StartedError), _dask.connect("local", 1):
        pass
    (environment,) = environments
    assert "MALLOC_TRIM_THRESHOLD_" not in environment
    assert environment["OMP_NUM_THREADS"] == "1"


def test_local_cluster_has_workers_of_one_thread():
    workers = _dask._local_cluster(3)["workers"]
    assert [worker["options"]["nthreads"] for worker in workers.values()] == [1, 1, 1]
