"""AudioDataset: its fields, subsets, and splits without leakage."""

import dataclasses
import pickle
import unicodedata
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.multiclass import OneVsRestClassifier

from skfewaudio import LogMel
from skfewaudio.datasets import AudioDataset, get_data_home
from skfewaudio.exceptions import LeakageWarning

LABELS = ["bark", "bark", "horn", "horn"] * 3
RECORDINGS = np.repeat(["r0", "r1", "r2", "r3", "r4", "r5"], 2)


def toy(**fields):
    return AudioDataset([f"{i}.wav" for i in range(12)], LABELS, name="toy", **fields)


def test_dataset_unpacks_into_paths_and_labels():
    X, y = toy()
    assert X[:2] == ["0.wav", "1.wav"]
    assert y.tolist() == LABELS


def test_labels_are_converted_to_str():
    dataset = AudioDataset(["a.wav", "b.wav"], [3, 20], name="toy")
    assert dataset.target.tolist() == ["3", "20"]


def test_target_names_are_sorted():
    assert AudioDataset(["a.wav", "b.wav"], ["rain", "bark"], name="toy").target_names == ["bark", "rain"]


def test_len_is_the_number_of_clips():
    assert len(toy()) == 12


def test_repr_shows_clips_classes_folds_and_recordings():
    dataset = toy(folds=np.repeat([1, 2], 6), groups=RECORDINGS)
    assert repr(dataset) == "<AudioDataset toy: 12 clips, 2 classes, folds 1, 2, 6 recordings>"


def test_pickle():
    again = pickle.loads(pickle.dumps(toy(folds=np.repeat([1, 2], 6))))
    assert again.paths == toy().paths
    assert again.folds.tolist() == [1] * 6 + [2] * 6


def test_array_of_waveforms_stays_an_array():
    dataset = AudioDataset(np.zeros((2, 5)), ["a", "b"], name="toy", sample_rate=8000)
    assert dataset.X.shape == (2, 5)
    assert dataset.subset([1]).X.shape == (1, 5)


@pytest.mark.parametrize("X", [np.zeros((2, 5)), [np.zeros(5), np.zeros(7)]], ids=["array", "list"])
def test_unpacked_waveforms_state_their_sample_rate(X):
    clips, _ = AudioDataset(X, ["a", "b"], name="toy", sample_rate=8000).subset([1, 0])
    assert [rate for _, rate in clips] == [8000, 8000]
    assert [len(clip) for clip, _ in clips] == [len(X[1]), len(X[0])]


def test_unpacked_waveforms_are_resampled_for_a_model_of_another_rate():
    dataset = AudioDataset(np.zeros((2, 8000)), ["a", "b"], name="toy", sample_rate=8000)
    X, _ = dataset
    logmel = LogMel(sample_rate=16000, hop_length=160, n_fft=400, center=False)
    assert [clip.shape for clip in logmel.fit_transform(X)] == [(64, 98)] * 2


def test_waveforms_have_no_paths():
    dataset = AudioDataset([np.zeros(5), np.zeros(7)], ["a", "b"], name="toy", sample_rate=8000)
    with pytest.raises(AttributeError, match="'toy' holds waveforms"):
        dataset.paths  # noqa: B018


def test_waveforms_need_a_sample_rate():
    with pytest.raises(ValueError, match="pass their sample_rate"):
        AudioDataset([np.zeros(5)], ["a"], name="toy")


@pytest.mark.parametrize("field", ["folds", "groups"])
def test_column_of_wrong_length_is_rejected(field):
    with pytest.raises(ValueError, match=rf"{field} must have one value for each of 12 clips; got \(3,\)"):
        toy(**{field: [1, 2, 3]})


def test_labels_of_wrong_length_are_rejected():
    with pytest.raises(ValueError, match="target must have one value"):
        AudioDataset(["a.wav", "b.wav"], ["bark"], name="toy")


