"""Every public name has an entry in the API reference."""

import importlib
import re
from pathlib import Path

import pytest

API = Path(__file__).parents[1] / "docs" / "api"
MODULES = sorted(path.stem for path in API.glob("*.rst") if path.stem != "index")


def public_names(module):
    """Return `__all__`, or the classes and functions that a module without it defines."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    return {
        name
        for name, obj in vars(module).items()
        if not name.startswith("_") and getattr(obj, "__module__", "").startswith(module.__name__)
    }


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_on_the_page_of_its_module(name):
    module = importlib.import_module(f"skfewaudio.{name}")
    page = (API / f"{name}.rst").read_text(encoding="utf-8")
    listed = set(re.findall(r"^   (\w+)$", page, re.MULTILINE)) | set(re.findall(r"data:: (\w+)", page))
    assert public_names(module) - listed == set()


def test_every_public_module_has_a_page():
    root = Path(importlib.import_module("skfewaudio").__file__).parent
    public = {path.stem for path in root.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {name for name in public if not name.startswith("_")} - {"cli", "benchmarking"} == set(MODULES)


def names_in_the_index():
    """Return the names of the index, such as `features.LogMel`; some follow the name of their module."""
    names, module = set(), ""
    for line in (API / "index.rst").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\.\. currentmodule:: (?:skfewaudio\.)?(\w+)", line):
            module = found[1]
        elif found := re.fullmatch(r"   (\w+)", line):
            names.add(f"{module}.{found[1]}")
        names |= set(re.findall(r"~skfewaudio\.([\w.]+)", line))
    return names


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_in_the_index(name):
    public = {f"{name}.{each}" for each in public_names(importlib.import_module(f"skfewaudio.{name}"))}
    assert public - names_in_the_index() == set()
