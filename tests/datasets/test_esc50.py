"""load_esc50: the published layout, and a part of the real dataset."""

import pytest
from sklearn.model_selection import PredefinedSplit

from skfewaudio.datasets import load_esc50
from skfewaudio.exceptions import DatasetNotFoundError

ROWS = [
    "1-100032-A-0.wav,1,0,dog,True,100032,A",
    "1-100038-A-14.wav,1,14,chirping_birds,False,100038,A",
    "2-118072-A-0.wav,2,0,dog,True,118072,A",
    "5-9032-A-0.wav,5,0,dog,True,9032,A",
]
HEADER = "filename,fold,target,category,esc10,src_file,take"


def make_tree(root, write_clips, rows=ROWS):
    write_clips(root / "audio", [row.split(",")[0] for row in rows])
    (root / "meta").mkdir()
    (root / "meta" / "esc50.csv").write_text("\n".join([HEADER, *rows, ""]))
    return root


def test_published_layout_is_read(tmp_path, write_clips):
    root = make_tree(tmp_path / "ESC-50-master", write_clips)
    dataset = load_esc50(root)
    assert dataset.paths[0] == str(root / "audio" / "1-100032-A-0.wav")
    assert dataset.y.tolist() == ["dog", "chirping_birds", "dog", "dog"]
    assert dataset.folds.tolist() == [1, 1, 2, 5]
    assert dataset.groups.tolist() == ["100032", "100038", "118072", "9032"]
    assert dataset.licence == "CC BY-NC 3.0"


@pytest.mark.parametrize("place", ["ESC-50-master", "data/ESC-50-master", "."])
def test_folder_is_found_in_the_data_home(tmp_path, write_clips, place):
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    make_tree(tmp_path / place, write_clips)
    assert len(load_esc50(tmp_path)) == 4


def test_folder_is_found_by_the_environment_variable(tmp_path, write_clips, monkeypatch):
    make_tree(tmp_path / "ESC-50-master", write_clips)
    monkeypatch.setenv("SKFEWAUDIO_DATA", str(tmp_path))
    assert len(load_esc50()) == 4


def test_esc10_is_a_subset_with_its_own_licence(tmp_path, write_clips):
    dataset = load_esc50(make_tree(tmp_path / "ESC-50-master", write_clips), subset="esc10")
    assert dataset.target_names == ["dog"]
    assert (dataset.name, dataset.licence) == ("esc10", "CC BY 3.0")


def test_esc10_requires_only_its_own_audio(tmp_path, write_clips):
    root = make_tree(tmp_path / "ESC-50-master", write_clips)
    (root / "audio" / "1-100038-A-14.wav").unlink()
    assert len(load_esc50(root, subset="esc10")) == 3


def test_row_without_audio_is_reported(tmp_path, write_clips):
    root = make_tree(tmp_path / "ESC-50-master", write_clips)
    (root / "audio" / "1-100038-A-14.wav").unlink()
    with pytest.raises(
        DatasetNotFoundError, match=r"1 of 4 rows of .*esc50\.csv have no.*1-100038-A-14\.wav"
    ):
        load_esc50(root)


def test_audio_without_a_row_is_reported(tmp_path, write_clips):
    root = make_tree(tmp_path / "ESC-50-master", write_clips)
    write_clips(root / "audio", ["extra.wav"])
    with pytest.warns(UserWarning, match=r"1 sound files have no row in .*extra\.wav"):
        load_esc50(root)


def test_error_names_searched_folders_and_source(tmp_path):
    with pytest.raises(
        DatasetNotFoundError, match=rf"{tmp_path}/ESC-50-master.*fetch_esc50.*https://github\.com"
    ):
        load_esc50(tmp_path)


def test_invalid_fold_is_reported_with_its_line(tmp_path, write_clips):
    root = make_tree(tmp_path / "ESC-50-master", write_clips, [*ROWS[:2], "3-1-A-0.wav,III,0,dog,True,1,A"])
    with pytest.raises(ValueError, match=r"esc50\.csv, line 4: fold is 'III'; expected an integer >= 1"):
        load_esc50(root)


def test_unknown_subset_is_rejected(tmp_path):
    with pytest.raises(ValueError, match="subset must be None or 'esc10'; got 'esc-10'"):
        load_esc50(tmp_path, subset="esc-10")


@pytest.mark.parametrize("subset", [None, "esc10"])
def test_real_recordings_are_loaded(shared_data, subset):
    dataset = load_esc50(shared_data, subset=subset)
    assert (len(dataset), len(dataset.target_names)) == (320, 10)
    assert set(dataset.folds) == {1, 2, 3, 4}
    assert isinstance(dataset.make_cv(), PredefinedSplit)
