"""CachedFeatures: the same features, and when they are found, computed, stored or not."""

import errno
import importlib
import multiprocessing
import os
import pickle
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from skfewaudio import MFCC, CachedFeatures, FeatureCache, LogMel, RandomCNNFeatures, VGGishEmbed
from skfewaudio.architectures import SingleLayer
from skfewaudio.exceptions import AudioLoadError, AudioLoadWarning, FeatureCacheWarning, WeightsNotFoundError
from skfewaudio.features import _cache_files, _cache_keys
from skfewaudio.features._cache_store import FeatureStore
from skfewaudio.model_selection import few_shot_curve

RATE = 8000
COUNTS = ("n_hits", "n_computed", "n_damaged")
CALLS = []  # transformers are cloned, so a count of their own would be lost
hook = None  # what is done while features are computed


class CountedMFCC(MFCC):
    """Keeps what it was given."""

    def transform(self, X):
        CALLS.append(len(X))
        if hook is not None:
            hook(X)
        return super().transform(X)


@pytest.fixture
def calls():
    CALLS.clear()
    return CALLS


@pytest.fixture
def while_computing(monkeypatch):
    return lambda function: monkeypatch.setattr(sys.modules[__name__], "hook", function)


@pytest.fixture
def location(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def cached(location):
    return CachedFeatures(CountedMFCC(sample_rate=RATE), location=location)


def noise(n_samples=2000, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)


CLIPS = np.stack([noise(seed=seed) for seed in range(5)])
RAGGED = [noise(n, seed=n) for n in (1, 900, 3000, 2500)]


@pytest.fixture
def paths(tmp_path):
    paths = [str(tmp_path / f"{index}.wav") for index in range(len(CLIPS))]
    for path, clip in zip(paths, CLIPS, strict=True):
        sf.write(path, clip, RATE, subtype="FLOAT")
    return paths


def counts(cached, X):
    found = cached.warm(X)
    return tuple(found[name] for name in COUNTS)


def assert_same(found, expected):
    """Compare to the bit, and by kind."""
    assert type(found) is type(expected)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


# The same features

TRANSFORMERS = {
    "log-mel": LogMel(sample_rate=RATE, n_fft=512, hop_length=256),
    "mfcc": MFCC(sample_rate=RATE),
    "mfcc by frame": MFCC(sample_rate=RATE, summary=None),
    "random cnn": RandomCNNFeatures("single_layer", n_filters=4, sample_rate=RATE),
    "random cnn of waveforms": RandomCNNFeatures("sample_level", n_filters=2, sample_rate=RATE),
}


@pytest.mark.parametrize("kind", ["array", "double", "list", "paths"])
@pytest.mark.parametrize("name", list(TRANSFORMERS))
def test_features_are_those_without_a_cache(name, kind, location, paths):
    X = {"array": CLIPS, "double": CLIPS.astype(float), "list": RAGGED, "paths": paths}[kind]
    expected = TRANSFORMERS[name].transform(X)
    cached = CachedFeatures(TRANSFORMERS[name], location=location, n_at_once=2)
    cached.warm(X[1:3])
    assert_same(cached.transform(X), expected)  # some from the cache
    assert_same(cached.transform(X), expected)  # all


def test_any_transformer_of_single_clips_may_be_wrapped(location):
    cached = CachedFeatures(FunctionTransformer(np.abs), location=location)
    X = CLIPS.astype(float)
    for _ in range(2):
        assert_same(cached.transform(X), np.abs(X))


def test_features_found_may_be_changed(cached):
    cached.warm(RAGGED)
    found = cached.transform(RAGGED)
    found[0][:] = 0
    assert_same(cached.transform(RAGGED), cached.transformer.transform(RAGGED))


def test_equal_clips_do_not_share_memory(location):
    cached = CachedFeatures(LogMel(sample_rate=RATE), location=location)
    for _ in range(2):
        found = cached.transform([RAGGED[0], RAGGED[2], RAGGED[0]])
        assert not np.shares_memory(found[0], found[2])


# What is computed


def test_missing_clips_alone_are_computed_in_one_batch(cached, calls):
    cached.transform(CLIPS[[1, 3]])
    cached.transform(CLIPS)
    cached.transform(CLIPS[::-1])
    assert calls == [2, 3]


def test_equal_clips_are_computed_once(cached, calls):
    cached.transform(CLIPS[[0, 1, 0, 0]])
    assert calls == [2]


def test_what_was_computed_before_an_error_is_kept(cached, paths):
    cached.set_params(n_at_once=2)
    with pytest.raises(AudioLoadError):
        cached.transform([*paths[:4], "nowhere.wav"])
    assert counts(cached, paths) == (4, 1, 0)


def test_copy_at_another_place_is_found(cached, paths, tmp_path):
    cached.warm(paths)
    copy = shutil.copy(paths[0], tmp_path / "copy.wav")
    assert counts(cached, [copy]) == (1, 0, 0)


def test_same_content_with_another_ending_is_another_sound(cached, paths, tmp_path):
    cached.warm(paths)  # libsndfile may go by the ending
    assert counts(cached, [shutil.copy(paths[0], tmp_path / "copy.au")]) == (0, 1, 0)


def test_array_is_told_from_another_type_and_length(cached):
    cached.warm([CLIPS[0]])
    assert counts(cached, [CLIPS[0].astype(float)]) == (0, 1, 0)
    assert counts(cached, [CLIPS[0][:-1]]) == (0, 1, 0)
    assert counts(cached, CLIPS) == (1, 4, 0)


def test_changed_file_is_computed_anew(cached, paths, monkeypatch):
    monkeypatch.setattr(_cache_keys, "SETTLED_AFTER", 0)
    cached.warm(paths)
    state = Path(paths[0]).stat()
    sf.write(paths[0], CLIPS[1] / 2, RATE, subtype="FLOAT")
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns))  # of the same size and time
    assert counts(cached, paths) == (4, 1, 0)
    assert_same(cached.transform(paths[:1]), cached.transformer.transform(paths[:1]))


