"""Classification with random features, and with the same networks after training."""

import numpy as np
import pytest
import soundfile as sf
import torch
from sklearn.model_selection import PredefinedSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skfewaudio import LogMel, SkorchCNN
from skfewaudio.datasets import load_synthetic

SECOND = 12000
SPECTROGRAM, WAVEFORM = "single_layer", "sample_level"
of_either_kind = pytest.mark.parametrize("architecture", [SPECTROGRAM, WAVEFORM])


@pytest.fixture(scope="module")
def dataset():
    return load_synthetic(4, n_folds=2, duration=0.5, sample_rate=SECOND, snr_db=(20, 35))


@of_either_kind
@pytest.mark.parametrize("kind", ["arrays", "paths"])
def test_a_pipeline_is_cross_validated_on_arrays_and_paths(architecture, kind, dataset, tmp_path, make):
    X = list(dataset.X)
    if kind == "paths":
        X = [tmp_path / f"{index}.wav" for index in range(len(X))]
        for path, clip in zip(X, dataset.X, strict=True):
            sf.write(path, clip, SECOND, subtype="FLOAT")
    model = make_pipeline(make(architecture, n_features=150), StandardScaler(), SVC())
    accuracy = cross_val_score(model, X, dataset.y, cv=PredefinedSplit(dataset.folds))
    assert accuracy.mean() > 0.2  # ten classes, two training clips per class


def test_the_same_network_can_be_trained_on_spectrograms(dataset):
    keep = np.isin(dataset.y, np.unique(dataset.y)[:3])
    X, y = [clip for clip, kept in zip(dataset.X, keep, strict=True) if kept], dataset.y[keep]
    classifier = SkorchCNN(
        "single_layer",
        architecture_params={"n_filters": 16, "input_norm": "band"},
        optimizer=torch.optim.Adam,
        learning_rate=1e-3,
        max_epochs=30,
        random_state=0,
    )
    model = make_pipeline(LogMel.from_preset("random-cnn"), classifier)
    accuracy = cross_val_score(model, X, y, cv=PredefinedSplit(dataset.folds[keep]))
    assert accuracy.mean() > 0.5  # three classes


def test_the_same_network_can_be_trained_on_waveforms():
    rng = np.random.default_rng(0)
    t = np.arange(3000) / SECOND
    pitch = np.tile([100, 3000], 8)
    X = np.sin(2 * np.pi * pitch[:, None] * t + rng.uniform(0, 6, (16, 1)))[:, None]
    classifier = SkorchCNN(
        "sample_level",
        architecture_params={"n_filters": 8, "input_norm": "all"},
        patch_frames=2187,
        optimizer=torch.optim.Adam,
        learning_rate=1e-2,
        max_epochs=25,
        random_state=0,
    )
    classifier.fit(X[:8], pitch[:8])
    assert (classifier.predict(X[8:]) == pitch[8:]).mean() == 1.0
