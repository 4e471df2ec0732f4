"""load_annotations: label tracks, selection tables, TextGrids and tables of parts of recordings."""

import unicodedata

import pytest

from skfewaudio.datasets import load_annotations
from skfewaudio.exceptions import DatasetNotFoundError

TRACK = "0.5\t1.25\towl\n2.000000\t3.5\tfox\n"


@pytest.fixture
def night(tmp_path, write_clips):
    """Return a folder with the recording night.wav."""
    write_clips(tmp_path, ["night.wav"])
    return tmp_path


def write(folder, text, name="night.txt"):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def times(dataset):
    return [(start, end) for _, start, end in dataset.X]


# Label tracks of Audacity.


def test_label_track_of_audacity(night):
    dataset = load_annotations(write(night, TRACK))
    recording = str(night / "night.wav")
    assert list(dataset.X) == [(recording, 0.5, 1.25), (recording, 2.0, 3.5)]
    assert dataset.y.tolist() == ["owl", "fox"]
    assert dataset.groups.tolist() == [recording] * 2
    assert dataset.name == "night"


def test_rows_of_frequencies_are_ignored(night):
    text = "0.101385\t0.367520\tSP\n\\\t6441.064453\t12296.577148\n0.506924\t3.041545\tCRER\n\\\t2593.1\t-1\n"
    dataset = load_annotations(write(night, text))
    assert times(dataset) == [(0.101385, 0.36752), (0.506924, 3.041545)]


def test_decimal_comma_in_a_label_track(night):
    assert times(load_annotations(write(night, "0,5\t1,25\towl\r\n"))) == [(0.5, 1.25)]


def test_label_with_separators(night):
    assert load_annotations(write(night, "0\t1\towl, far; loud\n")).y[0] == "owl, far; loud"


def test_points_are_left_out_with_a_warning(night):
    with pytest.warns(UserWarning, match=r"1 labels are at a point in time.*: line 2\. Pass point_duration"):
        assert times(load_annotations(write(night, "0\t1\towl\n5.0\t5.0\tfox\n"))) == [(0.0, 1.0)]


def test_points_become_parts_of_a_given_duration(night):
    file = write(night, "0.25\t0.25\towl\n5.0\t5.0\tfox\n7\t8\tfox\n")
    dataset = load_annotations(file, point_duration=1.0)
    assert times(dataset) == [(0.0, 1.0), (4.5, 5.5), (7.0, 8.0)]


@pytest.mark.parametrize("duration", [0, -1.0, float("inf"), float("nan")])
def test_duration_of_points_must_be_positive(night, duration):
    with pytest.raises(ValueError, match=r"point_duration=.* must be a positive number of seconds"):
        load_annotations(write(night, TRACK), point_duration=duration)


def test_parts_without_a_label_are_left_out_with_a_warning(night):
    with pytest.warns(UserWarning, match="2 parts have no label and are left out: line 1, line 3"):
        assert load_annotations(write(night, "0\t1\t\n1\t2\towl\n2\t3\n")).y.tolist() == ["owl"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2\t1\tfox", "line 2: end is '1' and start is '2'; expected an end after the start"),
        ("2\tone\tfox", "line 2: end is 'one'; expected seconds"),
        ("-2\t1\tfox", "line 2: start is '-2'"),
        ("fox", "line 2: start is 'fox'"),
        ("1", "line 2: end is ''"),
    ],
)
def test_invalid_line_of_a_label_track_is_an_error(night, line, message):
    with pytest.raises(ValueError, match=message):
        load_annotations(write(night, f"0\t1\towl\n{line}\n"))


# Selection tables of Raven.

HEADER = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)"


def raven(*rows, columns="Species"):
    """Return a selection table; each row is selection, view, channel, start, end and further columns."""
    lines = ["\t".join([*map(str, row[:5]), "100.0", "2000.0", *map(str, row[5:])]) for row in rows]
    return "\n".join([f"{HEADER}\t{columns}", *lines]) + "\n"


def test_selection_table_of_raven(night):
    text = raven((1, "Spectrogram 1", 1, 0.5, 1.25, "EATO"), (2, "Spectrogram 1", 1, 2, 3.5, "WOTH"))
    dataset = load_annotations(write(night, text, "night.Table.1.selections.txt"))
    assert times(dataset) == [(0.5, 1.25), (2.0, 3.5)]
    assert dataset.y.tolist() == ["EATO", "WOTH"]
    assert dataset.paths == [str(night / "night.wav")] * 2