@pytest.mark.parametrize("folds", [[0.5] * 12, [-2] * 12, ["1"] * 12])
def test_invalid_folds_are_rejected(folds):
    with pytest.raises(ValueError, match="folds must be integers of at least -1"):
        toy(folds=folds)


def test_dataset_without_clips_is_rejected():
    with pytest.raises(ValueError, match="'toy' has no clips"):
        AudioDataset([], [], name="toy")


def test_recording_split_between_folds_warns():
    with pytest.warns(LeakageWarning, match="1 recordings of the dataset 'toy' .* such as r0"):
        AudioDataset(["a.wav", "b.wav"], ["bark", "bark"], name="toy", folds=[1, 2], groups=["r0", "r0"])


def test_recording_with_a_different_class_in_each_fold_does_not_warn():
    dataset = AudioDataset(["a.wav", "b.wav"], ["bark", "horn"], name="toy", folds=[1, 2], groups=["r", "r"])
    assert len(dataset) == 2


def test_subset_by_mask_applies_to_all_columns():
    dataset = toy(folds=np.repeat([1, 2], 6), groups=RECORDINGS, licence="CC0")
    part = dataset.subset(dataset.folds == 2)
    assert part.paths == [f"{i}.wav" for i in range(6, 12)]
    assert part.groups.tolist() == RECORDINGS[6:].tolist()
    assert part.licence == "CC0"


def test_subset_by_position_keeps_the_given_order():
    part = toy().subset([3, 0])
    assert part.paths == ["3.wav", "0.wav"]
    assert part.y.tolist() == ["horn", "bark"]


def test_mask_of_wrong_length_is_rejected():
    with pytest.raises(ValueError, match=r"a mask must have shape \(12,\); got \(2,\)"):
        toy().subset([True, False])


def test_empty_subset_is_rejected():
    with pytest.raises(ValueError, match="no clips"):
        toy().subset([])


def test_make_cv_uses_the_datasets_folds_by_default():
    folds = np.repeat([1, 2, -1], 4)
    cv = toy(folds=folds).make_cv()
    assert isinstance(cv, PredefinedSplit)
    tested = np.concatenate([test for _, test in cv.split()])
    assert set(tested) == set(range(8))


def test_make_cv_without_folds_keeps_recordings_together():
    dataset = toy(groups=RECORDINGS)
    cv = dataset.make_cv()
    assert isinstance(cv, StratifiedGroupKFold)
    for train, test in cv.split(dataset.X, dataset.y, dataset.groups):
        assert not set(RECORDINGS[train]) & set(RECORDINGS[test])


def test_make_cv_without_folds_and_recordings_is_stratified():
    cv = toy().make_cv()
    assert isinstance(cv, StratifiedKFold)
    assert (cv.get_n_splits(), cv.shuffle, cv.random_state) == (5, True, 0)


def test_rare_class_reduces_the_number_of_folds():
    assert AudioDataset(["0.wav"] * 9, ["a"] * 6 + ["b"] * 3, name="toy").make_cv().get_n_splits() == 3


def test_class_with_few_recordings_reduces_the_number_of_folds():
    dataset = AudioDataset(["0.wav"] * 8, ["a"] * 8, name="toy", groups=np.repeat(["r", "s"], 4))
    assert dataset.make_cv().get_n_splits() == 2


def test_class_with_one_clip_is_an_error():
    with pytest.raises(ValueError, match="class 'horn' has one clip"):
        AudioDataset(["0.wav"] * 3, ["bark", "bark", "horn"], name="toy").make_cv()


def test_all_classes_with_one_recording_are_named():
    dataset = AudioDataset(["0.wav"] * 4, ["bark", "bark", "horn", "rain"], name="toy", groups=list("abcd"))
    with pytest.raises(ValueError, match="'horn' has one recording, and so have 'rain': they cannot be both"):
        dataset.make_cv()


