import io

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skfewaudio.audio.waveforms import check_waveforms


def read_nothing(paths):
    """Return a silent waveform for each path, as long as the path."""
    return (np.zeros(len(path), dtype=np.float32) for path in paths)


def check(X, *, estimator=None, reset=True):
    return check_waveforms(estimator or BaseEstimator(), X, reset=reset, read=read_nothing)


def lengths(waveforms):
    return [len(clip) for clip in waveforms]


CLIPS = [np.full(3, 0.5), np.full(5, 0.25, dtype=np.float32)]


@pytest.mark.parametrize(
    "X",
    [
        np.ones((2, 3)),
        np.ones((2, 3), dtype=np.int64),
        [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
        pd.DataFrame(np.ones((2, 3))),
    ],
    ids=["floats", "integers", "lists", "frame"],
)
def test_tables_are_split_into_rows(X):
    waveforms = check(X)
    assert len(waveforms) == 2
    assert lengths(waveforms) == [3, 3]
    assert all(clip.dtype == np.float32 for clip in waveforms)


@pytest.mark.parametrize(
    "X",
    [CLIPS, tuple(CLIPS), np.array(CLIPS, dtype=object), pd.Series(CLIPS)],
    ids=["list", "tuple", "object array", "series"],
)
def test_sequences_of_arrays_are_accepted(X):
    waveforms = check(X)
    assert lengths(waveforms) == [3, 5]
    assert all(clip.dtype == np.float32 for clip in waveforms)


@pytest.mark.parametrize(
    "X",
    [
        ["ab", "abcd"],
        np.array(["ab", "abcd"]),
        np.array(["ab", "abcd"], dtype=object),
        pd.Series(["ab", "abcd"]),
    ],
    ids=["list", "array", "object array", "series"],
)
def test_sequences_of_paths_as_strings_are_read(X):
    assert lengths(check(X)) == [2, 4]


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"path": ["ab", "abcd"]}),
        np.array([["ab"], ["abcd"]]),
        np.array([["ab"], ["abcd"]], dtype=object),
        pd.DataFrame({"part": [("ab", 0, 1), "abcd"]}),
        pd.DataFrame({"path": pd.Categorical(["ab", "abcd"])}),
    ],
    ids=["frame", "array", "object array", "parts", "categories"],
)
def test_a_column_of_paths_is_a_sequence(X):
    assert len(check(X)) == 2


def test_a_column_of_waveforms_is_a_sequence():
    assert lengths(check(pd.DataFrame({"audio": CLIPS}))) == [3, 5]


class ColumnFrame:
    """Data frame that iterates over its columns, has no `ndim`, and converts to an array of rows."""

    def __init__(self, columns):
        self.columns = list(columns)
        self.values = list(columns.values())
        self.shape = len(self.values[0]), len(self.values)

    def __len__(self):
        return self.shape[0]

    def __iter__(self):
        return map(np.asarray, self.values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values).T


def test_data_frames_that_iterate_over_columns_are_read_by_rows():
    assert lengths(check(ColumnFrame({"a": [0.1, 0.2], "b": [0.3, 0.4], "c": [0.5, 0.6]}))) == [3, 3]


def test_a_column_of_paths_of_any_data_frame_is_a_sequence():
    assert lengths(check(ColumnFrame({"path": ["ab", "abcd"]}))) == [2, 4]


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_polars_and_arrow_are_read_by_rows(library):
    module = pytest.importorskip(library)
    make = module.DataFrame if library == "polars" else module.table
    assert lengths(check(make({"a": [0.1, 0.2], "b": [0.3, 0.4], "c": [0.5, 0.6]}))) == [3, 3]
    assert lengths(check(make({"path": ["ab", "abcd"]}))) == [2, 4]
    series = module.Series if library == "polars" else module.array
    assert lengths(check(series(["ab", "abcd"]))) == [2, 4]


def test_a_series_of_lists_is_a_table():
    assert lengths(check(pd.Series([[0.1, 0.2], [0.3, 0.4]]))) == [2, 2]


