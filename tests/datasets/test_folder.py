"""load_folder and load_csv."""

import pytest
import soundfile

from skfewaudio.datasets import load_csv, load_folder
from skfewaudio.exceptions import DatasetNotFoundError, LeakageWarning


@pytest.fixture
def clips(tmp_path, write_clips):
    write_clips(tmp_path, ["a.wav", "b.wav", "c.wav"])
    return tmp_path


def table(folder, text, name="clips.csv"):
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


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
    (tmp_path / "bark" / "film.mkv").write_text("x")
    with pytest.warns(UserWarning, match=r"1 files are not sound files.*film\.mkv"):
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


def test_clips_have_the_order_of_the_table(clips):
    dataset = load_csv(table(clips, "path,label\nc.wav,horn\na.wav,bark\nb.wav,bark\n"))
    assert dataset.paths == [str(clips / name) for name in ("c.wav", "a.wav", "b.wav")]
    assert dataset.y.tolist() == ["horn", "bark", "bark"]
    assert (dataset.folds, dataset.groups, dataset.name) == (None, None, "clips")


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfpath,label\na.wav,bark\nb.wav,horn\nc.wav,horn\n",
        b"path,label\r\na.wav,bark\r\nb.wav,horn\r\nc.wav,horn\r\n\r\n\r\n",
        b"note,path , label,x\n1, a.wav ,bark,\n,b.wav,horn,2\n\n,c.wav,horn,2",
        b'path,label\n"a.wav","bark"\n"b.wav","horn"\nc.wav,horn\n,\n',
    ],
    ids=["byte order mark", "CRLF and trailing lines", "other columns and spaces", "quotes"],
)
def test_table_formats(clips, text):
    assert load_csv(table(clips, text)).y.tolist() == ["bark", "horn", "horn"]


def test_class_named_na(clips):
    text = "path,label\na.wav,NA\nb.wav,null\nc.wav,None\n"
    assert load_csv(table(clips, text)).y.tolist() == ["NA", "null", "None"]


def test_tsv_is_separated_by_tabs(clips):
    text = "path\tlabel\na.wav\tbark, loud\nb.wav\tx\nc.wav\tx\n"
    assert load_csv(table(clips, text, "clips.tsv")).y[0] == "bark, loud"


def test_folds_and_recordings_are_read(clips):
    dataset = load_csv(table(clips, "path,label,fold,group\na.wav,x,1,r\nb.wav,x,2,s\nc.wav,y,-1,s\n"))
    assert dataset.folds.tolist() == [1, 2, -1]
    assert dataset.groups.tolist() == ["r", "s", "s"]


def test_recording_split_between_folds_warns(clips):
    text = "path,label,fold,group\na.wav,x,1,r\nb.wav,x,2,r\nc.wav,y,1,s\n"
    with pytest.warns(LeakageWarning, match="such as r"):
        load_csv(table(clips, text))


def test_columns_can_be_chosen_by_name(clips):
    text = "clip,target,category,part,session\na.wav,0,x,1,r\nb.wav,1,y,1,s\nc.wav,1,y,2,t\n"
    columns = {"path_column": "clip", "label_column": "category", "fold_column": "part"}
    dataset = load_csv(table(clips, text), group_column="session", **columns)
    assert dataset.y.tolist() == ["x", "y", "y"]
    assert dataset.folds.tolist() == [1, 1, 2]
    assert dataset.groups.tolist() == ["r", "s", "t"]


def test_relative_paths_refer_to_audio_root(clips, tmp_path_factory):
    elsewhere = table(tmp_path_factory.mktemp("meta"), "path,label\na.wav,x\nb.wav,x\nc.wav,x\n")
    assert load_csv(elsewhere, audio_root=clips).paths[0] == str(clips / "a.wav")


def test_absolute_paths_do_not_change(clips, tmp_path_factory):
    text = "path,label\n" + "".join(f"{clips / name}.wav,x\n" for name in "abc")
    assert load_csv(table(tmp_path_factory.mktemp("meta"), text)).paths[2] == str(clips / "c.wav")


