"""load_csv: tables as people and spreadsheets write them."""

import unicodedata

import pytest

from skfewaudio.datasets import load_csv
from skfewaudio.exceptions import DatasetNotFoundError, LeakageWarning


@pytest.fixture
def clips(tmp_path, write_clips):
    write_clips(tmp_path, ["a.wav", "b.wav", "c.wav"])
    return tmp_path


def table(folder, text, name="clips.csv"):
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


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


# Separators and encodings.


@pytest.mark.parametrize("sep", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
@pytest.mark.parametrize("suffix", [".csv", ".txt", ".tsv"])
def test_separator_is_found(clips, sep, suffix):
    text = "path,label\na.wav,bark\nb.wav,horn\nc.wav,horn\n".replace(",", sep)
    assert load_csv(table(clips, text, f"clips{suffix}")).y.tolist() == ["bark", "horn", "horn"]


def test_other_separators_in_values_do_not_mislead(clips):
    text = "path;label\na.wav;bark, loud\nb.wav;horn, far\nc.wav;rain\n"
    assert load_csv(table(clips, text)).y.tolist() == ["bark, loud", "horn, far", "rain"]


def test_separator_can_be_passed(clips):
    text = "path:label\na.wav:bark\nb.wav:horn\nc.wav:horn\n"
    assert load_csv(table(clips, text), sep=":").y[0] == "bark"


@pytest.mark.parametrize("sep", ["", ";;", "\n", 3])
def test_separator_must_be_one_character(clips, sep):
    with pytest.raises(ValueError, match="must be one character"):
        load_csv(table(clips, "path,label\na.wav,x\n"), sep=sep)


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_separator_line_of_excel_is_honoured(clips, line):
    text = f"{line}\r\npath;label\r\na.wav;x\r\nb.wav;y\r\nc.wav;\r\n"
    with pytest.raises(ValueError, match="line 5: no label"):
        load_csv(table(clips, text))


def test_comments_before_the_header_are_skipped(clips):
    text = "# recorded in May, by hand\n\n#\npath,label\na.wav,x\nb.wav,y\nc.wav,#1\n"
    assert load_csv(table(clips, text)).y.tolist() == ["x", "y", "#1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_encodings(clips, encoding):
    text = "path;label\na.wav;Käuzchen\nb.wav;Σ\nc.wav;x\n"
    assert load_csv(table(clips, text.encode(encoding))).y.tolist()[:2] == ["Käuzchen", "Σ"]


def test_windows_encoding_is_read_with_a_warning(clips):
    text = "path;label\r\na.wav;Käuzchen\r\nb.wav;x\r\nc.wav;x\r\n".encode("cp1252")
    with pytest.warns(UserWarning, match=r"not UTF-8 \(line 2\) and is read as Windows-1252.*'Käuzchen'"):
        assert load_csv(table(clips, text)).y[0] == "Käuzchen"


def test_encoding_can_be_passed(clips):
    text = "path,label\na.wav,сова\nb.wav,x\nc.wav,x\n".encode("koi8-r")
    assert load_csv(table(clips, text), encoding="koi8-r").y[0] == "сова"


@pytest.mark.parametrize(
    ("encoding", "message"), [("no-such-code", "is unknown"), ("ascii", "it is not text in ascii")]
)
def test_wrong_encoding_is_an_error(clips, encoding, message):
    with pytest.raises(ValueError, match=message):
        load_csv(table(clips, "path,label\na.wav,ä\n"), encoding=encoding)


def test_warning_points_to_the_caller(clips):
    with pytest.warns(UserWarning, match="no row") as caught:
        load_csv(table(clips, "path,label\na.wav,x\nb.wav,x\n"))
    assert caught[0].filename == __file__


# Habits of spreadsheets.


def test_empty_columns_and_rows_of_excel_are_ignored(clips):
    text = "path;label;;\r\na.wav;x;;\r\n;;;\r\nb.wav;y;;\r\nc.wav;y;;;;\r\n;;;\r\n"
    assert load_csv(table(clips, text)).y.tolist() == ["x", "y", "y"]


def test_quoted_fields_may_hold_separators_line_ends_and_quotes(clips):
    text = 'path,note,label\na.wav,"first\nsecond, third","say ""x"""\nb.wav,,y\nc.wav,,\n'
    with pytest.raises(ValueError, match="line 5: no label"):
        load_csv(table(clips, text))


def test_old_line_ends_of_macs(clips):
    assert len(load_csv(table(clips, "path,label\ra.wav,x\rb.wav,x\rc.wav,y\r"))) == 3


def test_folds_written_as_decimals(clips):
    dataset = load_csv(table(clips, "path;label;fold\na.wav;x;1,0\nb.wav;x;2.0\nc.wav;y;3\n"))
    assert dataset.folds.tolist() == [1, 2, 3]


def test_open_quote_is_an_error_with_its_line(clips):
    with pytest.raises(ValueError, match="quotation mark is opened in line 3 and never closed"):
        load_csv(table(clips, 'path,label\na.wav,x\n"b.wav,x\nc.wav,x\n'))


@pytest.mark.parametrize("start", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest"], ids=["xlsx", "xls"])
def test_spreadsheet_says_how_to_save_it(clips, start):
    with pytest.raises(
        ValueError, match=r"is a spreadsheet .*save it as text: in Excel, File > Save As > CSV"
    ):
        load_csv(table(clips, start, "clips.xlsx"))


def test_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="is a folder; expected a text file"):
        load_csv(tmp_path)


def test_binary_file_is_an_error(clips):
    with pytest.raises(ValueError, match="is not a readable table: it has bytes of value 0"):
        load_csv(table(clips, b"\x01\x00\x02\x00" * 50))


def test_sound_file_is_an_error(clips):
    with pytest.raises(ValueError, match=r"a\.wav is a sound file; expected a text file"):
        load_csv(clips / "a.wav")


# Names of columns.


@pytest.mark.parametrize(
    "name",
    [
        *("path", "file", "filename", "file_name", "file_path", "filepath", "audio", "wav", "fname"),
        *("FileName", "File.Path", "BEGIN_FILE", "recording"),
    ],
)
def test_usual_names_of_the_path_column(clips, name):
    assert len(load_csv(table(clips, f"{name},label\na.wav,x\nb.wav,x\nc.wav,x\n"))) == 3


@pytest.mark.parametrize(
    "name",
    ["label", "Labels", "class", "category", "target", "Species", "annotation", "event", "Common Name"],
)
def test_usual_names_of_the_label_column(clips, name):
    assert load_csv(table(clips, f"path,{name}\na.wav,x\nb.wav,x\nc.wav,y\n")).target_names == ["x", "y"]


@pytest.mark.parametrize("name", ["group", "Recording", "recording_id", "site", "Site ID"])
def test_usual_names_of_the_group_column(clips, name):
    dataset = load_csv(table(clips, f"path,label,{name}\na.wav,x,r\nb.wav,x,r\nc.wav,y,s\n"))
    assert dataset.groups.tolist() == ["r", "r", "s"]


def test_column_of_groups_can_be_ignored(clips):
    file = table(clips, "path,label,site\na.wav,x,r\nb.wav,x,r\nc.wav,y,\n")
    assert load_csv(file, group_column=False).groups is None


def test_empty_label_column_gives_way_to_a_filled_one(clips):
    file = table(clips, "path,label,species\na.wav,,owl\nb.wav,,fox\nc.wav,,fox\n")
    assert load_csv(file).target_names == ["fox", "owl"]


def test_common_and_scientific_names_are_one_label(clips):
    rows = "a.wav,Strix aluco,owl\nb.wav,Vulpes vulpes,fox\nc.wav,Strix aluco,owl\n"
    file = table(clips, f"path,Scientific name,Common name\n{rows}")
    assert load_csv(file).y[0] == "Strix aluco"


def test_requested_column_is_found_without_regard_to_case(clips):
    file = table(clips, "path,Bird Name\na.wav,owl\nb.wav,owl\nc.wav,fox\n")
    assert load_csv(file, label_column="bird_name").y[0] == "owl"


def test_misspelt_column_is_suggested(clips):
    with pytest.raises(
        ValueError, match="has no column lable; its columns are path, label; did you mean 'label'"
    ):
        load_csv(table(clips, "path,label\na.wav,x\n"), label_column="lable")


def test_more_usual_name_is_preferred(clips):
    text = "path,audio,label,species,group,site\na.wav,x,owl,1,r,s\nb.wav,x,fox,1,r,s\nc.wav,x,fox,1,r,s\n"
    dataset = load_csv(table(clips, text))
    assert dataset.target_names == ["fox", "owl"]
    assert set(dataset.groups) == {"r"}


def test_table_without_a_header_says_so(clips):
    with pytest.raises(ValueError, match="If the table has no header, add a first line such as path,label"):
        load_csv(table(clips, "a.wav,x\nb.wav,y\n"))


def test_rows_in_quotation_marks_are_an_error(clips):
    with pytest.raises(ValueError, match="Each row seems to be in quotation marks"):
        load_csv(table(clips, '"path,label"\n"a.wav,x"\n'))


def test_repeated_column_is_ambiguous(clips):
    with pytest.raises(ValueError, match=r"label and label \(3\) could be it"):
        load_csv(table(clips, "path,label,label\na.wav,x,y\n"))


# Parts of files.


@pytest.mark.parametrize(
    "names",
    [
        ("start", "end"),
        ("Start", "END"),
        ("onset", "offset"),
        ("start_time", "end_time"),
        ("begin", "stop"),
        ("Begin Time (s)", "End Time (s)"),
        ("start_seconds", "stop_seconds"),
        ("onset_s", "offset_s"),
    ],
)
def test_start_and_end_make_parts_of_files(clips, names):
    text = f"path,{names[0]},{names[1]},label\na.wav,0.5,1.25,x\na.wav,2,3e0,y\n"
    dataset = load_csv(table(clips, text), on_extra="ignore")
    assert list(dataset.X) == [(str(clips / "a.wav"), 0.5, 1.25), (str(clips / "a.wav"), 2.0, 3.0)]
    assert dataset.y.tolist() == ["x", "y"]


def test_milliseconds_are_converted(clips):
    text = "path,start_ms,end_ms,label\na.wav,500,1250,x\n"
    assert load_csv(table(clips, text), on_extra="ignore").X[0][1:] == (0.5, 1.25)


@pytest.mark.parametrize("names", ["start,duration", "offset,duration", "onset_s,dur"])
def test_duration_replaces_the_end(clips, names):
    text = f"path,{names},label\na.wav,0.5,0.75,x\n"
    assert load_csv(table(clips, text), on_extra="ignore").X[0][1:] == (0.5, 1.25)


def test_duration_without_a_start_is_ignored(clips):
    assert load_csv(table(clips, "path,duration,label\na.wav,5,x\nb.wav,5,x\nc.wav,5,y\n")).paths


@pytest.mark.parametrize("sep", [";", "\t", "|"])
def test_times_may_have_a_decimal_comma(clips, sep):
    text = "path;start;end;label\na.wav;1,5;1.002,25;x\n".replace(";", sep)
    assert load_csv(table(clips, text), on_extra="ignore").X[0][1:] == (1.5, 1002.25)


def test_parts_have_their_file_as_group(clips):
    text = "path,start,end,label\na.wav,0,1,x\na.wav,1,2,x\nb.wav,0,1,x\n"
    dataset = load_csv(table(clips, text), on_extra="ignore")
    assert dataset.groups.tolist() == [str(clips / "a.wav")] * 2 + [str(clips / "b.wav")]


def test_column_of_groups_precedes_files(clips):
    text = "path,start,end,label,site\na.wav,0,1,x,hill\na.wav,1,2,x,hill\nb.wav,0,1,x,hill\n"
    assert set(load_csv(table(clips, text), on_extra="ignore").groups) == {"hill"}


def test_recording_column_without_another_path_names_the_files(clips):
    text = "recording,start,end,label\na.wav,0,1,x\nb.wav,0,1,x\n"
    dataset = load_csv(table(clips, text), on_extra="ignore")
    assert dataset.paths == dataset.groups.tolist() == [str(clips / "a.wav"), str(clips / "b.wav")]


def test_row_without_times_is_a_whole_file(clips):
    text = "path,start,end,label\na.wav,0,1,x\nb.wav,,,x\n"
    assert load_csv(table(clips, text), on_extra="ignore").X[1] == (str(clips / "b.wav"), 0.0, None)


def test_empty_columns_of_times_mean_whole_files(clips):
    dataset = load_csv(table(clips, "path,start,end,label\na.wav,,,x\nb.wav,,,x\nc.wav,,,y\n"))
    assert dataset.X[0] == str(clips / "a.wav")


def test_columns_of_times_can_be_ignored(clips):
    text = "path,start,end,label\na.wav,60,64,x\nb.wav,60,64,x\nc.wav,60,64,y\n"
    assert (
        load_csv(table(clips, text), start_column=False).paths[0]
        == load_csv(table(clips, text), end_column=False).X[0]
    )


def test_columns_of_times_can_be_named(clips):
    file = table(clips, "path,t0,t1,label\na.wav,1,2,x\n")
    dataset = load_csv(file, start_column="t0", end_column="t1", on_extra="ignore")
    assert dataset.X[0][1:] == (1.0, 2.0)


def test_times_in_samples_warn(clips):
    text = "path,start_sample,end_sample,label\na.wav,0,100,x\nb.wav,0,100,x\nc.wav,0,100,x\n"
    with pytest.warns(
        UserWarning, match="start_sample and end_sample are not read, and each clip is a whole"
    ):
        load_csv(table(clips, text))


BAD_TIMES = {
    "end before start": ("2,1", "line 3: end is '1' and start is '2'; expected an end after the start"),
    "no duration": ("2,2", "line 3: end is '2' and start is '2'"),
    "negative": ("-1,1", "line 3: start is '-1'; expected seconds, a number of at least 0"),
    "no number": ("one,2", "line 3: start is 'one'; expected seconds"),
    "clock": ("0,1:30", "line 3: end is '1:30'.*Convert hours and minutes to seconds"),
    "infinite": ("0,inf", "line 3: end is 'inf'"),
    "too large": ("0,1e999", "line 3: end is '1e999'"),
    "not a number": ("nan,1", "line 3: start is 'nan'"),
    "underscore": ("0,1_0", "line 3: end is '1_0'"),
    "decimal comma in quotes": ('0,"1,5"', "line 3: end is '1,5'.*Write a decimal point"),
    "no end": ("1,", "line 3: end is ''"),
    "no start": (",1", "line 3: start is ''"),
}


@pytest.mark.parametrize(("times", "message"), BAD_TIMES.values(), ids=BAD_TIMES.keys())
def test_invalid_time_is_an_error_with_line_and_column(clips, times, message):
    with pytest.raises(ValueError, match=message):
        load_csv(table(clips, f"path,start,end,label\na.wav,0,1,x\na.wav,{times},x\n"))


def test_start_without_end_is_an_error(clips):
    with pytest.raises(ValueError, match=r"a column of starts, but none of ends.*or pass start_column=False"):
        load_csv(table(clips, "path,start,label\na.wav,0,x\n"))


def test_second_row_of_a_file_says_that_parts_need_times(clips):
    with pytest.raises(
        ValueError, match=r"1 files a second time.*Parts of one file need columns named start and"
    ):
        load_csv(table(clips, "path,label\na.wav,x\na.wav,y\n"), on_extra="ignore")


def test_repeated_part_is_left_out_with_a_warning(clips):
    text = "path,start,end,label\na.wav,0,1,x\nb.wav,0,1,x\na.wav,0,1.0,x\n"
    with pytest.warns(UserWarning, match="1 rows repeat an earlier row, and are left out: line 4"):
        assert len(load_csv(table(clips, text), on_extra="ignore")) == 2


def test_part_with_two_labels_warns(clips):
    text = "path,start,end,label\na.wav,0,1,x\na.wav,0,1,y\n"
    with pytest.warns(UserWarning, match="1 rows give the same part of a file another label.*: line 3"):
        assert len(load_csv(table(clips, text), on_extra="ignore")) == 2


def test_missing_recording_is_named_once(clips):
    text = "path,start,end,label\nz.wav,0,1,x\nz.wav,1,2,x\na.wav,0,1,x\n"
    with pytest.raises(DatasetNotFoundError, match=r"2 of 3 rows of \S+ have no audio: \S+z\.wav\."):
        load_csv(table(clips, text), on_extra="ignore")


def test_parts_in_other_folds_warn(clips):
    text = "path,start,end,label,fold\na.wav,0,1,x,1\na.wav,1,2,x,2\n"
    with pytest.warns(LeakageWarning, match="1 recordings"):
        load_csv(table(clips, text), on_extra="ignore")


# Several labels.


def test_labels_are_split_at_a_separator(clips):
    dataset = load_csv(table(clips, "path,label\na.wav,dog; bird\nb.wav,\nc.wav,dog;\n"), label_separator=";")
    assert dataset.label_names == ["bird", "dog"]
    assert dataset.y.tolist() == [[1, 1], [0, 0], [0, 1]]


def test_labels_from_columns_of_0_and_1(clips):
    file = table(clips, "path;bird;dog;wind\na.wav;1;0;x\nb.wav;WAHR;1,0;\nc.wav;False;0.0;\n")
    dataset = load_csv(file, label_columns=["dog", "bird"])
    assert dataset.label_names == ["dog", "bird"]
    assert dataset.y.tolist() == [[0, 1], [1, 1], [0, 0]]


def test_several_labels_of_parts(clips):
    text = "path,start,end,label\na.wav,0,1,dog|bird\na.wav,1,2,dog\n"
    dataset = load_csv(table(clips, text), label_separator="|", on_extra="ignore")
    assert dataset.X[1][1:] == (1.0, 2.0)
    assert dataset.y.tolist() == [[1, 1], [0, 1]]


def test_other_value_in_a_label_column_is_an_error_with_its_line(clips):
    with pytest.raises(ValueError, match="line 3: dog is '2'; expected 0 or 1"):
        load_csv(table(clips, "path,dog,bird\na.wav,1,0\nb.wav,2,0\n"), label_columns=["dog", "bird"])


def test_columns_of_0_and_1_are_suggested(clips):
    with pytest.raises(
        ValueError, match="name the label_column, or label_columns: dog, bird hold only 0 and 1"
    ):
        load_csv(table(clips, "path,note,dog,bird\na.wav,n,1,0\n"))


@pytest.mark.parametrize("options", [{"label_column": "dog"}, {"label_separator": ";"}])
def test_label_columns_exclude_other_choices(clips, options):
    with pytest.raises(ValueError, match="label_columns excludes label_column and label_separator"):
        load_csv(table(clips, "path,dog\na.wav,1\n"), label_columns=["dog"], **options)


@pytest.mark.parametrize("columns", ["dog", []])
def test_label_columns_must_be_a_list(clips, columns):
    with pytest.raises(ValueError, match="label_columns must be a list of names"):
        load_csv(table(clips, "path,dog\na.wav,1\n"), label_columns=columns)


@pytest.mark.parametrize("separator", ["", 3])
def test_label_separator_must_be_text(clips, separator):
    with pytest.raises(ValueError, match="must be a text, such as ';'"):
        load_csv(table(clips, "path,label\na.wav,x\n"), label_separator=separator)


def test_table_without_any_label_is_an_error(clips):
    with pytest.raises(ValueError, match="has no labels"):
        load_csv(table(clips, "path,label\na.wav,\nb.wav,;\n"), label_separator=";")


@pytest.mark.parametrize(
    ("labels", "separator"), [(["dog;bird", "x", "y"], ";"), (["dog,bird", "dog", "x"], ",")]
)
def test_label_with_a_separator_warns(clips, labels, separator):
    rows = "".join(f'{name}.wav,"{label}"\n' for name, label in zip("abc", labels, strict=True))
    with pytest.warns(UserWarning, match=f"read as one class.*pass label_separator='{separator}'"):
        load_csv(table(clips, f"path,label\n{rows}"))


# Names of classes.


def test_labels_are_composed_and_stripped(clips):
    names = [unicodedata.normalize(form, "Käuz") for form in ("NFC", "NFD")]
    text = f"path,label\na.wav,{names[0]}\nb.wav, {names[1]}\u00a0\nc.wav,x\n"
    assert load_csv(table(clips, text)).target_names == [names[0], "x"]


@pytest.mark.parametrize("labels", [("dog", "Dog"), ("house wren", "housewren")])
def test_labels_that_look_alike_warn(clips, labels):
    text = f"path,label\na.wav,{labels[0]}\nb.wav,{labels[1]}\nc.wav,x\n"
    with pytest.warns(UserWarning, match=f"differ only in case or white space.*{max(labels)}"):
        assert len(load_csv(table(clips, text)).target_names) == 3


# Paths.


@pytest.fixture
def tree(tmp_path, write_clips):
    write_clips(tmp_path, ["dog/0.wav", "dog/1.WAV", "bird/0.wav"])
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "dog/1.WAV",
        r"dog\1.WAV",
        r".\dog\1.WAV",
        r"C:\data\clips\dog\1.WAV",
        "c:/data/clips/dog/1.WAV",
        r"\\server\share\dog\1.WAV",
        "/home/someone/clips/dog/1.WAV",
        "dog/1.wav",
        "DOG/1.wav",
        "dog/1",
        r"D:\dog\1",
        "bird/../dog/1.wav",
    ],
)
def test_paths_of_other_systems_are_found(tree, name):
    dataset = load_csv(table(tree, f"path,label\n{name},x\n"), on_extra="ignore")
    assert dataset.paths == [str(tree / "dog" / "1.WAV")]