def test_one_column_of_samples_is_a_table():
    assert lengths(check(np.ones((3, 1)))) == [1, 1, 1]


def test_parts_and_sounds_with_their_rates_are_read(tmp_path):
    seen = []

    def read(clips):
        seen.extend(clips)
        return iter(())

    clips = [
        ("a.wav", 0, None),
        ("b.wav", 1.5, 2),
        "c.wav",
        (CLIPS[0], 8000),
        {"array": CLIPS[1], "sampling_rate": 1},
    ]
    list(check_waveforms(BaseEstimator(), clips, reset=True, read=read))
    assert seen[:3] == [("a.wav", 0.0, None), ("b.wav", 1.5, 2.0), "c.wav"]
    assert [sound[1] for sound in seen[3:]] == [8000, 1]


def test_paths_are_read(tmp_path):
    assert lengths(check([tmp_path])) == [len(str(tmp_path))]


def test_paths_are_read_only_on_iteration():
    def fail(paths):
        raise AssertionError("read too early")

    assert len(check_waveforms(BaseEstimator(), ["a", "b"], reset=True, read=fail)) == 2


def test_waveforms_may_be_iterated_over_twice():
    waveforms = check(["ab", "abcd"])
    assert lengths(waveforms) == lengths(waveforms)


def test_mapped_waveforms_are_changed_when_they_are_read():
    indices = []

    def change(index, clip):
        indices.append(index)
        return clip[index:]

    waveforms = check(CLIPS).map(change)
    assert (len(waveforms), indices) == (2, [])
    assert [lengths(waveforms) for _ in range(2)] == [[3, 4], [3, 4]]
    assert indices == [0, 1, 0, 1]


def test_mapped_paths_are_read_only_on_iteration():
    waveforms = check(["ab", "abcd"]).map(lambda index, clip: clip[:3])
    assert lengths(waveforms) == [2, 3]


def test_table_sets_n_features_in():
    estimator = BaseEstimator()
    check(np.ones((2, 3)), estimator=estimator)
    assert estimator.n_features_in_ == 3


def test_table_of_another_width_is_refused_after_fit():
    estimator = BaseEstimator()
    check(np.ones((2, 3)), estimator=estimator)
    with pytest.raises(ValueError, match="expecting 3 features"):
        check(np.ones((2, 4)), estimator=estimator, reset=False)


def test_refit_on_a_list_removes_n_features_in():
    estimator = BaseEstimator()
    check(np.ones((2, 3)), estimator=estimator)
    check(CLIPS, estimator=estimator)
    assert not hasattr(estimator, "n_features_in_")


