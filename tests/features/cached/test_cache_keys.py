"""Cache keys of transformers: the directory of a transformer and its parameters."""

import importlib
import shutil
import sys

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer

from skfewaudio import RandomCNNFeatures, VGGishEmbed
from skfewaudio.architectures import SingleLayer
from skfewaudio.features._cache import keys as cache_keys
from skfewaudio.features._cache.store import FeatureStore


def key_of(transformer, location):
    digests = cache_keys.FileDigests(FeatureStore(location, None))
    return cache_keys.directory_name(transformer, cache_keys.describe_transformer(transformer, digests))


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "vggish.pth"
    path.write_bytes(b"weights")
    return path


def test_key_depends_on_the_content_of_weights(weights, location, tmp_path):
    before = key_of(VGGishEmbed(weights), location)
    copy = shutil.copy(weights, tmp_path / "copy.pth")
    assert key_of(VGGishEmbed(str(copy)), location) == before
    weights.write_bytes(b"changed")
    assert key_of(VGGishEmbed(weights), location) != before


def test_published_name_and_file_of_weights_have_the_same_key(weights, location, tmp_path, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path))
    (tmp_path / "weights").mkdir()
    shutil.copy(weights, tmp_path / "weights" / "vggish-10086976.pth")
    assert key_of(VGGishEmbed(), location) == key_of(VGGishEmbed(weights), location)


def test_key_depends_on_pca_params_only_if_used(weights, location, tmp_path):
    pca = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for path in pca:
        path.write_text(path.name)
    for output, n_keys in (("relu", 1), ("pca", 2)):
        keys = {key_of(VGGishEmbed(weights, pca_params=path, output=output), location) for path in pca}
        assert len(keys) == n_keys


def test_name_and_class_of_an_architecture_have_the_same_key(location):
    keys = {key_of(RandomCNNFeatures(given), location) for given in ("single_layer", SingleLayer)}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 2), (None, 0), ("1", 1), ([1, 2], [2, 1]), ({"a": 1}, {"a": 2}), (np.max, np.min), (True, 1)],
)
def test_different_parameter_values_have_different_keys(one, other, location):
    keys = {key_of(FunctionTransformer(kw_args={"x": value}), location) for value in (one, other)}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("one", "other"), [(1, np.int64(1)), ((1, 2), [1, 2]), ({"a": 1, "b": 2}, {"b": 2, "a": 1})]
)
def test_equal_parameter_values_have_the_same_key(one, other, location):
    keys = {key_of(FunctionTransformer(kw_args={"x": value}), location) for value in (one, other)}
    assert len(keys) == 1


def test_key_depends_on_the_source_of_a_function(location, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    keys = set()
    for body in ("x", "x + 1", "x"):
        (tmp_path / "sound_function.py").write_text(f"def f(x):\n    return {body}\n")
        sys.modules.pop("sound_function", None)
        importlib.invalidate_caches()
        module = importlib.import_module("sound_function")
        cache_keys.inspect.linecache.checkcache()
        keys.add(key_of(FunctionTransformer(module.f), location))
    sys.modules.pop("sound_function")
    assert len(keys) == 2
