"""Tests of skfewaudio predict."""

import csv
import io
import json
import shutil

import pytest

from skfewaudio.cli import _models, main


def run(capsys, *argv):
    status = main(["predict", *map(str, argv)])
    out, err = capsys.readouterr()
    return status, out, err


def test_writes_path_label_and_probability(model, other_clips, capsys):
    status, out, _ = run(capsys, model, other_clips / "tone")
    assert status == 0
    assert [line.split("\t") for line in out.splitlines()] == [
        [str(other_clips / "tone" / f"{k}.wav"), "tone", "1.000"] for k in range(2)
    ]


def test_csv_quotes_names_according_to_rfc_4180(model, other_clips, capsys):
    odd = other_clips / 'a "b", c.wav'
    shutil.move(other_clips / "tone" / "0.wav", odd)
    _, out, _ = run(capsys, model, odd, "--csv")
    assert out.startswith("path,label,probability\r\n")
    assert next(csv.DictReader(io.StringIO(out, newline="")))["path"] == str(odd)


def test_json_has_one_object_per_line_with_the_top_classes(model, other_clips, capsys):
    _, out, _ = run(capsys, model, other_clips, "--json", "--top", "5")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["label"] for line in lines] == ["noise", "noise", "tone", "tone"]
    assert [one["label"] for one in lines[3]["top"]] == ["tone", "noise"]


def test_name_outside_ascii_is_written_unchanged(model, other_clips, capsys):
    path = other_clips / "Zürich 東京.wav"
    shutil.move(other_clips / "tone" / "0.wav", path)
    assert run(capsys, model, path)[1].startswith(f"{path}\t")
    assert json.loads(run(capsys, model, path, "--json")[1])["path"] == str(path)


@pytest.mark.parametrize(("reject", "label"), [("0.5", "noise"), ("0.51", "unknown")])
def test_prediction_below_the_threshold_is_unknown(clips, tmp_path, capsys, reject, label):
    path = tmp_path / "m"  # predicts equal probabilities
    main(["train", str(clips), "-o", str(path), "--pipeline", "random", "--no-evaluate"])
    trust = ["--trust", "skfewaudio.pipelines._ignore"]
    capsys.readouterr()
    _, out, _ = run(capsys, path, clips / "tone" / "0.wav", "--reject", reject, *trust)
    assert out.split("\t")[1:] == [label, "0.500\n"]


def test_untrusted_type_is_named_with_the_option_that_allows_it(clips, tmp_path, capsys):
    path = tmp_path / "m"
    main(["train", str(clips), "-o", str(path), "--pipeline", "random", "--no-evaluate"])
    status, _, err = run(capsys, path, clips)
    assert status == 2
    assert "add --trust skfewaudio.pipelines._ignore" in err


def test_unreadable_file_is_named_and_the_others_are_predicted(model, other_clips, capsys):
    bad = other_clips / "tone" / "0.wav"
    bad.write_bytes(b"")
    status, out, err = run(capsys, model, other_clips, other_clips / "missing.wav")
    assert status == 1
    assert len(out.splitlines()) == 3
    assert f"{bad}: is empty" in err
    assert "2 of 5 files could not be read" in err


def test_files_are_predicted_in_small_batches(model, other_clips, monkeypatch, capsys):
    monkeypatch.setattr(_models, "BYTES_AT_ONCE", 20_000)
    sizes = []
    predict = _models._predict
    monkeypatch.setattr(
        _models, "_predict", lambda m, batch: (sizes.append(len(batch)), predict(m, batch))[1]
    )
    assert run(capsys, model, other_clips)[0] == 0
    assert sizes == [2, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--reject", "2"], "expected a probability"), (["--top", "0"], "at least 1")],
)
def test_invalid_number_is_reported_in_one_line(model, other_clips, capsys, options, message):
    status, out, err = run(capsys, model, other_clips, *options)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_file_other_than_a_model_is_reported_in_one_line(other_clips, capsys):
    status, _, err = run(capsys, other_clips / "tone" / "0.wav", other_clips)
    assert status == 2
    assert "0.wav: cannot be read as a model" in err
    assert err.count("\n") == 1


def test_fits_a_terminal_of_80_columns(model, other_clips, monkeypatch, capsys):
    monkeypatch.setattr("skfewaudio.cli._predict.terminal_width", lambda: 80)
    deep = other_clips / ("long " * 20)
    deep.mkdir()
    shutil.move(other_clips / "tone" / "0.wav", deep)
    _, out, _ = run(capsys, model, other_clips, "--top", "2")
    assert max(map(len, out.splitlines())) <= 80
    assert "0.wav  tone" in out
