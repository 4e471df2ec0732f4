"""load_urbansound8k."""

import pytest

from skfewaudio.datasets import load_urbansound8k
from skfewaudio.exceptions import DatasetNotFoundError
from skfewaudio.testing import check_dataset

HEADER = "slice_file_name,fsID,start,end,salience,fold,classID,class"
ROWS = [
    "100032-3-0-0.wav,100032,0.0,0.317551,1,5,3,dog_bark",
    "100263-2-0-117.wav,100263,58.5,62.5,1,5,2,children_playing",
    "77751-4-0-0.wav,77751,0.0,4.0,2,2,4,drilling",
    "77751-7-0-0.wav,77751,8.0,12.0,2,10,7,jackhammer",
]


@pytest.fixture
def root(tmp_path, write_clips):
    root = tmp_path / "UrbanSound8K"
    write_clips(root / "audio", ["fold5/100032-3-0-0.wav", "fold5/100263-2-0-117.wav"], rate=11025)
    write_clips(root / "audio", ["fold2/77751-4-0-0.wav", "fold10/77751-7-0-0.wav"], rate=96000)
    (root / "metadata").mkdir()
    (root / "metadata" / "UrbanSound8K.csv").write_text("\n".join([HEADER, *ROWS, ""]))
    return root


def test_published_layout_is_read(root):
    dataset = load_urbansound8k(root)
    assert dataset.paths[3] == str(root / "audio" / "fold10" / "77751-7-0-0.wav")
    assert dataset.y.tolist() == ["dog_bark", "children_playing", "drilling", "jackhammer"]
    assert dataset.folds.tolist() == [5, 5, 2, 10]
    assert dataset.groups.tolist() == ["100032", "100263", "77751", "77751"]
    assert dataset.sample_rate is None


def test_folder_is_found_in_the_data_home(root):
    assert len(load_urbansound8k(root.parent)) == 4


def test_row_without_audio_is_an_error(root):
    (root / "audio" / "fold10" / "77751-7-0-0.wav").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"fold10/77751-7-0-0\.wav"):
        load_urbansound8k(root)


def test_rows_without_audio_can_be_left_out(root):
    (root / "audio" / "fold10" / "77751-7-0-0.wav").unlink()
    assert len(load_urbansound8k(root, on_missing="ignore")) == 3


def test_audio_without_a_row_warns(root, write_clips):
    write_clips(root / "audio", ["fold2/extra.wav"])
    with pytest.warns(UserWarning, match=r"fold2/extra\.wav"):
        load_urbansound8k(root)


def test_error_names_the_source(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"metadata/UrbanSound8K\.csv.*fetch_urbansound8k.*zenodo"):
        load_urbansound8k(tmp_path)


def test_the_contract_of_datasets_is_kept(root):
    check_dataset(load_urbansound8k, data_home=root)
