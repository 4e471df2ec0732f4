"""load_gtzan: the fault-filtered partition, several folder layouts, and the damaged clip."""

import hashlib
import inspect
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from skfewaudio.datasets import load_gtzan
from skfewaudio.datasets._gtzan import GENRES, _list_clips
from skfewaudio.exceptions import DatasetNotFoundError
from skfewaudio.plugins import DATASETS
from skfewaudio.testing import check_dataset

NAMES = [f"{genre}/{genre}.{number:05d}" for genre in GENRES for number in range(100)]
# File names and SHA-256 checksums of the three lists at https://github.com/jongpillee/music_dataset_split/tree/master/GTZAN_split
PUBLISHED = {
    "train": ("train_filtered.txt", "2b04966cef1486f1a7767b74271533fa23e220388db804a1937835e1fc4fa3fa"),
    "validation": ("valid_filtered.txt", "f8fbee7c52397a0e0f3a91dc54fedecb2e27f5bdc9a9daeab8cb10d077e26956"),
    "test": ("test_filtered.txt", "09cafa6a89ce0a27f30ed250d56ecb4d03c22fffb5a693f96c7ae655ee02ac72"),
}


def clips_of(part):
    table = _list_clips()
    return [f"{clip}.wav" for clip in table["clip"][table["part"] == part]]


def relative_names(paths):
    return ["/".join(Path(path).parts[-2:]) for path in paths]


def make_tree(root, sound, suffix):
    for genre in GENRES:
        (root / genre).mkdir(parents=True)
    for name in NAMES:
        (root / f"{name}{suffix}").write_bytes(sound)
    return root


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """All 1,000 clips, of 80 samples each. Tests must not change them."""
    folder = tmp_path_factory.mktemp("gtzan")
    soundfile.write(folder / "any.wav", np.full(80, 0.1), 22050)
    return make_tree(folder / "clips", (folder / "any.wav").read_bytes(), ".wav")


@pytest.fixture
def root(tmp_path, clips):
    """Links to the folders of clips; a test that changes a folder calls `replace_link` first."""
    (tmp_path / "genres").mkdir()
    for genre in GENRES:
        (tmp_path / "genres" / genre).symlink_to(clips / genre, target_is_directory=True)
    return tmp_path / "genres"


def replace_link(folder):
    """Replace a link by a folder with the same clips."""
    clips = folder.resolve()
    folder.unlink()
    return Path(shutil.copytree(clips, folder))


@pytest.mark.parametrize("part", PUBLISHED)
def test_partition_equals_the_published_one(part):
    text = "".join(f"{clip}\n" for clip in clips_of(part))
    assert hashlib.sha256(text.encode()).hexdigest() == PUBLISHED[part][1]


@pytest.mark.parametrize("part", PUBLISHED)
def test_partition_equals_the_shared_lists(shared_data, part):
    lists = shared_data / "data" / "gtzan_fault_filtered"
    if not lists.is_dir():
        pytest.skip(f"{lists} not found")
    assert clips_of(part) == (lists / PUBLISHED[part][0]).read_text().split()


def test_default_split_uses_the_training_and_test_parts(root):
    dataset = load_gtzan(root)
    ((train, test),) = dataset.make_cv().split()
    paths = np.array(dataset.paths)
    assert relative_names(paths[train]) == clips_of("train")
    assert relative_names(paths[test]) == clips_of("test")


def test_validation_subset_shares_the_training_clips(root):
    final, chosen = load_gtzan(root), load_gtzan(root, subset="validation")
    assert np.array(final.X)[final.folds == -1].tolist() == np.array(chosen.X)[chosen.folds == -1].tolist()
    assert not set(final.X) & set(np.array(chosen.X)[chosen.folds == 0])
    assert np.bincount(chosen.folds + 1).tolist() == [443, 197]


def test_subset_all_has_every_clip_and_no_folds(root):
    dataset = load_gtzan(root, subset="all")
    assert dataset.paths == [str(root / f"{name}.wav") for name in NAMES]
    assert dataset.folds is None


def test_labels_are_the_genres(root):
    dataset = load_gtzan(root)
    assert dataset.target_names == list(GENRES)
    assert [Path(path).parent.name for path in dataset.paths] == dataset.y.tolist()


