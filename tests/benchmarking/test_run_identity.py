"""Results belong to their clips, labels, groups, folds and parameters, and are found again only for these."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skfewaudio.benchmarking import main, write_run_report
from skfewaudio.benchmarking._run_clips import digest_columns, find_changed_clips, list_clips
from skfewaudio.datasets import AudioDataset
from skfewaudio.features import MFCC
from skfewaudio.plugins import DATASETS
from skfewaudio.reporting import ResultStore

STORED = Path(__file__).parents[2] / "benchmarks" / "results"


@pytest.fixture
def own_clips(clips, tmp_path):
    """Copy of the folder of clips that a test may change."""
    return shutil.copytree(clips, tmp_path / "own" / clips.name)


@pytest.fixture
def again(options, own_clips, finished, tmp_path):
    """Options of a run on the test's own clips; the output folder has the results of the same clips."""
    shutil.copytree(finished[0], tmp_path / "out")
    return [*options, "--data-home", str(own_clips), "--report", "none"]


def swap(one, other):
    temporary = one.with_suffix(".swap")
    one.rename(temporary)
    other.rename(one)
    temporary.rename(other)


def edit_config(folder, change):
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    change(config)
    path.write_text(json.dumps(config), encoding="utf-8")


# Clips


def test_results_are_found_again_in_a_copy_of_the_folder(again, tmp_path):
    before = (tmp_path / "out" / "results.jsonl").read_bytes()
    assert main(again) == 0
    assert (tmp_path / "out" / "results.jsonl").read_bytes() == before


def test_results_of_other_labels_are_not_reused(again, own_clips, tmp_path, capsys):
    before = (tmp_path / "out" / "results.jsonl").read_bytes()
    for k in range(3):
        swap(own_clips / "noise" / f"{k}.wav", own_clips / "tone" / f"{k}.wav")
    assert main(again) == 2
    message = capsys.readouterr().err
    assert "the sounds of 6 of 10 clips, such as" in message
    assert "noise/0.wav" in message
    assert "--overwrite" in message
    assert (tmp_path / "out" / "results.jsonl").read_bytes() == before


def test_fresh_results_of_corrected_labels_differ(again, own_clips, tmp_path):
    before = ResultStore(tmp_path / "out" / "results.jsonl").frame()
    for k in range(3):
        swap(own_clips / "noise" / f"{k}.wav", own_clips / "tone" / f"{k}.wav")
    assert main([*again, "--overwrite"]) == 0
    after = ResultStore(tmp_path / "out" / "results.jsonl").frame()
    assert set(after["run"]).isdisjoint(before["run"])
    assert after["value"].mean() < before["value"].mean()


def test_removed_clip_is_named(again, own_clips, capsys):
    (own_clips / "tone" / "4.wav").unlink()
    assert main(again) == 2
    assert "9 clips instead of 10" in capsys.readouterr().err


def make_dataset(**changes):
    columns = {
        "X": np.random.default_rng(0).normal(size=(8, 4000)),
        "target": ["a", "b"] * 4,
        "name": "toy",
        "folds": [1, 1, 2, 2] * 2,
        "groups": ["r0", "r1", "r2", "r3"] * 2,
        "sample_rate": 8000,
    }
    return AudioDataset(**columns | changes)


def list_of(dataset):
    folds = np.zeros(len(dataset)) if dataset.folds is None else dataset.folds
    return list_clips(dataset, folds, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.random.default_rng(0).normal(size=(8, 4000)) * ([[1]] * 7 + [[2]])}, "sounds of 1 of 8"),
        (
            {"target": ["b", "a"] + ["a", "b"] * 3},
            "labels of 2 of 8 clips, such as clip 0, 'b' instead of 'a'",
        ),
        ({"folds": [1, 1, 2, 2, 2, 2, 1, 1]}, "folds of 4 of 8 clips, such as clip 4, 2 instead of 1"),
        ({"groups": ["r0", "r1", "r2", "r4", "r0", "r1", "r2", "r3"]}, "groups of 1 of 8 clips"),
    ],
    ids=["sounds", "labels", "folds", "groups"],
)
@pytest.mark.filterwarnings("ignore::skfewaudio.exceptions.LeakageWarning")
def test_each_column_has_a_digest_and_its_change_is_named(change, message, monkeypatch, tmp_path):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path))
    before, now = list_of(make_dataset()), list_of(make_dataset(**change))
    old, new = digest_columns(before), digest_columns(now)
    assert sum(old[name] != new[name] for name in old) == 1
    (found,) = find_changed_clips(before, now)
    assert message in found


