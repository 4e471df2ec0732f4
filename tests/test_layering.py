"""Import rules: packages import from those below them, only public modules, and never in a circle."""

import ast
from pathlib import Path

import pytest

import skfewaudio

ROOT = Path(skfewaudio.__file__).parent
LEVELS = {
    "cli": 10,
    "benchmarking": 9,
    "labelling": 9,
    "reporting": 8,
    "persistence": 7,
    "detection": 7,
    "model_selection": 6,
    "pipelines": 6,
    "classifiers": 5,
    "features": 4,
    "architectures": 3,
    "datasets": 3,
    "augmentation": 3,
    "audio": 2,
}
# Modules beside the packages: testing is for plugin authors and may use everything.
TOP_LEVEL = {"testing": 11, "__init__": 11, "__main__": 11}
NEVER = {("classifiers", "features")}
MODULES = sorted(ROOT.rglob("*.py"))
modules = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))


def dotted_name(path: Path) -> str:
    """Return the full name of the module or package in a file."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(path: Path) -> set[str]:
    """Return all names imported from skfewaudio, as full dotted names, wherever the import stands.

    Imports in functions and under TYPE_CHECKING count, too.
    """
    package = [ROOT.name, *path.relative_to(ROOT).parts[:-1]]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from skfewaudio import audio` names the package among the aliases.
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == ROOT.name}


def part_of(dotted: str) -> str | None:
    """Return the package, or the module beside the packages, that `skfewaudio.a.b` belongs to."""
    names = dotted.split(".")
    return names[1] if len(names) > 1 else None


def level_of(part: str) -> int:
    return LEVELS.get(part, TOP_LEVEL.get(part, 1))


def own_part(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def upward_imports(path: Path) -> list[str]:
    part = own_part(path)
    others = {other for name in imported_names(path) if (other := part_of(name))} - {part}
    return [
        f"{path.relative_to(ROOT)} imports {other}"
        for other in sorted(others)
        if (part, other) in NEVER
        or (level_of(other) >= level_of(part) and level_of(part) != 1)
        or (level_of(part) == 1 and level_of(other) > 1)
    ]


def private_imports(path: Path) -> list[str]:
    """List the imports from private modules of other packages."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for name in sorted(imported_names(path))
        if part_of(name) != own_part(path)
        and any(part.startswith("_") and not part.startswith("__") for part in name.split(".")[2:])
    ]


def module_graph() -> dict[str, set[str]]:
    """Map each module to the modules that it imports; a package stands for its __init__."""
    known = {dotted_name(path) for path in ROOT.rglob("*.py")}
    graph: dict[str, set[str]] = {}
    for path in ROOT.rglob("*.py"):
        name = dotted_name(path)
        # `from a import b` imports the module a.b if there is one, and otherwise b from a.
        targets = {found if found in known else found.rpartition(".")[0] for found in imported_names(path)}
        graph[name] = (targets & known) - {name, ROOT.name}
    return graph


def find_circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of one import circle, or an empty list."""
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for target in sorted(graph[name]):
            if circle := visit(target, [*trail, name]):
                return circle
        done.add(name)
        return []

    return next((circle for name in sorted(graph) if (circle := visit(name, []))), [])


@modules
def test_module_imports_only_what_stands_below_it(path):
    assert upward_imports(path) == []


@modules
def test_module_imports_no_private_module_of_another_package(path):
    assert private_imports(path) == []


def test_no_modules_import_each_other_in_a_circle():
    assert find_circle(module_graph()) == []


def write(tmp_path, monkeypatch, **files):
    """Write a package with some modules, and make it the one that is tested."""
    root = tmp_path / "skfewaudio"
    for name, text in {"__init__": "", **files}.items():
        path = root / f"{name.replace('__in__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(f"{__name__}.ROOT", root)
    return root


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("new__in__audio", "from ..features import LogMel"),
        ("new__in__datasets", "from skfewaudio import architectures"),
        ("new__in__architectures", "import skfewaudio.datasets.folder"),
        ("new__in__classifiers", "def f():\n    from ..features import LogMel"),
        ("_new", "from .audio import load_audio"),
    ],
)
def test_rule_finds_upward_imports(tmp_path, monkeypatch, importer, statement):
    package = importer.partition("__in__")[2]
    name = f"{package}__in__{importer.partition('__in__')[0]}" if package else importer
    root = write(tmp_path, monkeypatch, **{name: statement})
    (path,) = (path for path in root.rglob("*.py") if path.name != "__init__.py")
    assert len(upward_imports(path)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "from skfewaudio.classifiers._ridge.system import RidgeFit",
        "from skfewaudio.classifiers import _ridge",
        "from ..classifiers._base import as_clips",
        "import skfewaudio.classifiers._base",
        "if TYPE_CHECKING:\n    from skfewaudio.classifiers._base import as_clips",
    ],
)
def test_rule_finds_private_modules_of_other_packages(tmp_path, monkeypatch, statement):
    root = write(tmp_path, monkeypatch, cli__in__new=statement)
    assert len(private_imports(root / "cli" / "new.py")) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "from ._base import as_clips",
        "from skfewaudio._validation import is_path",
        "from skfewaudio import __version__",
    ],
)
def test_rule_allows_private_modules_of_the_own_package_and_beside_the_packages(
    tmp_path, monkeypatch, statement
):
    root = write(tmp_path, monkeypatch, cli__in__new=statement)
    assert private_imports(root / "cli" / "new.py") == []


@pytest.mark.parametrize(
    "back",
    [
        "from .a import f",
        "def g():\n    from . import a",
        "if TYPE_CHECKING:\n    from skfewaudio.x.a import f",
    ],
)
def test_rule_finds_circles(tmp_path, monkeypatch, back):
    write(tmp_path, monkeypatch, x__in____init__="", x__in__a="from .b import g\n\nf = 1", x__in__b=back)
    assert find_circle(module_graph()) == ["skfewaudio.x.a", "skfewaudio.x.b", "skfewaudio.x.a"]
