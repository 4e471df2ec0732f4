"""Models that cannot be saved, and types that are not loaded, are named."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from torch import nn

from skfewaudio import load_model, save_model
from skfewaudio.architectures import Architecture
from skfewaudio.exceptions import ModelSaveError, PluginError, UntrustedTypeError
from skfewaudio.plugins import ARCHITECTURES


def reload(model, path, **params):
    save_model(model, path)
    return load_model(path, **params)


def test_unfitted_model_is_refused(small_cnn, path):
    with pytest.raises(NotFittedError):
        save_model(small_cnn(), path)


def test_object_other_than_an_estimator_is_refused(path):
    with pytest.raises(ModelSaveError, match="is not a scikit-learn estimator"):
        save_model({"a": 1}, path)


class Mean(nn.Module):
    """Network that does not derive from Architecture."""

    def __init__(self, n_outputs, n_mels, n_frames):
        super().__init__()
        self.output = nn.Linear(n_mels, n_outputs)

    def forward(self, x):
        return self.output(x.mean(dim=3).flatten(1))


def build_mean(n_outputs, n_mels, n_frames):
    return Mean(n_outputs, n_mels, n_frames)


def test_lambda_is_refused_with_its_parameter(clips, log_mel, small_cnn, path):
    step = small_cnn(architecture=lambda *args, **sizes: Mean(*args, **sizes), architecture_params=None)
    model = make_pipeline(log_mel, step).fit(*clips)
    match = r"^steps\[1\]\[1\]\.architecture is .*<lambda>, which other programs cannot import"
    with pytest.raises(ModelSaveError, match=match):
        save_model(model, path)


def test_class_in_a_function_is_refused_with_its_parameter(spectrograms, small_cnn, path):
    class Buried(Mean):
        pass

    X, y = spectrograms
    model = small_cnn(architecture=Buried, architecture_params=None).fit(X, y)
    match = r"^architecture is .*\.Buried, which other programs cannot import"
    with pytest.raises(ModelSaveError, match=match):
        save_model(model, path)


def test_parameter_that_skops_cannot_save_is_named(clips, path):
    with (path.parent / "log").open("w") as log:
        model = make_pipeline(FunctionTransformer(kw_args={"file": log}), KNeighborsClassifier(1))
        model.steps[1][1].fit(*clips)
        with pytest.raises(ModelSaveError, match=r"^functiontransformer__kw_args cannot be saved"):
            save_model(model, path)


class Unloadable(ClassifierMixin, BaseEstimator):
    """Classifier that cannot be loaded again."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def __setstate__(self, state):
        raise RuntimeError("state is lost")


def test_model_that_cannot_be_loaded_again_is_not_saved(path):
    with pytest.raises(ModelSaveError, match="this Unloadable could not be loaded again: state is lost"):
        save_model(Unloadable().fit([[0]], ["a"]), path)


def test_failed_save_keeps_the_existing_file(saved):
    before = saved.read_bytes()
    with pytest.raises(ModelSaveError):
        save_model(Unloadable().fit([[0]], ["a"]), saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_saving_does_not_change_the_model(spectrograms, small_cnn, path):
    X, y = spectrograms
    model = small_cnn().fit(X, y)
    before, net = model.predict_proba(X), model.net_
    save_model(model, path)
    assert model.net_ is net
    np.testing.assert_array_equal(model.predict_proba(X), before)


# Trust


def test_foreign_types_are_refused_by_name(path):
    save_model(RandomForestClassifier(2).fit([[0.0], [1.0]], [0, 1]), path)
    with pytest.raises(UntrustedTypeError, match=r"trusted=\['sklearn\.tree\._tree\.Tree'\]") as caught:
        load_model(path)
    assert caught.value.names == ["sklearn.tree._tree.Tree"]


def test_foreign_types_load_if_trusted(path):
    model = RandomForestClassifier(2, random_state=0).fit([[0.0], [1.0]], [0, 1])
    loaded = reload(model, path, trusted=["sklearn.tree._tree.Tree"])
    np.testing.assert_array_equal(loaded.predict_proba([[0.2]]), model.predict_proba([[0.2]]))


@pytest.mark.parametrize("architecture", [Mean, build_mean])
def test_foreign_architecture_loads_only_if_trusted(spectrograms, small_cnn, architecture, path):
    X, y = spectrograms
    model = small_cnn(architecture=architecture, architecture_params=None).fit(X, y)
    save_model(model, path)
    name = f"{architecture.__module__}.{architecture.__name__}"
    with pytest.raises(UntrustedTypeError, match=f"safe to load: {name}"):
        load_model(path)
    for trusted in ([name], [architecture]):
        loaded = load_model(path, trusted=trusted)
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_partial_of_an_architecture_loads_if_partials_are_trusted(spectrograms, small_cnn, path):
    X, y = spectrograms
    build = partial(ARCHITECTURES.get("vgg"), n_filters=4)
    model = small_cnn(architecture=build, architecture_params=None).fit(X, y)
    loaded = reload(model, path, trusted=["functools.partial"])
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


class Plugged(Architecture):
    """A plugin's architecture."""

    def __init__(self, n_outputs, n_mels, n_frames):
        super().__init__(n_outputs, n_mels, n_frames)
        self.register_buffer("window", torch.hann_window(n_frames), persistent=False)
        self.trunk = nn.Flatten()
        self.output = nn.Linear(n_mels * n_frames, n_outputs)

    def forward(self, x):
        return super().forward(x * self.window)


def test_plugins_architecture_loads_if_its_registered_name_is_trusted(
    spectrograms, small_cnn, path, monkeypatch
):
    monkeypatch.setitem(ARCHITECTURES._registered, "plugged", Plugged)
    X, y = spectrograms
    model = small_cnn(architecture="plugged", architecture_params=None).fit(X, y)
    save_model(model, path)
    with pytest.raises(UntrustedTypeError, match=r"\.Plugged\."):
        load_model(path)
    loaded = load_model(path, trusted=["plugged"])
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_unregistered_short_name_is_refused(saved):
    with pytest.raises(PluginError, match="'Tree' is not in"):
        load_model(saved, trusted=["Tree"])


def test_loading_does_not_change_torchs_random_state(clips, log_mel, small_cnn, path):
    model = make_pipeline(log_mel, small_cnn(architecture=Mean, architecture_params=None)).fit(*clips)
    save_model(model, path)
    before = torch.random.get_rng_state()
    load_model(path, trusted=[Mean])
    assert torch.equal(torch.random.get_rng_state(), before)
