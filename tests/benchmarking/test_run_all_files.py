"""Unreadable recordings, tables instead of folders, options for reading, and quiet runs."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

from skfewaudio.benchmarking import main, write_run_report
from skfewaudio.benchmarking._options import parse_options
from skfewaudio.datasets import AudioDataset
from skfewaudio.plugins import DATASETS


@pytest.fixture
def broken(clips, tmp_path):
    """Folder of the clips and two unreadable ones, the first in the order of the names."""
    folder = shutil.copytree(clips, tmp_path / "broken")
    (folder / "noise" / "+.wav").write_bytes(b"")
    (folder / "tone" / "9.wav").write_bytes(b"not a recording")
    return folder


def read_config(tmp_path):
    return json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))


def test_unreadable_recordings_are_left_out_and_named_at_the_end(options, broken, tmp_path, capsys):
    assert main([*options, "--data-home", str(broken)]) == 1
    lines = capsys.readouterr().err.splitlines()[-3:]
    assert "+.wav: is empty" in lines[0]
    assert "9.wav: cannot be decoded" in lines[1]
    assert lines[2] == "run_all: 2 of 12 clips could not be read"
    assert read_config(tmp_path)["n_clips"] == 10


def test_report_loads_the_same_clips_again(options, broken, tmp_path):
    main([*options, "--data-home", str(broken), "--report", "none"])
    (broken / "noise" / "+.wav").write_bytes((broken / "noise" / "0.wav").read_bytes())
    assert read_config(tmp_path)["source"]["unreadable"] == [0, 11]
    report = write_run_report(tmp_path / "out", format="markdown").read_text(encoding="utf-8")
    assert "+.wav" not in report


def test_class_that_loses_all_clips_is_named(options, broken, capsys):
    (broken / "siren").mkdir()
    (broken / "siren" / "0.wav").write_bytes(b"")
    assert main([*options, "--data-home", str(broken), "--report", "none"]) == 1
    assert "run_all: siren: none of its clips can be read\n" in capsys.readouterr().err


def test_dataset_without_readable_clip_is_an_error(options, broken, capsys):
    for path in broken.rglob("*.wav"):
        path.write_bytes(b"")
    assert main([*options, "--data-home", str(broken)]) == 2
    assert "none of the 12 clips of broken can be read" in capsys.readouterr().err


def test_unreadable_unlabelled_recordings_are_left_out(options, clips, broken, tmp_path, capsys):
    assert main([*options, "--unlabelled", str(broken), "--report", "markdown"]) == 1
    assert "2 of 22 clips could not be read" in capsys.readouterr().err
    assert len(pd.read_csv(tmp_path / "out" / "suggestions.csv")) == 10


@pytest.mark.parametrize("way", ["--dataset", "--data-home"])
def test_table_is_used_instead_of_a_folder(options, clips, tmp_path, way):
    rows = [f"{path.relative_to(clips)},{path.parent.name}" for path in sorted(clips.rglob("*.wav"))]
    (tmp_path / "mine.csv").write_text("\n".join(["path,label", *rows]))
    table = ["--audio-root", str(clips), "--report", "none", way, str(tmp_path / "mine.csv")]
    assert main([*options, *table]) == 0
    assert read_config(tmp_path)["dataset"] == "mine"


def test_folder_is_given_by_its_path(options, clips, tmp_path):
    assert main([*options[4:], "--dataset", str(clips), "--report", "none"]) == 0
    assert read_config(tmp_path)["source"]["dataset"] == str(clips.resolve())


def test_output_folder_is_named_after_the_file(clips, tmp_path):
    (tmp_path / "mine.csv").touch()
    assert parse_options(["--dataset", str(tmp_path / "mine.csv")]).output.name == "mine"


def test_channel_and_sample_rate_reach_the_pipelines(options, tmp_path):
    extra = ["--sample-rate", "8000", "--channel", "first", "--allow-truncated", "--report", "none"]
    assert main([*options, *extra]) == 0
    pipeline = read_config(tmp_path)["pipelines"]["mfcc-1nn"]
    assert "sample_rate=8000" in pipeline
    assert "channel='first'" in pipeline


def test_option_without_effect_is_reported(options, capsys):
    assert main([*options, "--sample-rate", "auto", "--report", "none"]) == 0
    assert "--sample-rate does not apply to random, mfcc-1nn" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* may not be read as intended")
def test_truncated_recording_is_used_if_allowed(options, broken):
    whole = (broken / "tone" / "0.wav").read_bytes()
    for name in ("noise/+.wav", "tone/9.wav"):
        (broken / name).write_bytes(whole[: len(whole) // 2])
    command = [*options, "--data-home", str(broken), "--report", "none"]
    assert main(command) == 1
    assert main([*command, "--allow-truncated", "--overwrite"]) == 0


def test_reading_options_are_refused_by_suites_with_fixed_rates(options):
    with pytest.raises(SystemExit, match="2"):
        main([*options[:6], "--suite", "random-cnn", "--sample-rate", "8000"])


def test_quiet_run_writes_nothing_to_stderr(options, clips, tmp_path, capsys):
    assert main([*options, "-q"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "accuracy" in out


def test_quiet_run_still_names_unreadable_recordings(options, broken, capsys):
    main([*options, "-q", "--data-home", str(broken), "--report", "none"])
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_few_shot_pipeline_uses_the_rate_of_waveforms(tmp_path):
    def load_tones():
        X = [np.sin(f * np.arange(2000)) for f in (0.2, 0.22, 0.24, 1.0, 1.1, 1.2)]
        return AudioDataset(X, ["low"] * 3 + ["high"] * 3, name="tones", sample_rate=8000)

    DATASETS.register("run-all-tones", load_tones)
    run = ["--dataset", "run-all-tones", "--pipelines", "few-shot", "--n-shots", "1", "--n-repeats", "1"]
    run += ["--output", str(tmp_path / "out"), "--device", "cpu", "--report", "none", "--no-leaks"]
    assert main([*run, "--no-cache", "--n-jobs", "1"]) == 0
    assert "sample_rate=8000" in read_config(tmp_path)["pipelines"]["few-shot"]


@pytest.mark.slow
def test_clip_of_two_channels_is_read_as_requested(options, clips, tmp_path):
    folder = shutil.copytree(clips, tmp_path / "stereo")
    for path in folder.rglob("*.wav"):
        sound, rate = soundfile.read(path)
        soundfile.write(path, np.c_[sound, -sound], rate)  # the mean is silent
    options = [*options, "--data-home", str(folder), "--report", "none", "--no-leaks", "--channel", "first"]
    assert main(options) == 0
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    assert rows[rows["pipeline"] == "mfcc-1nn"]["value"].mean() == 1
