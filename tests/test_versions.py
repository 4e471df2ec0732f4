"""The pinned versions agree with each other and with the project's requirements."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TESTED_EXTRAS = ("accelerate", "dask", "label", "plot", "test")


def read_pins(name: str) -> dict[str, Version]:
    """Return the version of each package that a file of pinned requirements lists."""
    lines = [
        line.split()[0] for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if "==" in line
    ]
    pairs = [line.split("==") for line in lines]
    return {canonicalize_name(package): Version(version) for package, version in pairs}


def list_requirements() -> list[Requirement]:
    """Return what the package and its tests require, and what builds it."""
    extras = PROJECT["project"]["optional-dependencies"]
    groups = [PROJECT["build-system"]["requires"], PROJECT["project"]["dependencies"]]
    groups += [extras[extra] for extra in TESTED_EXTRAS]
    requirements = [Requirement(text) for group in groups for text in group]
    return [requirement for requirement in requirements if requirement.name != PROJECT["project"]["name"]]


@pytest.mark.parametrize("requirement", list_requirements(), ids=lambda requirement: requirement.name)
def test_the_lowest_allowed_version_is_the_one_that_is_tested(requirement):
    (specifier,) = requirement.specifier
    assert specifier.operator == ">="
    assert read_pins("constraints-lowest.txt")[canonicalize_name(requirement.name)] == Version(
        specifier.version
    )


@pytest.mark.parametrize("requirement", list_requirements(), ids=lambda requirement: requirement.name)
def test_every_requirement_is_pinned_in_continuous_integration(requirement):
    assert read_pins("constraints.txt")[canonicalize_name(requirement.name)] in requirement.specifier


def test_packages_with_digests_are_those_of_the_constraints():
    assert read_pins("requirements-ci.txt") == read_pins("constraints.txt")


def test_every_package_of_continuous_integration_has_a_digest():
    lines = (ROOT / "requirements-ci.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert [line for line in lines if " --hash=sha256:" not in line] == []
