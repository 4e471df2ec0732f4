"""Names of files and classes with control characters."""

import os
import sys

import numpy as np
import pytest
import soundfile

from skfewaudio.cli import main
from skfewaudio.cli._common import Output, escape

pytestmark = pytest.mark.skipif(os.name != "posix", reason="other systems do not allow such names")
RATE = 16000
NAMES = {"to\nne": "to\\nne", "no\x1b[31mise": "no\\x1b[31mise"}


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """Folder whose classes and files have control characters in their names, and a model of it."""
    root = tmp_path_factory.mktemp("odd")
    rng = np.random.default_rng(0)
    for k in range(2):
        for name in NAMES:
            sound = np.sin(0.2 * np.arange(RATE // 4)) if name == "to\nne" else rng.normal(size=RATE // 4)
            (root / "clips" / name).mkdir(parents=True, exist_ok=True)
            soundfile.write(root / "clips" / name / f"{k}\r.wav", 0.1 * sound, RATE)
    options = ["--pipeline", "mfcc-1nn", "--device", "cpu", "--no-evaluate"]
    assert main(["train", str(root / "clips"), "-o", str(root / "m"), *options]) == 0
    return root


def test_text_of_predict_has_a_line_per_file(odd, capsys):
    assert main(["predict", str(odd / "m"), str(odd / "clips")]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert [line.split("\t")[1] for line in lines[:-1]] == ["no\\x1b[31mise"] * 2 + ["to\\nne"] * 2
    assert lines[-2].split("\t")[0] == f"{odd}/clips/to\\nne/1\\r.wav"


def test_tables_of_train_evaluate_and_info_are_escaped(odd, tmp_path, capsys):
    options = ["--pipeline", "mfcc-1nn", "--device", "cpu", "--no-evaluate"]
    main(["train", str(odd / "clips"), "-o", str(tmp_path / "m"), *options])
    main(["evaluate", str(odd / "m"), str(odd / "clips")])
    main(["info", str(odd / "m")])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.count("\nto\\nne ") == 3


def test_names_of_faults_and_unreadable_files_are_escaped(odd, tmp_path, capsys):
    folder = tmp_path / "clips" / "to\nne"
    folder.mkdir(parents=True)
    (folder / "a\n.wav").write_bytes(b"")
    main(["datasets", "check", str(tmp_path / "clips")])
    main(["predict", str(odd / "m"), str(tmp_path / "clips")])
    printed = capsys.readouterr()
    for text in (printed.out, printed.err):
        assert "/to\\nne/a\\n.wav: is empty (0 bytes)\n" in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a\nb\tc\r", "a\\nb\\tc\\r"), ("\x1b[0m\x7f\x85", "\\x1b[0m\\x7f\\x85"), ("ü 東\\n", "ü 東\\n")],
)
def test_control_characters_are_escaped_and_others_kept(name, expected):
    assert escape(name) == expected


def test_list_in_a_warning_has_a_line_per_item(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    Output("x").warn("2 files:\n  a\nb.wav: is cut\n  c.wav: is cut")
    assert capsys.readouterr().err == "x: warning: 2 files:\nx:   a\\nb.wav: is cut\nx:   c.wav: is cut\n"