def test_paths_of_windows_are_found_under_the_root(tree, tmp_path_factory):
    file = table(tmp_path_factory.mktemp("meta"), "path,label\nC:\\x\\bird\\0.wav,b\nC:\\x\\dog\\0.wav,d\n")
    dataset = load_csv(file, audio_root=tree, on_extra="ignore")
    assert dataset.paths == [str(tree / "bird" / "0.wav"), str(tree / "dog" / "0.wav")]


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_paths_in_another_unicode_form_are_found(tmp_path, write_clips, forms):
    on_disk, in_table = (unicodedata.normalize(form, "Käuz/Käuz.wav") for form in forms)
    write_clips(tmp_path, [on_disk])
    assert load_csv(table(tmp_path, f"path,label\n{in_table},x\n")).paths == [str(tmp_path / on_disk)]


def test_name_without_a_suffix_must_be_unique(tree, write_clips):
    write_clips(tree, ["dog/0.flac"])
    with pytest.raises(DatasetNotFoundError, match="1 of 1 rows"):
        load_csv(table(tree, "path,label\ndog/0,x\n"), on_extra="ignore")


def test_exact_name_precedes_one_that_differs_in_case(tree, write_clips):
    write_clips(tree, ["dog/1.wav"])
    dataset = load_csv(table(tree, "path,label\ndog/1.wav,x\ndog/1.WAV,y\n"), on_extra="ignore")
    assert dataset.paths == [str(tree / "dog" / "1.wav"), str(tree / "dog" / "1.WAV")]


