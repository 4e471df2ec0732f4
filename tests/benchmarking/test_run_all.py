import json
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

import skfewaudio.model_selection
from skfewaudio.benchmarking import _large_scale, _tagging_scores, main, write_run_report
from skfewaudio.benchmarking._clips import resample
from skfewaudio.benchmarking._options import parse_options
from skfewaudio.benchmarking._suites import SUITES
from skfewaudio.datasets import AudioDataset
from skfewaudio.features import MFCC
from skfewaudio.plugins import DATASETS

TINY = ["--n-shots", "1", "2", "--n-repeats", "2", "--n-jobs", "1", "--device", "cpu", "--no-cache"]
FAST = ["--pipelines", "random", "mfcc-1nn"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Folder of two classes, five tones and five noises of a quarter of a second."""
    root = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    time = np.arange(4000) / 16000
    for k in range(5):
        for name, sound in {
            "tone": np.sin(2 * np.pi * (300 + 50 * k) * time),
            "noise": rng.normal(size=4000),
        }.items():
            (root / name).mkdir(exist_ok=True)
            soundfile.write(root / name / f"{k}.wav", 0.1 * sound, 16000)
    return root


@pytest.fixture
def options(clips, tmp_path):
    return ["--dataset", "folder", "--data-home", str(clips), "--output", str(tmp_path / "out"), *TINY, *FAST]


def test_writes_scores_predictions_configuration_picture_and_report(options, tmp_path):
    assert main(options) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("results.jsonl", "predictions.jsonl", "config.json"),
        *("curve.png", "leaks.csv", "report.html"),
    }


def test_report_shows_predictions_and_provenance(options, tmp_path):
    main([*options, "--report", "markdown", "--n-shots", "1", "2", "4"])
    report = (tmp_path / "out" / "report.md").read_text()
    for section in ("mfcc-1nn", "noise", "More clips", "Provenance", "scikit-learn"):
        assert section in report
    assert str(tmp_path) not in report.split("Provenance")[0]


def test_predictions_of_every_fit_are_kept(options, tmp_path):
    main(options)
    fits = pd.read_json(tmp_path / "out" / "predictions.jsonl", lines=True)
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    accuracy = [np.mean(np.equal(fit.true, fit.predicted)) for fit in fits.itertuples()]
    key = ["pipeline", "n_shots", "repeat", "fold"]
    found = rows.merge(fits[key].assign(accuracy=accuracy), on=key)
    assert len(found) == len(rows)
    np.testing.assert_allclose(found["value"], found["accuracy"])


def test_fits_without_predictions_are_made_again(options, tmp_path):
    main(options)
    (tmp_path / "out" / "predictions.jsonl").unlink()
    assert main(options) == 0
    assert len(pd.read_json(tmp_path / "out" / "predictions.jsonl", lines=True)) == 2 * 2 * 2 * 5


def test_features_are_looked_up_in_the_second_run(options, tmp_path, monkeypatch):
    cached = [*options, "--cache", "--cache-dir", str(tmp_path / "cache")]
    main(cached)

    def refuse(*args):
        raise AssertionError("computed again")

    monkeypatch.setattr(MFCC, "transform", refuse)
    assert main([*cached, "--overwrite"]) == 0


def test_copies_on_two_sides_are_told(options, clips, tmp_path, capsys):
    copied = tmp_path / "copied"
    shutil.copytree(clips, copied)
    for k in range(4):
        shutil.copy(copied / "tone" / "0.wav", copied / "tone" / f"again-{k}.wav")
    assert main([*options, "--data-home", str(copied)]) == 0
    assert "Careful: test clips may be known from training" in capsys.readouterr().err
    assert "copy" in (tmp_path / "out" / "leaks.csv").read_text()


def test_unlabelled_clips_are_suggested(options, clips, tmp_path):
    pipelines = ["--pipelines", "prototypical"]
    assert main([*options[:-3], *pipelines, "--unlabelled", str(clips)]) == 0
    suggested = pd.read_csv(tmp_path / "out" / "suggestions.csv")
    assert suggested["clip"].str.endswith(".wav").all()
    assert len(suggested) == 10


def test_clips_are_suggested_by_the_best_pipeline_that_knows_probabilities(options, clips, tmp_path):
    assert main([*options[:-3], "--pipelines", "random-cnn-ridge", "random", "--unlabelled", str(clips)]) == 0
    assert set(pd.read_csv(tmp_path / "out" / "suggestions.csv")["pipeline"]) == {"random"}


def test_files_are_suggested_to_a_data_set_of_waveforms(options, clips, tmp_path):
    def load_toy():
        X = np.random.default_rng(0).normal(size=(8, 4000))
        return AudioDataset(X, ["a", "b"] * 4, name="toy", folds=[1, 1, 2, 2] * 2, sample_rate=8000)

    DATASETS.register("run-all-unlabelled", load_toy)
    assert main(["--dataset", "run-all-unlabelled", *options[4:], "--unlabelled", str(clips)]) == 0
    assert len(pd.read_csv(tmp_path / "out" / "suggestions.csv")) == 10


def test_unlabelled_folder_without_sound_is_named(options, tmp_path, capsys):
    assert main([*options, "--unlabelled", str(tmp_path / "nothing")]) == 2
    assert "nothing is not a folder" in capsys.readouterr().err


def test_report_can_be_written_again(options, tmp_path):
    main([*options, "--report", "none"])
    path = write_run_report(tmp_path / "out")
    assert path.name == "report.html"
    assert "audio" in path.read_text()


def test_report_on_nothing_names_the_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no results"):
        write_run_report(tmp_path)


def test_tags_are_refused_by_the_few_shot_protocol(options, capsys):
    def load_tags():
        X = np.random.default_rng(0).normal(size=(4, 4000))
        tags, folds = [[1, 0], [0, 1], [1, 1], [0, 0]], [1, 1, 2, 2]
        return AudioDataset(X, tags, name="tags", label_names=["a", "b"], folds=folds, sample_rate=8000)

    DATASETS.register("run-all-tags", load_tags)
    assert main(["--dataset", "run-all-tags", *options[4:]]) == 2
    assert "--suite large-scale" in capsys.readouterr().err


def test_local_workers_of_dask_give_the_same_rows(options, tmp_path):
    pytest.importorskip("distributed")
    main(options)
    by_dask = [*options[:5], str(tmp_path / "dask"), *options[6:], "--scheduler", "local", "--n-workers", "1"]
    assert main(by_dask) == 0
    mine, theirs = (
        pd.read_json(tmp_path / name / "results.jsonl", lines=True)
        .drop(columns=["fit_time", "score_time"])
        .sort_values(["pipeline", "n_shots", "repeat", "fold"], ignore_index=True)
        for name in ("out", "dask")
    )
    pd.testing.assert_frame_equal(mine, theirs)


def test_has_a_row_for_every_cell(options, tmp_path):
    main(options)
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    cells = rows[["dataset", "pipeline", "n_shots", "repeat", "fold", "metric"]].drop_duplicates()
    assert len(rows) == len(cells) == 2 * 2 * 2 * 5


def test_prints_a_table_within_80_columns(options, capsys):
    main(options)
    out = capsys.readouterr().out
    assert "mfcc-1nn" in out
    table = out[: out.index("Written")].splitlines()
    assert max(map(len, table)) <= 80


def test_says_when_each_pipeline_is_done_without_a_terminal(options, capsys):
    main(options)
    assert "mfcc-1nn: 20 fits" in capsys.readouterr().err


def test_tells_tones_from_noises(options, tmp_path):
    main(options)
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    assert rows.groupby("pipeline")["value"].mean()["mfcc-1nn"] > 0.9


def test_second_run_keeps_the_first_ones_fits_and_adds_what_is_new(options, tmp_path):
    main(options)
    before = (tmp_path / "out" / "results.jsonl").read_text()
    assert main([*options, "--n-repeats", "3"]) == 0
    after = (tmp_path / "out" / "results.jsonl").read_text()
    assert after.startswith(before)
    assert after.count("\n") == before.count("\n") * 3 // 2


def test_finished_run_on_waveforms_from_a_plugin_is_not_run_again(options, tmp_path):
    def load_toy():
        rng = np.random.default_rng(0)
        return AudioDataset(
            rng.normal(size=(8, 4000)), ["a", "b"] * 4, name="toy", folds=[1, 1, 2, 2] * 2, sample_rate=8000
        )

    DATASETS.register("run-all-toy", load_toy)
    toy = ["--dataset", "run-all-toy", *options[4:]]
    assert main(toy) == 0
    before = (tmp_path / "out" / "results.jsonl").read_text()
    assert main(toy) == 0
    assert (tmp_path / "out" / "results.jsonl").read_text() == before


def test_other_settings_are_not_mixed_with_earlier_results(options, capsys):
    main(options)
    assert main([*options, "--random-state", "5"]) == 2
    assert "random_state differ" in capsys.readouterr().err


def test_overwrite_starts_anew(options, tmp_path):
    main(options)
    assert main([*options, "--random-state", "5", "--overwrite"]) == 0
    assert set(pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)["seed"]) == {5, 6}


def test_folds_are_those_asked_for(options, tmp_path):
    main([*options, "--folds", "2", "4"])
    assert set(pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)["fold"]) == {2, 4}


def test_configuration_names_pipelines_and_versions(options, tmp_path):
    main(options)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert set(config["pipelines"]) == {"random", "mfcc-1nn"}
    assert "scikit-learn" in config["versions"]


def test_no_matplotlib_is_said_and_the_rest_written(options, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(options) == 0
    assert "skfewaudio[plot]" in capsys.readouterr().err
    assert not (tmp_path / "out" / "curve.png").exists()


def test_interrupt_ends_cleanly_and_says_how_to_go_on(options, monkeypatch, capsys):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(skfewaudio.model_selection, "few_shot_curve", interrupt)
    assert main(options) == 130
    assert "the same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--dataset", "esc5"], "'esc5' is not in"),
        (["--data-home", "nowhere"], "nowhere"),
        (["--dataset", "esc50", "--data-home", "nowhere"], "nowhere"),
        (["--dataset", "synthetic", "--subset", "esc10"], "takes no"),
        (["--n-shots", "50"], "noise has 4"),
        (["--folds", "9"], "no fold 9"),
        (["--device", "gpu"], "'gpu'"),
    ],
)
def test_wrong_request_is_one_clear_line(options, changes, message, capsys):
    assert main([*options, *changes]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_unreadable_recording_is_named(options, clips, capsys, tmp_path):
    broken = tmp_path / "broken"
    for path in clips.rglob("*.wav"):
        copy = broken / path.relative_to(clips)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (broken / "tone" / "3.wav").write_bytes(b"not a recording")
    assert main([*options, "--data-home", str(broken)]) == 2
    assert "3.wav" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--pipelines", "svm"], ["--suite", "all"], ["--n-repeats", "0"]])
def test_wrong_option_is_a_usage_error(options, wrong):
    with pytest.raises(SystemExit, match="2"):
        main([*options, *wrong])


def test_slow_pipelines_run_only_when_named():
    assert parse_options([]).pipelines == [
        *("random", "mfcc-1nn", "mfcc-prototypes", "few-shot", "random-cnn-ridge"),
        *("prototypical", "vggish-1nn"),
    ]
    assert parse_options(["--pipelines", "all"]).pipelines == list(SUITES["few-data"])


def test_pipeline_without_its_weights_is_skipped_with_the_reason(options, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    assert main([*options, "vggish-1nn"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert "Skipped: vggish-1nn; no weights of VGGish in the cache" in said[0]
    assert max(map(len, said[:2])) <= 80
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    assert set(rows["pipeline"]) == {"random", "mfcc-1nn"}


def test_nothing_left_to_run_is_an_error(options, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    assert main([*options[:-3], "--pipelines", "vggish-1nn"]) == 2
    assert "no pipeline left to run" in capsys.readouterr().err


def test_network_of_the_suite_is_trained_and_scored(options, tmp_path, monkeypatch):
    build = SUITES["few-data"]["timbre"]
    monkeypatch.setitem(
        SUITES["few-data"],
        "timbre",
        lambda **given: build(**given).set_params(skorchcnn__max_epochs=2),
    )
    assert main([*options[:-3], "--pipelines", "timbre", "--folds", "1", "--mixed-precision"]) == 0
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    assert len(rows) == 4


def test_waveforms_are_brought_to_the_features_rate():
    clip = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    (found,) = resample([clip], old_rate=22050, new_rate=12000)
    assert len(found) == 12000
    assert np.argmax(np.abs(np.fft.rfft(found))) == 440


def test_random_weights_are_compared_by_features_and_classifier(options, tmp_path, capsys):
    wanted = ["--suite", "random-cnn", "--pipelines", "temporal-8+s*", "mfcc+ridge"]
    assert main([*options[:-3], *wanted]) == 0
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    assert set(rows["pipeline"]) == {"temporal-8+svm", "mfcc+ridge"}
    # Five folds, two seeds, and a second way to choose for the classifier that has something to choose.
    assert len(rows) == 5 * 2 * 3
    said = capsys.readouterr()
    assert "hyper-parameters chosen within the training folds" in said.out
    assert "mfcc+ridge: 10 fits" in said.err


def test_finished_studies_are_not_scored_again(options, tmp_path):
    request = [*options[:-3], "--suite", "random-cnn", "--pipelines", "mfcc+ridge"]
    assert main(request) == 0
    before = (tmp_path / "out" / "results.jsonl").read_text()
    assert main([*request, "--n-repeats", "3"]) == 0
    after = (tmp_path / "out" / "results.jsonl").read_text()
    assert after.startswith(before)
    assert after.count("\n") == before.count("\n") * 3 // 2


def test_network_of_random_weights_is_trained_for_comparison(options, tmp_path, monkeypatch):
    build = SUITES["random-cnn"]["temporal-8+trained"]

    def quick(**given):
        study = build(**given)
        return study._replace(classifier=study.classifier.set_params(max_epochs=2))

    monkeypatch.setitem(SUITES["random-cnn"], "temporal-8+trained", quick)
    request = ["--suite", "random-cnn", "--pipelines", "temporal-8+trained", "--folds", "1"]
    assert main([*options[:-3], *request]) == 0
    assert len(pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)) == 2


def test_pipelines_may_be_given_by_patterns():
    found = parse_options(["--suite", "random-cnn", "--pipelines", "7x8?-160+[es]*"]).pipelines
    assert found == ["7x86-160+svm", "7x86-160+elm"]


@pytest.fixture
def quick_networks(monkeypatch):
    """Let fully connected networks stand for the others of the suite large-scale, for two epochs."""
    monkeypatch.setattr(_tagging_scores, "N_EPOCHS", 2)
    for name, study in _large_scale.STUDIES.items():
        training, source = study.training, study.training.source
        training = training._replace(
            architecture="fully_connected", source=source and source._replace(architecture="fully_connected")
        )
        monkeypatch.setitem(_large_scale.STUDIES, name, study._replace(training=training))
    return ["--suite", "large-scale", "--scale", "0.005", "--n-jobs", "1", "--device", "cpu"]


def test_large_networks_are_laid_out_in_the_tables_of_the_paper(quick_networks, tmp_path, capsys):
    wanted = ["architectures/fully*", "labels/20", "labels/20-bottleneck", "clips/5", "events/[lr]*"]
    request = [*quick_networks, "--output", str(tmp_path), "--pipelines", *wanted]
    with pytest.warns(UserWarning, match="do not sound in every fold"):
        assert main(request) == 0
    rows = pd.read_json(tmp_path / "results.jsonl", lines=True)
    assert len(rows) == 6 * 3  # a fold, a seed, three scores
    assert rows["value"].between(-5, 5).all()
    out = capsys.readouterr().out
    for heads in (
        ["Architecture", "Parameters", "Steps", "Time", "AUC", "d-prime", "mAP"],
        ["Bneck.", "Labels", "AUC", "d-prime", "mAP"],
        ["Clips", "AUC", "d-prime", "mAP"],
        ["Input", "AUC", "d-prime", "mAP"],
    ):
        assert heads in [line.split() for line in out.splitlines()]
    assert max(map(len, out[: out.index("Written")].splitlines())) <= 80


def test_a_network_that_several_rows_share_is_trained_once(quick_networks, tmp_path):
    wanted = ["--pipelines", "architectures/alexnet", "labels/all", "clips/100"]
    with pytest.warns(UserWarning, match="do not sound in every fold"):
        main([*quick_networks, "--output", str(tmp_path), *wanted])
    rows = pd.read_json(tmp_path / "results.jsonl", lines=True)
    assert rows["fit_time"].nunique() == 1
    found = rows.pivot_table(index="pipeline", columns="metric", values="value")
    assert found.loc["architectures/alexnet"].equals(found.loc["clips/100"])
    assert not found.loc["architectures/alexnet"].equals(found.loc["labels/all"])  # fewer labels count


def test_classes_are_tagged_as_one_label_a_clip(quick_networks, options, tmp_path):
    request = [*options[:4], *quick_networks, "--scale", "1", "--pipelines", "architectures/fully*"]
    assert main([*request, "--output", str(tmp_path / "out")]) == 0
    rows = pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)
    assert set(rows["n_labels"]) == {2}


@pytest.mark.parametrize("scale", ["0", "2"])
def test_impossible_scale_is_a_usage_error(quick_networks, scale):
    with pytest.raises(SystemExit, match="2"):
        main([*quick_networks, "--scale", scale])
