"""CachedFeatures as an estimator, and sharing of a cache."""

import multiprocessing
import pickle
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from skfewaudio import MFCC, CachedFeatures, FeatureCache, LogMel
from skfewaudio.model_selection import few_shot_curve

RATE = 8000


@pytest.mark.parametrize(
    "transformer", [MFCC(), pytest.param(LogMel(), marks=pytest.mark.slow)], ids=["mfcc", "log-mel"]
)
def test_scikit_learn_common_checks(transformer, location):
    results = check_estimator(CachedFeatures(transformer, location=location), on_skip=None, on_fail=None)
    assert {result["check_name"] for result in results if result["status"] == "failed"} == set()


def test_tags_equal_the_tags_of_the_transformer():
    for transformer in (LogMel(), FunctionTransformer(), StandardScaler()):
        tags, given = get_tags(CachedFeatures(transformer)), get_tags(transformer)
        assert (tags.requires_fit, tags.input_tags) == (given.requires_fit, given.input_tags)
        assert tags.transformer_tags == given.transformer_tags


def test_feature_names_equal_the_names_of_the_transformer():
    for transformer in (MFCC(), LogMel()):
        names = CachedFeatures(transformer).get_feature_names_out()
        np.testing.assert_array_equal(names, transformer.get_feature_names_out())
    assert not hasattr(CachedFeatures(FunctionTransformer()), "get_feature_names_out")


def test_pandas_output_has_the_column_names(cached, clips):
    frame = cached.set_output(transform="pandas").fit_transform(clips)
    assert frame.columns.tolist() == MFCC().get_feature_names_out().tolist()
    np.testing.assert_array_equal(frame, cached.transformer.transform(clips))


def test_clone_and_pickle_find_the_same_entries(cached, calls, assert_same, clips):
    expected = cached.fit_transform(clips)
    for copy in (clone(cached), pickle.loads(pickle.dumps(cached))):
        assert_same(copy.transform(clips), expected)
    assert calls == [5]


def test_folds_and_classifiers_share_features(cached, calls, noise):
    y = ["a", "b"] * 5
    X = [noise(seed=seed) for seed in range(10)]
    for classifier in (DummyClassifier(), KNeighborsClassifier(1)):
        cross_val_score(make_pipeline(cached, classifier), X, y, cv=5)
    assert sum(calls) == 10


def transform_some(location, first):
    X = np.roll(np.arange(1200, dtype=float).reshape(400, 3), first, axis=0)
    found = CachedFeatures(FunctionTransformer(np.negative), location=location, n_at_once=7).transform(X)
    np.testing.assert_array_equal(found, -X)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_concurrent_processes_get_correct_features(location):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=transform_some, args=(location, first)) for first in (0, 10)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert FeatureCache(location).info()["n_entries"] == 400


@pytest.mark.slow
def test_cross_validation_workers_share_features(location, counts, noise):
    y = ["a", "b"] * 5
    X = [noise(seed=seed) for seed in range(10)]
    cached = CachedFeatures(MFCC(sample_rate=RATE), location=location)
    model = make_pipeline(cached, KNeighborsClassifier(1))
    scores = cross_val_score(model, X, y, cv=5, n_jobs=2)
    assert scores.tolist() == cross_val_score(model, X, y, cv=5).tolist()
    assert counts(cached, X) == (10, 0, 0)


def test_few_shot_curve_computes_features_once(cached, calls, noise):
    y = ["a", "b"] * 5
    X = [noise(seed=seed) for seed in range(10)]
    model = make_pipeline(cached, KNeighborsClassifier(1))
    for _ in range(2):
        few_shot_curve(model, X, y, n_shots=[1, 2], n_repeats=2, cv=2)
    assert calls == [10]
