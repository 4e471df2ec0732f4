"""load_folder and list_audio_files."""

import os
import unicodedata

import pytest
import soundfile

from skfewaudio.datasets import list_audio_files, load_folder
from skfewaudio.exceptions import DatasetNotFoundError


@pytest.fixture
def tree(tmp_path, write_clips):
    """Return a function that writes clips into a folder and returns the folder."""

    def _tree(*names):
        write_clips(tmp_path, names)
        return tmp_path

    return _tree


def names_in(dataset, root):
    return [path.removeprefix(f"{root}/") for path in dataset.paths]


def test_each_folder_is_a_class(tmp_path, write_clips):
    write_clips(tmp_path, ["horn/1.wav", "bark/2.flac", "bark/1.OGG", "bark/more/3.aiff"])
    dataset = load_folder(tmp_path)
    assert [path.removeprefix(f"{tmp_path}/") for path in dataset.paths] == [
        "bark/1.OGG",
        "bark/2.flac",
        "bark/more/3.aiff",
        "horn/1.wav",
    ]
    assert dataset.y.tolist() == ["bark", "bark", "bark", "horn"]


def test_clips_of_a_folder_can_be_read(tmp_path, write_clips):
    write_clips(tmp_path, ["bark/1.wav"])
    assert soundfile.info(load_folder(str(tmp_path)).paths[0]).frames == 80


def test_hidden_files_and_notes_are_ignored(tmp_path, write_clips):
    write_clips(tmp_path, ["bark/1.wav", "bark/.2.wav", ".cache/3.wav", "bark/.trash/4.wav"])
    for name in ("README", "notes.txt", "labels.csv", "about.json", "read.md"):
        (tmp_path / "bark" / name).write_text("x")
    assert len(load_folder(tmp_path)) == 1


def test_other_files_warn(tmp_path, write_clips):
    write_clips(tmp_path, ["bark/1.wav"])
    (tmp_path / "bark" / "photo.jpg").write_text("x")
    with pytest.warns(UserWarning, match=r"1 files are not sound files.*photo\.jpg"):
        load_folder(tmp_path)


def test_sound_files_outside_the_class_folders_warn(tmp_path, write_clips):
    write_clips(tmp_path, ["bark/1.wav", "stray.wav"])
    with pytest.warns(UserWarning, match=r"1 sound files are in no class folder.*stray\.wav"):
        assert len(load_folder(tmp_path)) == 1


def test_class_without_clips_warns(tmp_path, write_clips):
    write_clips(tmp_path, ["bark/1.wav"])
    (tmp_path / "horn").mkdir()
    with pytest.warns(UserWarning, match="1 class folders hold no sound files: horn"):
        load_folder(tmp_path)


def test_root_without_clips_is_an_error(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"holds no sound files in folders.*Expected"):
        load_folder(tmp_path)


def test_missing_root_is_an_error(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="nowhere is not a folder"):
        load_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("suffix", ["WAV", "Wave", "bwf", "FLAC", "m4a", "mp2", "sph"])
def test_formats_of_all_decoders_are_listed(tree, suffix):
    root = tree("bark/1.wav")
    (root / "bark" / "1.wav").rename(root / "bark" / f"1.{suffix}")
    assert names_in(load_folder(root), root) == [f"bark/1.{suffix}"]


def test_file_without_suffix_is_recognised_by_its_content(tree):
    root = tree("bark/1.wav")
    (root / "bark" / "1.wav").rename(root / "bark" / "data")
    (root / "bark" / "README").write_text("x")
    assert names_in(load_folder(root), root) == ["bark/data"]


def test_sound_file_with_another_suffix_is_named(tree):
    root = tree("bark/1.wav", "bark/2.wav")
    (root / "bark" / "2.wav").rename(root / "bark" / "2.tmp")
    with pytest.warns(UserWarning, match=r"begin like sound files, but.*rename them: .*2\.tmp"):
        assert len(load_folder(root)) == 1


SYSTEM_FILES = [
    *("bark/._1.wav", "$RECYCLE.BIN/S-1/1.wav", "bark/$Recycle.Bin/1.wav", "System Volume Information/1.wav"),
    *(".Trash-1000/1.wav", ".Trashes/1.wav", "__MACOSX/bark/1.wav", "lost+found/1.wav"),
]