def test_int_cv_warns_if_the_dataset_has_folds():
    with pytest.warns(LeakageWarning, match="cv=3 ignores the folds of the dataset 'toy'"):
        cv = toy(folds=np.repeat([1, 2], 6)).make_cv(3)
    assert cv.get_n_splits() == 3


def test_int_cv_keeps_recordings_together():
    assert toy(groups=RECORDINGS).make_cv(3).__class__ is StratifiedGroupKFold


@pytest.mark.parametrize("cv", [ShuffleSplit(1, test_size=0.5, random_state=0), KFold(12)])
def test_splitter_that_separates_recordings_warns(cv):
    with pytest.warns(LeakageWarning, match="puts clips of one recording of the dataset 'toy' on both"):
        assert toy(groups=RECORDINGS).make_cv(cv) is cv


def test_splitter_of_the_datasets_folds_does_not_warn():
    dataset = AudioDataset(["a.wav", "b.wav"], ["bark", "horn"], name="toy", folds=[1, 2], groups=["r", "r"])
    cv = PredefinedSplit(dataset.folds)
    assert dataset.make_cv(cv) is cv


def test_splitter_that_mixes_folds_warns():
    with pytest.warns(LeakageWarning, match="clips of one fold of the dataset 'toy'"):
        toy(folds=np.repeat([1, 2], 6)).make_cv(StratifiedKFold(2, shuffle=True, random_state=0))


def test_iterable_of_leaking_splits_warns():
    with pytest.warns(LeakageWarning):
        toy(groups=RECORDINGS).make_cv(iter([([0, 2], [1, 3])]))


@pytest.mark.parametrize("cv", [GroupKFold(3), StratifiedGroupKFold(3), LeaveOneGroupOut()])
def test_group_splitter_does_not_warn(cv):
    assert toy(groups=RECORDINGS, folds=np.repeat([1, 2], 6)).make_cv(cv) is cv


def test_no_warning_without_folds_and_recordings():
    cv = ShuffleSplit(2)
    assert toy().make_cv(cv) is cv


def test_leakage_check_does_not_change_the_random_state_of_a_splitter():
    state = np.random.RandomState(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)
        toy(groups=RECORDINGS).make_cv(ShuffleSplit(2, random_state=state))
    assert state.randint(10**6) == np.random.RandomState(3).randint(10**6)


def test_invalid_splitter_is_rejected():
    with pytest.raises(ValueError, match="cross-validation object"):
        toy().make_cv("five")


def test_folds_can_be_removed_with_replace():
    dataset = dataclasses.replace(toy(folds=np.repeat([1, 2], 6)), folds=None)
    assert isinstance(dataset.make_cv(), StratifiedKFold)


# Rain in every second clip, wind in every third.
TAGS = np.stack([np.arange(12) % 2 == 0, np.arange(12) % 3 == 0], axis=1).astype(float)


def tagged(target=TAGS, label_names=("wind", "rain"), **fields):
    return AudioDataset(
        [f"{i}.wav" for i in range(12)], target, name="toy", label_names=label_names, **fields
    )


@pytest.mark.parametrize("target", [TAGS, TAGS.astype(bool), TAGS.tolist(), csr_array(TAGS)])
def test_indicator_matrix_is_int16(target):
    y = tagged(target).y
    assert y.dtype == np.int16
    assert np.array_equal(y, TAGS)


def test_many_labels_keep_their_order_in_one_vs_rest():
    rng = np.random.default_rng(0)
    tags = np.zeros((400, 200), dtype=int)
    tags[np.arange(400), np.arange(400) % 200] = 1
    names = [f"label {i}" for i in range(200)]
    y = AudioDataset([f"{i}.wav" for i in range(400)], tags, name="many", label_names=names).y
    X = tags + 0.01 * rng.normal(size=tags.shape)
    assert np.array_equal(OneVsRestClassifier(RidgeClassifier()).fit(X, y).predict(X), tags)


