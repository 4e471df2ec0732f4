"""load_tut2017: the development and evaluation sets, the folds, and both sets combined."""

import pytest

from skfewaudio.datasets import load_tut2017
from skfewaudio.exceptions import DatasetNotFoundError, LeakageWarning
from skfewaudio.testing import check_dataset

DEVELOPMENT = [
    (f"audio/b{i:03d}_0_10.wav", ("beach", "cafe/restaurant")[i % 2], f"b{i:03d}") for i in range(8)
]
EVALUATION = [("audio/1245.wav", "beach", "b174"), ("audio/7.wav", "cafe/restaurant", "c9")]


def make_set(root, rows, write_clips):
    write_clips(root, [row[0] for row in rows])
    # The published table has Windows line ends.
    (root / "meta.txt").write_bytes("".join("\t".join(row) + "\r\n" for row in rows).encode())


@pytest.fixture
def development(tmp_path, write_clips):
    root = tmp_path / "TUT-acoustic-scenes-2017-development"
    make_set(root, DEVELOPMENT, write_clips)
    (root / "evaluation_setup").mkdir()
    for k in range(4):
        names = [row[0] for row in DEVELOPMENT[2 * k : 2 * k + 2]]
        (root / "evaluation_setup" / f"fold{k + 1}_test.txt").write_text("\n".join([*names, ""]))
    return root


@pytest.fixture
def home(tmp_path, development, write_clips):
    make_set(tmp_path / "TUT-acoustic-scenes-2017-evaluation", EVALUATION, write_clips)
    return tmp_path


def test_development_clips_have_the_fold_in_which_they_are_tested(home):
    dataset = load_tut2017(home)
    assert dataset.folds.tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert dataset.groups[:2].tolist() == ["b000", "b001"]
    assert dataset.y[:2].tolist() == ["beach", "cafe/restaurant"]


def test_evaluation_set_has_no_folds(home):
    dataset = load_tut2017(home, subset="evaluation")
    assert (len(dataset), dataset.folds, dataset.name) == (2, None, "tut2017-evaluation")


def test_subset_all_trains_on_development_and_tests_on_evaluation(home):
    dataset = load_tut2017(home, subset="all")
    ((train, test),) = dataset.make_cv().split()
    assert [dataset.paths[i].rsplit("/", 1)[1] for i in test] == ["1245.wav", "7.wav"]
    assert train.tolist() == list(range(8))


def test_data_home_may_be_one_of_the_two_folders(home):
    data_home = home / "TUT-acoustic-scenes-2017-development"
    assert len(load_tut2017(data_home, subset="evaluation")) == 2


def test_error_names_the_missing_set_and_its_source(development):
    with pytest.raises(
        DatasetNotFoundError, match=r"2017-evaluation.*fetch_tut2017\(subset='evaluation'\).*1040168"
    ):
        load_tut2017(development.parent, subset="all")


def test_missing_fold_is_an_error(development):
    (development / "evaluation_setup" / "fold3_test.txt").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"fold3_test\.txt does not exist"):
        load_tut2017(development)


def test_clip_in_two_test_folds_is_an_error(development):
    (development / "evaluation_setup" / "fold4_test.txt").write_text(f"{DEVELOPMENT[0][0]}\n")
    with pytest.raises(
        ValueError, match=r"fold4_test\.txt tests 1 clips that another fold tests: audio/b000"
    ):
        load_tut2017(development)


def test_tested_clip_that_is_not_in_the_table_is_an_error(development):
    (development / "evaluation_setup" / "fold4_test.txt").write_text("audio/none.wav\tbeach\n")
    with pytest.raises(ValueError, match=r"fold4_test\.txt names 1 clips .*: audio/none\.wav"):
        load_tut2017(development)


def test_untested_clip_has_fold_minus_one(development):
    (development / "evaluation_setup" / "fold4_test.txt").write_text(f"{DEVELOPMENT[7][0]}\n")
    with pytest.warns(UserWarning, match=r"1 clips of .*meta\.txt are tested in no fold.*b006_0_10\.wav"):
        assert load_tut2017(development).folds[6] == -1


def test_recording_split_between_folds_warns(development):
    rows = [(name, scene, "b000") for name, scene, _ in DEVELOPMENT]
    (development / "meta.txt").write_text("".join("\t".join(row) + "\n" for row in rows))
    with pytest.warns(LeakageWarning, match="such as b000"):
        load_tut2017(development)


def test_table_without_recordings_is_an_error(development):
    (development / "meta.txt").write_text("audio/b000_0_10.wav\tbeach\n")
    with pytest.raises(ValueError, match=r"meta\.txt has no column recording"):
        load_tut2017(development)


def test_row_without_audio_is_an_error(development):
    (development / DEVELOPMENT[5][0]).unlink()
    with pytest.raises(DatasetNotFoundError, match=r"1 of 8 rows .*b005_0_10\.wav"):
        load_tut2017(development)


def test_unknown_subset_is_rejected(tmp_path):
    with pytest.raises(ValueError, match="'development', 'evaluation' or 'all'; got 'dev'"):
        load_tut2017(tmp_path, subset="dev")


def test_the_contract_of_datasets_is_kept(home):
    check_dataset(load_tut2017, data_home=home)
