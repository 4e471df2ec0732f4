"""Exit statuses, streams, help texts and processes of the command line."""

import json
import os
import subprocess
import sys

import pytest

import skfewaudio.benchmarking
from skfewaudio.cli import _train, main
from skfewaudio.cli._common import Output, format_table

COMMANDS = [
    *("train", "predict", "evaluate", "info", "benchmark", "report"),
    *("datasets", "plugins", "cache", "doctor", "completion"),
]
HEAVY = {"torch", "numpy", "sklearn", "pandas", "soundfile", "librosa", "scipy", "av", "joblib", "shtab"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as ending:
        main([command, "--help"])
    assert ending.value.code == 0
    assert f"usage: skfewaudio {command}" in capsys.readouterr().out


def test_unknown_option_is_reported_in_one_line_with_status_2(capsys):
    with pytest.raises(SystemExit) as ending:
        main(["predict", "--colour"])
    assert ending.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_missing_folder_is_reported_in_one_line_with_status_2(tmp_path, capsys):
    assert main(["train", str(tmp_path / "none"), "-o", str(tmp_path / "m")]) == 2
    err = capsys.readouterr().err
    assert err.startswith("skfewaudio train: ")
    assert err.count("\n") == 1


def test_error_of_the_system_is_reported_without_its_number(clips, tmp_path, capsys, monkeypatch):
    def fail(*_, **__):
        raise PermissionError(13, "Permission denied", "a.model")

    monkeypatch.setattr(_train, "build_pipeline", fail)
    assert main(["train", str(clips), "-o", str(tmp_path / "m")]) == 2
    assert capsys.readouterr().err == "skfewaudio train: a.model: Permission denied\n"


def test_interrupt_has_status_130(clips, tmp_path, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(_train, "build_pipeline", interrupt)
    assert main(["train", str(clips), "-o", str(tmp_path / "m")]) == 130
    assert capsys.readouterr().err == "skfewaudio train: stopped\n"


def test_unexpected_error_keeps_its_traceback(clips, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(_train, "build_pipeline", fail)
    with pytest.raises(ZeroDivisionError):
        main(["train", str(clips), "-o", str(tmp_path / "m")])


@pytest.mark.parametrize(("quiet", "shown"), [([], True), (["--quiet"], False)])
def test_warnings_go_to_stderr_unless_quiet(other_clips, tmp_path, capsys, quiet, shown):
    (other_clips / "empty").mkdir()
    options = ["--pipeline", "mfcc-1nn", "--no-evaluate", "--device", "cpu", *quiet]
    assert main(["train", str(other_clips), "-o", str(tmp_path / "m"), *options]) == 0
    warning = "skfewaudio train: warning: 1 class folders hold no sound files: empty\n"
    assert capsys.readouterr().err == (warning if shown else "")


def test_notes_and_progress_are_written_only_to_terminals(capsys, monkeypatch):
    def write_both(out):
        out.note("reading")
        out.progress("files", 1, 2)

    write_both(Output("x"))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    write_both(Output("x", quiet=True))
    assert capsys.readouterr().err == ""
    write_both(Output("x"))
    assert capsys.readouterr().err == "reading\nfiles: 1/2\r"


def test_widest_column_of_a_table_is_shortened_to_fit():
    table = format_table(["class", "clips"], [["a" * 90, 3]], width=40)
    assert [len(line) for line in table.splitlines()] == [40, 40]
    assert "a…" in table


def test_benchmark_receives_its_options(monkeypatch):
    calls = []

    def run(args, *, command):
        calls.append((args.n_shots, args.quiet, command))
        return 0

    monkeypatch.setattr(skfewaudio.benchmarking, "run", run)
    assert main(["benchmark", "--n-shots", "1", "2", "-q"]) == 0
    assert calls == [([1, 2], True, "skfewaudio benchmark")]


def test_report_is_written_from_a_run(clips, tmp_path, capsys):
    run = ["--dataset", "folder", "--data-home", str(clips), "--output", str(tmp_path / "run")]
    run += ["--pipelines", "random", "--n-shots", "1", "--n-repeats", "1", "--n-jobs", "1", "--device", "cpu"]
    assert main(["benchmark", *run, "--report", "none", "--no-cache"]) == 0
    capsys.readouterr()
    path = tmp_path / "report.md"
    assert main(["report", str(tmp_path / "run"), "--format", "markdown", "-o", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert "random" in path.read_text(encoding="utf-8")


def test_help_imports_nothing_heavy():
    code = "import sys; from skfewaudio.cli._main import build_parser; build_parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(done.stdout.split())


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="closed pipes behave differently on other systems")
def test_process_ends_quietly_on_a_closed_pipe(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "skfewaudio", "datasets", "list", "--json", "--data-home", str(tmp_path)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_json_of_an_undecodable_name_can_be_read(capsys):
    Output("x").json({"path": "\udcff.wav"})
    assert json.loads(capsys.readouterr().out)["path"] == "\udcff.wav"
