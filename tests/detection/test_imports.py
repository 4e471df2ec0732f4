"""Modules that a search for events imports."""

import subprocess
import sys

import pytest

# FFmpeg, and what only other detectors and the training of networks use.
UNUSED = {"av", "skorch", "scipy.signal", "matplotlib", "librosa", "numba", "dask", "skfewaudio.datasets"}


@pytest.mark.slow
def test_search_of_a_wav_file_imports_only_what_it_uses(tmp_path):
    code = f"""
import sys, numpy as np, soundfile
from skfewaudio.detection import EventDetector, detect_events
soundfile.write({str(tmp_path / "night.wav")!r}, np.random.default_rng(0).normal(0, 0.1, 160000), 16000)
clips = [(np.sin(pitch * np.arange(8000)), 16000) for pitch in (0.2, 0.21, 1.2, 1.3)]
detector = EventDetector().fit(clips, ["low", "low", "high", "high"])
detect_events(detector, {str(tmp_path / "night.wav")!r})
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert UNUSED & set(done.stdout.split()) == set()
