"""Who may import whom; the levels, from cli at the top down to audio and the private modules."""

import ast
from pathlib import Path

import pytest

import skfewaudio

ROOT = Path(skfewaudio.__file__).parent
LEVELS = {
    "cli": 10,
    "benchmarking": 9,
    "reporting": 8,
    "persistence": 7,
    "model_selection": 6,
    "pipelines": 6,
    "classifiers": 5,
    "features": 4,
    "architectures": 3,
    "datasets": 3,
    "augmentation": 3,
    "audio": 2,
}
# The modules beside the packages: testing is for plugin authors, and may use everything.
TOP_LEVEL = {"testing": 11, "__init__": 11, "__main__": 11}
NEVER = {("classifiers", "features")}
MODULES = sorted(ROOT.rglob("*.py"))


def part_of(dotted: str) -> str | None:
    """Name the package, or the module beside the packages, that `skfewaudio.a.b` belongs to."""
    names = dotted.split(".")
    return names[1] if names[0] == "skfewaudio" and len(names) > 1 else None


def level_of(part: str) -> int:
    return LEVELS.get(part, TOP_LEVEL.get(part, 1))


def imported_parts(path: Path) -> set[str]:
    """Name all parts of the package that a module imports, wherever in it the import stands."""
    package = ["skfewaudio", *path.relative_to(ROOT).parts[:-1]]
    found: set[str | None] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {part_of(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from skfewaudio import audio` names the part among the aliases.
            found |= {part_of(f"{module}.{alias.name}") for alias in node.names}
    return {part for part in found if part}


def violations(path: Path) -> list[str]:
    part = path.relative_to(ROOT).with_suffix("").parts[0]
    return [
        f"{path.relative_to(ROOT)} imports {other}"
        for other in sorted(imported_parts(path) - {part})
        if (part, other) in NEVER
        or (level_of(other) >= level_of(part) and level_of(part) != 1)
        or (level_of(part) == 1 and level_of(other) > 1)
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_what_stands_below_it(path):
    assert violations(path) == []


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("audio/new.py", "from ..features import LogMel"),
        ("datasets/new.py", "from skfewaudio import architectures"),
        ("architectures/new.py", "import skfewaudio.datasets._base"),
        ("classifiers/new.py", "def f():\n    from ..features._logmel import LogMel"),
        ("_new.py", "from .audio import load_audio"),
    ],
)
def test_rule_finds_what_is_forbidden(tmp_path, monkeypatch, importer, statement):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    path = tmp_path / importer
    path.parent.mkdir(exist_ok=True)
    path.write_text(statement)
    assert len(violations(path)) == 1
