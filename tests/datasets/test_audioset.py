"""load_audioset: the published lists, the usual file names of clips, and missing clips."""

import inspect
import json
import warnings

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

from skfewaudio.datasets import load_audioset
from skfewaudio.exceptions import DatasetNotFoundError
from skfewaudio.plugins import DATASETS
from skfewaudio.testing import check_dataset

CLASSES = (
    'index,mid,display_name\n0,/m/09x0r,"Speech"\n1,/m/05zppz,"Male speech, man speaking"\n2,/m/0k4j,"Car"\n'
)
ONTOLOGY = [
    {"id": "/m/0dgw9r", "name": "Human sounds", "child_ids": ["/m/09x0r"]},
    {"id": "/m/09x0r", "name": "Speech", "child_ids": ["/m/05zppz"]},
    {"id": "/m/05zppz", "name": "Male speech, man speaking", "child_ids": []},
    {"id": "/m/0k4j", "name": "Car", "child_ids": []},
]
# As in the published file: three comment lines, spaces after commas, quoted labels.
SEGMENTS = """\
# Segments csv created Sun Mar  5 10:54:31 2017
# num_ytids=3, num_segs=3, num_unique_labels=3, num_positive_labels=4
# YTID, start_seconds, end_seconds, positive_labels
--PJHxphWEs, 30.000, 40.000, "/m/09x0r,/m/05zppz"
-0RWZT-miFs, 420.000, 430.000, "/m/0k4j"
YzNaXcUg8_A, 0.000, 10.000, "/m/09x0r"
"""
VIDEOS = ["--PJHxphWEs", "-0RWZT-miFs", "YzNaXcUg8_A"]


@pytest.fixture
def root(tmp_path):
    """The lists, without clips."""
    (tmp_path / "balanced_train_segments.csv").write_text(SEGMENTS)
    (tmp_path / "class_labels_indices.csv").write_text(CLASSES)
    return tmp_path


@pytest.fixture
def complete_root(root, write_clips):
    """The lists and all clips."""
    write_clips(root / "audio" / "balanced_train", [f"{video}.wav" for video in VIDEOS])
    return root


def test_clips_have_the_order_of_the_list(complete_root):
    paths = load_audioset(complete_root).paths
    assert paths == [str(complete_root / "audio" / "balanced_train" / f"{video}.wav") for video in VIDEOS]


