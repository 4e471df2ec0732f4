"""Tests of skfewaudio train."""

from skfewaudio import CalibratedRidgeClassifier, load_model
from skfewaudio.cli import main
from skfewaudio.cli._train import build_pipeline
from skfewaudio.persistence import read_card

FAST = ["--pipeline", "mfcc-1nn", "--device", "cpu"]


def test_prints_class_counts_and_accuracy_with_interval(clips, tmp_path, capsys):
    assert main(["train", str(clips), "-o", str(tmp_path / "m"), *FAST]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["class  clips", "noise      4", "tone       4"]
    assert "accuracy 100.0 % (95 % interval 67.6 to 100.0 %), 8 of 8 clips" in lines
    assert "  4-fold cross-validation" in lines


def test_card_contains_dataset_scores_and_seed(clips, tmp_path):
    main(["train", str(clips), "-o", str(tmp_path / "m"), "--random-state", "3", *FAST])
    card = read_card(tmp_path / "m")
    assert card["data_set"]["clips_per_class"] == {"noise": 4, "tone": 4}
    assert card["scores"]["n_clips"] == 8
    assert card["random_state"] == 3


def test_saves_a_model_trained_on_all_clips(clips, tmp_path):
    main(["train", str(clips), "-o", str(tmp_path / "m"), *FAST])
    paths = sorted(map(str, clips.rglob("*.wav")))
    assert load_model(tmp_path / "m").predict(paths).tolist() == ["noise"] * 4 + ["tone"] * 4


def test_pipeline_receives_the_seed():
    model = build_pipeline("prototypical", random_state=5, device="cpu")
    assert [type(step).__name__ for _, step in model.steps] == ["LogMel", "PrototypicalClassifier"]
    assert model[-1].random_state == 5


def test_warns_if_a_class_with_one_clip_prevents_cross_validation(clips, other_clips, tmp_path, capsys):
    (other_clips / "tone" / "1.wav").unlink()
    assert main(["train", str(other_clips), "-o", str(tmp_path / "m"), *FAST]) == 0
    assert "accuracy is not estimated: class 'tone' has one clip" in capsys.readouterr().err


def test_keeps_clips_of_one_recording_together(other_clips, tmp_path, capsys):
    for folder in other_clips.iterdir():
        for number, take in enumerate("AB"):  # named as in ESC-50: one Freesound clip, two takes
            (folder / f"{number}.wav").rename(folder / f"1-{len(folder.name)}000-{take}-0.wav")
    assert main(["train", str(other_clips), "-o", str(tmp_path / "m"), *FAST]) == 0
    assert "class 'noise' has one recording" in capsys.readouterr().err


def test_scores_on_a_test_folder(clips, other_clips, tmp_path, capsys):
    assert (
        main(["train", str(clips), "-o", str(tmp_path / "m"), "--test-folder", str(other_clips), *FAST]) == 0
    )
    assert "4 of 4 clips" in capsys.readouterr().out


def test_unknown_pipeline_is_refused_with_the_known_names(clips, tmp_path, capsys):
    assert main(["train", str(clips), "-o", str(tmp_path / "m"), "--pipeline", "svm"]) == 2
    assert "--pipeline svm: expected one of random, mfcc-1nn" in capsys.readouterr().err


def test_missing_output_folder_is_reported_before_training(clips, tmp_path, capsys):
    assert main(["train", str(clips), "-o", str(tmp_path / "none" / "m"), *FAST]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "create it first" in err


def test_trains_the_default_pipeline(clips, tmp_path):
    assert main(["train", str(clips), "-o", str(tmp_path / "m"), "--no-evaluate", "--device", "cpu"]) == 0
    assert read_card(tmp_path / "m")["classifier"]["type"] == "AugmentedClassifier"


def test_trains_on_unlabelled_clips(clips, other_clips, tmp_path, capsys):
    command = ["train", str(clips), "-o", str(tmp_path / "m"), "--unlabelled", str(other_clips)]
    assert main([*command, "--device", "cpu"]) == 0
    assert "of 8 clips" in capsys.readouterr().out
    assert read_card(tmp_path / "m")["data_set"]["n_unlabelled"] == 4
    model = load_model(tmp_path / "m")
    assert model.classes_.tolist() == ["noise", "tone"]
    assert model[-1].estimator_.semi_supervised


def test_pipeline_without_self_training_is_named(clips, other_clips, tmp_path, capsys):
    command = ["train", str(clips), "-o", str(tmp_path / "m"), "--unlabelled", str(other_clips), *FAST]
    assert main(command) == 2
    assert "--unlabelled: mfcc-1nn cannot use unlabelled clips" in capsys.readouterr().err


def test_recordings_are_left_out_together_for_the_calibration_too(other_clips, tmp_path, monkeypatch):
    received = []
    fit = CalibratedRidgeClassifier.fit

    def recorded(self, X, y, sample_weight=None, *, groups=None):
        received.append(groups)
        return fit(self, X, y, sample_weight, groups=groups)

    monkeypatch.setattr(CalibratedRidgeClassifier, "fit", recorded)
    for folder in other_clips.iterdir():
        for number, take in enumerate("AB"):
            (folder / f"{number}.wav").rename(folder / f"1-{len(folder.name)}000-{take}-0.wav")
    main(["train", str(other_clips), "-o", str(tmp_path / "m"), "--no-evaluate", "--device", "cpu"])
    assert sorted(received[0]) == [0] * 10 + [1] * 10  # two clips with four augmented copies each
