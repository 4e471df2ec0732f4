"""Output of CachedFeatures, compared with the output without cache."""

import warnings

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer

from skfewaudio import MFCC, CachedFeatures, LogMel, RandomCNNFeatures

RATE = 8000
TRANSFORMERS = {
    "log-mel": LogMel(sample_rate=RATE, n_fft=512, hop_length=256),
    "mfcc": MFCC(sample_rate=RATE),
    "mfcc by frame": MFCC(sample_rate=RATE, summary=None),
    "random cnn": RandomCNNFeatures("single_layer", n_filters=4, sample_rate=RATE),
    "random cnn of waveforms": RandomCNNFeatures("sample_level", n_filters=2, sample_rate=RATE),
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("log-mel", kind) for kind in ("array", "double", "list")),
        *((name, "paths") for name in TRANSFORMERS),
    ],
)
def test_features_equal_the_output_without_cache(name, kind, location, paths, assert_same, clips, ragged):
    X = {"array": clips, "double": clips.astype(float), "list": ragged, "paths": paths}[kind]
    expected = TRANSFORMERS[name].transform(X)
    cached = CachedFeatures(TRANSFORMERS[name], location=location, n_at_once=2)
    cached.warm(X[1:3])
    assert_same(cached.transform(X), expected)  # partly from the cache
    assert_same(cached.transform(X), expected)  # entirely from the cache


def test_transformers_of_other_packages_can_be_cached(location, assert_same, clips):
    cached = CachedFeatures(FunctionTransformer(np.abs), location=location)
    X = clips.astype(float)
    for _ in range(2):
        assert_same(cached.transform(X), np.abs(X))


def test_modifying_returned_features_does_not_change_the_cache(cached, assert_same, ragged):
    cached.warm(ragged)
    found = cached.transform(ragged)
    found[0][:] = 0
    assert_same(cached.transform(ragged), cached.transformer.transform(ragged))


def test_equal_clips_do_not_share_memory(location, ragged):
    cached = CachedFeatures(LogMel(sample_rate=RATE), location=location)
    for _ in range(2):
        found = cached.transform([ragged[0], ragged[2], ragged[0]])
        assert not np.shares_memory(found[0], found[2])


def test_ordinary_use_issues_no_warnings(cached, paths):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cached.fit(paths).transform(paths)
