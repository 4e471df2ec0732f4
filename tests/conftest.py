"""Fixtures shared by the whole suite."""

import contextlib
import importlib.util
import os
import sys
from pathlib import Path

import pytest

# Threads of parallel test processes would compete for the cores.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with `data` and `golden`: real recordings and reference numbers, kept outside the project."""
    default = Path(__file__).resolve().parents[2] / "shared"
    root = Path(os.environ.get("SKFEWAUDIO_TEST_DATA", default))
    if not (root / "data" / "ESC-50-master").is_dir():
        pytest.skip(
            "real recordings not found; set SKFEWAUDIO_TEST_DATA to the folder that holds data/ESC-50-master"
        )
    return root


def load_helper(name):
    """Import a module beside this file, which is no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@contextlib.contextmanager
def open_chromium(profile):
    """Open a headless browser; the test is skipped if there is none."""
    helper = load_helper("chromium")
    program = helper.find_chromium()
    if program is None:
        pytest.skip("no Chromium found")
    browser = helper.Chromium(program, profile)
    yield browser
    browser.close()


@pytest.fixture
def chromium(tmp_path):
    """A headless browser."""
    with open_chromium(tmp_path / "profile") as browser:
        yield browser


@pytest.fixture(scope="module")
def shared_chromium(tmp_path_factory):
    """A headless browser for all tests of a module."""
    with open_chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser
