"""Models of other versions, other names and unavailable devices, and lazy imports."""

import json
import subprocess
import sys
import warnings
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import make_pipeline

from skfewaudio import (
    MFCC,
    AugmentedClassifier,
    BlockClassifier,
    CachedFeatures,
    CalibratedRidgeClassifier,
    ELMClassifier,
    SubsampledClassifier,
    TimeNormalizedSpectrogram,
    load_model,
    save_model,
)
from skfewaudio.augmentation import BackgroundNoise
from skfewaudio.exceptions import ModelFileWarning
from skfewaudio.persistence import _load
from skfewaudio.persistence._container import ESTIMATOR, replace_member
from skfewaudio.persistence._renamed import RENAMED
from skfewaudio.persistence._trust import own_estimators


@pytest.mark.parametrize(
    ("package", "version", "warns"),
    [
        ("torch", "1.0.0", True),
        ("scikit-learn", "0.24", True),
        ("skfewaudio", "9.0.0", True),
        ("torch", None, False),
    ],
)
def test_other_versions_are_named(package, version, warns, saved, monkeypatch):
    # Only the first two numbers of a version are compared.
    here = version or ".".join([*torch.__version__.split(".")[:2], "99"])
    monkeypatch.setitem(_load.VERSIONS, package, here)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_model(saved)
    messages = [str(warning.message) for warning in caught if warning.category is ModelFileWarning]
    assert [f"{package} " in text and f"(here {here})" in text for text in messages] == [True] * warns


def restore_old_names(path):
    """Replace the current names in a model file by the old ones; return the replaced names."""
    old_names = {new: old for old, new in RENAMED.items()}
    replaced = set()

    def rename(node):
        name = f"{node.get('__module__')}.{node.get('__class__')}"
        if name in old_names:
            replaced.add(old_names[name])
            node["__module__"], _, node["__class__"] = old_names[name].rpartition(".")
        return node

    with ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(BytesIO(members[ESTIMATOR])) as archive:
        schema = json.loads(archive.read("schema.json"), object_hook=rename)
    members[ESTIMATOR] = replace_member(members[ESTIMATOR], "schema.json", json.dumps(schema))
    with ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return replaced


def test_models_with_old_names_predict_the_same(clips, path):
    X, y = clips
    features = CachedFeatures(MFCC(sample_rate=8000), location=path.parent / "cache")
    elm = ELMClassifier(5, random_state=0)
    wrapped = SubsampledClassifier(make_pipeline(features, elm), n_shots=2).fit(X, y)
    sequential = clone(elm).partial_fit(np.eye(4), list("abab")).partial_fit(np.eye(4)[:2], ["a", "b"])
    replaced = set()
    for model, rows in ((wrapped, X), (sequential, np.eye(4))):
        save_model(model, path)
        replaced |= restore_old_names(path)
        loaded = load_model(path)
        np.testing.assert_array_equal(loaded.decision_function(rows), model.decision_function(rows))
        np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))
    assert replaced == set(RENAMED)


def test_new_names_are_trusted():
    assert set(RENAMED.values()) <= set(own_estimators())


def test_model_of_an_unavailable_device_is_loaded_on_the_cpu(clips, log_mel, small_cnn, path):
    X, y = clips
    model = make_pipeline(clone(log_mel), small_cnn()).fit(X, y)
    expected = model.predict_proba(X)
    model.set_params(logmel__device="cuda:99", skorchcnn__device="cuda:99")
    save_model(model, path)
    with pytest.warns(ModelFileWarning, match="device='cuda:99' is not available and was set to 'cpu'"):
        loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)


def test_importing_the_package_imports_neither_torch_nor_skops():
    code = "import sys, skfewaudio, skfewaudio.persistence; print({'torch', 'skops'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_model_from_before_partial_fit_is_loaded(spectrograms, path, monkeypatch):
    X, y = spectrograms
    blocks = BlockClassifier([("order", TimeNormalizedSpectrogram())], CalibratedRidgeClassifier())
    model = AugmentedClassifier(blocks, augmentation=BackgroundNoise(), random_state=0).fit(X, y)
    del model.n_clips_seen_, model.estimator_.kept_clips_
    del model.estimator_.blocks_[0][1][0].n_active_frames_

    def without_new_parameter(self):
        state = BaseEstimator.__getstate__(self)
        return {name: value for name, value in state.items() if name != "incremental"}

    with monkeypatch.context() as patch:
        patch.setattr(BlockClassifier, "__getstate__", without_new_parameter)
        save_model(model, path)
    loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.estimator_.incremental is False
    assert not hasattr(loaded, "partial_fit")
    assert len(loaded.set_params(estimator__incremental=True).fit(X, y).partial_fit(X, y).classes_) == 2