def test_y_has_one_column_per_label(complete_root):
    dataset = load_audioset(complete_root)
    assert dataset.target_names == ["Speech", "Male speech, man speaking", "Car"]
    assert dataset.y.tolist() == [[1, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_columns_have_the_order_of_the_indices(complete_root):
    lines = CLASSES.splitlines()
    (complete_root / "class_labels_indices.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]))
    assert load_audioset(complete_root).target_names == ["Speech", "Male speech, man speaking", "Car"]


def test_groups_are_the_videos(complete_root):
    dataset = load_audioset(complete_root)
    assert dataset.groups.tolist() == VIDEOS
    assert dataset.folds is None
    assert isinstance(dataset.make_cv(), GroupKFold)


def test_licence_and_citation(complete_root):
    dataset = load_audioset(complete_root)
    assert "CC BY 4.0" in dataset.licence
    assert "Gemmeke" in dataset.citation


def test_rows_without_spaces_and_quotes(complete_root):
    plain = '--PJHxphWEs,30,40,"/m/09x0r,/m/05zppz"\n-0RWZT-miFs,420,430,/m/0k4j\nYzNaXcUg8_A,0,10,/m/09x0r\n'
    expected = load_audioset(complete_root)
    (complete_root / "balanced_train_segments.csv").write_text(plain)
    again = load_audioset(complete_root)
    assert again.paths == expected.paths
    assert again.y.tolist() == expected.y.tolist()


@pytest.mark.parametrize("subset", ["balanced_train", "eval", "unbalanced_train"])
def test_each_subset_has_its_own_list_and_name(complete_root, subset):
    (complete_root / "balanced_train_segments.csv").rename(complete_root / f"{subset}_segments.csv")
    assert load_audioset(complete_root, subset=subset).name == f"audioset-{subset}"


@pytest.mark.parametrize("place", ["audioset", "data/audioset"])
def test_folder_is_found_in_the_data_home(complete_root, tmp_path_factory, place):
    home = tmp_path_factory.mktemp("home")
    (home / place).parent.mkdir(parents=True, exist_ok=True)
    complete_root.rename(home / place)
    assert len(load_audioset(home)) == 3


@pytest.mark.parametrize(
    "name",
    [
        "-0RWZT-miFs.wav",
        "-0RWZT-miFs.flac",
        "Y-0RWZT-miFs.wav",
        "-0RWZT-miFs_420.wav",
        "-0RWZT-miFs_420.000_430.000.wav",
        "-0RWZT-miFs_420-430.wav",
        "-0RWZT-miFs_420000.flac",
        "-0RWZT-miFs_420000_430000.flac",
        "Y-0RWZT-miFs_420.000_430.000.ogg",
        "Vehicle/Car/-0RWZT-miFs.wav",
    ],
)
def test_clip_is_found_by_each_usual_file_name(root, write_clips, name):
    write_clips(root, [name])
    assert load_audioset(root, on_missing="ignore").paths == [str(root / name)]


def test_video_id_that_starts_with_y_is_kept(root, write_clips):
    write_clips(root, ["YzNaXcUg8_A_0.000_10.000.wav"])
    assert load_audioset(root, on_missing="ignore").groups.tolist() == ["YzNaXcUg8_A"]


@pytest.mark.parametrize("name", ["-0RWZT-miFs_30.000.wav", "-0RWZT-miFs_430000.wav", "x-0RWZT-miFs.wav"])
def test_other_clip_of_the_video_is_not_used(root, write_clips, name):
    write_clips(root, [name])
    with pytest.raises(DatasetNotFoundError, match="3 of 3 rows"):
        load_audioset(root)


def test_audio_root(root, tmp_path_factory, write_clips):
    elsewhere = tmp_path_factory.mktemp("clips")
    write_clips(elsewhere, [f"{video}.wav" for video in VIDEOS])
    assert load_audioset(root, audio_root=elsewhere).paths[0] == str(elsewhere / f"{VIDEOS[0]}.wav")


def test_missing_clips_are_reported_and_left_out(complete_root):
    (complete_root / "audio" / "balanced_train" / "-0RWZT-miFs.wav").unlink()
    with pytest.warns(
        UserWarning, match=r"1 of 3 rows of .*segments\.csv have no audio: .*-0RWZT-miFs\.wav; they"
    ):
        dataset = load_audioset(complete_root)
    assert dataset.groups.tolist() == ["--PJHxphWEs", "YzNaXcUg8_A"]
    assert dataset.y.tolist() == [[1, 1, 0], [1, 0, 0]]


def test_missing_clips_raise_if_requested(complete_root):
    (complete_root / "audio" / "balanced_train" / "-0RWZT-miFs.wav").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"-0RWZT-miFs\.wav"):
        load_audioset(complete_root, on_missing="raise")


def test_missing_clips_can_be_left_out_silently(complete_root):
    (complete_root / "audio" / "balanced_train" / "-0RWZT-miFs.wav").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_audioset(complete_root, on_missing="ignore")) == 2


def test_clips_of_another_subset_are_ignored(complete_root, write_clips):
    write_clips(complete_root / "audio", ["abcdefghijk.wav", "notes.wav"])
    assert len(load_audioset(complete_root)) == 3


def test_ontology_yields_the_same_labels(complete_root):
    expected = load_audioset(complete_root)
    (complete_root / "class_labels_indices.csv").unlink()
    (complete_root / "ontology.json").write_text(json.dumps(ONTOLOGY))
    again = load_audioset(complete_root)
    assert again.target_names == expected.target_names
    assert np.array_equal(again.y, expected.y)


def test_missing_label_names_are_an_error(complete_root):
    (complete_root / "class_labels_indices.csv").unlink()
    with pytest.raises(
        DatasetNotFoundError, match=r"no class_labels_indices\.csv nor ontology\.json .*get.*https"
    ):
        load_audioset(complete_root)


def test_invalid_ontology_is_an_error(complete_root):
    (complete_root / "class_labels_indices.csv").unlink()
    (complete_root / "ontology.json").write_text('{"Speech": []}')
    with pytest.raises(ValueError, match=r"ontology\.json is not the ontology"):
        load_audioset(complete_root)


def test_label_without_a_name_is_reported_with_its_line(complete_root):
    (complete_root / "balanced_train_segments.csv").write_text(SEGMENTS.replace("/m/0k4j", "/m/07yv9"))
    with pytest.raises(ValueError, match=r"line 5: 1 labels have no name .*/m/07yv9"):
        load_audioset(complete_root)


def test_indices_with_a_gap_are_rejected(complete_root):
    (complete_root / "class_labels_indices.csv").write_text(CLASSES.replace("\n2,", "\n3,"))
    with pytest.raises(ValueError, match="each index from 0 to 2 once"):
        load_audioset(complete_root)


@pytest.mark.parametrize("start", ["soon", "-1", "nan"])
def test_invalid_start_is_reported_with_its_line(complete_root, start):
    (complete_root / "balanced_train_segments.csv").write_text(SEGMENTS.replace("420.000", start))
    with pytest.raises(ValueError, match=f"line 5: start_seconds is '{start}'; expected seconds"):
        load_audioset(complete_root)


def test_row_without_labels_is_reported_with_its_line(complete_root):
    (complete_root / "balanced_train_segments.csv").write_text(SEGMENTS.replace('"/m/0k4j"', ""))
    with pytest.raises(ValueError, match="line 5: no positive_labels"):
        load_audioset(complete_root)


def test_error_names_searched_folders_and_source(tmp_path):
    with pytest.raises(
        DatasetNotFoundError, match=rf"no eval_segments\.csv in {tmp_path} nor .*get it from https"
    ):
        load_audioset(tmp_path, subset="eval")


def test_unknown_subset_is_rejected(tmp_path):
    with pytest.raises(ValueError, match="'balanced_train', 'eval', 'unbalanced_train'; got 'train'"):
        load_audioset(tmp_path, subset="train")


def test_loader_is_a_plugin_with_the_benchmark_options():
    load = DATASETS.get("audioset")
    assert load is load_audioset
    assert {"data_home", "subset"} <= set(inspect.signature(load).parameters)


def test_the_contract_of_datasets_is_kept(complete_root):
    check_dataset(load_audioset, data_home=complete_root)
