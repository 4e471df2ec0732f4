"""skfewaudio predict -o FILE --resume goes on where it stopped."""

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from skfewaudio.cli import _models, main


@pytest.fixture
def files(other_clips):
    """Files whose names need quoting, and an unreadable one."""
    (other_clips / "tone" / "0.wav").rename(other_clips / "tone" / 'a "b",\r\nc.wav')
    (other_clips / "tone" / "1.wav").rename(other_clips / "tone" / "ü 東.wav")
    (other_clips / "tone" / "bad.wav").write_bytes(b"")
    return other_clips


@pytest.fixture(params=["csv", "jsonl"])
def whole(model, files, tmp_path, capsys, request):
    """Output of a command that was not interrupted."""
    path = tmp_path / f"whole.{request.param}"
    assert main(["predict", str(model), str(files), "-o", str(path), "--top", "2"]) == 1
    capsys.readouterr()
    return path


def resume(model, files, path, *options):
    return main(["predict", str(model), str(files), "-o", str(path), "--resume", "--top", "2", *options])


def test_format_follows_the_suffix(whole):
    text = whole.read_text(encoding="utf-8")
    if whole.suffix == ".csv":
        assert text.startswith("path,label,probability,label_2,probability_2\n")
    else:
        assert [json.loads(line)["label"] for line in text.splitlines()] == ["noise", "noise", "tone", "tone"]


def test_file_cut_off_anywhere_is_completed_to_the_same_rows(model, files, whole, tmp_path):
    expected = whole.read_bytes()
    path = tmp_path / f"part{whole.suffix}"
    for n_bytes in [*range(0, len(expected), 61), len(expected)]:
        path.write_bytes(expected[:n_bytes])
        assert resume(model, files, path) == 1
        assert path.read_bytes() == expected


def test_finished_recordings_are_not_predicted_again(model, files, whole, monkeypatch, capsys):
    monkeypatch.setattr(_models, "_predict", lambda *_: pytest.fail("predicted again"))
    assert resume(model, files, whole) == 1
    out, err = capsys.readouterr()
    assert out == f"0 rows written to {whole}; 4 were there\n"
    assert "bad.wav: is empty" in err


def test_new_recordings_are_added(model, files, whole, capsys):
    (files / "noise" / "2.wav").write_bytes((files / "noise" / "1.wav").read_bytes())
    resume(model, files, whole)
    assert capsys.readouterr().out.startswith("1 rows written")
    assert whole.read_text(encoding="utf-8").count("2.wav") == 1


def test_parts_of_files_are_resumed(model, files, tmp_path, capsys):
    table = tmp_path / "parts.csv"
    table.write_text("path,start,end\n" + "".join(f"noise/0.wav,{k / 100},0.2\n" for k in range(9)))
    command = ["predict", str(model), str(table), "--audio-root", str(files), "-o", str(tmp_path / "out.csv")]
    assert main(command) == 0
    expected = (tmp_path / "out.csv").read_bytes()
    (tmp_path / "out.csv").write_bytes(expected[:-150])
    assert main([*command, "--resume"]) == 0
    assert (tmp_path / "out.csv").read_bytes() == expected


def test_without_resume_the_file_is_replaced(model, files, whole):
    expected = whole.read_bytes()
    whole.write_bytes(b"old")
    main(["predict", str(model), str(files), "-o", str(whole), "--top", "2"])
    assert whole.read_bytes() == expected


def test_file_of_other_columns_is_refused_unchanged(model, files, tmp_path, capsys):
    path = tmp_path / "mine.csv"
    path.write_bytes(b"path,label\r\na.wav,dog\r\n")
    assert resume(model, files, path) == 2
    assert "mine.csv has the columns path, label, and these options write path, label, probability," in (
        capsys.readouterr().err
    )
    assert path.read_bytes() == b"path,label\r\na.wav,dog\r\n"


def test_file_that_is_no_json_is_refused(model, files, tmp_path, capsys):
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b"[1]\n")
    assert resume(model, files, path) == 2
    assert "mine.jsonl, line 1: is not a prediction in JSON" in capsys.readouterr().err


def test_newer_model_is_reported(model, files, whole, tmp_path, capsys):
    newer = tmp_path / "newer.model"
    newer.write_bytes(model.read_bytes())
    resume(newer, files, whole)
    assert "newer.model is newer than" in capsys.readouterr().err


def test_missing_folder_of_the_output_is_reported_first(model, files, tmp_path, capsys):
    assert main(["predict", str(model), str(files), "-o", str(tmp_path / "none" / "x.csv")]) == 2
    assert "create it first" in capsys.readouterr().err


def test_resume_needs_a_file(model, files, capsys):
    assert main(["predict", str(model), str(files), "--resume"]) == 2
    assert "--resume: needs -o FILE" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_killed_process_is_resumed_to_the_same_rows(model, other_clips, tmp_path, suffix):
    content = (other_clips / "tone" / "0.wav").read_bytes()
    for k in range(300):
        (other_clips / "tone" / f"more{k}.wav").write_bytes(content)
    expected, path = tmp_path / f"whole.{suffix}", tmp_path / f"part.{suffix}"
    command = [sys.executable, "-m", "skfewaudio", "predict", str(model), str(other_clips), "-o"]
    started = time.monotonic()
    subprocess.run([*command, str(expected)], check=True, capture_output=True)
    seconds = time.monotonic() - started
    rng = random.Random(0)
    for k in range(4):
        process = subprocess.Popen([*command, str(path), "--resume"], stdout=subprocess.DEVNULL)
        try:
            process.wait(rng.uniform(0.3, 1.0) * seconds if k < 3 else None)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert path.read_bytes() == expected.read_bytes()