def test_target_names_are_the_label_names_in_order():
    assert tagged().target_names == ["wind", "rain"]


def test_multilabel_repr():
    assert repr(tagged(folds=np.repeat([1, 2], 6))) == "<AudioDataset toy: 12 clips, 2 labels, folds 1, 2>"


def test_multilabel_subset_keeps_labels_that_do_not_occur():
    part = tagged().subset(TAGS[:, 0] == 0)
    assert part.paths == [f"{i}.wav" for i in range(1, 12, 2)]
    assert part.y.tolist() == [[0, int(i % 3 == 0)] for i in range(1, 12, 2)]
    assert part.target_names == ["wind", "rain"]


def test_multilabel_empty_subset_is_rejected():
    with pytest.raises(ValueError, match="no clips"):
        tagged().subset([])


def test_multilabel_pickle():
    again = pickle.loads(pickle.dumps(tagged()))
    assert again.target_names == ["wind", "rain"]
    assert np.array_equal(again.y, TAGS)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["wind"], r"a column for each of 1 label_names; got the shape \(12, 2\)"),
        ([], "a column for each of 0 label_names"),
        (["wind", "wind"], "label_names must differ; 'wind'"),
    ],
)
def test_invalid_label_names_are_rejected(names, reason):
    with pytest.raises(ValueError, match=reason):
        tagged(label_names=names)


@pytest.mark.parametrize("value", [2, -1, 0.5, np.nan])
def test_values_other_than_0_and_1_are_rejected(value):
    tags = TAGS.copy()
    tags[3, 1] = value
    with pytest.raises(ValueError, match=f"must contain only 0 and 1; it has .*{value}"):
        tagged(tags)


def test_indicator_matrix_of_wrong_length_is_rejected():
    with pytest.raises(ValueError, match=r"target must have one value for each of 12 clips; got \(11, 2\)"):
        tagged(TAGS[:11])


@pytest.mark.parametrize("target", [TAGS, [["rain"], ["rain", "wind"]] * 6])
def test_several_labels_without_label_names_are_rejected(target):
    with pytest.raises(
        ValueError, match="pass 0 and 1 in a column for each label, and the columns' label_names"
    ):
        tagged(target, label_names=None)


def test_multilabel_make_cv_uses_the_datasets_folds():
    assert isinstance(tagged(folds=np.repeat([1, 2], 6)).make_cv(), PredefinedSplit)


def test_multilabel_make_cv_without_folds_is_shuffled():
    cv = tagged().make_cv()
    assert isinstance(cv, KFold)
    assert (cv.get_n_splits(), cv.shuffle, cv.random_state) == (5, True, 0)


def test_multilabel_make_cv_keeps_recordings_together():
    dataset = tagged(groups=RECORDINGS)
    cv = dataset.make_cv()
    assert isinstance(cv, GroupKFold)
    for train, test in cv.split(dataset.X, dataset.y, dataset.groups):
        assert not set(RECORDINGS[train]) & set(RECORDINGS[test])


def test_multilabel_few_recordings_reduce_the_number_of_folds():
    assert tagged(groups=np.repeat(["r", "s"], 6)).make_cv().get_n_splits() == 2


@pytest.mark.parametrize(("groups", "what"), [(None, "clip"), (["r"], "recording")])
def test_multilabel_dataset_with_one_clip_cannot_be_split(groups, what):
    dataset = AudioDataset(["0.wav"], [[1]], name="toy", groups=groups, label_names=["wind"])
    with pytest.raises(ValueError, match=f"'toy' has one {what}"):
        dataset.make_cv()


def test_multilabel_int_cv():
    assert tagged().make_cv(3).get_n_splits() == 3


def test_multilabel_recording_split_between_folds_warns():
    with pytest.warns(LeakageWarning, match="6 recordings of the dataset 'toy' have clips in several folds"):
        tagged(folds=np.tile([1, 2], 6), groups=RECORDINGS)