def test_selection_of_several_views_and_channels_is_read_once(night):
    rows = [
        (1, view, channel, 0.5, 1, "EATO") for view in ("Waveform 1", "Spectrogram 1") for channel in (1, 2)
    ]
    assert len(load_annotations(write(night, raven(*rows, (2, "Waveform 1", 1, 2, 3, "WOTH"))))) == 2


def test_label_of_any_view_is_read(night):
    text = raven((1, "Waveform 1", 1, 0.5, 1, ""), (1, "Spectrogram 1", 1, 0.5, 1, "EATO"))
    assert load_annotations(write(night, text)).y.tolist() == ["EATO"]


@pytest.mark.parametrize("columns", ["Annotation\t", "Annotation\tSpecies", "Tag 1\tNotes", "Call Type"])
def test_usual_columns_of_labels(night, columns):
    cells = ["", "EATO"] if columns == "Annotation\tSpecies" else ["EATO"]
    assert load_annotations(write(night, raven((1, "S", 1, 0, 1, *cells), columns=columns))).y[0] == "EATO"


def test_column_of_labels_can_be_named(night):
    text = raven((1, "S", 1, 0, 1, "EATO", "song"), columns="Species\tKind of sound")
    assert load_annotations(write(night, text), label_column="kind of sound").y[0] == "song"


def test_selection_table_without_labels_is_an_error(night):
    with pytest.raises(ValueError, match=r"has the columns Selection, .*Occupancy; no column.*label_column"):
        load_annotations(write(night, raven((1, "S", 1, 0, 1, "0.5"), columns="Occupancy")))


def test_names_of_files_precede_the_name_of_the_table(night, write_clips):
    write_clips(night, ["a.wav", "b.wav"])
    text = raven(
        (1, "S", 1, 0, 1, "a.wav", "x"), (2, "S", 1, 0, 1, "b.wav", "y"), columns="Begin File\tSpecies"
    )
    assert load_annotations(write(night, text)).paths == [str(night / "a.wav"), str(night / "b.wav")]


@pytest.mark.parametrize("path", [r"D:\field\a.wav", "/data/field/a.wav", r"D:\field\A.WAV"])
def test_paths_of_another_computer_are_found_by_name(night, write_clips, path):
    write_clips(night, ["a.wav"])
    text = raven((1, "S", 1, 0, 1, path, "a.wav", "x"), columns="Begin Path\tBegin File\tSpecies")
    assert load_annotations(write(night, text)).paths == [str(night / "a.wav")]


def test_times_in_a_sequence_of_files_are_converted(night, write_clips):
    write_clips(night, ["a.wav", "b.wav"])
    rows = [
        (1, "S", 1, 5.0, 6.0, "a.wav", "a.wav", 5.0, "x"),
        (2, "S", 1, 62.5, 64.0, "b.wav", "b.wav", 2.5, "x"),
    ]
    text = raven(*rows, columns="Begin File\tEnd File\tFile Offset (s)\tSpecies")
    assert times(load_annotations(write(night, text))) == [(5.0, 6.0), (2.5, 4.0)]


def test_selection_that_ends_in_another_file_ends_with_its_file(night, write_clips):
    write_clips(night, ["a.wav", "b.wav"])
    row = (1, "S", 1, 59.0, 61.0, "a.wav", "b.wav", 59.0, "x")
    text = raven(row, columns="Begin File\tEnd File\tFile Offset (s)\tSpecies")
    assert times(load_annotations(write(night, text))) == [(59.0, None)]


def test_times_that_go_on_from_file_to_file_warn(night, write_clips):
    write_clips(night, ["a.wav", "b.wav"])
    text = raven(
        (1, "S", 1, 5, 6, "a.wav", "x"), (2, "S", 1, 62, 64, "b.wav", "x"), columns="Begin File\tSpecies"
    )
    with pytest.warns(
        UserWarning, match=r"times go on from one to the next.*add the measurement File Offset"
    ):
        load_annotations(write(night, text))


