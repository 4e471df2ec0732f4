"""load_labels and list_clips."""

import pytest

from skfewaudio.datasets import list_clips, load_labels
from skfewaudio.exceptions import DatasetNotFoundError


@pytest.fixture
def root(tmp_path):
    """Folder with two classes of two empty sound files each."""
    for name in ("dog/a.wav", "dog/b.wav", "owl/c.wav", "owl/d.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def write(root, name, text):
    (root / name).write_text(text, encoding="utf-8")
    return root / name


def test_folder_is_loaded_by_its_subfolders(root):
    assert load_labels(root).target_names == ["dog", "owl"]


def test_table_with_a_path_column_is_loaded_by_rows(root):
    table = write(root, "labels.csv", "path;species;site\ndog/a.wav;dog;1\nowl/c.wav;owl;2\n")
    dataset = load_labels(table)
    assert dataset.y.tolist() == ["dog", "owl"]
    assert dataset.groups.tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dog/a.txt", "0.5\t1.5\tbark\n"),
        ("dog/a.txt", "Selection\tBegin Time (s)\tEnd Time (s)\tAnnotation\n1\t0.5\t1.5\tbark\n"),
        ("dog/a.csv", "start,end,label\n0.5,1.5,bark\n"),
    ],
    ids=["audacity", "raven", "table"],
)
def test_annotations_of_a_recording_are_recognised(root, name, text):
    dataset = load_labels(write(root, name, text))
    assert list(zip(dataset.X, dataset.y, strict=True)) == [((str(root / "dog" / "a.wav"), 0.5, 1.5), "bark")]


def test_recordings_of_a_table_are_known_from_file_names(root):
    for name in ("1-100032-A-0.wav", "1-100032-B-0.wav"):
        (root / name).touch()
    text = "path,label\n1-100032-A-0.wav,dog\n1-100032-B-0.wav,dog\nowl/c.wav,owl\n"
    groups = load_labels(write(root, "labels.csv", text)).groups.tolist()
    assert groups[0] == groups[1] != groups[2]


def test_missing_source_is_named(root):
    with pytest.raises(DatasetNotFoundError, match=r"labels\.csv does not exist; expected a folder"):
        load_labels(root / "labels.csv")


def test_sound_file_is_no_table(root):
    (root / "a.wav").write_bytes(b"RIFF\0\0\0\0WAVE")
    with pytest.raises(ValueError, match="is a sound file; expected a table"):
        load_labels(root / "a.wav")


def test_rows_without_audio_are_kept_on_request(root):
    table = write(root, "labels.csv", "path,label\ndog/a.wav,dog\ndog/x.wav,dog\n")
    assert len(load_labels(table, on_missing="keep")) == 2
    with pytest.raises(DatasetNotFoundError, match="1 of 2 rows"):
        load_labels(table)


def test_table_of_only_missing_files_is_an_error_with_a_hint(root):
    table = write(root, "labels.csv", "path,label\nwolf/a.wav,dog\n")
    with pytest.raises(DatasetNotFoundError, match="Did you mean"):
        load_labels(table, on_missing="keep")


def test_clips_are_listed_without_labels(root):
    table = write(root, "clips.csv", "file,notes\ndog/a.wav,\ndog/missing.wav,x\n")
    assert list_clips(table) == [str(root / "dog" / "a.wav"), str(root / "dog" / "missing.wav")]


def test_parts_are_listed_with_their_times(root):
    table = write(root, "clips.csv", "path,start,end\na.wav,0.5,1\na.wav,2,3\n")
    a = str(root / "dog" / "a.wav")
    assert list_clips(table, audio_root=root / "dog") == [(a, 0.5, 1.0), (a, 2.0, 3.0)]


def test_column_of_paths_can_be_chosen(root):
    table = write(root, "clips.csv", "path,wav\nx,dog/a.wav\n")
    assert list_clips(table, path_column="wav") == [str(root / "dog" / "a.wav")]
