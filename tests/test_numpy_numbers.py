"""Parameters of every public estimator may be numbers of NumPy, as searches over arrays pass them."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone

from skfewaudio import augmentation, classifiers, features, make_few_shot_classifier, model_selection
from skfewaudio._embedded_clips import is_embedded
from skfewaudio.augmentation import BackgroundNoise
from skfewaudio.classifiers import CalibratedRidgeClassifier, PatchClassifier
from skfewaudio.features import MFCC, BlockScaler, LogMel

RATE = 8000
NUMPY_TYPES = {
    "64 bits": {bool: np.bool_, int: np.int64, float: np.float64},
    "32 bits": {bool: np.bool_, int: np.int32, float: np.float32},
}
# Values of parameters that are not numbers by default, and cheaper ones. The numbers are unusual, so that no
# cache holds the results of the same numbers of Python. All floats are exact in 32 bits.
WAVEFORM = {"sample_rate": RATE, "n_threads": 1, "channel": 0}
MEL = {"n_fft": 260, "hop_length": 130, "win_length": 256, "n_mels": 23, "fmax": 3500.0, "norm": 1.0}
NETWORK = {
    **{"architecture_params": {"n_filters": 4}, "patch_frames": 33, "hop_frames": 3, "batch_size": 5},
    **{"learning_rate": 0.0625, "backbone_learning_rate": 0.03125, "gradient_clip": 2.0, "max_epochs": 2},
    **{"mixed_precision": False, "random_state": 3, "patience": 3},
}
PARAMS = {
    "AugmentedClassifier": {"augmentation": BackgroundNoise(), "copy_weight": 0.375, "random_state": 3},
    "BlockScaler": {"block_sizes": [5, 7]},
    "BlockClassifier": {"prior": [1.0]},
    "CachedFeatures": {"max_size": 10**9, "n_at_once": 3},
    "CalibratedRidgeClassifier": {"penalty": 0.125, "false_rejection_rate": 0.25},
    "ELMClassifier": {"n_hidden": 20, "penalty": 0.125, "random_state": 3, "alpha": 0.5},
    "ELMRegressor": {"n_hidden": 20, "penalty": 0.125, "random_state": 3, "alpha": 0.5},
    "LogMel": WAVEFORM | MEL | {"offset": 0.5, "amin": 2.0**-33},
    "MFCC": WAVEFORM | MEL | {"lifter": 2.0},
    "PatchClassifier": {"patch_frames": 3, "hop_frames": 2, "batch_size": 4},
    "PretrainedEmbed": {"hop": 0.125, "window": 0.25, "sample_rate": RATE, "batch_size": 3, "n_threads": 1},
    "PrototypicalClassifier": NETWORK | {"architecture": "vgg", "embedding_size": 6},
    "RandomCNNFeatures": WAVEFORM | {"architecture": "single_layer", "n_filters": 3, "duration": 0.5},
    "RawWaveform": WAVEFORM,
    "SkorchCNN": NETWORK | {"architecture": "vgg", "weight_decay": 2.0**-9, "validation_split": 0.5},
    "SoundEmbed": {"n_threads": 1},
    "SpectrogramStatistics": {"n_filters": 3, "n_regions": 2, "scale": 12.5, "random_state": 3},
    "SpectrogramWithEmbeddings": {},
    "TimeNormalizedSpectrogram": {"n_bands": 7, "n_steps": 5, "active_db": 30.5, "range_db": 50.5},
    "SubsampledClassifier": {"n_shots": 3, "random_state": 3},
}
TAKE_SPECTROGRAMS = {
    *(
        "AugmentedClassifier",
        "PatchClassifier",
        "PrototypicalClassifier",
        "SkorchCNN",
        "SoundEmbed",
        "SpectrogramStatistics",
        "TimeNormalizedSpectrogram",
    )
}
TAKE_WAVEFORMS = {
    *("LogMel", "MFCC", "RandomCNNFeatures", "RawWaveform", "CachedFeatures", "PretrainedEmbed"),
    "SpectrogramWithEmbeddings",
}
NEEDS_WEIGHTS = {"VGGishEmbed"}
ESTIMATORS = {
    name: estimator
    for package in (features, classifiers, model_selection)
    for name in package.__all__
    if isinstance(estimator := getattr(package, name), type) and issubclass(estimator, BaseEstimator)
}
AUGMENTATIONS = {
    name: kind
    for name, kind in vars(augmentation).items()
    if isinstance(kind, type) and issubclass(kind, augmentation.Augmentation) and name != "Augmentation"
}


class Maximum:
    """Network of one number."""

    sample_rate, window = 44100, 1.0

    def embed(self, batch):
        return batch.max(axis=1, keepdims=True)


def convert(value, types):
    if isinstance(value, dict):
        return {name: convert(item, types) for name, item in value.items()}
    if isinstance(value, list):
        return [convert(item, types) for item in value]
    return types[type(value)](value) if type(value) in types else value


def as_numpy(estimator, types):
    """Return a copy with every number among the parameters converted to a type of NumPy."""
    params = estimator.get_params(deep=False)
    return clone(estimator).set_params(**{name: convert(value, types) for name, value in params.items()})


def make(name, location):
    required = {
        "AugmentedClassifier": [PatchClassifier()],
        "BlockClassifier": [[("all", BlockScaler([5, 7]))], CalibratedRidgeClassifier()],
        "CachedFeatures": [MFCC(sample_rate=RATE)],
        "PretrainedEmbed": [Maximum()],
        "SpectrogramWithEmbeddings": [LogMel(sample_rate=RATE), [("mfcc", MFCC(sample_rate=RATE))]],
        "SubsampledClassifier": [CalibratedRidgeClassifier()],
    }
    estimator = ESTIMATORS[name](*required.get(name, []), **PARAMS[name])
    return estimator.set_params(location=location) if name == "CachedFeatures" else estimator


def data_for(name):
    rng = np.random.default_rng(0)
    if name in TAKE_WAVEFORMS:
        return 0.1 * rng.standard_normal((12, RATE // 4))
    if name in TAKE_SPECTROGRAMS:
        return rng.standard_normal((12, 32, 36)) + 3 * np.repeat([0, 1], 6)[:, None, None]
    return rng.standard_normal((12, 12)) + 3 * np.repeat([0, 1], 6)[:, None]


def results(estimator, X):
    y = np.repeat(["rain", "wind"], 6) if estimator.__sklearn_tags__().classifier_tags else np.arange(12.0)
    estimator.fit(X, y)
    for method in ("decision_function", "predict_proba", "predict", "transform"):
        if hasattr(estimator, method):
            found = getattr(estimator, method)(X)
            return np.stack([clip.embeddings["mfcc"] for clip in found] if is_embedded(found) else found)
    raise AssertionError("no results")


def test_every_public_estimator_is_tested():
    assert set(ESTIMATORS) == set(PARAMS) | NEEDS_WEIGHTS


@pytest.mark.parametrize("types", NUMPY_TYPES.values(), ids=NUMPY_TYPES)
@pytest.mark.parametrize("name", sorted(PARAMS))
def test_numbers_of_numpy_give_the_results_of_python_numbers(name, types, tmp_path):
    estimator, X = make(name, tmp_path), data_for(name)
    found = results(as_numpy(estimator, types), X)
    np.testing.assert_allclose(found, results(estimator, X), rtol=1e-6)


@pytest.mark.parametrize("types", NUMPY_TYPES.values(), ids=NUMPY_TYPES)
@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
def test_augmentations_take_numbers_of_numpy(name, types):
    def apply(method):
        generator = torch.Generator().manual_seed(0)
        return method(torch.randn(4, 24, 20, generator=generator), torch.eye(4), generator)[0]

    method = AUGMENTATIONS[name]()
    torch.testing.assert_close(apply(as_numpy(method, types)), apply(method), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("types", NUMPY_TYPES.values(), ids=NUMPY_TYPES)
def test_the_few_shot_classifier_takes_numbers_of_numpy(types):
    params = {"sample_rate": RATE, "n_mels": 23, "n_copies": 1, "random_state": 5, "semi_supervised": False}
    X, y = data_for("LogMel"), np.repeat(["rain", "wind"], 6)
    models = [make_few_shot_classifier(**values).fit(X, y) for values in (convert(params, types), params)]
    np.testing.assert_array_equal(models[0].predict_proba(X), models[1].predict_proba(X))
