"""Fixtures shared by the whole suite."""

import os
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
