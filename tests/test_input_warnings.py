"""Warnings about input that is valid but probably a mistake."""

import warnings

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from skfewaudio import (
    AugmentedClassifier,
    BlockScaler,
    CalibratedRidgeClassifier,
    ELMClassifier,
    LogMel,
    PatchClassifier,
    PrototypicalClassifier,
    SkorchCNN,
    SpectrogramStatistics,
    load_model,
    make_few_shot_classifier,
    save_model,
)
from skfewaudio.datasets import load_synthetic
from skfewaudio.exceptions import InputWarning

RATE = 22050


@pytest.fixture(scope="module")
def sounds():
    """Clips of half a second, as a matrix, and their labels."""
    data = load_synthetic(2, duration=0.5, n_folds=2)
    n_samples = min(map(len, data.X))
    return np.array([clip[:n_samples] for clip in data.X]), data.y


CLASSIFIERS = [
    ELMClassifier(20),
    PatchClassifier(),
    PrototypicalClassifier(),
    SkorchCNN(max_epochs=1),
    SkorchCNN("linear_probe", max_epochs=1),
]


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda c: type(c).__name__)
def test_waveforms_passed_as_feature_vectors_warn(classifier, sounds):
    with pytest.warns(InputWarning, match=r"looks like 20 waveforms of \d+ samples.*LogMel"):
        classifier.fit(*sounds)


FEATURES = {
    "statistics": lambda S: SpectrogramStatistics().fit_transform(S),
    "scaled statistics": lambda S: StandardScaler().fit_transform(SpectrogramStatistics().fit_transform(S)),
    "blocks": lambda S: BlockScaler().fit_transform(SpectrogramStatistics().fit_transform(S)),
    "spectrograms": lambda S: S.reshape(len(S), -1),
    "scaled spectrograms": lambda S: StandardScaler().fit_transform(S.reshape(len(S), -1)),
    "centred spectrograms": lambda S: (S - S.mean(axis=(1, 2), keepdims=True)).reshape(len(S), -1),
    "normalised": lambda S: Normalizer().fit_transform(S.reshape(len(S), -1)),
    "noise": lambda S: np.random.default_rng(0).normal(size=(len(S), 3000)),
    "constant": lambda S: np.ones((len(S), 3000)),
    "zero": lambda S: np.zeros((len(S), 3000)),
}


@pytest.mark.parametrize("name", FEATURES)
def test_long_feature_vectors_do_not_warn(name, sounds):
    X, y = sounds
    PrototypicalClassifier().fit(FEATURES[name](LogMel(sample_rate=RATE).transform(X)), y)


def test_network_of_the_caller_may_take_waveforms(sounds):
    import torch

    class Network(torch.nn.Module):
        def __init__(self, n_outputs, n_mels, n_frames):
            super().__init__()
            self.output = torch.nn.Linear(n_mels, n_outputs)

        def forward(self, x):
            return self.output(x.flatten(1))

    SkorchCNN(Network, max_epochs=1).fit(*sounds)


def pad(X, n_zeros):
    return list(np.pad(X, [(0, 0), (0, n_zeros)]))


def make_statistics():
    return make_pipeline(LogMel(sample_rate=RATE), SpectrogramStatistics(), CalibratedRidgeClassifier())


# These leave silence at the ends of clips out, so that there is nothing to warn of.
CROPPING = {
    "few-shot": lambda: make_few_shot_classifier(sample_rate=RATE, n_copies=1),
    "not augmented": lambda: make_few_shot_classifier(sample_rate=RATE, augmentation=None),
}
MODELS = {
    "statistics": make_statistics,
    "prototypes": lambda: make_pipeline(LogMel(sample_rate=RATE), PrototypicalClassifier(None)),
    "patches": lambda: make_pipeline(LogMel(sample_rate=RATE), PatchClassifier(patch_frames=4)),
    "wrapped": lambda: make_pipeline(
        LogMel(sample_rate=RATE), AugmentedClassifier(PatchClassifier(patch_frames=4))
    ),
}
every_model = pytest.mark.parametrize("model", (MODELS | CROPPING).values(), ids=MODELS | CROPPING)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_padding_of_new_clips_alone_warns(model, sounds):
    X, y = sounds
    fitted = model().fit(list(X), y)
    with pytest.warns(InputWarning, match=r"20 of 20 clips end in silence, for \d+% .* pass a list of clips"):
        fitted.predict(pad(X, X.shape[1]))


@every_model
def test_padding_of_training_clips_too_does_not_warn(model, sounds):
    X, y = sounds
    model().fit(pad(X, X.shape[1]), y).predict(pad(X, X.shape[1]))
    model().fit(pad(X, X.shape[1]), y).predict(list(X))


@every_model
def test_little_or_rare_padding_does_not_warn(model, sounds):
    X, y = sounds
    fitted = model().fit(list(X), y)
    fitted.predict(pad(X, X.shape[1] // 8))
    fitted.predict([*X[:4], *pad(X[:3], X.shape[1])])


@every_model
def test_silence_is_not_padding(model, sounds):
    X, y = sounds
    model().fit(X, y).predict(np.zeros_like(X))


@pytest.mark.parametrize("model", CROPPING.values(), ids=CROPPING)
def test_padding_hardly_changes_predictions_of_the_few_shot_classifier(model, sounds):
    X, y = sounds
    fitted = model().fit(list(X), y)
    expected = fitted.predict_proba(list(X))
    np.testing.assert_allclose(fitted.predict_proba(pad(X, X.shape[1])), expected, atol=0.02)


def test_padding_warns_after_loading(sounds, tmp_path):
    X, y = sounds
    save_model(make_statistics().fit(list(X), y), tmp_path / "m.model")
    with pytest.warns(InputWarning, match="end in silence"):
        load_model(tmp_path / "m.model").predict(pad(X, X.shape[1]))


def test_models_of_earlier_versions_do_not_warn(sounds):
    X, y = sounds
    model = MODELS["prototypes"]().fit(list(X), y)
    del model[-1].max_silence_
    model.predict(pad(X, X.shape[1]))


def test_statistics_compare_with_fit_only(sounds):
    spectrograms = LogMel(sample_rate=RATE).transform(pad(sounds[0], 20000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SpectrogramStatistics().transform(spectrograms)
        SpectrogramStatistics().fit_transform(spectrograms)
