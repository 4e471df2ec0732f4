"""Fixtures: clips on disk, options of a fast run, and a finished run."""

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
import soundfile

from skfewaudio.benchmarking import main

TINY = ["--n-shots", "1", "2", "--n-repeats", "2", "--n-jobs", "1", "--device", "cpu", "--no-cache"]
FAST = ["--pipelines", "random", "mfcc-1nn"]


def make_options(clips, output):
    return ["--dataset", "folder", "--data-home", str(clips), "--output", str(output), *TINY, *FAST]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep the digests of files that every run stores apart from the user's cache."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SKFEWAUDIO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Return a folder of two classes: five tones and five noises of a quarter of a second."""
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
    return make_options(clips, tmp_path / "out")


@pytest.fixture(scope="session")
def finished(clips, tmp_path_factory):
    """Return the folder of a finished run, its stdout and its stderr. Tests must not change the folder."""
    folder = tmp_path_factory.mktemp("run") / "out"
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        assert main(make_options(clips, folder)) == 0
    return folder, out.getvalue(), err.getvalue()


@pytest.fixture
def first_run(finished, tmp_path):
    """Copy a finished run to the output folder of `options`."""
    return shutil.copytree(finished[0], tmp_path / "out")
