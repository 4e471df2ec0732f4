"""Separate cache directory for every test."""

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Path of the empty cache directory."""
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
