"""Clips on disk, a request that is soon done, and a finished run."""

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
import soundfile

from skfewaudio.benchmarking import main

TINY = ["--n-shots", "1", "2", "--n-repeats", "2", "--n-jobs", "1", "--device", "cpu", "--no-cache"]
FAST = ["--pipelines", "random", "mfcc-1nn"]


def request_for(clips, output):
    return ["--dataset", "folder", "--data-home", str(clips), "--output", str(output), *TINY, *FAST]


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Folder of two classes, five tones and five noises of a quarter of a second."""
    root = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    time = np.arange(4000) / 16000
    for k in range(5):
        for name, sound in {
            "tone": np.sin(2 * np.pi * (300 + 50 * k) * time),
            "noise": rng.normal(size=4000),
        }.items():
            (root / name).mkdir(exist_ok=True)
            soundfile.write(root / name / f"{k}.wav", 0.1 * sound, 16000)
    return root


@pytest.fixture
def options(clips, tmp_path):
    return request_for(clips, tmp_path / "out")


@pytest.fixture(scope="session")
def finished(clips, tmp_path_factory):
    """Give the folder of a finished run, and what it printed and said meanwhile; to be left as it is."""
    folder = tmp_path_factory.mktemp("run") / "out"
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        assert main(request_for(clips, folder)) == 0
    return folder, out.getvalue(), err.getvalue()


@pytest.fixture
def first_run(finished, tmp_path):
    """Put a finished run where the options have theirs."""
    return shutil.copytree(finished[0], tmp_path / "out")
