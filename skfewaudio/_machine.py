"""Description of the machine and of the code that computed a result."""

import platform
import re
from pathlib import Path

import joblib

from ._version import __version__

CPU_INFO = Path("/proc/cpuinfo")


def describe_machine() -> str:
    """Return the processor, the number of usable cores and the operating system."""
    cores = joblib.cpu_count()
    words = [_name_processor(), f"{cores} core{'' if cores == 1 else 's'}", platform.system()]
    return ", ".join(filter(None, words))


def describe_code(package: Path = Path(__file__).parent) -> str:
    """Return the version of the package, and its commit if it is used from its repository."""
    commit = find_commit(package.parent)
    return f"skfewaudio {__version__}" + (f", commit {commit[:12]}" if commit else "")


def find_commit(repository: Path) -> str | None:
    """Return the commit that is checked out in a folder, or None if this is no git repository."""
    try:
        folder = repository / ".git"
        if folder.is_file():  # a worktree or a submodule, which names its folder
            folder = repository / folder.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        head = (folder / "HEAD").read_text(encoding="utf-8").strip()
        name = head.removeprefix("ref:").strip()
        return _check_commit(head if name == head else _read_ref(folder, name))
    except (OSError, UnicodeDecodeError):
        return None


def _read_ref(folder: Path, name: str) -> str:
    """Return the commit of a branch; branches of a worktree are in the folder of the repository."""
    common = folder / "commondir"
    if common.is_file():
        folder = folder / common.read_text(encoding="utf-8").strip()
    if (folder / name).is_file():
        return (folder / name).read_text(encoding="utf-8").strip()
    lines = (folder / "packed-refs").read_text(encoding="utf-8").splitlines()
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), "")


def _check_commit(text: str) -> str | None:
    return text if re.fullmatch("[0-9a-f]{40,64}", text) else None


def _name_processor() -> str:
    """Return the model of the processor, or the architecture if the model is unknown."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        models = []
    return next(filter(None, [*models, platform.processor(), platform.machine()]), "")
