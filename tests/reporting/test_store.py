import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from skfewaudio.reporting import ResultStore


def make_row(fold=0, **changes):
    key = {
        "dataset": "toy",
        "pipeline": "1-nn",
        "n_shots": 1,
        "repeat": 0,
        "fold": fold,
        "metric": "accuracy",
    }
    return {**key, "value": 0.5, **changes}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "results.jsonl"


def test_rows_are_read_as_written(path):
    store = ResultStore(path)
    store.append([make_row(0)])
    store.append([make_row(1), make_row(2)])
    assert store.frame().to_dict("records") == [make_row(0), make_row(1), make_row(2)]


def test_pandas_reads_the_file(path):
    ResultStore(path).append([make_row(0), make_row(1, value=None)])
    frame = pd.read_json(path, lines=True)
    assert frame["value"].tolist()[0] == 0.5
    assert np.isnan(frame["value"].tolist()[1])


def test_store_without_rows_is_an_empty_frame(path):
    frame = ResultStore(path).frame()
    assert frame.empty
    assert "pipeline" in frame


def test_second_store_appends_to_the_file(path):
    ResultStore(path).append([make_row(0)])
    ResultStore(path).append([make_row(1)])
    assert len(ResultStore(path).frame()) == 2


def test_last_row_of_a_key_is_kept(path):
    store = ResultStore(path)
    store.append([make_row(0, value=0.1), make_row(1)])
    store.append([make_row(0, value=0.9)])
    assert sorted(store.frame()["value"]) == [0.5, 0.9]


@pytest.mark.parametrize("n_lost", [1, 20])
def test_incomplete_last_row_is_removed_with_a_warning(path, n_lost):
    ResultStore(path).append([make_row(0), make_row(1)])
    os.truncate(path, path.stat().st_size - n_lost)
    with pytest.warns(UserWarning, match="incomplete"):
        store = ResultStore(path)
    store.append([make_row(2)])
    assert store.frame()["fold"].tolist() == [0, 2]


def test_killed_writer_leaves_complete_rows(path):
    code = (
        "import sys; from skfewaudio.reporting import ResultStore; store = ResultStore(sys.argv[1])\n"
        "row = dict(dataset='d', pipeline='p', n_shots=1, repeat=0, metric='m', value=0.5)\n"
        "for fold in range(10**6):\n"
        "    store.append([{**row, 'fold': fold}]); print(fold, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
        for _ in range(50):
            process.stdout.readline()
        process.kill()
    rows = ResultStore(path).frame()
    assert len(rows) >= 50
    assert rows["fold"].tolist() == list(range(len(rows)))


def test_numpy_numbers_and_nan_become_json(path):
    ResultStore(path).append([make_row(np.int64(3), value=np.float32("nan"))])
    row = json.loads(path.read_text())
    assert (row["fold"], row["value"]) == (3, None)


def test_row_without_its_key_is_named_and_nothing_is_written(path):
    row = make_row()
    del row["fold"]
    with pytest.raises(ValueError, match="lacks fold"):
        ResultStore(path).append([make_row(1), row])
    assert not path.exists()


def test_damaged_line_is_named(path):
    ResultStore(path).append([make_row()])
    path.write_text(path.read_text() + "not json\n")
    with pytest.raises(ValueError, match="line 2 is not JSON"):
        ResultStore(path).frame()