MALFORMED = {
    "two label columns": (
        "path,label,class\na.wav,x,y\n",
        "columns path, label, class; label and class could",
    ),
    "no path column": ("sound,label\na.wav,x\n", "no column is named path, .*name the path_column"),
    "bad fold": ("path,label,fold\na.wav,x,1\nb.wav,x,two\n", r"clips\.csv, line 3: fold is 'two'"),
    "fold of a float": ("path,label,fold\na.wav,x,1.5\n", "line 2: fold is '1.5'"),
    "fold too small": ("path,label,fold\na.wav,x,-3\n", "line 2: fold is '-3'; expected an integer >= -1"),
    "no label": ("path,label\n\na.wav,\n", "line 3: no label"),
    "short row": ("path,label\na.wav,x\nb.wav\n", "line 3: no label"),
    "long row": ("path,label\na.wav,x\nb.wav,x,1,2\n", "not a readable table"),
    "long rows": ("path,label\na.wav,x,1\nb.wav,x,1\n", "more fields"),
    "no rows": ("path,label\n", "has no rows"),
    "empty file": ("", "not a readable table"),
    "not text": (b"\xff\xfe\x00\x01path,label\n", "not a readable table"),
    "file twice": ("path,label\na.wav,x\nb.wav,x\n./a.wav,y\n", r"1 files a second time: a\.wav \(line 4\)"),
}


@pytest.mark.parametrize(("text", "message"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_table_is_an_error_with_its_line(clips, text, message):
    with pytest.raises(ValueError, match=message):
        load_csv(table(clips, text), on_extra="ignore")


def test_missing_column_is_an_error(clips):
    with pytest.raises(ValueError, match="has no column kind; its columns are path, label"):
        load_csv(table(clips, "path,label\na.wav,x\n"), label_column="kind")


def test_missing_table_is_an_error(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"none\.csv does not exist"):
        load_csv(tmp_path / "none.csv")


def test_error_counts_rows_without_audio_and_names_the_first(clips):
    rows = "".join(f"{i}.wav,x\n" for i in range(7))
    with pytest.raises(DatasetNotFoundError, match=r"7 of 8 rows of .*0\.wav, .*4\.wav and 2 more"):
        load_csv(table(clips, f"path,label\na.wav,x\n{rows}"), on_extra="ignore")


def test_rows_without_audio_can_be_left_out_with_a_warning(clips):
    file = table(clips, "path,label,fold\na.wav,x,1\nnone.wav,x,2\nb.wav,y,3\n")
    with pytest.warns(UserWarning, match=r"1 of 3 rows of .*none\.wav; they are left out"):
        dataset = load_csv(file, on_missing="warn", on_extra="ignore")
    assert dataset.folds.tolist() == [1, 3]


def test_rows_without_audio_can_be_left_out_silently(clips):
    file = table(clips, "path,label\na.wav,x\nnone.wav,x\n")
    assert len(load_csv(file, on_missing="ignore", on_extra="ignore")) == 1


@pytest.mark.parametrize("on_missing", ["warn", "ignore"])
def test_table_without_any_audio_is_always_an_error(tmp_path, on_missing):
    with pytest.raises(DatasetNotFoundError, match="2 of 2 rows"):
        load_csv(table(tmp_path, "path,label\na.wav,x\nb.wav,x\n"), on_missing=on_missing)


def test_audio_without_a_row_warns(clips):
    with pytest.warns(UserWarning, match=r"1 sound files have no row in .*c\.wav"):
        assert len(load_csv(table(clips, "path,label\na.wav,x\nb.wav,x\n"))) == 2


def test_audio_without_a_row_can_be_an_error(clips):
    with pytest.raises(ValueError, match="1 sound files have no row"):
        load_csv(table(clips, "path,label\na.wav,x\nb.wav,x\n"), on_extra="raise")


@pytest.mark.parametrize("option", ["on_missing", "on_extra"])
def test_unknown_option_is_rejected(clips, option):
    with pytest.raises(ValueError, match=f"{option} must be 'raise', 'warn' or 'ignore'; got 'skip'"):
        load_csv(table(clips, "path,label\na.wav,x\nb.wav,x\nc.wav,x\n"), **{option: "skip"})
