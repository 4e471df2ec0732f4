import pytest

from skfewaudio import _machine
from skfewaudio._machine import describe_code, describe_machine, find_commit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_commit_of_a_branch_is_found(tmp_path):
    write(tmp_path / ".git" / "HEAD", "ref: refs/heads/main\n")
    write(tmp_path / ".git" / "refs" / "heads" / "main", f"{COMMIT}\n")
    assert find_commit(tmp_path) == COMMIT


def test_commit_of_a_packed_branch_is_found(tmp_path):
    write(tmp_path / ".git" / "HEAD", "ref: refs/heads/main\n")
    write(tmp_path / ".git" / "packed-refs", f"# pack-refs\n{COMMIT} refs/heads/main\n")
    assert find_commit(tmp_path) == COMMIT


def test_detached_commit_is_found(tmp_path):
    write(tmp_path / ".git" / "HEAD", f"{COMMIT}\n")
    assert find_commit(tmp_path) == COMMIT


def test_commit_of_a_worktree_is_found(tmp_path):
    main, tree = tmp_path / "main" / ".git", tmp_path / "tree"
    write(tree / ".git", f"gitdir: {main}/worktrees/tree\n")
    write(main / "worktrees" / "tree" / "HEAD", "ref: refs/heads/topic\n")
    write(main / "worktrees" / "tree" / "commondir", "../..\n")
    write(main / "refs" / "heads" / "topic", f"{COMMIT}\n")
    assert find_commit(tree) == COMMIT


@pytest.mark.parametrize("head", [None, "ref: refs/heads/gone\n", "nonsense\n"])
def test_folder_without_a_commit_has_none(tmp_path, head):
    if head is not None:
        write(tmp_path / ".git" / "HEAD", head)
    assert find_commit(tmp_path) is None


def test_installed_code_has_only_a_version(tmp_path):
    assert describe_code(tmp_path / "skfewaudio").split() == ["skfewaudio", _machine.__version__]


def test_machine_has_its_processor_and_cores(tmp_path, monkeypatch):
    write(tmp_path / "cpuinfo", "processor\t: 0\nmodel name\t: Fast CPU\n")
    monkeypatch.setattr(_machine, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(_machine.joblib, "cpu_count", lambda: 2)
    assert describe_machine().startswith("Fast CPU, 2 cores")


def test_unknown_processor_is_named_by_its_architecture(tmp_path, monkeypatch):
    monkeypatch.setattr(_machine, "CPU_INFO", tmp_path / "missing")
    monkeypatch.setattr(_machine.platform, "processor", lambda: "")
    monkeypatch.setattr(_machine.platform, "machine", lambda: "riscv64")
    assert describe_machine().startswith("riscv64, ")
