"""Tiny data sets on disk."""

import numpy as np
import pytest
import soundfile


@pytest.fixture
def write_clips():
    """Write short sound files of those names into a folder."""

    def _write(folder, names, rate=8000):
        for number, name in enumerate(names):
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(file, np.full(80, 0.001 * (number + 1)), rate)

    return _write
