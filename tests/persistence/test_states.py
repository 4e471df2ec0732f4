"""What loads without trust is safe to predict with: states that are not are refused by name."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.svm import SVC

from skfewaudio import (
    MFCC,
    CachedFeatures,
    CalibratedRidgeClassifier,
    ELMClassifier,
    LogMel,
    RandomCNNFeatures,
    augmentation,
    classifiers,
    features,
    load_model,
    model_selection,
    save_model,
)
from skfewaudio.classifiers.saved_state import full_name
from skfewaudio.exceptions import ModelFileError, UntrustedTypeError
from skfewaudio.persistence._states.known import STATES

X = np.random.default_rng(0).normal(size=(20, 3))
Y = np.arange(20) % 2


def neighbours(**params):
    return KNeighborsClassifier(3, algorithm="brute", **params)


def refused(model, path, match):
    """Save a model with a changed state, and check that it is refused."""
    save_model(model, path)
    with pytest.raises(ModelFileError, match=match) as caught:
        load_model(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("package", [features, augmentation, classifiers, model_selection])
def test_every_estimator_of_the_package_has_a_state(package):
    exported = [getattr(package, name) for name in package.__all__]
    estimators = [kind for kind in exported if isinstance(kind, type) and issubclass(kind, BaseEstimator)]
    assert [kind for kind in estimators if full_name(kind) not in STATES] == []


# States of scikit-learn's estimators


@pytest.mark.parametrize("label", [-1, 2, 1000, 100_000_000])
def test_class_number_outside_of_the_classes_is_refused(label, path):
    model = make_pipeline(neighbours(metric="manhattan")).fit(X, Y)
    model[-1]._y = np.full(20, label)
    refused(
        model, path, rf"its steps\[0\]\[1\]\._y is .* from {label} to {label}; expected integers from 0 to 1"
    )


def test_uniform_neighbours_without_the_exponent_of_their_metric_are_refused(path):
    refused(neighbours().fit(X, Y).set_params(p=None), path, "has p=None, which metric='minkowski' needs")


@pytest.mark.parametrize("params", [{"weights": "distance"}, {"metric": "euclidean"}])
def test_neighbours_that_do_not_use_the_exponent_load_without_it(params, path):
    model = neighbours(**params).fit(X, Y).set_params(p=None)
    save_model(model, path)
    np.testing.assert_array_equal(load_model(path).predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("_n_support", lambda array: array + 100, "_n_support counts 2"),
        ("support_", lambda array: array[:-1], "support_ is an array of int32"),
        ("support_vectors_", lambda array: array[:, :-1], "support_vectors_ is an array"),
        ("_dual_coef_", np.asfortranarray, None),
        ("_dual_coef_", lambda array: array.T.copy(), "_dual_coef_ is an array"),
        ("_dual_coef_", lambda array: array.astype(np.float32), "_dual_coef_ is an array of float32"),
        ("_intercept_", lambda array: array[:0], "_intercept_ is an array"),
        ("_gamma", lambda gamma: np.nan, "_gamma is nan"),
        ("_probA", lambda array: np.zeros(1), "_probA and a _probB of different shapes"),
        ("classes_", lambda classes: np.arange(5), "is an array"),
        ("kernel", lambda kernel: "precomputed", "kernel is 'precomputed'"),
        ("degree", lambda degree: 10**12, "degree is 1000000000000"),
    ],
)
def test_support_vectors_that_do_not_fit_together_are_refused(name, change, message, path):
    model = SVC().fit(X, Y)
    setattr(model, name, change(getattr(model, name)))
    if message is not None:
        refused(model, path, message)


@pytest.mark.parametrize(
    "change",
    [
        lambda coef: np.full_like(coef, np.nan),
        lambda coef: np.full_like(coef, 1e300),
        lambda coef: coef[:, :-1],
        lambda coef: coef[None],
        lambda coef: coef.astype(">f8"),
        lambda coef: coef.astype(np.float16),
        lambda coef: coef.astype(object),
        lambda coef: np.repeat(coef, 100, axis=0),
        lambda coef: coef.tolist(),
        lambda coef: None,
    ],
)
def test_coefficients_of_another_shape_type_or_range_are_refused(change, path):
    model = LogisticRegression().fit(X, Y)
    model.coef_ = change(model.coef_)
    refused(model, path, r"its coef_ is .*; expected")


def test_missing_attribute_is_named(path):
    model = make_pipeline(StandardScaler()).fit(X)
    del model[0].scale_
    refused(model, path, r"its steps\[0\]\[1\] is a StandardScaler without scale_")


@pytest.mark.parametrize("name", ["predict", "new_", "_validate_params"])
def test_attribute_that_no_fit_sets_is_refused(name, path):
    model = LogisticRegression().fit(X, Y)
    setattr(model, name, np.log)
    refused(model, path, f"LogisticRegression with an unknown attribute, '{name}'")


def test_container_of_outputs_that_set_output_never_stores_is_refused(path):
    model = StandardScaler().fit(X)
    model._sklearn_output_config = {"transform": None}
    refused(model, path, r"_sklearn_output_config is None; expected one of 'default', 'pandas', 'polars'")


def test_steps_of_other_widths_are_refused(path):
    model = make_pipeline(StandardScaler().fit(X), LogisticRegression().fit(X[:, :2], Y))
    refused(model, path, "has a LogisticRegression of 2 features; expected 3")


def test_ridge_classifier_without_classes_is_refused(path):
    model = RidgeClassifier().fit(X, Y)
    if vars(model).pop("classes_", None) is None:
        pytest.skip("in scikit-learn 1.6, classes_ is no part of the state")
    refused(model, path, "has other classes_ than its label binarizer")


def repeat_columns(n_times):
    return FeatureUnion([(f"part{i}", "passthrough") for i in range(n_times)])


def test_unions_that_multiply_columns_without_bounds_are_refused(path):
    normalizer, classifier = Normalizer().fit(X), DummyClassifier().fit(X, Y)
    del normalizer.n_features_in_, classifier.n_features_in_
    inner = MultiOutputClassifier(make_pipeline(repeat_columns(30), classifier)).fit(X, Y[:, None])
    refused(
        make_pipeline(normalizer, repeat_columns(40), inner),
        path,
        "computes 1200 times as many columns as it takes",
    )


@pytest.mark.parametrize("function", [np.add, np.isnat])
def test_function_of_other_arguments_is_refused(function, path):
    refused(FunctionTransformer(function).fit(X), path, f"is the function {function.__name__}")


def test_random_generator_beyond_its_values_is_refused(path):
    model = DummyClassifier(strategy="uniform", random_state=np.random.RandomState(0)).fit(X, Y)
    state = model.random_state.get_state(legacy=False)
    state["state"]["pos"] = 10**6
    model.random_state.set_state(state)
    refused(model, path, "its random_state is a random generator at position 1000000; expected 0 to 624")


def test_models_whose_steps_share_a_random_state_are_saved(path):
    shared = np.random.RandomState(0)
    model = make_pipeline(PCA(2, random_state=shared), ELMClassifier(5, random_state=shared)).fit(X, Y)
    save_model(model, path)
    loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded[0].random_state is loaded[1].random_state


def test_search_loads_without_trust(path):
    search = GridSearchCV(neighbours(), {"n_neighbors": [1, 3]}, cv=2, scoring="balanced_accuracy").fit(X, Y)
    save_model(search, path)
    loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict(X), search.predict(X))
    assert loaded.score(X, Y) == search.score(X, Y)


def test_estimator_whose_state_is_not_checked_is_refused_by_name(path):
    model = KMeans(2, n_init=1, random_state=0).fit(X)
    save_model(model, path)
    with pytest.raises(UntrustedTypeError) as caught:
        load_model(path)
    assert caught.value.names == ["sklearn.cluster._kmeans.KMeans"]
    np.testing.assert_array_equal(load_model(path, trusted=caught.value.names).predict(X), model.predict(X))


def test_state_of_a_trusted_class_is_not_checked(path):
    model = LogisticRegression().fit(X, Y)
    model.note_ = "mine"
    save_model(model, path)
    assert load_model(path, trusted=[LogisticRegression]).note_ == "mine"


def test_error_names_the_class_to_trust(path):
    model = make_pipeline(neighbours()).fit(X, Y)
    model[-1].n_neighbors = 21
    save_model(model, path)
    kind = "sklearn.neighbors._classification.KNeighborsClassifier"
    with pytest.raises(ModelFileError, match=rf"n_neighbors=21 of 20 samples.*trusted=\['{kind}'\]"):
        load_model(path)
    assert isinstance(load_model(path, trusted=[kind])[-1], KNeighborsClassifier)


# States of this package's estimators


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature_", 0.0),
        ("temperature_", float("nan")),
        ("threshold_", float("nan")),
        ("coef_", np.zeros((2, 4))),
        ("intercept_", np.zeros(3)),
        ("classes_", np.array(["a", "a"])),
        ("classes_", np.array([["a", "b"]])),
    ],
)
def test_ridge_of_wrong_values_is_refused(name, value, path):
    model = CalibratedRidgeClassifier().fit(X, Y)
    setattr(model, name, value)
    refused(model, path, name)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"n_mels": 10**9}, "n_mels is 1000000000"),
        ({"n_fft": 2**30}, "n_fft is 1073741824"),
        ({"hop_length": 1}, "has n_fft=2048 with hop_length=1"),
        ({"n_mels": 1024, "hop_length": 32, "n_fft": 512}, "has n_mels=1024 with hop_length=32"),
        ({"sample_rate": 10**9}, "sample_rate is 1000000000"),
        ({"fmin": 1e6}, "fmin"),
        ({"window": ("gaussian", 0.0)}, "computes NaN"),
        ({"top_db": -1.0}, "top_db"),
        ({"amin": float("nan")}, "amin"),
    ],
)
def test_spectrograms_of_absurd_sizes_are_refused(params, match, path):
    refused(LogMel().fit(X).set_params(**params), path, match)


def test_fitted_sample_rate_is_limited(path):
    model = LogMel(sample_rate="auto").fit([np.zeros(100)])
    model.sample_rate_ = 10**9
    refused(model, path, "sample_rate_ is 1000000000")


@pytest.mark.parametrize(
    "params",
    [
        {"n_filters": 10**6},
        {"duration": 1e9},
        {"architecture": "single_layer", "hop_length": 10**12},
        {"architecture_params": {"temporal_frames": [10**9] * 4}},
    ],
)
def test_random_network_of_absurd_size_is_refused(params, path):
    model = RandomCNNFeatures(n_filters=2).fit([np.zeros(100)])
    refused(model.set_params(**params), path, "its|the model")


def test_name_of_a_plugins_architecture_is_not_imported(path, monkeypatch):
    from skfewaudio.plugins import ARCHITECTURES

    model = RandomCNNFeatures(n_filters=2).fit([np.zeros(100)]).set_params(architecture="plugged")
    save_model(model, path)
    monkeypatch.setattr(ARCHITECTURES, "get", lambda name: pytest.fail(f"{name} was imported"))
    with pytest.raises(ModelFileError, match="architecture is 'plugged', which is not built in"):
        load_model(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38])
def test_network_with_weights_that_are_no_numbers_is_refused(value, spectrograms, small_cnn, path):
    model = small_cnn(max_epochs=0).fit(*spectrograms)
    with torch.no_grad():
        model.network_.output.weight[0, 0] = value
    refused(model, path, r"its network_\.output\.weight has values from")


def test_network_with_a_negative_variance_is_refused(spectrograms, small_cnn, path):
    model = small_cnn(max_epochs=0).fit(*spectrograms)
    model.network_.trunk.norm1.running_var[0] = -1
    refused(model, path, r"its network_\.trunk\.norm1\.running_var has values from -1")


def test_network_of_other_classes_is_refused(spectrograms, small_cnn, path):
    model = small_cnn(max_epochs=0).fit(*spectrograms)
    model.classes_ = np.array(["a", "b", "c"])
    refused(model, path, "has a network of 2 outputs for 3 classes")


def test_patches_of_absurd_size_are_refused(spectrograms, path):
    model = classifiers.PrototypicalClassifier(None, patch_frames=8).fit(*spectrograms)
    model.patch_frames_ = 10**9
    refused(model, path, "patch_frames_ is 1000000000")


# Paths and threads


@pytest.fixture
def cached(clips, tmp_path):
    """A fitted pipeline with a cache, whose folder is removed again."""
    model = make_pipeline(CachedFeatures(MFCC(sample_rate=8000)), neighbours())
    model.set_params(cachedfeatures__location=False).fit(*clips)
    return model.set_params(cachedfeatures__location=str(tmp_path / "chosen by the file"))


def test_file_does_not_decide_where_features_are_cached(cached, clips, path, tmp_path):
    save_model(cached, path)
    loaded = load_model(path)
    loaded.predict(clips[0])
    assert loaded[0].location is False
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_trusted_cache_is_used(cached, clips, path, tmp_path):
    save_model(cached, path)
    load_model(path, trusted=[CachedFeatures]).predict(clips[0])
    assert (tmp_path / "chosen by the file").is_dir()


def test_file_does_not_decide_where_a_pipeline_stores_its_steps(path):
    save_model(make_pipeline(StandardScaler(), memory="/chosen/by/the/file").fit(X), path)
    assert load_model(path).memory is None


def test_threads_of_a_loaded_model_are_at_most_the_processors(clips, path, monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 3)
    model = make_pipeline(MFCC(sample_rate=8000), neighbours()).fit(*clips)
    save_model(model.set_params(mfcc__n_threads=10**6, kneighborsclassifier__n_jobs=2), path)
    loaded = load_model(path)
    assert (loaded[0].n_threads, loaded[1].n_jobs) == (3, 2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="is a pipe or a device"):
        load_model(tmp_path / "pipe")


def test_device_is_refused(neighbours):
    with pytest.raises(ModelFileError, match="is a pipe or a device"):
        load_model(Path("/dev/zero"))