def test_list_of_any_lengths_is_accepted_after_a_fit_on_a_table():
    estimator = BaseEstimator()
    check(np.ones((2, 3)), estimator=estimator)
    assert lengths(check(CLIPS, estimator=estimator, reset=False)) == [3, 5]


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("bark.wav", TypeError, r"\['bark.wav'\]"),
        (np.ones(5), ValueError, r"wrap it as \[X\]"),
        ([0.5, 0.25], ValueError, r"wrap it as \[X\]"),
        ([], ValueError, "no clips"),
        (np.array([], dtype=object), ValueError, "no clips"),
        ([np.ones(3), np.ones(0)], ValueError, r"X\[1\] has shape \(0,\)"),
        ([np.ones(3), np.ones((2, 2))], ValueError, r"X\[1\] has shape \(2, 2\)"),
        ([np.ones(3), np.array([1, np.nan])], ValueError, r"X\[1\] contains NaN"),
        ([np.ones(3), np.array([1, np.inf])], ValueError, r"X\[1\] contains infinity"),
        ([np.ones(3), np.ones(3, dtype=np.int16)], TypeError, r"X\[1\] holds int16.*32768"),
        ([np.ones(3), np.ones(3, dtype=complex)], TypeError, r"X\[1\] holds complex128"),
        ([np.ones(3), "bark.wav"], TypeError, r"X\[1\] is a path"),
        (["bark.wav", np.ones(3)], TypeError, r"X\[1\] is a ndarray"),
        ([b"bark.wav"], TypeError, "os.fsdecode"),
        ({"bark.wav"}, TypeError, r"list\(X\)"),
        ((name for name in ["bark.wav"]), TypeError, r"generator.*list\(X\)"),
        ({"array": np.ones(3), "sampling_rate": 8000}, TypeError, r"wrap it as \[X\]"),
        (("bark.wav", 0, 1), TypeError, r"wrap it as \[X\]"),
        ([("bark.wav", "0", 1)], TypeError, r"X\[0\] is .*expected a path"),
        ([("bark.wav", 1, 0)], ValueError, r"X\[0\]=.*expected start < end"),
        ([(np.ones(3), 8000), np.ones(3)], TypeError, r"X\[1\] is a ndarray"),
        ([np.ones(3), (np.ones(3), 8000)], TypeError, r"X\[1\] is a clip with its own rate"),
        ([(np.ones(3, dtype=np.int16), 8000)], TypeError, r"X\[0\] holds int16.*32768"),
        ([[1.0], [1.0, 2.0]], ValueError, "lists of different lengths"),
        (np.full((2, 3), 3000, dtype=np.int16), TypeError, "X holds int16.*32768"),
        (np.full((2, 3), 3000), TypeError, "X holds int64"),
        ([[3000, 2], [1, 2]], TypeError, "X holds int64"),
        (pd.DataFrame(np.full((2, 3), 3000, dtype=np.int16)), TypeError, "X holds int16"),
        (np.ones((2, 3), dtype=bool), TypeError, "X holds bool"),
        (["bark.wav", None], ValueError, r"X\[1\] is None, a missing clip"),
        (["bark.wav", 3], TypeError, r"X\[1\] is a int"),
        ([np.ones(3), None], ValueError, r"X\[1\] is None, a missing clip"),
        ([None, "bark.wav"], ValueError, r"X\[0\] is None, a missing clip"),
        (pd.DataFrame({"path": [np.nan, "bark.wav"]}), ValueError, r"X\[0\] is nan, a missing clip"),
        (pd.DataFrame({"path": ["bark.wav"], "label": ["dog"]}), ValueError, "holds text in path, label"),
        (np.array([["bark.wav", "rain.wav"]]), ValueError, "a single column of paths"),
        (np.array([[b"bark.wav"]]), TypeError, "os.fsdecode"),
        ([["bark.wav"]], TypeError, r"X\[0\] is a list"),
        ([(8000, np.ones(3))], TypeError, r"X\[0\] is a tuple .*\(array, sample_rate\)"),
        ([{"audio": "bark.wav"}], TypeError, r"X\[0\] is a dict with the keys audio"),
        ({"bark.wav": "dog"}, TypeError, "X is a dict; expected a list"),
        ([io.BytesIO()], TypeError, r"X\[0\] is a BytesIO"),
        (np.full((2, 3), 3000, dtype=object), TypeError, "X holds int64"),
        (pd.DataFrame(np.full((2, 3), 3000)).astype("Int16"), TypeError, "X holds int64"),
        (np.zeros((2, 3), dtype="M8[s]"), TypeError, "X holds datetime64"),
        (np.full((2, 3), 1e300), ValueError, r"X holds values up to 1e\+300"),
        ([np.ones(3), np.full(3, -1e300)], ValueError, r"X\[1\] holds values up to 1e\+300"),
        ([(np.full(3, 1e300), 8000)], ValueError, r"X\[0\] holds values up to 1e\+300"),
        (None, ValueError, "Expected 2D array"),
        (3.0, ValueError, "Expected 2D array"),
        (np.ones((4, 2, 9)), ValueError, r"2 channels, mix them: X.mean\(axis=1\)"),
        (np.ones((4, 9, 2)), ValueError, r"2 channels, mix them: X.mean\(axis=2\)"),
    ],
)
def test_invalid_waveforms_are_refused_with_their_index(X, error, message):
    with pytest.raises(error, match=message):
        check(X)
