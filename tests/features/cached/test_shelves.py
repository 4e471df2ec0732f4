"""What decides a transformer's part of the cache."""

import importlib
import shutil
import sys

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer

from skfewaudio import RandomCNNFeatures, VGGishEmbed
from skfewaudio.architectures import SingleLayer
from skfewaudio.features._cache import keys as _cache_keys
from skfewaudio.features._cache.store import FeatureStore


def shelf(transformer, location):
    digests = _cache_keys.FileDigests(FeatureStore(location, None))
    return _cache_keys.shelf_of(transformer, _cache_keys.describe_transformer(transformer, digests))


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "vggish.pth"
    path.write_bytes(b"weights")
    return path


def test_weights_count_by_their_content(weights, location, tmp_path):
    before = shelf(VGGishEmbed(weights), location)
    copy = shutil.copy(weights, tmp_path / "copy.pth")
    assert shelf(VGGishEmbed(str(copy)), location) == before
    weights.write_bytes(b"changed")
    assert shelf(VGGishEmbed(weights), location) != before


def test_name_of_weights_stands_for_the_file_in_the_cache(weights, location, tmp_path, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path))
    (tmp_path / "weights").mkdir()
    shutil.copy(weights, tmp_path / "weights" / "vggish-10086976.pth")
    assert shelf(VGGishEmbed(), location) == shelf(VGGishEmbed(weights), location)


def test_pca_counts_where_it_is_used(weights, location, tmp_path):
    pca = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for path in pca:
        path.write_text(path.name)
    for output, n_shelves in (("relu", 1), ("pca", 2)):
        shelves = {shelf(VGGishEmbed(weights, pca_params=path, output=output), location) for path in pca}
        assert len(shelves) == n_shelves


def test_name_of_an_architecture_stands_for_its_class(location):
    shelves = {shelf(RandomCNNFeatures(given), location) for given in ("single_layer", SingleLayer)}
    assert len(shelves) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 2), (None, 0), ("1", 1), ([1, 2], [2, 1]), ({"a": 1}, {"a": 2}), (np.max, np.min), (True, 1)],
)
def test_different_values_are_told_apart(one, other, location):
    shelves = {shelf(FunctionTransformer(kw_args={"x": value}), location) for value in (one, other)}
    assert len(shelves) == 2


@pytest.mark.parametrize(
    ("one", "other"), [(1, np.int64(1)), ((1, 2), [1, 2]), ({"a": 1, "b": 2}, {"b": 2, "a": 1})]
)
def test_equal_values_are_not_told_apart(one, other, location):
    shelves = {shelf(FunctionTransformer(kw_args={"x": value}), location) for value in (one, other)}
    assert len(shelves) == 1


def test_changed_source_of_a_function_counts(location, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    shelves = set()
    for body in ("x", "x + 1", "x"):
        (tmp_path / "sound_function.py").write_text(f"def f(x):\n    return {body}\n")
        sys.modules.pop("sound_function", None)
        importlib.invalidate_caches()
        module = importlib.import_module("sound_function")
        _cache_keys.inspect.linecache.checkcache()
        shelves.add(shelf(FunctionTransformer(module.f), location))
    sys.modules.pop("sound_function")
    assert len(shelves) == 2
