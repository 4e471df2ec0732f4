"""Tests of skfewaudio evaluate."""

import json
import shutil

from skfewaudio.cli import main


def test_counts_correct_clips_per_class_and_confusions(model, other_clips, capsys):
    shutil.copy(other_clips / "tone" / "0.wav", other_clips / "noise" / "2.wav")
    assert main(["evaluate", str(model), str(other_clips), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_right"], found["n_clips"]) == (4, 5)
    assert found["classes"][0] == {"label": "noise", "n_clips": 3, "n_right": 2, "n_predicted": 2}
    assert found["confusions"] == [{"label": "noise", "predicted": "tone", "n_clips": 1}]


def test_interval_is_wilsons(model, other_clips, capsys):
    main(["evaluate", str(model), str(other_clips), "--json"])
    low, high = json.loads(capsys.readouterr().out)["interval"]
    z2 = 1.959964**2  # for n of n correct clips, the interval is n / (n + z²) to 1
    assert abs(low - 4 / (4 + z2)) < 1e-6
    assert high == 1


def test_unknown_class_is_named_and_left_out(model, other_clips, capsys):
    shutil.copytree(other_clips / "tone", other_clips / "whistle")
    assert main(["evaluate", str(model), str(other_clips)]) == 1
    out = capsys.readouterr().out
    assert "4 of 4 clips" in out
    assert "whistle: unknown to the model, 2 clips left out" in out


def test_folder_of_only_unknown_classes_is_refused(model, other_clips, tmp_path, capsys):
    shutil.copytree(other_clips / "tone", tmp_path / "whistles" / "whistle")
    assert main(["evaluate", str(model), str(tmp_path / "whistles")]) == 2
    assert "knows none of the classes whistle; it knows noise, tone" in capsys.readouterr().err