def test_names_of_groups_do_not_matter(monkeypatch, tmp_path):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path))
    renamed = make_dataset(groups=["/moved/r0", "x", "y", "z"] * 2)
    assert digest_columns(list_of(make_dataset())) == digest_columns(list_of(renamed))


def test_labels_of_several_classes_are_listed(monkeypatch, tmp_path):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path))
    tags = make_dataset(target=[[1, 1], [0, 1]] * 4, label_names=["rain", "wind"], folds=None, groups=None)
    assert [record["label"] for record in list_of(tags)][:2] == [["rain", "wind"], ["wind"]]


def test_clips_are_stored_with_their_files(finished, clips):
    records = pd.read_json(finished[0] / "clips.jsonl", lines=True)
    assert records["clip"].tolist() == list(range(10))
    assert records["path"].tolist() == sorted(str(path) for path in clips.rglob("*.wav"))
    assert set(records["label"]) == {"noise", "tone"}


# Parameters and versions


def test_changed_default_parameter_is_named(again, tmp_path, capsys):
    def change(config):
        config["parameters"]["mfcc-1nn"]["steps"]["kneighborsclassifier"]["n_neighbors"] = 3

    edit_config(tmp_path / "out", change)
    assert main(again) == 2
    assert "mfcc-1nn has kneighborsclassifier__n_neighbors=1 instead of 3" in capsys.readouterr().err


def test_results_of_other_features_are_not_reused(again, monkeypatch, capsys):
    monkeypatch.setattr(MFCC, "feature_version", 99)
    assert main(again) == 2
    assert "mfcc-1nn has mfcc__feature_version=99 instead of" in capsys.readouterr().err


def test_changed_pipeline_that_is_not_run_does_not_matter(again, tmp_path):
    edit_config(tmp_path / "out", lambda config: config["parameters"]["mfcc-1nn"].update(memory="x"))
    assert main([*again, "--pipelines", "random"]) == 0


def test_settings_contain_defaults_and_feature_versions(finished):
    config = json.loads((finished[0] / "config.json").read_text(encoding="utf-8"))
    mfcc = config["parameters"]["mfcc-1nn"]["steps"]["mfcc"]
    assert mfcc["n_mels"] == 128
    assert mfcc["feature_version"] == MFCC.feature_version
    assert set(config["data"]) == {"content", "label", "group", "fold"}


def test_every_row_names_its_run_and_versions(finished):
    config = json.loads((finished[0] / "config.json").read_text(encoding="utf-8"))
    for name in ("results.jsonl", "predictions.jsonl"):
        rows = pd.read_json(finished[0] / name, lines=True)
        assert set(rows["run"]) == set(config["runs"])
        assert rows["versions"].str.contains("skfewaudio .*scikit-learn .*torch ").all()
    assert (pd.read_json(finished[0] / "results.jsonl", lines=True)["feature_time"] >= 0).all()


def test_new_versions_of_packages_are_a_new_run(again, tmp_path, monkeypatch):
    from skfewaudio.benchmarking import _run_config

    real = _run_config.version
    monkeypatch.setattr(_run_config, "version", lambda name: "99.0" if name == "scikit-learn" else real(name))
    assert main([*again, "--n-repeats", "3"]) == 0
    rows = ResultStore(tmp_path / "out" / "results.jsonl").frame()
    assert rows["run"].nunique() == 2
    config = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    versions = {config["runs"][run]["versions"]["scikit-learn"] for run in set(rows["run"])}
    assert versions == {"99.0", real("scikit-learn")}


def test_rows_from_elsewhere_are_refused(again, tmp_path, capsys):
    path = tmp_path / "out" / "results.jsonl"
    row = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    ResultStore(path).append([{**row, "run": "of another folder"}, {**row, "fold": 7, "run": "another"}])
    assert main(again) == 2
    assert "2 rows of runs that config.json does not list" in capsys.readouterr().err


# Damaged and missing files


@pytest.mark.parametrize("kind", ["truncated", "empty", "list", "not UTF-8", "deep", "NaN"])
def test_damaged_settings_are_named_with_the_remedy(kind, again, tmp_path, capsys):
    path = tmp_path / "out" / "config.json"
    whole = path.read_bytes()
    contents = {
        "truncated": whole[:200],
        "empty": b"",
        "list": b"[1]",
        "not UTF-8": b'{"a": "\xff"}',
        "deep": b"[" * 10**5,
        "NaN": b'{"a": NaN}',
    }
    path.write_bytes(contents[kind])
    assert main(again) == 2
    message = capsys.readouterr().err
    assert f"{path} is not" in message
    assert "with --overwrite" in message
    with pytest.raises(ValueError, match=r"config\.json is not .* Restore it from a copy"):
        write_run_report(tmp_path / "out")
    assert main([*again, "--overwrite"]) == 0