def test_each_subset_has_its_own_name(root):
    names = [load_gtzan(root, subset=subset).name for subset in ("fault-filtered", "validation", "all")]
    assert names == ["gtzan-fault-filtered", "gtzan-validation", "gtzan-all"]


def test_partition_is_cited_if_used(root):
    assert "Kereliuk" in load_gtzan(root).citation
    assert "Kereliuk" not in load_gtzan(root, subset="all").citation


def test_clips_in_the_format_of_the_original_archive(tmp_path, write_clips):
    write_clips(tmp_path, ["any.au"], rate=22050)
    root = make_tree(tmp_path / "genres", (tmp_path / "any.au").read_bytes(), ".au")
    assert load_gtzan(root).paths[0] == str(root / "blues" / "blues.00012.au")


@pytest.mark.parametrize("place", ["genres", "genres_original", "gtzan", "gtzan/genres", "data/gtzan/genres"])
def test_folder_is_found_in_the_data_home(root, tmp_path, place):
    home = tmp_path / "home"
    (home / place).parent.mkdir(parents=True)
    root.rename(home / place)
    assert load_gtzan(home).paths[0] == str(home / place / "blues" / "blues.00012.wav")


def test_damaged_jazz_00054_is_left_out_with_a_warning(root):
    (replace_link(root / "jazz") / "jazz.00054.wav").write_bytes(b"no sound")
    with pytest.warns(UserWarning, match=r"jazz\.00054\.wav: cannot be decoded.*it is left out"):
        dataset = load_gtzan(root)
    assert np.bincount(dataset.folds + 1).tolist() == [442, 290]


def test_missing_jazz_00054_is_left_out_with_a_warning(root):
    (replace_link(root / "jazz") / "jazz.00054.wav").unlink()
    with pytest.warns(UserWarning, match=r"jazz\.00054\.wav: .*it is left out"):
        assert len(load_gtzan(root, subset="all")) == 999


def test_missing_jazz_00054_can_be_ignored(root):
    (replace_link(root / "jazz") / "jazz.00054.wav").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_gtzan(root, on_missing="ignore")) == 732


def test_other_missing_clip_is_an_error(root):
    (replace_link(root / "blues") / "blues.00012.wav").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"1 of 733 rows of GTZAN .*blues/blues\.00012\.wav"):
        load_gtzan(root)


def test_missing_clips_can_be_left_out(root):
    (replace_link(root / "blues") / "blues.00012.wav").unlink()
    with pytest.warns(UserWarning, match=r"blues\.00012\.wav; they are left out"):
        assert len(load_gtzan(root, on_missing="warn")) == 732


def test_clip_of_an_unused_part_may_be_missing(root):
    (replace_link(root / "blues") / "blues.00012.wav").unlink()
    assert len(load_gtzan(root, subset="validation")) == 640


def test_missing_genre_is_an_error(root):
    (root / "rock").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"76 of 733 rows of GTZAN .*rock/rock\.00000\.wav"):
        load_gtzan(root)


def test_audio_that_does_not_belong_to_the_dataset_warns(root, write_clips):
    write_clips(replace_link(root / "pop"), ["pop.00100.wav"])
    with pytest.warns(UserWarning, match=r"1 sound files have no row in GTZAN: .*pop\.00100\.wav"):
        load_gtzan(root)


def test_error_names_searched_folders_and_expected_files(tmp_path):
    with pytest.raises(
        DatasetNotFoundError, match=rf"{tmp_path}/gtzan/genres.*no longer distribute.*blues\.00000\.wav"
    ):
        load_gtzan(tmp_path)


def test_unknown_subset_is_rejected(tmp_path):
    with pytest.raises(ValueError, match="'fault-filtered', 'validation' or 'all'; got 'test'"):
        load_gtzan(tmp_path, subset="test")


def test_loader_is_a_plugin_with_the_benchmark_options():
    load = DATASETS.get("gtzan")
    assert load is load_gtzan
    assert {"data_home", "subset"} <= set(inspect.signature(load).parameters)


def test_the_contract_of_datasets_is_kept(root):
    check_dataset(load_gtzan, data_home=root)