def test_relative_path_is_not_searched_elsewhere(tree):
    with pytest.raises(DatasetNotFoundError, match=r"Did you mean \S+0\.wav\?"):
        load_csv(table(tree, "path,label\n0.wav,x\n"))


@pytest.mark.parametrize(("name", "meant"), [("dog/O.wav", "0.wav"), ("dog/1.mp3", "1.WAV")])
def test_missing_file_has_a_suggestion(tree, name, meant):
    with pytest.raises(DatasetNotFoundError, match=rf"have no audio: \S+\. Did you mean \S*{meant}"):
        load_csv(table(tree, f"path,label\n{name},x\n"), on_extra="ignore")


def test_missing_folder_suggests_audio_root(tree):
    with pytest.raises(DatasetNotFoundError, match=r"There is no folder \S+audio: pass audio_root"):
        load_csv(table(tree, "path,label\naudio/monday.wav,x\n"))


def test_missing_file_lists_what_is_there(tree):
    with pytest.raises(DatasetNotFoundError, match=r"holds bird/0\.wav, dog/0\.wav, dog/1\.WAV\."):
        load_csv(table(tree, "path,label\nmonday.wav,x\n"))


def test_name_that_is_not_utf8_is_found(tmp_path, write_clips):
    write_clips(tmp_path, ["k.wav"])
    (tmp_path / "k.wav").rename(tmp_path / "K\udce4uz.wav")
    assert load_csv(table(tmp_path, "path,label\nKäuz.wav,x\n")).paths == [str(tmp_path / "K\udce4uz.wav")]
