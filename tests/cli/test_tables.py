"""Tables and files of annotations instead of folders."""

import json

import pytest

from skfewaudio.cli import main
from skfewaudio.persistence import read_card

FAST = ["--pipeline", "mfcc-1nn", "--device", "cpu", "--no-evaluate"]


@pytest.fixture
def table(clips, tmp_path):
    """Table of the clips, with paths relative to their folder."""
    rows = [f"{path.relative_to(clips)};{path.parent.name}" for path in sorted(clips.rglob("*.wav"))]
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(["file;species", *rows]))
    return path


def test_train_reads_a_table(clips, table, tmp_path):
    command = ["train", str(table), "--audio-root", str(clips), "-o", str(tmp_path / "m"), *FAST]
    assert main(command) == 0
    assert read_card(tmp_path / "m")["data_set"]["clips_per_class"] == {"noise": 4, "tone": 4}


def test_train_reads_parts_of_files(clips, tmp_path):
    table = tmp_path / "parts.csv"
    rows = [f"{name}/0.wav,{start},{start + 0.1},{name}" for name in ("tone", "noise") for start in (0, 0.12)]
    table.write_text("\n".join(["path,start,end,label", *rows]))
    command = ["train", str(table), "--audio-root", str(clips), "-o", str(tmp_path / "m"), *FAST]
    assert main(command) == 0
    assert read_card(tmp_path / "m")["data_set"]["n_clips"] == 4


def test_columns_are_chosen(clips, tmp_path):
    rows = [f"x,{name}/{k}.wav,y,{name}" for name in ("tone", "noise") for k in range(2)]
    table = tmp_path / "odd.tsv"
    table.write_text("\n".join(["path,wav,label,animal", *rows]))
    command = ["train", str(table), "--audio-root", str(clips), "-o", str(tmp_path / "m"), *FAST]
    assert main([*command, "--path-column", "wav", "--label-column", "animal"]) == 0
    assert list(read_card(tmp_path / "m")["data_set"]["clips_per_class"]) == ["noise", "tone"]


def test_table_with_several_labels_is_refused(clips, tmp_path, capsys):
    table = tmp_path / "tags.csv"
    table.write_text("path,rain,wind\ntone/0.wav,1,0\nnoise/0.wav,1,1\n")
    assert main(["train", str(table), "--audio-root", str(clips), "-o", str(tmp_path / "m"), *FAST]) == 2
    assert "name the --label-column" in capsys.readouterr().err


def test_missing_table_is_reported(tmp_path, capsys):
    assert main(["train", str(tmp_path / "none.csv"), "-o", str(tmp_path / "m"), *FAST]) == 2
    assert "none.csv does not exist; expected a folder" in capsys.readouterr().err


def test_errors_name_options_instead_of_parameters(table, tmp_path, capsys):
    command = ["train", str(table), "--audio-root", str(tmp_path / "none"), "-o", str(tmp_path / "m"), *FAST]
    assert main(command) == 2
    err = capsys.readouterr().err
    assert "pass --audio-root" in err
    assert "on_missing" not in err


def test_evaluate_reads_a_table(model, clips, table, capsys):
    assert main(["evaluate", str(model), str(table), "--audio-root", str(clips), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_right"] == 8


def test_evaluate_reads_annotations(model, other_clips, capsys):
    (other_clips / "tone" / "0.txt").write_text("0.0\t0.1\ttone\n0.1\t0.2\ttone\n")
    assert main(["evaluate", str(model), str(other_clips / "tone" / "0.txt"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_clips"] == 2


def test_predict_writes_start_and_end_of_parts(model, clips, tmp_path, capsys):
    table = tmp_path / "parts.csv"
    table.write_text("path,start,end\ntone/0.wav,0.05,0.15\ntone/1.wav,,\n")
    main(["predict", str(model), str(table), "--audio-root", str(clips), "--csv"])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "path,start,end,label,probability",
        f"{clips / 'tone' / '0.wav'},0.05,0.15,tone,1.000000",
        f"{clips / 'tone' / '1.wav'},,,tone,1.000000",
    ]


def test_predictions_of_parts_can_be_read_as_a_table(model, clips, tmp_path, capsys):
    table, out = tmp_path / "parts.csv", tmp_path / "out.csv"
    table.write_text("path,start,end\ntone/0.wav,0.05,0.15\ntone/1.wav,,\n")
    main(["predict", str(model), str(table), "--audio-root", str(clips), "-o", str(out)])
    assert main(["predict", str(model), str(out), "-o", str(out), "--resume"]) == 0
    assert capsys.readouterr().out.endswith(f"0 rows written to {out}; 2 were there\n")


def test_predict_mixes_tables_and_files(model, clips, table, capsys):
    tone = str(clips / "tone" / "0.wav")
    assert main(["predict", str(model), str(table), tone, "--audio-root", str(clips), "--json"]) == 0
    paths = [json.loads(line)["path"] for line in capsys.readouterr().out.splitlines()]
    assert len(paths) == len(set(paths)) == 8


def test_part_fits_a_terminal(model, clips, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("skfewaudio.cli._predict.terminal_width", lambda: 60)
    table = tmp_path / "parts.csv"
    table.write_text("path,start,end\ntone/0.wav,0.05,0.15\n")
    main(["predict", str(model), str(table), "--audio-root", str(clips)])
    line = capsys.readouterr().out.rstrip("\n")
    assert "0.wav 0.05-0.15 s  tone" in line
    assert len(line) <= 60


def test_check_and_cache_read_a_table(clips, table, tmp_path, capsys):
    options = [str(table), "--audio-root", str(clips)]
    assert main(["datasets", "check", *options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_clips"] == 8
    warm = ["--transformer", "mfcc", "--location", str(tmp_path / "cache")]
    assert main(["cache", "warm", *options, *warm]) == 0
    assert "8 computed" in capsys.readouterr().out