@pytest.mark.parametrize("change", [{"n_mfcc": 12}, {"sample_rate": 4000}, {"lifter": 3}, {"summary": None}])
def test_changed_parameter_is_computed_anew(change, cached):
    cached.warm(CLIPS)
    cached.set_params(**{f"transformer__{name}": value for name, value in change.items()})
    assert counts(cached, CLIPS) == (0, 5, 0)
    assert_same(cached.transform(CLIPS), cached.transformer.transform(CLIPS))


@pytest.mark.parametrize("change", [{"device": "cpu"}, {"n_threads": 1}, {"on_error": "warn"}])
def test_parameter_that_has_no_part_in_the_result_is_no_matter(change, cached):
    cached.warm(CLIPS)
    cached.set_params(**{f"transformer__{name}": value for name, value in change.items()})
    assert counts(cached, CLIPS) == (5, 0, 0)


def test_new_version_of_the_features_is_computed_anew(cached, monkeypatch):
    cached.warm(CLIPS)
    monkeypatch.setattr(CountedMFCC, "feature_version", 2)
    assert counts(cached, CLIPS) == (0, 5, 0)


def test_class_with_the_same_parameters_has_features_of_its_own(cached):
    cached.warm(CLIPS)
    cached.set_params(transformer=MFCC(sample_rate=RATE))
    assert counts(cached, CLIPS) == (0, 5, 0)


# Files' contents are remembered


@pytest.fixture
def n_read(monkeypatch):
    read, digest = [], _cache_keys.hashlib.file_digest
    monkeypatch.setattr(
        _cache_keys.hashlib, "file_digest", lambda file, kind: read.append(file.name) or digest(file, kind)
    )
    return read


def test_file_that_has_not_changed_is_read_once(cached, paths, n_read, monkeypatch):
    monkeypatch.setattr(_cache_keys, "SETTLED_AFTER", 0)
    cached.warm(paths)
    cached.warm(paths)
    assert n_read == paths


def test_file_just_written_is_read_again(cached, paths, n_read):
    cached.warm(paths)
    cached.warm(paths)
    assert n_read == paths * 2


def test_damaged_memory_of_contents_is_replaced(cached, paths, n_read, monkeypatch, location):
    monkeypatch.setattr(_cache_keys, "SETTLED_AFTER", 0)
    cached.warm(paths)
    (memo,) = location.glob("memos/*.memo")
    memo.write_bytes(b"{}")
    for _ in range(2):
        assert counts(cached, paths) == (5, 0, 0)
    assert n_read == paths * 2


# Errors