def test_results_without_settings_are_not_reused(again, tmp_path, capsys):
    (tmp_path / "out" / "config.json").unlink()
    assert main(again) == 2
    assert "has results without config.json" in capsys.readouterr().err


def test_results_of_earlier_versions_are_not_reused(again, tmp_path, capsys):
    edit_config(
        tmp_path / "out", lambda config: [config.pop(name) for name in ("data", "parameters", "runs")]
    )
    assert main(again) == 2
    assert "of an earlier version of skfewaudio, which did not record their clips" in capsys.readouterr().err


def test_report_of_an_earlier_version_is_written(finished, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "out")
    (folder / "clips.jsonl").unlink()
    edit_config(folder, lambda config: [config.pop(name) for name in ("data", "parameters", "runs")])
    for name, columns in (
        ("results.jsonl", ["run", "versions", "feature_time", "inputs"]),
        ("predictions.jsonl", ["run", "versions"]),
    ):
        rows = pd.read_json(folder / name, lines=True).drop(columns=columns)
        rows.to_json(folder / name, orient="records", lines=True)
    assert "mfcc-1nn" in write_run_report(folder, format="markdown").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["esc10", "esc10-networks", "esc10-augmentation"])
def test_stored_results_of_earlier_versions_stay_readable(name, tmp_path):
    folder = shutil.copytree(STORED / name, tmp_path / name)
    report = write_run_report(folder, format="markdown").read_text(encoding="utf-8")
    assert "esc10" in report


def test_damaged_clips_only_make_the_message_shorter(again, own_clips, tmp_path, capsys):
    (tmp_path / "out" / "clips.jsonl").write_bytes(b"[1]\n")
    swap(own_clips / "noise" / "0.wav", own_clips / "tone" / "0.wav")
    assert main(again) == 2
    assert "other clips or settings: the sounds differ." in capsys.readouterr().err


def test_output_that_is_a_file_is_named(options, tmp_path, capsys):
    (tmp_path / "out").touch()
    assert main(options) == 2
    assert f"--output {tmp_path / 'out'} is a file; expected a folder" in capsys.readouterr().err


def test_findings_of_earlier_clips_are_removed_with_their_results(again, tmp_path):
    (tmp_path / "out" / "leaks.csv").write_text("stale")
    assert main([*again, "--overwrite", "--no-leaks"]) == 0
    assert not (tmp_path / "out" / "leaks.csv").exists()


def test_files_of_others_are_not_removed(options, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.md").write_text("mine")
    assert main([*options, "--report", "none"]) == 0
    assert (tmp_path / "out" / "report.md").read_text() == "mine"


def test_report_has_no_audio_of_changed_recordings(again, own_clips, tmp_path, capsys):
    edit_config(tmp_path / "out", lambda config: config["source"].update(data_home=str(own_clips)))
    write_run_report(tmp_path / "out")
    assert "no audio" not in capsys.readouterr().err
    swap(own_clips / "noise" / "0.wav", own_clips / "tone" / "0.wav")
    write_run_report(tmp_path / "out")
    assert f"no audio: {own_clips.name} has changed since the run" in " ".join(
        capsys.readouterr().err.split()
    )


@pytest.mark.parametrize("suite", ["random-cnn", "large-scale"])
def test_other_suites_record_what_their_results_belong_to(suite, tmp_path, monkeypatch, capsys):
    from skfewaudio.benchmarking import _protocols

    n_labels = {"target": [[1, 0], [0, 1]] * 4, "label_names": ["a", "b"]} if suite == "large-scale" else {}
    DATASETS.register(f"identity-{suite}", lambda: make_dataset(groups=None, **n_labels))
    names = {"random-cnn": "mfcc+ridge", "large-scale": "architectures/alexnet"}
    monkeypatch.setattr(_protocols.RunFiles, "__init__", lambda *args, **kwargs: None)
    options = ["--suite", suite, "--dataset", f"identity-{suite}", "--pipelines", names[suite], "--no-leaks"]
    with pytest.raises(AttributeError):  # nothing is computed
        main([*options, "--output", str(tmp_path / "out")])
    config = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert config["parameters"][names[suite]]["class"] in ("FeatureStudy", "TaggingStudy")
