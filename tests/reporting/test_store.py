import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

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
def test_incomplete_last_row_is_ignored_with_a_warning(path, n_lost):
    ResultStore(path).append([make_row(0), make_row(1)])
    os.truncate(path, path.stat().st_size - n_lost)
    with pytest.warns(UserWarning, match="incomplete"):
        store = ResultStore(path)
    store.append([make_row(2)])
    assert store.frame()["fold"].tolist() == [0, 2]


@pytest.mark.slow
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


def test_nan_within_a_list_becomes_null(path):
    ResultStore(path).append([make_row(probability=[0.5, np.nan], more={"a": np.float32("inf")})])
    row = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert (row["probability"], row["more"]) == ([0.5, None], {"a": None})


DAMAGED_LINES = {
    "number": (b"5", "line 2 is not a row: expected a JSON object; got 5"),
    "null": (b"null", "line 2 is not a row: expected a JSON object; got null"),
    "list": (b"[1, 2]", r"line 2 is not a row: expected a JSON object; got \[1, 2\]"),
    "text": (b"not json", "line 2 is not JSON"),
    "not UTF-8": (b'{"a": "\xff"}', "line 2 is not UTF-8: byte 8 is 0xff"),
    "deep": (b"[" * 100_000, "line 2 is not JSON: it is nested too deeply"),
    "NaN": (b'{"a": NaN}', "line 2 is not JSON: NaN is not a number of JSON"),
    "infinity": (b'{"a": -Infinity}', "line 2 is not JSON: -Infinity"),
    "huge number": (b"9" * 10_000, "line 2 is not JSON"),
    "no key": (b'{"dataset": "toy"}', "line 2 is not a row: it lacks pipeline"),
    "nested key": (json.dumps(make_row([1])).encode(), "line 2 is not a row: expected one value of fold"),
    "zeros": (bytes(50), "line 2 is not JSON"),
}


@pytest.mark.parametrize("kind", DAMAGED_LINES)
def test_damaged_line_is_named_with_the_remedy(kind, path):
    line, message = DAMAGED_LINES[kind]
    ResultStore(path).append([make_row()])
    path.write_bytes(path.read_bytes() + line + b"\n" + json.dumps(make_row(1)).encode() + b"\n")
    with pytest.raises(ValueError, match=message) as caught:
        ResultStore(path).frame()
    assert str(path) in str(caught.value)
    assert "Remove this line" in str(caught.value)


def test_empty_lines_and_windows_line_ends_are_no_damage(path):
    ResultStore(path).append([make_row(0), make_row(1)])
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert len(ResultStore(path).frame()) == 2


def test_reading_changes_no_file_whose_last_row_is_incomplete(path):
    ResultStore(path).append([make_row(0), make_row(1)])
    os.truncate(path, path.stat().st_size - 5)
    before = path.read_bytes()
    with pytest.warns(UserWarning, match="incomplete"):
        assert len(ResultStore(path).frame()) == 1
    assert path.read_bytes() == before


def test_row_after_an_incomplete_one_starts_a_line(path):
    store = ResultStore(path)
    store.append([make_row(0)])
    with path.open("ab") as file:
        file.write(b'{"dataset": "toy", "pipe')  # another process was killed
    store.append([make_row(1)])
    assert store.frame()["fold"].tolist() == [0, 1]


def test_long_incomplete_row_is_removed(path):
    store = ResultStore(path)
    store.append([make_row(0)])
    with path.open("ab") as file:
        file.write(b'{"a": "' + b"x" * 200_000)
    store.append([make_row(1)])
    assert store.frame()["fold"].tolist() == [0, 1]


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of file sizes")
@pytest.mark.parametrize("n_written", [0, 1, 60, 118, 119, 200])
def test_full_disk_leaves_no_half_row(n_written, path):
    import resource

    store = ResultStore(path)
    store.append([make_row(0)])
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + n_written, limits[1]))
    try:
        with pytest.raises(OSError, match=r"results\.jsonl"):
            store.append([make_row(1), make_row(2)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    store.append([make_row(3)])
    assert store.frame()["fold"].tolist() == [0, 3]


@pytest.mark.parametrize("function", ["os.fsync", "skfewaudio.reporting._store.write_all"])
def test_failed_write_leaves_no_row(function, path, monkeypatch):
    store = ResultStore(path)
    store.append([make_row(0)])

    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(function, fail)
        with pytest.raises(OSError, match="No space left"):
            store.append([make_row(1)])
    assert store.frame()["fold"].tolist() == [0]


def append_many(path, first):
    store = ResultStore(path)
    for fold in range(first, first + 100):
        store.append([make_row(fold), make_row(fold, metric="f1")])


def test_threads_append_whole_rows(path):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda first: append_many(path, first), range(0, 400, 100)))
    rows = ResultStore(path).frame()
    assert sorted(rows["fold"]) == sorted(list(range(400)) * 2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipe_is_refused(path):
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(OSError, match="Not a regular file"):
        ResultStore(path)