@pytest.mark.parametrize("name", SYSTEM_FILES)
def test_files_of_operating_systems_are_ignored(tree, name):
    root = tree("bark/1.wav", name)
    assert names_in(load_folder(root), root) == ["bark/1.wav"]
    assert list_audio_files(root) == [str(root / "bark" / "1.wav")]


@pytest.mark.parametrize("name", ["Thumbs.db", "desktop.ini", ".DS_Store"])
def test_files_of_operating_systems_do_not_warn(tree, name):
    root = tree("bark/1.wav")
    (root / "bark" / name).write_bytes(b"x")
    assert len(load_folder(root)) == 1


def test_linked_file_is_followed(tree, tmp_path_factory, write_clips):
    elsewhere = tmp_path_factory.mktemp("archive")
    write_clips(elsewhere, ["a.wav"])
    root = tree("bark/1.wav")
    (root / "bark" / "link.wav").symlink_to(elsewhere / "a.wav")
    assert names_in(load_folder(root), root) == ["bark/1.wav", "bark/link.wav"]


@pytest.mark.parametrize("name", ["horn", "bark/more"])
def test_linked_folder_is_followed(tree, tmp_path_factory, write_clips, name):
    elsewhere = tmp_path_factory.mktemp("archive")
    write_clips(elsewhere, ["deep/a.wav"])
    root = tree("bark/1.wav")
    (root / name).symlink_to(elsewhere)
    assert names_in(load_folder(root), root) == sorted(["bark/1.wav", f"{name}/deep/a.wav"])


@pytest.mark.parametrize("target", [".", "..", "../..", "/"])
def test_links_to_folders_that_contain_them_are_not_followed(tree, target):
    root = tree("bark/1.wav", "stray/2.wav")
    (root / "bark" / "loop").symlink_to(target)
    assert names_in(load_folder(root), root) == ["bark/1.wav", "stray/2.wav"]


def test_loop_through_another_folder_is_not_followed(tree, tmp_path_factory, write_clips):
    elsewhere = tmp_path_factory.mktemp("archive")
    write_clips(elsewhere, ["deep/a.wav"])
    root = tree("bark/1.wav")
    (root / "bark" / "more").symlink_to(elsewhere / "deep")
    (elsewhere / "deep" / "up").symlink_to(elsewhere)
    (elsewhere / "deep" / "back").symlink_to(root)
    assert names_in(load_folder(root), root) == ["bark/1.wav", "bark/more/a.wav"]


def test_folder_with_several_links_is_loaded_once(tree):
    root = tree("bark/1.wav", "horn/real/2.wav")
    (root / "bark" / "a").symlink_to(root / "horn" / "real")
    (root / "bark" / "b").symlink_to(root / "horn" / "real")
    dataset = load_folder(root)
    assert names_in(dataset, root) == ["bark/1.wav", "horn/real/2.wav"]
    assert dataset.y.tolist() == ["bark", "horn"]


def test_two_links_to_a_file_are_one_recording(tree):
    root = tree("bark/1.wav", "bark/2.wav")
    (root / "bark" / "again.wav").symlink_to("1.wav")
    groups = load_folder(root).groups.tolist()
    assert groups[0] == groups[2] != groups[1]


def test_links_that_lead_nowhere_are_named(tree):
    root = tree("bark/1.wav")
    (root / "bark" / "gone.wav").symlink_to("nowhere.wav")
    (root / "horn").symlink_to("nowhere")
    (root / "bark" / "self").symlink_to("self")
    with pytest.warns(UserWarning, match=r"3 links lead nowhere.*gone\.wav, .*self, .*horn"):
        assert len(load_folder(root)) == 1
    with pytest.warns(UserWarning, match="3 links lead nowhere"):
        assert len(list_audio_files(root)) == 1


def test_pipes_are_named_and_not_opened(tree):
    root = tree("bark/1.wav")
    os.mkfifo(root / "bark" / "pipe")
    os.mkfifo(root / "bark" / "pipe.wav")
    (root / "bark" / "link.wav").symlink_to("/dev/zero")
    with pytest.warns(UserWarning, match=r"2 files are pipes, sockets or devices.*link\.wav, .*pipe\.wav"):
        assert len(load_folder(root)) == 1


