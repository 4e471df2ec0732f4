"""AudioSet's lists: the published format, the names that clips go by, and copies that are never whole."""

import inspect
import json
import warnings

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

from skfewaudio.datasets import load_audioset
from skfewaudio.exceptions import DatasetNotFoundError
from skfewaudio.plugins import DATASETS

CLASSES = (
    'index,mid,display_name\n0,/m/09x0r,"Speech"\n1,/m/05zppz,"Male speech, man speaking"\n2,/m/0k4j,"Car"\n'
)
ONTOLOGY = [
    {"id": "/m/0dgw9r", "name": "Human sounds", "child_ids": ["/m/09x0r"]},
    {"id": "/m/09x0r", "name": "Speech", "child_ids": ["/m/05zppz"]},
    {"id": "/m/05zppz", "name": "Male speech, man speaking", "child_ids": []},
    {"id": "/m/0k4j", "name": "Car", "child_ids": []},
]
# As published: three lines of comments, spaces after commas, labels in quotes.
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
def whole(root, write_clips):
    """The lists and all clips."""
    write_clips(root / "audio" / "balanced_train", [f"{video}.wav" for video in VIDEOS])
    return root


def test_the_clips_come_in_the_order_of_the_list(whole):
    paths = load_audioset(whole).paths
    assert paths == [str(whole / "audio" / "balanced_train" / f"{video}.wav") for video in VIDEOS]