def test_multilabel_splitter_that_separates_recordings_warns():
    with pytest.warns(LeakageWarning, match=r"clips of one recording .*\(recording r0, 1 in all\)"):
        tagged(groups=RECORDINGS).make_cv(KFold(12))


def test_features_need_no_sample_rate():
    dataset = AudioDataset(np.zeros((2, 128, 10)), ["a", "b"], name="toy")
    assert [x.shape for x in dataset.X] == [(128, 10)] * 2


def test_features_have_no_paths():
    with pytest.raises(AttributeError, match="'toy' holds features, not files"):
        AudioDataset([np.zeros((128, 10))], ["a"], name="toy").paths  # noqa: B018


def test_data_home_is_argument_or_environment_or_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_DATA", str(tmp_path / "there"))
    assert get_data_home(tmp_path / "here") == tmp_path / "here"
    assert get_data_home() == tmp_path / "there"
    monkeypatch.delenv("SKFEWAUDIO_DATA")
    assert get_data_home().name == "skfewaudio"


def parts(**fields):
    """Return a dataset with four parts of each of three files."""
    X = [(f"{i // 4}.wav", float(i % 4), i % 4 + 0.5) for i in range(12)]
    return AudioDataset(X, ["bark", "horn"] * 6, name="toy", **fields)


def test_parts_of_files_have_the_paths_of_their_files():
    assert parts().paths == [f"{i // 4}.wav" for i in range(12)]


def test_parts_of_files_are_tuples_of_str_and_floats():
    dataset = AudioDataset([[Path("a.wav"), 0, 1], (Path("a.wav"), 1, None)], ["x", "y"], name="toy")
    assert list(dataset.X) == [("a.wav", 0.0, 1.0), ("a.wav", 1.0, None)]
    assert type(dataset.X[0][1]) is float


def test_parts_are_grouped_by_file():
    assert parts().groups.tolist() == parts().paths


def test_given_groups_of_parts_are_kept():
    assert set(parts(groups=["site"] * 12).groups) == {"site"}


def test_repr_of_parts_shows_their_files():
    assert repr(parts()) == "<AudioDataset toy: 12 clips from 3 files, 2 classes, 3 recordings>"


def test_subset_of_parts():
    dataset = parts().subset([5, 0])
    assert list(dataset.X) == [("1.wav", 1.0, 1.5), ("0.wav", 0.0, 0.5)]
    assert dataset.groups.tolist() == ["1.wav", "0.wav"]


def test_parts_of_one_file_stay_together():
    dataset = parts()
    for train, test in dataset.make_cv().split(dataset.X, dataset.y, dataset.groups):
        assert not set(dataset.groups[train]) & set(dataset.groups[test])


@pytest.mark.parametrize("part", [("a.wav", 2, 1), ("a.wav", -1, 1), ("a.wav", "0", 1), ("a.wav", 0, np.inf)])
def test_invalid_part_is_rejected(part):
    with pytest.raises(ValueError, match=r"X\[1\]"):
        AudioDataset([("a.wav", 0, 1), part], ["x", "y"], name="toy")


def test_parts_and_whole_files_do_not_mix():
    with pytest.raises(ValueError, match=r"X mixes parts of files, such as X\[1\], with other clips.*X\[0\]"):
        AudioDataset(["a.wav", ("a.wav", 0, 1)], ["x", "y"], name="toy")


def test_sounds_with_their_rates_need_no_sample_rate():
    sounds = [(np.zeros(5), 8000), {"array": np.zeros(7), "sampling_rate": 16000}]
    with pytest.raises(AttributeError, match="'toy' holds waveforms"):
        AudioDataset(sounds, ["a", "b"], name="toy").paths  # noqa: B018


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_labels_have_one_unicode_form(form):
    dataset = AudioDataset(["a.wav"], [unicodedata.normalize(form, "Käuz")], name="toy")
    assert dataset.target_names == ["K\u00e4uz"]