def test_folder_that_cannot_be_opened_is_named(tree, monkeypatch):
    root = tree("bark/1.wav", "bark/private/2.wav")
    scandir = os.scandir

    def refuse(folder):
        if str(folder).endswith("private"):
            raise PermissionError
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.warns(UserWarning, match="1 folders cannot be opened.*private"):
        assert len(load_folder(root)) == 1


@pytest.fixture
def latin(tree):
    """Folder with a file and a class whose names are in Latin-1, not in UTF-8."""
    root = tree("bark/1.wav", "horn/1.wav")
    try:
        (root / "bark" / "1.wav").rename(root / "bark" / os.fsdecode(b"K\xe4uz.wav"))
        (root / "horn").rename(root / os.fsdecode(b"L\xe4rm"))
    except OSError:
        pytest.skip("the file system allows only names in UTF-8")
    return root


def test_names_that_are_not_utf8_are_listed_as_they_are(latin):
    assert [os.fsencode(path).removeprefix(os.fsencode(latin)) for path in load_folder(latin).paths] == [
        b"/L\xe4rm/1.wav",
        b"/bark/K\xe4uz.wav",
    ]
    assert len(list_audio_files(latin)) == 2


def test_classes_and_names_can_be_printed(latin):
    (latin / os.fsdecode(b"L\xe4rm") / os.fsdecode(b"gone-\xf6.wav")).symlink_to("nowhere")
    with pytest.warns(UserWarning, match=r"gone-\\xf6\.wav") as caught:
        dataset = load_folder(latin)
    assert dataset.target_names == [r"L\xe4rm", "bark"]
    "".join([*map(str, dataset.target_names), *(str(warning.message) for warning in caught)]).encode()


def test_name_of_a_folder_can_be_printed(latin):
    dataset = load_folder(latin.rename(latin.with_name(os.fsdecode(b"K\xe4uze"))))
    assert dataset.name == r"K\xe4uze"


def test_missing_folder_is_named_in_a_form_that_can_be_printed(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"K\\xe4uze is not a folder"):
        load_folder(tmp_path / os.fsdecode(b"K\xe4uze"))


def test_both_unicode_forms_of_a_class_are_one(tree):
    composed, decomposed = (unicodedata.normalize(form, "Käuz") for form in ("NFC", "NFD"))
    root = tree(f"{composed}/1.wav", f"{decomposed}/2.wav", f"{decomposed}/0.wav", "Lärm/1.wav")
    dataset = load_folder(root)
    assert dataset.y.tolist() == [composed] * 3 + ["Lärm"]
    assert [path.rpartition("/")[2] for path in dataset.paths] == ["0.wav", "1.wav", "2.wav", "1.wav"]


@pytest.mark.parametrize(("first", "second"), [("dog", "Dog"), ("dog", "dog "), ("black bird", "Blackbird")])
def test_classes_that_look_alike_are_named(tree, first, second):
    root = tree(f"{first}/1.wav", f"{second}/1.wav")
    with pytest.warns(UserWarning, match="differ only in case or white space.*'.* and '"):
        assert len(load_folder(root).target_names) == 2


def test_recordings_known_from_file_names_are_groups(tree):
    takes = ["bark/1-100032-A-0.wav", "bark/1-100032-B-0.wav", "bark/other.wav", "horn/1-200-A-1.wav"]
    dataset = load_folder(tree(*takes))
    known = ["ESC-50 100032", "ESC-50 100032", dataset.paths[2], "ESC-50 200"]
    assert dataset.groups.tolist() == known


def test_other_file_names_give_no_groups(tree):
    assert load_folder(tree("bark/1.wav", "horn/1.wav")).groups is None


def test_splits_keep_recordings_together(tree):
    recordings = {"bark": "123", "horn": "456"}
    names = [
        f"{c}/1-{n}000-{take}-0.wav" for c, numbers in recordings.items() for n in numbers for take in "AB"
    ]
    dataset = load_folder(tree(*names))
    splits = list(dataset.make_cv().split(dataset.X, dataset.y, dataset.groups))
    assert len(splits) == 3
    assert not any(set(dataset.groups[train]) & set(dataset.groups[test]) for train, test in splits)
