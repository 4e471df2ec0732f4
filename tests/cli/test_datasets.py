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


def test_folder_without_classes_is_checked(other_clips, capsys):
    (other_clips / "tone" / "bad.wav").write_bytes(b"")
    assert main(["datasets", "check", str(other_clips / "tone"), "--json"]) == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["n_clips"], found["labels"]) == (3, [])
    assert [fault["kind"] for fault in found["faults"]] == ["unreadable"]
    assert "checked without classes: " in err


def test_folder_without_classes_has_no_contradicting_labels(other_clips, capsys):
    for name in ("a", "b"):
        shutil.copy(other_clips / "noise" / "0.wav", other_clips / f"{name}.wav")
    for name in ("noise", "tone"):
        shutil.rmtree(other_clips / name)
    _, found = check(capsys, other_clips)
    assert [leak["kind"] for leak in found["leaks"]] == ["duplicate"]


def test_empty_folder_is_refused(tmp_path, capsys):
    assert main(["datasets", "check", str(tmp_path)]) == 2
    assert "holds no sound files" in capsys.readouterr().err


def test_sample_rates_are_counted(other_clips, capsys):
    soundfile.write(other_clips / "tone" / "slow.wav", 0.1 * np.sin(0.05 * np.arange(8000)), 8000)
    _, found = check(capsys, other_clips, "--no-leaks")
    assert found["sample_rates"] == {"8000": 1, "16000": 4}
    main(["datasets", "check", str(other_clips), "--no-leaks"])
    assert "sample rates: 8000 Hz (1 clips), 16000 Hz (4 clips)\n" in capsys.readouterr().out


@pytest.mark.parametrize(("subtype", "kinds"), [("FLOAT", []), ("PCM_16", ["clipped"])])
def test_floating_point_file_above_full_scale_is_not_clipped(other_clips, subtype, kinds, capsys):
    soundfile.write(other_clips / "tone" / "loud.wav", 2 * np.sin(0.05 * np.arange(RATE)), RATE, subtype)
    _, found = check(capsys, other_clips, "--no-leaks")
    assert [fault["kind"] for fault in found["faults"]] == kinds


def test_floating_point_file_limited_to_full_scale_is_clipped(other_clips, capsys):
    sound = np.clip(2 * np.sin(0.05 * np.arange(RATE)), -1, 1)
    soundfile.write(other_clips / "tone" / "loud.wav", sound, RATE, "FLOAT")
    _, found = check(capsys, other_clips, "--no-leaks")
    assert [fault["kind"] for fault in found["faults"]] == ["clipped"]


def test_constant_signal_is_silent(other_clips, capsys):
    soundfile.write(other_clips / "tone" / "flat.wav", np.full(RATE, 0.25), RATE)
    _, found = check(capsys, other_clips, "--no-leaks")
    assert [(fault["kind"], fault["detail"]) for fault in found["faults"]] == [
        ("silent", "constant at 0.25 of full scale")
    ]


@pytest.mark.parametrize(("options", "kinds"), [([], ["cancelling channels"]), (["--channel", "first"], [])])
def test_channels_that_cancel_each_other_are_reported(other_clips, options, kinds, capsys):
    sound = 0.1 * np.random.default_rng(0).normal(size=RATE)
    soundfile.write(other_clips / "noise" / "inverted.wav", np.c_[sound, -sound], RATE)
    _, found = check(capsys, other_clips, "--no-leaks", *options)
    assert [fault["kind"] for fault in found["faults"]] == kinds


@pytest.mark.parametrize(("options", "kind"), [([], "unreadable"), (["--allow-truncated"], "truncated")])
def test_truncated_file_is_a_fault_although_it_may_be_used(other_clips, options, kind, capsys):
    path = other_clips / "tone" / "0.wav"
    path.write_bytes(path.read_bytes()[:5000])
    status, found = check(capsys, other_clips, *options)
    assert status == 1
    assert [fault["kind"] for fault in found["faults"]] == [kind]
