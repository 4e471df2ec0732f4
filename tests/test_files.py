"""Files that are written whole or not at all, and files that are not regular."""

import errno
import os
import sys
import threading
from contextlib import contextmanager

import pytest

from skfewaudio import _files
from skfewaudio._files import locked, open_regular, read_regular, remove_stale, replace_file, write_file

OLD, NEW = b"old content", b"new" * 50
needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")


@pytest.fixture
def path(tmp_path):
    (tmp_path / "x.json").write_bytes(OLD)
    return tmp_path / "x.json"


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def file_size_limit(n_bytes):
    """Let the system refuse to write beyond a size, as on a full disk: the last write writes only a part."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_file_is_replaced(path):
    write_file(path, NEW)
    assert path.read_bytes() == NEW
    assert names_in(path.parent) == ["x.json"]


@pytest.mark.parametrize("n_bytes", [0, 1, 75, 149])
def test_full_disk_keeps_the_old_file_and_leaves_nothing(n_bytes, path):
    with file_size_limit(n_bytes), pytest.raises(OSError, match=r"x\.json"):
        write_file(path, NEW)
    assert path.read_bytes() == OLD
    assert names_in(path.parent) == ["x.json"]


@pytest.mark.parametrize("function", ["os.fsync", "os.replace", "pathlib.Path.replace", "os.open"])
def test_failure_of_any_step_keeps_the_old_file(function, path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(function, fail)
    try:
        write_file(path, NEW)
    except OSError:
        expected = OLD
    else:
        expected = NEW
    assert path.read_bytes() == expected
    assert names_in(path.parent) == ["x.json"]


def write_until_interrupted(path):
    with replace_file(path) as file:
        file.write(NEW)
        raise KeyboardInterrupt


def test_exception_while_writing_keeps_the_old_file(path):
    with pytest.raises(KeyboardInterrupt):
        write_until_interrupted(path)
    assert path.read_bytes() == OLD
    assert names_in(path.parent) == ["x.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_error_about_another_file_keeps_its_name(path):
    with pytest.raises(FileNotFoundError, match=r"missing\.wav"), replace_file(path):
        read_regular(path.with_name("missing.wav"))


def test_link_is_kept_and_its_target_replaced(path):
    link = path.with_name("link.json")
    link.symlink_to(path)
    write_file(link, NEW)
    assert link.is_symlink()
    assert path.read_bytes() == NEW


def test_only_old_partial_files_are_removed(tmp_path, monkeypatch):
    (tmp_path / f".partial-{'0' * 32}").touch()
    (tmp_path / ".partial-of-mine").touch()
    folder = tmp_path / f".partial-{'a' * 32}"
    folder.mkdir()
    (folder / "inside").touch()
    remove_stale(tmp_path)
    assert len(names_in(tmp_path)) == 3
    monkeypatch.setattr(_files, "STALE_AFTER", -1.0)
    remove_stale(tmp_path)
    assert names_in(tmp_path) == [".partial-of-mine"]


@needs_pipes
@pytest.mark.parametrize("mode", ["rb", "a+b"])
def test_pipe_is_refused(mode, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="Not a regular file"):
        open_regular(tmp_path / "pipe", mode)


@needs_pipes
def test_pipe_that_takes_the_place_of_a_checked_file_is_refused(path, monkeypatch):
    os.mkfifo(path.with_name("pipe"))
    check, calls = _files._check_regular, []
    monkeypatch.setattr(
        _files, "_check_regular", lambda *args: calls.append(args) or len(calls) == 1 or check(*args)
    )
    with pytest.raises(OSError, match="Not a regular file"):
        read_regular(path.with_name("pipe"))


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs devices")  # noqa: PTH110
def test_device_is_refused():
    with pytest.raises(OSError, match="Not a regular file"):
        read_regular("/dev/zero")


def test_missing_file_and_folder_raise_their_own_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "missing")
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="needs locks")
def test_lock_excludes_others(path):
    entered = threading.Event()

    def enter():
        with path.open("rb") as file, locked(file):
            entered.set()

    with path.open("rb") as file, locked(file):
        thread = threading.Thread(target=enter)
        thread.start()
        assert not entered.wait(0.05)
    thread.join(5)
    assert entered.is_set()
