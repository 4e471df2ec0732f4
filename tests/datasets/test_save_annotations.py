"""save_annotations: CSV tables, label tracks and selection tables that are read again."""

import os
import sys

import numpy as np
import pandas as pd
import pytest

from skfewaudio.datasets import load_annotations, load_csv, save_annotations

COLUMNS = ["path", "start", "end", "label", "probability"]


@pytest.fixture
def table(tmp_path, write_clips):
    """Events of two recordings in different folders."""
    write_clips(tmp_path / "in", ["site1/night.wav", "site2/night.wav"])
    night, other = (str(tmp_path / "in" / site / "night.wav") for site in ("site1", "site2"))
    rows = [
        (night, 0.5, 1.25, "owl", 0.9),
        (night, 2.0, 3.5, "red fox", 0.75),
        (other, 1 / 3, 2.0, "owl", 0.5),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def triples(dataset):
    """Return path, rounded times and label of each clip."""
    return [
        (path, round(start, 6), round(end, 6), label)
        for (path, start, end), label in zip(dataset.X, dataset.y.tolist(), strict=True)
    ]


def expected(table):
    return [(row.path, round(row.start, 6), round(row.end, 6), row.label) for row in table.itertuples()]


def test_csv_has_the_columns_of_detections(table, tmp_path):
    assert save_annotations(table, tmp_path / "all.csv") == [tmp_path / "all.csv"]
    lines = (tmp_path / "all.csv").read_bytes().decode().split("\r\n")
    assert lines[0] == "path,start,end,label,probability"
    assert lines[3] == f"{table.path[2]},0.333333,2.0,owl,0.500000"
    assert lines[4:] == [""]


def test_csv_is_read_again(table, tmp_path):
    save_annotations(table, tmp_path / "all.csv")
    assert triples(load_csv(tmp_path / "all.csv", on_extra="ignore")) == expected(table)
    assert triples(load_annotations(tmp_path / "all.csv")) == expected(table)


@pytest.mark.parametrize("format", ["csv", "audacity", "raven"])
def test_files_of_each_recording_are_read_again(table, tmp_path, format):
    out = tmp_path / "out"
    files = save_annotations(table, out, format=format, per_recording=True)
    assert [file.relative_to(out).parts[0] for file in files] == ["site1", "site2"]
    found = load_annotations(out, audio_root=tmp_path / "in", format="table" if format == "csv" else format)
    assert triples(found) == expected(table)


def test_names_of_files_are_those_of_their_programs(table, tmp_path):
    names = {
        format: save_annotations(table, tmp_path / format, format=format, per_recording=True)[0].name
        for format in ("csv", "audacity", "raven")
    }
    assert names == {"csv": "night.csv", "audacity": "night.txt", "raven": "night.selections.txt"}


def test_label_track_has_six_decimals_and_tabs(table, tmp_path):
    save_annotations(table[:2], tmp_path / "night.txt", format="audacity")
    text = "0.500000\t1.250000\towl\n2.000000\t3.500000\tred fox\n"
    assert (tmp_path / "night.txt").read_bytes() == text.encode()


def test_selection_table_spans_the_frequencies_of_the_recording(table, tmp_path):
    save_annotations(table[:2], tmp_path / "night.selections.txt", format="raven")
    found = pd.read_csv(tmp_path / "night.selections.txt", sep="\t")
    assert found["Selection"].tolist() == [1, 2]
    assert found["High Freq (Hz)"].tolist() == [4000, 4000]
    assert found["Annotation"].tolist() == ["owl", "red fox"]
    assert found["Begin Path"].tolist() == [table.path[0]] * 2
    assert found["Probability"].tolist() == [0.9, 0.75]


def test_selection_table_without_its_recording(tmp_path):
    table = pd.DataFrame([("none.wav", 0.0, 1.0, "owl")], columns=COLUMNS[:4])
    save_annotations(table, tmp_path / "none.txt", format="raven")
    found = pd.read_csv(tmp_path / "none.txt", sep="\t")
    assert found["High Freq (Hz)"].tolist() == [22050]
    assert "Probability" not in found


@pytest.mark.parametrize("format", ["csv", "audacity", "raven"])
def test_table_without_events(tmp_path, format):
    (file,) = save_annotations(pd.DataFrame(columns=COLUMNS), tmp_path / "none.txt", format=format)
    assert len(file.read_text().splitlines()) == (0 if format == "audacity" else 1)


@pytest.mark.parametrize("format", ["audacity", "raven"])
def test_separators_in_labels_become_spaces(tmp_path, write_clips, format):
    write_clips(tmp_path, ["night.wav"])
    table = pd.DataFrame([(str(tmp_path / "night.wav"), 0.0, 1.0, "a\tb\nc")], columns=COLUMNS[:4])
    (file,) = save_annotations(table, tmp_path / "night.txt", format=format)
    assert load_annotations(file).y.tolist() == ["a b c"]


def test_texts_like_formulas_are_made_safe(tmp_path):
    table = pd.DataFrame([("=1.wav", 0.0, 1.0, "=1+1")], columns=COLUMNS[:4])
    save_annotations(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == "./=1.wav,0.0,1.0,'=1+1"


def test_recordings_of_one_name_get_files_of_their_own(tmp_path):
    rows = [(f"a/{name}", 0.0, 1.0, "owl") for name in ("x.wav", "x.flac", "X.ogg", "x.2024")]
    files = save_annotations(
        pd.DataFrame(rows, columns=COLUMNS[:4]), tmp_path, format="audacity", per_recording=True
    )
    assert [file.name for file in files] == ["x.txt", "x.flac.txt", "X.ogg.txt", "x.2024.txt"]


def test_end_of_the_recording_is_left_empty_in_csv(tmp_path):
    table = pd.DataFrame([("a.wav", 2.0, np.nan, "owl")], columns=COLUMNS[:4])
    save_annotations(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == "a.wav,2.0,,owl"
    with pytest.raises(ValueError, match="'owl' has no end; expected seconds"):
        save_annotations(table, tmp_path / "t.txt", format="audacity")
    assert not (tmp_path / "t.txt").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names that are not UTF-8")
def test_names_that_are_not_utf_8_keep_their_bytes(tmp_path):
    name = os.fsdecode(b"n\xe4cht.wav")
    table = pd.DataFrame([(name, 0.0, 1.0, "owl")], columns=COLUMNS[:4])
    save_annotations(table, tmp_path / "t.csv")
    assert b"n\xe4cht.wav,0.0" in (tmp_path / "t.csv").read_bytes()


def test_several_recordings_in_a_label_track_are_refused(table, tmp_path):
    with pytest.raises(ValueError, match=r"has 2 recordings, .* pass a folder and per_recording=True"):
        save_annotations(table, tmp_path / "t.txt", format="audacity")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": -1.0}, "row 0 of the table, of .* from -1.0 to"),
        ({"end": 0.1}, "expected 0 <= start <= end"),
        ({"start": np.inf}, "from inf"),
    ],
)
def test_times_that_are_none_are_refused(table, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        save_annotations(table[:1].assign(**change), tmp_path / "t.csv")


def test_missing_columns_are_named(table, tmp_path):
    with pytest.raises(ValueError, match="no column start and no column label; its columns are path, end"):
        save_annotations(table[["path", "end"]], tmp_path / "t.csv")


def test_unknown_format_is_refused(table, tmp_path):
    with pytest.raises(ValueError, match="format must be one of 'csv', 'audacity', 'raven'; got 'xls'"):
        save_annotations(table, tmp_path / "t", format="xls")
