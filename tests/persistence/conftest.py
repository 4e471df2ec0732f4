"""Clips, fitted models and model files."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfewaudio import MFCC, LogMel, SkorchCNN, save_model

SAMPLE_RATE = 8000


@pytest.fixture(scope="session")
def clips():
    """Six clips of noise, 0.5 s at 8 kHz, in two classes; the second class has a tone added."""
    rng = np.random.default_rng(0)
    X = rng.normal(0, 0.1, (6, SAMPLE_RATE // 2)).astype(np.float32)
    X[3:] += np.sin(np.arange(X.shape[1]))
    return X, np.array(["wind"] * 3 + ["horn"] * 3)


@pytest.fixture(scope="session")
def log_mel():
    return LogMel(sample_rate=SAMPLE_RATE, n_fft=512, hop_length=64, n_mels=32, fmax=None)


@pytest.fixture(scope="session")
def spectrograms(clips, log_mel):
    return log_mel.fit_transform(clips[0]), clips[1]


@pytest.fixture(scope="session")
def small_cnn():
    """Factory of a network that trains quickly."""

    def make(**params):
        defaults = {"architecture": "vgg", "architecture_params": {"n_filters": 4}, "patch_frames": 32}
        return SkorchCNN(**(defaults | {"max_epochs": 2, "random_state": 0} | params))

    return make


@pytest.fixture
def neighbours(clips):
    """A fitted pipeline without a network."""
    return make_pipeline(MFCC(sample_rate=SAMPLE_RATE), KNeighborsClassifier(1)).fit(*clips)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pets.model"


@pytest.fixture
def saved(neighbours, path):
    """The model file of that pipeline."""
    save_model(neighbours, path)
    return path


@pytest.fixture(scope="session")
def content(tmp_path_factory):
    """The bytes of a model file with a network."""
    X = np.random.default_rng(0).normal(size=(4, 6))
    model = make_pipeline(StandardScaler(), SkorchCNN(max_epochs=1, random_state=0)).fit(X, list("abab"))
    path = tmp_path_factory.mktemp("models") / "good.model"
    save_model(model, path)
    return path.read_bytes()