def test_a_column_for_each_label_tells_which_clips_have_it(whole):
    dataset = load_audioset(whole)
    assert dataset.target_names == ["Speech", "Male speech, man speaking", "Car"]
    assert dataset.y.tolist() == [[1, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_the_columns_are_in_the_order_of_the_indices(whole):
    lines = CLASSES.splitlines()
    (whole / "class_labels_indices.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]))
    assert load_audioset(whole).target_names == ["Speech", "Male speech, man speaking", "Car"]


def test_groups_are_the_videos_and_stay_together(whole):
    dataset = load_audioset(whole)
    assert dataset.groups.tolist() == VIDEOS
    assert dataset.folds is None
    assert isinstance(dataset.make_cv(), GroupKFold)


def test_the_terms_name_labels_and_sound(whole):
    dataset = load_audioset(whole)
    assert "CC BY 4.0" in dataset.licence
    assert "Gemmeke" in dataset.citation


def test_rows_without_spaces_and_quotes_are_read(whole):
    plain = '--PJHxphWEs,30,40,"/m/09x0r,/m/05zppz"\n-0RWZT-miFs,420,430,/m/0k4j\nYzNaXcUg8_A,0,10,/m/09x0r\n'
    expected = load_audioset(whole)
    (whole / "balanced_train_segments.csv").write_text(plain)
    again = load_audioset(whole)
    assert again.paths == expected.paths
    assert again.y.tolist() == expected.y.tolist()


@pytest.mark.parametrize("subset", ["balanced_train", "eval", "unbalanced_train"])
def test_each_subset_has_its_list_and_name(whole, subset):
    (whole / "balanced_train_segments.csv").rename(whole / f"{subset}_segments.csv")
    assert load_audioset(whole, subset=subset).name == f"audioset-{subset}"


@pytest.mark.parametrize("place", ["audioset", "data/audioset"])
def test_the_folder_is_found_under_the_data_home(whole, tmp_path_factory, place):
    home = tmp_path_factory.mktemp("home")
    (home / place).parent.mkdir(parents=True, exist_ok=True)
    whole.rename(home / place)
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
def test_a_clip_is_found_by_each_of_its_usual_names(root, write_clips, name):
    write_clips(root, [name])
    assert load_audioset(root, on_missing="ignore").paths == [str(root / name)]


def test_a_video_whose_name_starts_with_y_is_not_cut(root, write_clips):
    write_clips(root, ["YzNaXcUg8_A_0.000_10.000.wav"])
    assert load_audioset(root, on_missing="ignore").groups.tolist() == ["YzNaXcUg8_A"]


@pytest.mark.parametrize("name", ["-0RWZT-miFs_30.000.wav", "-0RWZT-miFs_430000.wav", "x-0RWZT-miFs.wav"])
def test_another_clip_of_the_video_is_not_taken(root, write_clips, name):
    write_clips(root, [name])
    with pytest.raises(DatasetNotFoundError, match="3 of 3 rows"):
        load_audioset(root)


def test_the_clips_may_lie_elsewhere(root, tmp_path_factory, write_clips):
    elsewhere = tmp_path_factory.mktemp("clips")
    write_clips(elsewhere, [f"{video}.wav" for video in VIDEOS])
    assert load_audioset(root, audio_root=elsewhere).paths[0] == str(elsewhere / f"{VIDEOS[0]}.wav")


def test_missing_clips_are_counted_named_and_left_out(whole):
    (whole / "audio" / "balanced_train" / "-0RWZT-miFs.wav").unlink()
    with pytest.warns(
        UserWarning, match=r"1 of 3 rows of .*segments\.csv have no audio: .*-0RWZT-miFs\.wav; they"
    ):
        dataset = load_audioset(whole)
    assert dataset.groups.tolist() == ["--PJHxphWEs", "YzNaXcUg8_A"]
    assert dataset.y.tolist() == [[1, 1, 0], [1, 0, 0]]


def test_missing_clips_can_be_an_error(whole):
    (whole / "audio" / "balanced_train" / "-0RWZT-miFs.wav").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"-0RWZT-miFs\.wav"):
        load_audioset(whole, on_missing="raise")


def test_missing_clips_can_be_ignored(whole):
    (whole / "audio" / "balanced_train" / "-0RWZT-miFs.wav").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_audioset(whole, on_missing="ignore")) == 2


def test_clips_of_another_subset_beside_them_are_no_matter(whole, write_clips):
    write_clips(whole / "audio", ["abcdefghijk.wav", "notes.wav"])
    assert len(load_audioset(whole)) == 3


def test_the_ontology_gives_the_same_names_in_the_same_order(whole):
    expected = load_audioset(whole)
    (whole / "class_labels_indices.csv").unlink()
    (whole / "ontology.json").write_text(json.dumps(ONTOLOGY))
    again = load_audioset(whole)
    assert again.target_names == expected.target_names
    assert np.array_equal(again.y, expected.y)


def test_the_names_of_the_labels_are_asked_for(whole):
    (whole / "class_labels_indices.csv").unlink()
    with pytest.raises(
        DatasetNotFoundError, match=r"no class_labels_indices\.csv nor ontology\.json .*get.*https"
    ):
        load_audioset(whole)


def test_what_is_no_ontology_is_named(whole):
    (whole / "class_labels_indices.csv").unlink()
    (whole / "ontology.json").write_text('{"Speech": []}')
    with pytest.raises(ValueError, match=r"ontology\.json is not the ontology"):
        load_audioset(whole)


def test_a_label_without_a_name_is_named_with_its_line(whole):
    (whole / "balanced_train_segments.csv").write_text(SEGMENTS.replace("/m/0k4j", "/m/07yv9"))
    with pytest.raises(ValueError, match=r"line 5: 1 labels have no name .*/m/07yv9"):
        load_audioset(whole)


def test_indices_with_a_gap_are_refused(whole):
    (whole / "class_labels_indices.csv").write_text(CLASSES.replace("\n2,", "\n3,"))
    with pytest.raises(ValueError, match="each index from 0 to 2 once"):
        load_audioset(whole)


@pytest.mark.parametrize("start", ["soon", "-1", "nan"])
def test_a_start_that_is_no_time_is_named_with_its_line(whole, start):
    (whole / "balanced_train_segments.csv").write_text(SEGMENTS.replace("420.000", start))
    with pytest.raises(ValueError, match=f"line 5: start_seconds is '{start}'; expected seconds"):
        load_audioset(whole)


def test_a_row_without_labels_is_named_with_its_line(whole):
    (whole / "balanced_train_segments.csv").write_text(SEGMENTS.replace('"/m/0k4j"', ""))
    with pytest.raises(ValueError, match="line 5: no positive_labels"):
        load_audioset(whole)


def test_where_it_was_looked_for_and_where_to_get_it_is_said(tmp_path):
    with pytest.raises(
        DatasetNotFoundError, match=rf"no eval_segments\.csv in {tmp_path} nor .*get it from https"
    ):
        load_audioset(tmp_path, subset="eval")


def test_an_unknown_subset_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'balanced_train', 'eval', 'unbalanced_train'; got 'train'"):
        load_audioset(tmp_path, subset="train")


def test_it_is_a_plugin_with_the_options_of_the_benchmark():
    load = DATASETS.get("audioset")
    assert load is load_audioset
    assert {"data_home", "subset"} <= set(inspect.signature(load).parameters)
