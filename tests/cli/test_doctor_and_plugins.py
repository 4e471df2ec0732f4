"""Tests of skfewaudio doctor and skfewaudio plugins."""

import json

import pytest
import soundfile

from skfewaudio.cli import _doctor, main
from skfewaudio.plugins import ARCHITECTURES


@pytest.fixture
def findings(capsys):
    def _findings():
        status = main(["doctor", "--json"])
        found = json.loads(capsys.readouterr().out)["findings"]
        return status, {(one["topic"], one["name"]): one for one in found}

    return _findings


def test_core_works(findings):
    status, found = findings()
    assert status == 0
    assert found["decoders", "wav"]["detail"] == "8000 of 8000 samples read back"


def test_missing_core_decoder_is_reported_with_a_remedy(findings, monkeypatch):
    write = soundfile.write

    def broken(path, *args):
        if path.suffix == ".flac":
            raise soundfile.LibsndfileError(1)
        write(path, *args)

    monkeypatch.setattr(soundfile, "write", broken)
    status, found = findings()
    assert status == 1
    assert "pip install -U soundfile" in found["decoders", "flac"]["remedy"]


def test_missing_extra_is_not_a_failure(findings, monkeypatch):
    monkeypatch.setattr(_doctor, "EXTRAS", {"skfewaudio_no_such": ("plot", "pictures")})
    status, found = findings()
    assert status == 0
    assert found["extras", "skfewaudio_no_such"]["remedy"] == "pip install 'skfewaudio[plot]'"


def test_exception_in_a_check_is_a_finding(findings, monkeypatch):
    def broken():
        raise RuntimeError("no such luck")
        yield

    monkeypatch.setitem(_doctor.TOPICS, "devices", broken)
    status, found = findings()
    assert status == 1
    assert found["devices", "examination"]["detail"] == "RuntimeError: no such luck"


def test_text_fits_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", "/tmp/cache")
    monkeypatch.setenv("SKFEWAUDIO_DATA", "/tmp/data")
    assert main(["doctor"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_plugins_are_listed_with_their_distribution(capsys):
    main(["plugins", "--json"])
    rows = {(row["kind"], row["name"]): row for row in json.loads(capsys.readouterr().out)}
    assert rows["architectures", "sb_cnn"]["distribution"] == "skfewaudio"
    assert not any(row["broken"] for row in rows.values())


def test_descriptions_of_plugins_are_wrapped_and_complete(capsys, monkeypatch):
    monkeypatch.setattr("skfewaudio.cli._plugins.terminal_width", lambda: 80)
    main(["plugins"])
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    for info in ARCHITECTURES.describe().values():
        assert info.summary.split()[-1] in words


def test_broken_plugin_is_listed_with_the_reason(capsys, monkeypatch, tmp_path):
    info = tmp_path / "breakage-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: breakage\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{ARCHITECTURES.group}]\nbroken = skfewaudio_no_such:Net\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["plugins"]) == 1
    out, err = capsys.readouterr()
    assert "broken: ModuleNotFoundError" in out
    assert err == ""
