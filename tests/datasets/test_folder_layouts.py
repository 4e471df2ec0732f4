"""Folders whose subfolders are not classes."""

import pytest

from skfewaudio.datasets import load_folder
from skfewaudio.exceptions import DatasetNotFoundError

US8K = [f"audio/fold{fold}/100{fold}-3-0-{k}.wav" for fold in (1, 2) for k in (0, 1)]
ESC50 = ["audio/1-100032-A-0.wav", "audio/2-118072-A-0.wav"]
TUT = ["audio/a001_0_10.wav", "audio/b020_10_20.wav"]


@pytest.fixture
def make(tmp_path, write_clips):
    """Return a function that writes clips and empty tables into a folder, and returns the folder."""

    def _make(folder, *names):
        root = tmp_path / folder
        write_clips(root, [name for name in names if name.endswith("wav")])
        for name in names:
            if not name.endswith("wav"):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text("x")
        return root

    return _make


def refused(folder):
    with pytest.raises(DatasetNotFoundError) as caught:
        load_folder(folder)
    return str(caught.value)


@pytest.mark.parametrize("given", ["UrbanSound8K", "UrbanSound8K/audio", "UrbanSound8K/audio/fold1"])
def test_urbansound8k_is_recognised(make, given):
    root = make("UrbanSound8K", *US8K, "metadata/UrbanSound8K.csv")
    message = refused(root.parent / given)
    assert (
        f"looks like UrbanSound8K, whose folders are not classes: use load_urbansound8k('{root}')" in message
    )
    assert f"skfewaudio train --dataset urbansound8k --data-home {root}" in message
    assert "needed" not in message


def test_folds_without_a_table_are_not_classes(make):
    root = make("sounds", "audio/fold1/a.wav", "audio/fold2/b.wav")
    message = refused(root / "audio")
    assert f"load_urbansound8k('{root}')" in message
    assert "the table metadata/UrbanSound8K.csv is needed in this folder" in message
    assert "with the columns path and label (and fold, if any), for load_csv" in message


@pytest.mark.parametrize("given", ["ESC-50-master", "ESC-50-master/audio"])
def test_esc50_is_recognised(make, given):
    root = make("ESC-50-master", *ESC50, "meta/esc50.csv")
    assert f"looks like ESC-50, whose folders are not classes: use load_esc50('{root}')" in refused(
        root.parent / given
    )


def test_esc50_is_recognised_by_its_file_names(make):
    root = make("sounds", *ESC50)
    assert "looks like ESC-50" in refused(root)


@pytest.mark.parametrize("table", ["meta.txt", "evaluation_setup/fold1_train.txt"])
def test_tut2017_is_recognised(make, table):
    root = make("TUT-acoustic-scenes-2017-development", *TUT, table)
    assert f"looks like TUT 2017, whose folders are not classes: use load_tut2017('{root}')" in refused(root)


def test_evaluation_set_of_tut2017_is_recognised(make):
    root = make("TUT-acoustic-scenes-2017-evaluation", *TUT, "meta.txt")
    assert "load_tut2017(" in (message := refused(root / "audio"))
    assert 'subset="evaluation")' in message


def test_renamed_folder_of_tut2017_has_to_be_named_again(make):
    message = refused(make("scenes", *TUT, "meta.txt"))
    assert "after renaming the folder to TUT-acoustic-scenes-2017-development" in message


def test_folder_of_datasets_is_recognised(make):
    root = make("data", *(f"ESC-50-master/{name}" for name in ESC50), "ESC-50-master/meta/esc50.csv")
    make("data", "bark/1.wav")
    assert f"load_esc50('{root / 'ESC-50-master'}')" in refused(root)


def test_current_folder_is_named(make, monkeypatch):
    root = make("UrbanSound8K", *US8K, "metadata/UrbanSound8K.csv")
    monkeypatch.chdir(root / "audio")
    assert f"load_urbansound8k('{root}')" in refused(".")


def test_clips_of_known_datasets_may_be_sorted_by_class(make):
    root = make("mine", "dog/1-100032-A-0.wav", "horn/1001-1-0-0.wav", "meta.txt", "park/a001_0_10.wav")
    assert load_folder(root).target_names == ["dog", "horn", "park"]


def test_gtzan_is_one_folder_per_class(make):
    root = make("genres", *(f"{genre}/{genre}.0000{k}.wav" for genre in ("blues", "rock") for k in (0, 1)))
    assert load_folder(root).target_names == ["blues", "rock"]


@pytest.mark.parametrize(
    "names",
    [
        ["train/dog/1.wav", "test/dog/2.wav"],
        ["train/dog/1.wav", "train/cat/1.wav", "test/dog/2.wav", "val/more/3.wav"],
        ["fold1/dog/1.wav", "fold1/cat/1.wav", "fold2/dog/1.wav", "fold2/cat/1.wav"],
        ["site A/dog/1.wav", "site A/cat/1.wav", "site B/dog/1.wav", "site B/cat/deep/1.wav"],
        ["audio/dog/1.wav", "audio/cat/1.wav"],
        ["train/dog/1.wav", "train/cat/1.wav", "test/unlabelled.wav"],
    ],
)
def test_folder_one_level_too_high_is_recognised(make, names):
    root = make("d", *names)
    assert "is one level too high: the folders " in (message := refused(root))
    assert "dog" in message


def test_folders_to_train_and_test_on_are_named(make):
    root = make("d", "train/dog/1.wav", "train/cat/1.wav", "test/dog/2.wav", "test/cat/2.wav")
    message = refused(root)
    assert "the folders cat, dog in train, test look like the classes" in message
    assert f"Pass {root / 'train'} (and {root / 'test'} as --test-folder of skfewaudio train)" in message


def test_parts_without_classes_need_a_table(make):
    message = refused(make("d", "train/1.wav", "test/2.wav"))
    assert "has the folders train, test, which are parts of a dataset: list the files in a table" in message


@pytest.mark.parametrize(
    "names",
    [
        ["bark/more/1.wav", "horn/more/1.wav"],
        ["bark/a/1.wav", "bark/b/1.wav", "horn/a/1.wav", "horn/b/1.wav", "horn/1.wav"],
        ["bark/a/1.wav", "bark/b/1.wav", "horn/a/1.wav"],
        ["bark/site 1/1.wav", "bark/site 2/1.wav", "horn/site 1/1.wav", "horn/site 2/1.wav"],
        ["bark/2023-05/1.wav", "bark/2023-06/1.wav", "horn/2023-05/1.wav", "horn/2023-06/1.wav"],
        ["bark/a/1.wav", "bark/b/1.wav"],
        ["train/1.wav", "car/1.wav"],
        ["train/more/1.wav"],
        ["test1/1.wav", "test2/1.wav"],
    ],
)
def test_other_nested_folders_are_classes(make, names):
    assert load_folder(make("d", *names)).target_names == sorted({name.partition("/")[0] for name in names})


@pytest.mark.parametrize("names", [US8K, ["m/owl/1.wav", "m/fox/1.wav", "f/owl/1.wav", "f/fox/1.wav"]])
def test_check_can_be_switched_off(make, names):
    root = make("d", *names)
    assert "pass check_layout=False to load_folder" in refused(root)
    assert len(load_folder(root, check_layout=False)) == 4
