"""Files that cannot be read are left out and named at the end, by every command."""

import json

import numpy as np
import pytest
import soundfile

from skfewaudio.audio import io
from skfewaudio.cli import _models, main
from skfewaudio.persistence import read_card

RATE = 16000
FAST = ["--pipeline", "mfcc-1nn", "--device", "cpu"]


@pytest.fixture
def broken(other_clips):
    """Folder of two classes with one good and two bad clips each."""
    (other_clips / "noise" / "0.wav").write_bytes(b"")
    (other_clips / "noise" / "bad.wav").write_bytes(b"\0" * 4000)
    whole = (other_clips / "tone" / "1.wav").read_bytes()
    (other_clips / "tone" / "0.wav").write_bytes(whole[: len(whole) // 2])
    sound = np.full(RATE, 0.1)
    sound[-1] = np.nan
    soundfile.write(other_clips / "tone" / "nan.wav", sound, RATE, subtype="FLOAT")
    return other_clips


def errors_of(capsys, command):
    """Return the lines on stderr, without the name of the command."""
    return [line.removeprefix(f"skfewaudio {command}: ") for line in capsys.readouterr().err.splitlines()]


def assert_all_are_named(lines, broken, total):
    reasons = {
        "noise/0.wav": "is empty (0 bytes)",
        "noise/bad.wav": "cannot be decoded",
        "tone/0.wav": "is truncated",
        "tone/nan.wav": "holds NaN",
    }
    assert [line.partition(": ")[0] for line in lines[-5:-1]] == [str(broken / name) for name in reasons]
    assert all(reason in line for reason, line in zip(reasons.values(), lines[-5:-1], strict=True))
    assert lines[-1] == f"4 of {total} files could not be read"


def test_train_uses_the_other_clips(broken, tmp_path, capsys):
    assert main(["train", str(broken), "-o", str(tmp_path / "m"), "--no-evaluate", *FAST]) == 1
    assert_all_are_named(errors_of(capsys, "train"), broken, 6)
    assert read_card(tmp_path / "m")["data_set"]["clips_per_class"] == {"noise": 1, "tone": 1}


def test_train_leaves_out_unlabelled_clips(clips, broken, tmp_path, capsys):
    command = ["train", str(clips), "-o", str(tmp_path / "m"), "--unlabelled", str(broken), "--device", "cpu"]
    assert main([*command, "--no-evaluate"]) == 1
    assert_all_are_named(errors_of(capsys, "train"), broken, 14)
    assert read_card(tmp_path / "m")["data_set"]["n_unlabelled"] == 2


def test_train_leaves_out_test_clips(clips, broken, tmp_path, capsys):
    command = ["train", str(clips), "-o", str(tmp_path / "m"), "--test-folder", str(broken), *FAST]
    assert main(command) == 1
    assert_all_are_named(errors_of(capsys, "train"), broken, 14)
    assert read_card(tmp_path / "m")["scores"]["n_clips"] == 2


def test_class_that_loses_all_clips_is_named(broken, tmp_path, capsys):
    (broken / "siren").mkdir()
    (broken / "siren" / "0.wav").write_bytes(b"")
    assert main(["train", str(broken), "-o", str(tmp_path / "m"), "--no-evaluate", *FAST]) == 1
    assert "siren: none of its 1 clips can be read" in errors_of(capsys, "train")


def test_training_without_readable_clip_is_an_invalid_request(broken, tmp_path, capsys):
    for path in broken.rglob("*.wav"):
        path.write_bytes(b"")
    assert main(["train", str(broken), "-o", str(tmp_path / "m"), *FAST]) == 2
    lines = errors_of(capsys, "train")
    assert len(lines) == 8  # six files, their number, and the error
    assert lines[-1] == "none of the 6 clips of other can be read"


def test_evaluate_scores_the_other_clips(model, broken, capsys):
    assert main(["evaluate", str(model), str(broken), "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["n_clips"] == 2
    assert len(json.loads(out)["unreadable"]) == 4
    assert err.count("\n") == 5


def test_predict_writes_the_other_clips(model, broken, capsys):
    assert main(["predict", str(model), str(broken)]) == 1
    out, err = capsys.readouterr()
    assert [line.split("\t")[0] for line in out.splitlines()] == [
        str(broken / "noise" / "1.wav"),
        str(broken / "tone" / "1.wav"),
    ]
    assert err.endswith("4 of 6 files could not be read\n")


def test_cache_is_filled_with_the_other_clips(broken, tmp_path, capsys):
    command = ["cache", "warm", str(broken), "--transformer", "mfcc", "--location", str(tmp_path / "cache")]
    assert main(command) == 1
    out, err = capsys.readouterr()
    assert out == "0 sounds were in the cache, 2 computed\n"
    assert err.count("\n") == 5


def test_check_lists_all(broken, capsys):
    assert main(["datasets", "check", str(broken), "--json"]) == 1
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert [fault["kind"] for fault in faults] == ["unreadable"] * 4


@pytest.mark.parametrize("command", ["train", "predict", "evaluate"])
def test_truncated_file_is_used_if_allowed(model, broken, tmp_path, capsys, command):
    source = str(broken)
    arguments = {
        "train": [source, "-o", str(tmp_path / "m"), "--no-evaluate", *FAST],
        "predict": [str(model), source],
        "evaluate": [str(model), source],
    }
    assert main([command, *arguments[command], "--allow-truncated"]) == 1
    lines = errors_of(capsys, command)
    assert "3 of 6 files could not be read" in lines
    assert any("is truncated" in line and "s are used" in line for line in lines)


def test_missing_rows_of_a_table_are_named(model, other_clips, tmp_path, capsys):
    table = tmp_path / "labels.csv"
    table.write_text("path,label\nother/tone/0.wav,tone\nother/tone/missing.wav,tone\n")
    assert main(["evaluate", str(model), str(table)]) == 1
    lines = errors_of(capsys, "evaluate")
    assert "missing.wav: cannot be opened" in lines[0]
    assert lines[1] == "1 of 2 files could not be read"


@pytest.mark.parametrize("content", [b"", b"\0" * 100_000])
def test_bad_file_costs_no_second_reading_of_its_batch(model, other_clips, monkeypatch, content):
    for k in range(10):
        (other_clips / "tone" / f"z{k}.wav").write_bytes(content)
    sizes = []
    predict = _models._predict
    monkeypatch.setattr(
        _models, "_predict", lambda m, batch: (sizes.append(len(batch)), predict(m, batch))[1]
    )
    assert main(["predict", str(model), str(other_clips)]) == 1
    assert sizes == [4]


def test_damage_inside_files_costs_two_more_readings_whatever_their_number(model, other_clips, monkeypatch):
    sound = 0.1 * np.random.default_rng(0).normal(size=4 * RATE)
    sound[-1] = np.nan
    for k in range(10):
        soundfile.write(other_clips / "tone" / f"z{k}.wav", sound, RATE, subtype="FLOAT")
    n_read = []
    cut = io._cut
    monkeypatch.setattr(
        io, "_cut", lambda decoder, part, *args: n_read.append(1) or cut(decoder, part, *args)
    )
    assert main(["predict", str(model), str(other_clips)]) == 1
    # Opening, the first attempt, the search, and the second attempt with the four good files.
    assert len(n_read) <= 3 * 14 + 4


def test_names_are_written_although_the_command_is_stopped(model, broken, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_models, "_predict", interrupt)
    assert main(["predict", str(model), str(broken)]) == 130
    lines = errors_of(capsys, "predict")
    assert any("0.wav: is empty" in line for line in lines)
    assert lines[-1] == "stopped"
