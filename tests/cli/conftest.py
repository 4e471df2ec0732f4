"""Folders of tones and noises, and a model that classifies them."""

import numpy as np
import pytest
import soundfile

from skfewaudio.cli import main

RATE = 16000


def write_tones_and_noises(root, n_clips, seed=0):
    """Write a folder per class, with clips of 0.25 s."""
    rng = np.random.default_rng(seed)
    time = np.arange(RATE // 4) / RATE
    for k in range(n_clips):
        sounds = {
            "tone": np.sin(2 * np.pi * (300 + 50 * k + seed) * time),
            "noise": rng.normal(size=RATE // 4),
        }
        for name, sound in sounds.items():
            (root / name).mkdir(parents=True, exist_ok=True)
            soundfile.write(root / name / f"{k}.wav", 0.1 * sound, RATE)


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Folder of two classes with four clips each."""
    root = tmp_path_factory.mktemp("clips")
    write_tones_and_noises(root, 4)
    return root


@pytest.fixture
def other_clips(tmp_path):
    """Folder of other clips of the same classes, which a test may change."""
    write_tones_and_noises(tmp_path / "other", 2, seed=7)
    return tmp_path / "other"


@pytest.fixture(scope="session")
def model(clips, tmp_path_factory):
    """File of a trained model."""
    path = tmp_path_factory.mktemp("model") / "sounds.model"
    options = ["--pipeline", "mfcc-1nn", "--device", "cpu", "--no-evaluate"]
    assert main(["train", str(clips), "-o", str(path), *options]) == 0
    return path
