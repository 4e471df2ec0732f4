"""Tests of skfewaudio datasets."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from skfewaudio import datasets
from skfewaudio.cli import main

RATE = 16000


def check(capsys, *argv):
    status = main(["datasets", "check", *map(str, argv), "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_list_shows_which_datasets_are_found(shared_data, capsys):
    assert main(["datasets", "list", "--data-home", str(shared_data / "data"), "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["esc50"] | {"summary": ""} == {
        "name": "esc50", "state": "found", "found": True, "n_clips": 320, "n_labels": 10,
        "licence": "CC BY-NC 3.0", "summary": "",
    }  # fmt: skip
    assert rows["tut2017"]["state"] == "not found"
    assert rows["synthetic"]["state"] == "made by code"


def test_fetch_shows_where_to_get_a_dataset_without_download(tmp_path, capsys):
    assert main(["datasets", "fetch", "extended_ballroom", "--data-home", str(tmp_path)]) == 1
    assert "anasynth.ircam.fr" in capsys.readouterr().err


def test_fetch_downloads_a_dataset(tmp_path, clips, monkeypatch, capsys):
    homes = []
    fake = lambda home: homes.append(home) or datasets.load_folder(clips)  # noqa: E731
    monkeypatch.setattr(datasets, "fetch_urbansound8k", fake)
    assert main(["datasets", "fetch", "urbansound8k", "--data-home", str(tmp_path)]) == 0
    assert homes == [str(tmp_path)]
    assert "8 clips, 2 classes" in capsys.readouterr().out


def test_clean_folder_passes(clips, capsys):
    status, found = check(capsys, clips)
    assert (status, found["n_clips"], found["faults"], found["leaks"]) == (0, 8, [], [])
    assert found["seconds"] == 2


@pytest.mark.parametrize(
    ("sound", "kind"),
    [
        (np.zeros(RATE), "silent"),
        (np.sign(np.sin(0.05 * np.arange(RATE))), "clipped"),
        (0.1 * np.sin(0.05 * np.arange(800)), "very short"),
    ],
)
def test_fault_is_reported_by_name(other_clips, sound, kind, capsys):
    bad = other_clips / "tone" / "bad.wav"
    soundfile.write(bad, sound, RATE)
    status, found = check(capsys, other_clips, "--no-leaks")
    assert status == 1
    assert [(fault["kind"], fault["clip"]) for fault in found["faults"]] == [(kind, str(bad))]


def test_other_files_are_compared_if_one_is_unreadable(other_clips, capsys):
    (other_clips / "tone" / "bad.wav").write_bytes(b"")
    shutil.copy(other_clips / "noise" / "0.wav", other_clips / "noise" / "again.wav")
    status, found = check(capsys, other_clips)
    assert status == 1
    assert found["faults"][0]["detail"] == "is empty (0 bytes)"
    assert [(leak["kind"], leak["first"], leak["second"]) for leak in found["leaks"]] == [("duplicate", 0, 2)]


def test_unknown_name_is_refused(capsys):
    assert main(["datasets", "check", "esc51"]) == 2
    assert "neither a folder nor a dataset" in capsys.readouterr().err
