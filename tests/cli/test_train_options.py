"""Options of skfewaudio train that set parameters of the pipeline or choose the data."""

import numpy as np
import pytest
import soundfile

from skfewaudio import load_model
from skfewaudio.cli import _train, main
from skfewaudio.datasets import AudioDataset, load_folder
from skfewaudio.persistence import read_card
from skfewaudio.plugins import DATASETS

FAST = ["--pipeline", "mfcc-1nn", "--device", "cpu", "--no-evaluate"]
FEW_SHOT = ["--device", "cpu", "--no-evaluate"]


def train(clips, tmp_path, *options):
    assert main(["train", str(clips), "-o", str(tmp_path / "m"), *options]) == 0
    return load_model(tmp_path / "m")


def test_reading_options_reach_the_transformer(clips, tmp_path):
    options = ["--sample-rate", "8000", "--channel", "first", "--allow-truncated"]
    mfcc = train(clips, tmp_path, *options, *FAST)[0]
    assert (mfcc.sample_rate, mfcc.channel, mfcc.allow_truncated) == (8000, "first", True)
    assert read_card(tmp_path / "m")["options"] == {
        "sample_rate": 8000,
        "channel": "first",
        "allow_truncated": True,
    }


def test_default_pipeline_takes_the_rate_of_the_recordings(clips, tmp_path):
    train(clips, tmp_path, *FEW_SHOT)
    assert read_card(tmp_path / "m")["sample_rate"] == 16000


def test_sample_rate_can_be_fixed(clips, tmp_path):
    train(clips, tmp_path, "--sample-rate", "8000", *FEW_SHOT)
    assert read_card(tmp_path / "m")["sample_rate"] == 8000


def test_class_weight_reaches_the_classifier(clips, tmp_path):
    model = train(clips, tmp_path, "--class-weight", "balanced", *FEW_SHOT)
    assert model[-1].estimator.estimator.class_weight == "balanced"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--class-weight", "balanced"], "--class-weight: mfcc-1nn cannot use it"),
        (["--false-rejection-rate", "0.1"], "--false-rejection-rate: mfcc-1nn cannot use it"),
        (["--sample-rate", "auto"], "--sample-rate: mfcc-1nn cannot use it"),
        (["--pipeline", "vggish-1nn", "--sample-rate", "8000"], "trained at one sample rate"),
        (["--pipeline", "random", "--channel", "1"], "--channel: random cannot use it"),
        (["--false-rejection-rate", "2"], "expected a share between 0 and 1"),
        (["--pipeline", "few-shots"], "did you mean few-shot?"),
        (["--subset", "esc10"], "--subset and --data-home belong to --dataset"),
        (["--dataset", "esc50"], "expected either FOLDER_OR_TABLE or --dataset NAME; both are given"),
    ],
)
def test_invalid_combination_is_reported_before_training(clips, tmp_path, capsys, options, message):
    assert main(["train", str(clips), "-o", str(tmp_path / "m"), *FAST, *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


@pytest.mark.parametrize("value", ["0", "44.1", "fast"])
def test_invalid_sample_rate_is_a_usage_error(clips, tmp_path, value):
    with pytest.raises(SystemExit, match="2"):
        main(["train", str(clips), "-o", str(tmp_path / "m"), "--sample-rate", value])


def test_channel_decides_what_is_learned(clips, tmp_path):
    stereo = tmp_path / "stereo"
    for path in clips.rglob("*.wav"):
        sound, rate = soundfile.read(path)
        target = stereo / path.relative_to(clips)
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, np.c_[np.zeros(len(sound)), sound], rate)
    model = train(stereo, tmp_path, "--channel", "1", *FAST)
    mono = sorted(map(str, clips.rglob("*.wav")))
    assert model.set_params(mfcc__channel="mean").predict(mono).tolist() == ["noise"] * 4 + ["tone"] * 4


def test_dataset_is_loaded_by_its_name(clips, tmp_path):
    def load_toy(data_home=None, *, subset=None):
        dataset = load_folder(data_home)
        return dataset.subset([0, 1, 4, 5]) if subset == "half" else dataset

    DATASETS.register("cli-toy", load_toy)
    options = ["--subset", "half", "--data-home", str(clips), "-o", str(tmp_path / "m")]
    assert main(["train", "--dataset", "cli-toy", *options, *FAST]) == 0
    assert read_card(tmp_path / "m")["data_set"]["clips_per_class"] == {"noise": 2, "tone": 2}


def test_dataset_of_waveforms_keeps_its_rate(tmp_path):
    def load_tones():
        time = np.arange(4000) / 8000
        X = [np.sin(2 * np.pi * frequency * time) for frequency in (200, 220, 2000, 2200)]
        return AudioDataset(X, ["low", "low", "high", "high"], name="tones", sample_rate=8000)

    DATASETS.register("cli-tones", load_tones)
    assert main(["train", "--dataset", "cli-tones", "-o", str(tmp_path / "m"), *FEW_SHOT]) == 0
    assert read_card(tmp_path / "m")["sample_rate"] == 8000


@pytest.mark.slow
def test_parallel_folds_give_the_same_score(clips, tmp_path, monkeypatch):
    command = ["train", str(clips), "-o", str(tmp_path / "m"), "--pipeline", "mfcc-1nn", "--device", "cpu"]
    found = []
    monkeypatch.setattr(_train, "_print_scores", lambda scores, out: found.append(scores))
    for n_jobs in ("1", "2"):
        main([*command, "--n-jobs", n_jobs])
    assert found[0] == found[1]


def test_clips_that_no_fold_tests_do_not_count(clips, tmp_path):
    table = tmp_path / "folds.csv"
    rows = [f"{name}/{k}.wav,{name},{(-1, 1, 2, 2)[k]}" for name in ("tone", "noise") for k in range(4)]
    table.write_text("\n".join(["path,label,fold", *rows]))
    command = ["train", str(table), "--audio-root", str(clips), "-o", str(tmp_path / "m")]
    assert main([*command, "--pipeline", "mfcc-1nn", "--device", "cpu"]) == 0
    assert read_card(tmp_path / "m")["scores"]["n_clips"] == 6


def test_test_folder_without_common_classes_is_refused_before_training(clips, other_clips, tmp_path, capsys):
    for folder in list(other_clips.iterdir()):
        folder.rename(other_clips / f"other {folder.name}")
    command = ["train", str(clips), "-o", str(tmp_path / "m"), "--test-folder", str(other_clips)]
    assert main([*command, "--device", "cpu"]) == 2
    assert "has none of the classes noise, tone" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_folders_that_look_like_parts_are_used_on_request(clips, tmp_path):
    folds = tmp_path / "folds"
    folds.mkdir()
    (folds / "fold1").symlink_to(clips / "tone")
    (folds / "fold2").symlink_to(clips / "noise")
    command = ["train", str(folds), "-o", str(tmp_path / "m"), *FAST]
    assert main(command) == 2
    assert main([*command, "--no-check-layout"]) == 0


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_channel_of_a_model_can_be_changed(model, other_clips, capsys, command):
    assert main([command, str(model), str(other_clips), "--channel", "3"]) != 0
    assert "has 1 channels, and channel=3 was requested" in capsys.readouterr().err
