"""Help, suggestions for typing errors, examples, and completion scripts."""

import argparse
import shlex
import shutil
import subprocess

import pytest

from skfewaudio import pipelines
from skfewaudio.cli import main
from skfewaudio.cli._main import build_parser, parse_args


def exit_of(argv):
    with pytest.raises(SystemExit) as ending:
        main(argv)
    return ending.value.code


def parsers(parser, words=()):
    """Yield the words of each command and its parser."""
    yield words, parser
    for action in parser._actions:
        if action.nargs == argparse.PARSER:
            for name, inner in action.choices.items():
                yield from parsers(inner, (*words, name))


COMMANDS = {" ".join(words): parser for words, parser in parsers(build_parser())}


def test_bare_call_prints_the_help(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: skfewaudio [-h] [-V] COMMAND")


@pytest.mark.parametrize("group", ["datasets", "cache"])
def test_command_without_its_action_prints_the_help(group, capsys):
    assert main([group]) == 0
    assert capsys.readouterr().out.startswith(f"usage: skfewaudio {group} [-h] ACTION")


def test_every_command_is_on_one_line_of_the_help(capsys):
    main([])
    lines = capsys.readouterr().out.splitlines()
    names = [name for name in COMMANDS if name and " " not in name]
    assert all(any(line.startswith(f"    {name} ") for line in lines) for name in names)


@pytest.mark.parametrize(
    ("argv", "usage"),
    [
        (["help"], "usage: skfewaudio [-h]"),
        (["help", "train"], "usage: skfewaudio train "),
        (["help", "datasets", "check"], "usage: skfewaudio datasets check "),
        (["help", "benchmark"], "usage: skfewaudio benchmark "),
    ],
)
def test_help_command_prints_the_help_of_another(argv, usage, capsys):
    assert exit_of(argv) == 0
    assert capsys.readouterr().out.startswith(usage)


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version_is_printed(option, capsys):
    assert exit_of([option]) == 0
    assert capsys.readouterr().out.startswith("skfewaudio ")


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["trian", "x"], "'trian'; did you mean train?"),
        (["help", "evalute"], "'evalute'; did you mean evaluate?"),
        (["datasets", "chek"], "'chek'; did you mean check?"),
        (["predict", "m", "x", "--rejct", "1"], "unrecognized arguments: --rejct 1; did you mean --reject?"),
        (["train", "x", "--ouput", "m"], "unknown option --ouput; did you mean --output?"),
        (["benchmark", "--datset", "x"], "--datset x; did you mean --dataset?"),
        (["report", "x", "--format", "htlm"], "'htlm'; did you mean html?"),
    ],
)
def test_similar_name_is_suggested_in_one_line(argv, expected, capsys):
    assert exit_of(argv) == 2
    err = capsys.readouterr().err
    assert expected in err
    assert err.count("\n") == 1


def test_choices_are_listed_if_none_is_similar(capsys):
    assert exit_of(["report", "x", "--format", "pdf"]) == 2
    assert "'pdf'; expected one of html, markdown" in capsys.readouterr().err


def test_misspelled_dataset_is_suggested(capsys):
    assert main(["datasets", "check", "ecs50"]) == 2
    assert "did you mean esc50?" in capsys.readouterr().err


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_examples_of_each_command_can_be_parsed(command):
    parser = COMMANDS[command]
    lines = [line.strip() for line in (parser.epilog or "").splitlines()]
    examples = [shlex.split(line)[1:] for line in lines if line.startswith("skfewaudio ")]
    assert examples or command in ("datasets", "cache", "help")
    for example in examples:
        if example[0] != "help":
            assert parse_args(example).command == example[0]
        assert command in " ".join(example)


def test_pipelines_are_listed_in_the_help_of_train(capsys):
    exit_of(["train", "--help"])
    text = "".join(capsys.readouterr().out.split())
    assert all(name in text for name in pipelines.PIPELINES)


def test_help_of_benchmark_mentions_no_missing_default(capsys):
    exit_of(["benchmark", "--help"])
    assert "(default: None)" not in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_commands_and_options(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(word in script for word in ("evaluate", "false-rejection-rate", "n-shots", "warm"))


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_a_command(tmp_path, capsys):
    main(["completion", "bash"])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    commands = (
        f"source {shlex.quote(str(tmp_path / 'script'))}; COMP_WORDS=(skfewaudio pre); COMP_CWORD=1; "
        "_shtab_skfewaudio; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(["bash", "-c", commands], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["predict"]


def test_unknown_shell_is_refused(capsys):
    assert exit_of(["completion", "fsh"]) == 2
    assert "did you mean" in capsys.readouterr().err