@pytest.mark.parametrize("bad", ["missing", "empty", "folder", "not audio"])
def test_unreadable_file_is_named_as_without_a_cache(bad, cached, paths, tmp_path):
    path = tmp_path / f"{bad}.wav"
    {"empty": path.touch, "folder": path.mkdir, "not audio": lambda: path.write_text("x"), "missing": int}[
        bad
    ]()
    errors = []
    for transformer in (cached.transformer, cached):
        with pytest.raises(AudioLoadError) as error:
            transformer.transform([paths[0], str(path)])
        errors.append(str(error.value))
    assert errors[0] == errors[1]


def test_silence_stands_in_for_unreadable_files_and_is_not_stored(cached, paths, tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    X = ["nowhere.wav", *paths[:3], str(tmp_path / "text.wav"), *paths[3:]]
    cached.set_params(transformer__on_error="warn", n_at_once=2)
    with pytest.warns(AudioLoadWarning) as expected:
        features = cached.transformer.transform(X)
    for n_hits in (0, 5):
        with pytest.warns(AudioLoadWarning) as warned:
            found = cached.warm(X)
        assert (found["n_hits"], found["n_computed"]) == (n_hits, 5 - n_hits)
        assert [str(each.message) for each in warned] == [str(each.message) for each in expected]
    with pytest.warns(AudioLoadWarning):
        assert_same(cached.transform(X), features)


def test_file_changed_while_features_are_computed_is_not_stored(cached, paths, while_computing):
    while_computing(lambda X: sf.write(paths[0], CLIPS[1], RATE, subtype="FLOAT"))
    cached.transform(paths[:1])
    while_computing(None)
    sf.write(paths[0], CLIPS[0], RATE, subtype="FLOAT")
    assert_same(cached.transform(paths[:1]), cached.transformer.transform(paths[:1]))


@pytest.mark.parametrize(
    "transformer", [StandardScaler(), RandomCNNFeatures(random_state=None)], ids=["scaler", "random"]
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_transformer_that_learns_is_refused(method, transformer, location):
    with pytest.raises(ValueError, match="requires_fit is false"):
        getattr(CachedFeatures(transformer, location=location), method)(CLIPS)


def test_wrong_parameters_of_the_transformer_are_found_in_fit(location):
    with pytest.raises(ValueError, match="n_mfcc=200"):
        CachedFeatures(MFCC(n_mfcc=200), location=location).fit(CLIPS)


def test_parameter_without_a_name_is_refused(location):
    cached = CachedFeatures(LogMel(ref=lambda mel: 1.0), location=location)
    with pytest.raises(TypeError, match=r"cannot be cached: ref=<function .*lambda"):
        cached.transform(CLIPS)


def test_result_that_is_not_numbers_is_refused(location):
    cached = CachedFeatures(FunctionTransformer(np.array2string), location=location)
    with pytest.raises(TypeError, match="expected an array or a list"):
        cached.transform(CLIPS)


def test_error_that_counts_clips_tells_which_are_counted(location):
    clips = [*CLIPS, CLIPS[0][:10]]
    transformer = RandomCNNFeatures("single_layer", n_filters=4, sample_rate=RATE, pad_mode=None)
    cached = CachedFeatures(transformer, location=location)
    cached.warm(clips[:4])
    with pytest.raises(ValueError, match="clip 1 has") as error:
        cached.transform(clips)
    assert "[4, 5]" in error.value.__notes__[0]


# Damage, and disks that cannot be written


def test_damaged_entries_are_replaced_with_one_warning(cached, location):
    cached.warm(CLIPS)
    entries = list(location.glob("*/*/*.features"))
    entries[0].write_bytes(b"")
    entries[1].write_bytes(entries[2].read_bytes())
    with pytest.warns(FeatureCacheWarning, match=r"2 sound\(s\) are damaged") as warned:
        found = cached.transform(CLIPS)
    assert len(warned) == 1
    assert_same(found, cached.transformer.transform(CLIPS))
    assert counts(cached, CLIPS) == (5, 0, 0)


def test_damaged_entries_are_counted(cached, location):
    cached.warm(CLIPS)
    next(location.glob("*/*/*.features")).write_bytes(b"x" * 1000)
    with pytest.warns(FeatureCacheWarning):
        assert counts(cached, CLIPS) == (4, 1, 1)


def test_place_that_cannot_be_written_warns_once_and_is_done_without(cached, location):
    location.write_text("a file is in the way")
    with pytest.warns(FeatureCacheWarning, match="cannot be written") as warned:
        results = [cached.transform(CLIPS) for _ in range(2)]
    assert len(warned) == 1
    for result in results:
        assert_same(result, cached.transformer.transform(CLIPS))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_full_or_read_only_disk_still_gives_what_is_there(number, cached, calls, monkeypatch):
    cached.warm(CLIPS[:3])

    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(_cache_files, "_write", refuse)
    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(_cache_files, "TOUCH_AFTER", -1.0)
    with pytest.warns(FeatureCacheWarning, match=os.strerror(number)):
        found = cached.transform(CLIPS)
    assert calls == [3, 2]
    assert_same(found, cached.transformer.transform(CLIPS))


def test_cache_stays_within_its_size(location):
    cached = CachedFeatures(LogMel(sample_rate=RATE), location=location, max_size="20K")
    clips = [noise(seed=seed) for seed in range(20)]
    assert_same(cached.transform(clips), cached.transformer.transform(clips))
    assert 0 < FeatureCache(location).info()["n_bytes"] <= 20 * 1024


# As an estimator


@pytest.mark.parametrize("transformer", [LogMel(), MFCC()], ids=["log-mel", "mfcc"])
def test_scikit_learns_common_checks(transformer, location):
    results = check_estimator(CachedFeatures(transformer, location=location), on_skip=None, on_fail=None)
    assert {result["check_name"] for result in results if result["status"] == "failed"} == set()


def test_tags_are_those_of_the_transformer():
    for transformer in (LogMel(), FunctionTransformer(), StandardScaler()):
        tags, given = get_tags(CachedFeatures(transformer)), get_tags(transformer)
        assert (tags.requires_fit, tags.input_tags) == (given.requires_fit, given.input_tags)
        assert tags.transformer_tags == given.transformer_tags


def test_names_of_columns_are_those_of_the_transformer():
    names = CachedFeatures(MFCC()).get_feature_names_out()
    np.testing.assert_array_equal(names, MFCC().get_feature_names_out())
    assert not hasattr(CachedFeatures(LogMel()), "get_feature_names_out")


def test_output_may_be_a_frame(cached):
    frame = cached.set_output(transform="pandas").fit_transform(CLIPS)
    assert frame.columns.tolist() == MFCC().get_feature_names_out().tolist()
    np.testing.assert_array_equal(frame, cached.transformer.transform(CLIPS))


def test_clone_and_pickle_find_the_same_entries(cached, calls):
    expected = cached.fit_transform(CLIPS)
    for copy in (clone(cached), pickle.loads(pickle.dumps(cached))):
        assert_same(copy.transform(CLIPS), expected)
    assert calls == [5]


def test_folds_and_classifiers_share_features(cached, calls):
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
def test_processes_at_work_on_the_same_clips_get_the_right_features(location):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=transform_some, args=(location, first)) for first in (0, 10)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert FeatureCache(location).info()["n_entries"] == 400


@pytest.mark.slow
def test_workers_of_a_cross_validation_share_features(location):
    y = ["a", "b"] * 5
    X = [noise(seed=seed) for seed in range(10)]
    cached = CachedFeatures(MFCC(sample_rate=RATE), location=location)
    model = make_pipeline(cached, KNeighborsClassifier(1))
    scores = cross_val_score(model, X, y, cv=5, n_jobs=2)
    assert scores.tolist() == cross_val_score(model, X, y, cv=5).tolist()
    assert counts(cached, X) == (10, 0, 0)


def test_few_shot_curve_computes_features_once(cached, calls):
    y = ["a", "b"] * 5
    X = [noise(seed=seed) for seed in range(10)]
    model = make_pipeline(cached, KNeighborsClassifier(1))
    for _ in range(2):
        few_shot_curve(model, X, y, n_shots=[1, 2], n_repeats=2, cv=2)
    assert calls == [10]


# What decides a transformer's part of the cache


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


def test_missing_weights_are_named_as_without_a_cache(location):
    with pytest.raises(WeightsNotFoundError, match=r"nowhere\.pth does not exist"):
        CachedFeatures(VGGishEmbed("nowhere.pth"), location=location).transform(CLIPS)


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


def test_nothing_is_warned_of_in_ordinary_use(cached, paths):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cached.fit(paths).transform(paths)