def test_selections_of_birdnet(night):
    text = raven(
        (1, "Spectrogram 1", 1, 0.0, 3.0, "Tawny Owl", "tawowl1", 0.87, "/x/night.wav", 0.0),
        (2, "Spectrogram 1", 1, 3.0, 6.0, "Red Fox", "redfox", 0.42, "/x/night.wav", 3.0),
        columns="Common Name\tSpecies Code\tConfidence\tBegin Path\tFile Offset (s)",
    )
    dataset = load_annotations(write(night, text, "night.BirdNET.selections.txt"))
    assert dataset.y.tolist() == ["Tawny Owl", "Red Fox"]
    assert dataset.paths == [str(night / "night.wav")] * 2


# TextGrids of Praat.

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 4
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "calls"
        xmin = 0
        xmax = 4
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.25
            text = "Käuzchen ""far""
 away "
        intervals [3]:
            xmin = 1.25
            xmax = 4
            text = "fox"
    item [2]:
        class = "IntervalTier"
        name = "notes"
        xmin = 0
        xmax = 4
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 4
            text = " "
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
4
<exists>
1
"IntervalTier"
"calls"
0
4
3
0
0.5
""
0.5
1.25
"Käuzchen ""far"" away"
1.25
4
"fox"
"""
TEXTGRIDS = pytest.mark.parametrize("text", [LONG, SHORT], ids=["long", "short"])


@TEXTGRIDS
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_textgrid(night, text, encoding):
    dataset = load_annotations(write(night, text.encode(encoding), "night.TextGrid"))
    assert times(dataset) == [(0.5, 1.25), (1.25, 4.0)]
    assert dataset.y.tolist() == ['Käuzchen "far" away', "fox"]


@TEXTGRIDS
def test_textgrid_in_windows_encoding_warns(night, text):
    with pytest.warns(UserWarning, match="is read as Windows-1252"):
        dataset = load_annotations(write(night, text.encode("cp1252"), "night.TextGrid"))
    assert dataset.y[0] == 'Käuzchen "far" away'


def test_tier_must_be_named_if_there_are_several(night):
    file = write(night, LONG.replace('" "', '"wind"'))
    with pytest.raises(ValueError, match="has 2 tiers with labels; its tiers are 'calls', 'notes': name"):
        load_annotations(file)


@pytest.mark.parametrize(
    ("tier", "labels"), [("notes", ["wind"]), (["calls", "notes"], ['Käuzchen "far" away', "fox", "wind"])]
)
def test_tiers_can_be_named(night, tier, labels):
    file = write(night, LONG.replace('" "', '"wind"'))
    assert load_annotations(file, tier=tier).y.tolist() == labels


def test_unknown_tier_is_an_error(night):
    with pytest.raises(ValueError, match="has no interval tier 'call'; its tiers are 'calls', 'notes'"):
        load_annotations(write(night, LONG), tier="call")


def test_point_tiers_are_ignored_with_a_warning(night):
    points = SHORT.replace("<exists>\n1", "<exists>\n2") + '"TextTier"\n"peaks"\n0\n4\n1\n0.75\n"H*"\n'
    with pytest.warns(UserWarning, match="the point tiers 'peaks' are not read"):
        assert len(load_annotations(write(night, points))) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.25\n4\n", "4\n1.25\n", "line 19: the interval 'fox' starts at 4 and ends at 1.25"),
        ('"fox"\n', "", "line 20 has the end of the file; expected a text"),
        ("<exists>", '"exists"', "line 6 has 'exists'; expected a flag"),
        ('"fox"', '"fox', "a quotation mark is never closed"),
        ("4\n3\n", "4\n3.5\n", "line 12: '3.5' is not a count"),
        ("IntervalTier", "Tier", "line 8: 'Tier'; expected IntervalTier or TextTier"),
        ("0.5\n1.25", "0.5\n1..25", r"line 17: time is '1\.\.25'; expected seconds"),
        ('"TextGrid"', '"Sound"', "is not a TextGrid in text format.*Save as text file"),
    ],
)
def test_damaged_textgrid_is_an_error_with_its_line(night, old, new, message):
    with pytest.raises(ValueError, match=message):
        load_annotations(write(night, SHORT.replace(old, new)))


def test_binary_textgrid_says_how_to_save_it(night):
    with pytest.raises(ValueError, match=r"is not a TextGrid in text format.*Save as text file"):
        load_annotations(write(night, "ooBinaryFile\x08TextGrid\x01\x02"))


# Tables.


def test_table_of_several_recordings(night, write_clips):
    write_clips(night, ["a.wav"])
    file = write(night, "path;start;end;label\nnight;0,5;1;owl\na.WAV;1;2;fox\n", "events.csv")
    assert load_annotations(file).paths == [str(night / "night.wav"), str(night / "a.wav")]


def test_table_of_one_recording(night):
    file = write(night, "onset_s,offset_s,label\n0.5,1,owl\n1,1,owl\n", "night_annotations.csv")
    dataset = load_annotations(file, point_duration=0.5)
    assert times(dataset) == [(0.5, 1.0), (0.75, 1.25)]
    assert dataset.paths[0] == str(night / "night.wav")


def test_table_without_times_is_an_error(night):
    with pytest.raises(ValueError, match="has no times: its columns are path, label"):
        load_annotations(write(night, "path,label\nnight.wav,owl\n"), format="table")


# The formats.


@pytest.mark.parametrize("text", ["notes of the night\nnone", "path,label\na.wav,x\n", '{"a": 1}'])
def test_unknown_format_is_an_error(night, text):
    with pytest.raises(
        ValueError, match=r"is in no known format: its first line is .*; expected a label track"
    ):
        load_annotations(write(night, text))


def test_format_can_be_given(night):
    with pytest.raises(ValueError, match="line 1: start is 'start'"):
        load_annotations(write(night, "start\tend\tlabel\n0\t1\towl\n"), format="audacity")


def test_unknown_name_of_a_format_is_rejected(night):
    with pytest.raises(
        ValueError, match="format must be 'auto', 'textgrid', 'raven', 'audacity', 'table'; got"
    ):
        load_annotations(write(night, TRACK), format="elan")


def test_missing_file_is_an_error(night):
    with pytest.raises(DatasetNotFoundError, match=r"none\.txt does not exist"):
        load_annotations(night / "none.txt")


EMPTY_TEXTGRID = SHORT.partition("3\n0\n0.5")[0] + '1\n0\n4\n""\n'


@pytest.mark.parametrize("text", ["", "\n", raven(), EMPTY_TEXTGRID, "start,end,label\n"])
def test_files_without_a_label_are_an_error(night, text):
    with pytest.raises(ValueError, match="no part of a recording has a label"):
        load_annotations(write(night, text))


# Recordings.


@pytest.mark.parametrize(
    "name",
    [
        "night.txt",
        "night.labels.txt",
        "night_label.txt",
        "night.audacity.txt",
        "night.wav.txt",
        "NIGHT.txt",
        "night.Table.1.selections.txt",
        "night.wav.Table.2.selections.txt",
    ],
)
def test_recording_is_found_by_its_name(night, name):
    assert load_annotations(write(night, TRACK, name)).paths[0] == str(night / "night.wav")


def test_recording_may_have_any_suffix(tmp_path, write_clips):
    write_clips(tmp_path, ["rec_2024.05.01.FLAC", "rec_2024.wav"])
    assert load_annotations(write(tmp_path, TRACK, "rec_2024.05.01.txt")).paths[0].endswith("01.FLAC")


def test_recording_may_differ_in_unicode_form(tmp_path, write_clips):
    on_disk = unicodedata.normalize("NFD", "Käuz.wav")
    write_clips(tmp_path, [on_disk])
    assert load_annotations(write(tmp_path, TRACK, "K\u00e4uz.txt")).paths[0] == str(tmp_path / on_disk)


def test_recording_that_was_converted_is_found(tmp_path, write_clips):
    write_clips(tmp_path, ["night.flac"])
    text = raven((1, "S", 1, 0, 1, "night.wav", "x"), columns="Begin File\tSpecies")
    assert load_annotations(write(tmp_path, text, "all.txt")).paths == [str(tmp_path / "night.flac")]


def test_recording_is_searched_under_a_root(night, tmp_path_factory):
    file = write(tmp_path_factory.mktemp("labels"), TRACK)
    assert load_annotations(file, audio_root=night).paths[0] == str(night / "night.wav")


def test_recording_in_a_folder_of_the_same_name_is_preferred(tmp_path, write_clips):
    write_clips(tmp_path, ["audio/monday/1.wav", "audio/tuesday/1.wav"])
    file = write(tmp_path / "labels" / "tuesday", TRACK, "1.txt")
    dataset = load_annotations(file, audio_root=tmp_path / "audio")
    assert dataset.paths[0] == str(tmp_path / "audio" / "tuesday" / "1.wav")


def test_recording_can_be_given(night):
    dataset = load_annotations(write(night, TRACK, "other.txt"), audio=night / "night.wav")
    assert dataset.paths[0] == str(night / "night.wav")


def test_number_of_recordings_must_match(night):
    with pytest.raises(ValueError, match="audio has 2 recordings for 1 files; expected one for each"):
        load_annotations(write(night, TRACK), audio=["a.wav", "b.wav"])


def test_one_recording_for_a_table_of_several_is_an_error(night):
    text = raven(
        (1, "S", 1, 0, 1, "a.wav", "x"), (2, "S", 1, 0, 1, "b.wav", "y"), columns="Begin File\tSpecies"
    )
    with pytest.raises(ValueError, match=r"names 2 recordings: a\.wav, b\.wav\. Pass audio_root"):
        load_annotations(write(night, text), audio=night / "night.wav")


def test_several_candidates_are_an_error(night, write_clips):
    write_clips(night, ["night.flac"])
    with pytest.raises(
        ValueError, match=r"could belong to \S+night\.flac, \S+night\.wav: pass the recording"
    ):
        load_annotations(write(night, TRACK))


def test_missing_recording_is_an_error_with_a_suggestion(night):
    with pytest.raises(DatasetNotFoundError, match=r"no audio: \S+nigth\.wav\. Did you mean \S+night\.wav"):
        load_annotations(write(night, TRACK, "nigth.txt"))


def test_labels_without_a_recording_can_be_left_out(night):
    files = [write(night, TRACK), write(night, TRACK, "day.txt")]
    with pytest.warns(UserWarning, match=r"2 of 4 rows of 2 files of annotations have no audio: \S+day\.wav"):
        assert len(load_annotations(files, on_missing="warn")) == 2


# Several files.


def test_several_files_of_any_format(night, write_clips):
    write_clips(night, ["a.wav", "b.wav"])
    files = [
        write(night, TRACK, "a.txt"),
        write(night, raven((1, "S", 1, 0, 1, "owl")), "b.Table.1.selections.txt"),
        write(night, SHORT, "night.TextGrid"),
    ]
    dataset = load_annotations(files)
    assert len(dataset) == 5
    assert len(set(dataset.groups)) == 3


def test_error_in_one_of_several_files_names_it(night):
    files = [write(night, TRACK), write(night, "0\tx\towl\n", "other.txt")]
    with pytest.raises(ValueError, match=r"other\.txt, line 1: end is 'x'"):
        load_annotations(files)


def test_folder_of_annotations(night, write_clips):
    write_clips(night, ["sub/day.wav"])
    write(night, TRACK)
    write(night, TRACK, "sub/day.txt")
    dataset = load_annotations(night)
    assert sorted(set(dataset.paths)) == [str(night / "night.wav"), str(night / "sub" / "day.wav")]
    assert dataset.name == night.name


def test_other_files_of_a_folder_warn(night):
    write(night, TRACK)
    write(night, "Recorded in May.", "README.txt")
    with pytest.warns(UserWarning, match=r"1 files are no annotations and are left out: \S+README\.txt"):
        assert len(load_annotations(night)) == 2


def test_folder_without_annotations_is_an_error(night):
    with pytest.raises(DatasetNotFoundError, match="holds no files of annotations; expected a label track"):
        load_annotations(night)


def test_no_files_are_an_error():
    with pytest.raises(ValueError, match="paths is empty"):
        load_annotations([])


def test_labels_that_look_alike_warn(night):
    with pytest.warns(UserWarning, match="differ only in case or white space.*'Owl' and 'owl'"):
        load_annotations(write(night, "0\t1\towl\n1\t2\tOwl\n"))


def test_repeated_part_is_left_out_with_a_warning(night):
    with pytest.warns(UserWarning, match="1 rows repeat an earlier row, and are left out: line 2"):
        assert len(load_annotations(write(night, "0\t1\towl\n0\t1\towl\n"))) == 1
