"""Detectors from annotated recordings: skfewaudio train, then detect."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from skfewaudio import load_model
from skfewaudio.cli import main
from skfewaudio.datasets import load_labels
from skfewaudio.detection import EventDetector
from skfewaudio.persistence import read_card

RATE = 16000
PITCHES = {"low": 500, "high": 3000}
STARTS = {"low": (2, 10), "high": (6, 14)}


def write_night(path, seed=0, seconds=18):
    """Write quiet noise with tones of half a second."""
    rng = np.random.default_rng(seed)
    sound = 1e-3 * rng.standard_normal(seconds * RATE)
    for label, starts in STARTS.items():
        tone = 0.5 * np.sin(2 * np.pi * PITCHES[label] * np.arange(RATE // 2) / RATE)
        for start in starts:
            sound[start * RATE : start * RATE + len(tone)] += tone
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, RATE)


def write_track(path):
    """Write the label track of such a recording."""
    rows = sorted((start, label) for label, starts in STARTS.items() for start in starts)
    path.write_text("".join(f"{start}\t{start + 0.5}\t{label}\n" for start, label in rows))


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """Folder of two annotated recordings."""
    root = tmp_path_factory.mktemp("nights")
    for number in range(2):
        write_night(root / f"{number}.wav", number)
        write_track(root / f"{number}.txt")
    return root


@pytest.fixture(scope="module")
def trained(nights, tmp_path_factory):
    """File of the detector, and the output of its training."""
    path = tmp_path_factory.mktemp("model") / "field.model"
    return path, main(["train", str(nights), "-o", str(path)])


@pytest.mark.slow
def test_annotated_recordings_give_a_detector(trained):
    path, status = trained
    assert status == 0
    assert isinstance(load_model(path), EventDetector)
    card = read_card(path)
    assert card["data_set"]["clips_per_class"] == {"high": 4, "low": 4}
    assert set(card["thresholds"]) == {"high", "low"}
    assert len(card["windows"]) == 1


@pytest.mark.slow
def test_events_are_found_where_they_are(trained, tmp_path, capsys):
    write_night(tmp_path / "new.wav", 7)
    assert main(["detect", str(trained[0]), str(tmp_path / "new.wav"), "-o", str(tmp_path / "out")]) == 0
    found = pd.read_csv(tmp_path / "out" / "detections.csv")
    assert found["label"].tolist() == ["low", "high", "low", "high"]
    np.testing.assert_allclose(found["start"], [2, 6, 10, 14], atol=0.1)
    np.testing.assert_allclose(found["end"], [2.5, 6.5, 10.5, 14.5], atol=0.1)
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_detector_does_not_classify_clips(trained, nights, capsys):
    assert main(["predict", str(trained[0]), str(nights / "0.wav")]) == 2
    assert "is a detector of events, which does not classify clips" in capsys.readouterr().err


def test_folder_of_annotated_recordings_is_recognised(nights):
    dataset = load_labels(nights)
    assert len(dataset) == 8
    assert sorted(set(dataset.groups)) == [str(nights / f"{number}.wav") for number in range(2)]


def test_folders_of_classes_stay_so_if_requested(tmp_path):
    for site in ("a", "b"):
        write_night(tmp_path / site / "0.wav")
        write_track(tmp_path / site / "0.txt")
    assert load_labels(tmp_path).target_names == ["high", "low"]
    assert load_labels(tmp_path, check_layout=False).target_names == ["a", "b"]


@pytest.fixture
def describe(monkeypatch):
    """Replace the fit; the detector that would be fitted, and its clips, are kept."""
    seen = {}

    def fit(self, X, y, groups=None):
        seen.update(detector=self, X=X, y=y, groups=groups)
        self.classes_ = np.unique([label for label in y if label != "background"])
        self.windows_ = np.array([0.5])
        self.durations_ = np.array([[0.5, 0.5, 1.0]] * len(self.classes_))
        self.thresholds_ = dict.fromkeys(self.classes_.tolist(), 0.25)
        self.expected_ = {"high": {"precision": 0.9, "recall": 0.8}}
        return self

    monkeypatch.setattr(EventDetector, "fit", fit)
    monkeypatch.setattr("skfewaudio.persistence.save_model", lambda model, path, card: seen.update(card=card))
    monkeypatch.setattr("skfewaudio.cli._train._save", lambda model, card, args, out: seen.update(card=card))
    return seen


def train(*argv):
    return main(["train", *map(str, argv), "-o", "unused.model"])


def test_prints_what_was_learned(describe, nights, capsys):
    assert train(nights) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[:3] == [
        "class  events  recordings  seconds   threshold  precision  recall",
        "high        4           2  0.5 to 1  0.25       90 %       80 %",
        "low         4           2  0.5 to 1  0.25       ?          ?",
    ]
    assert "background: 10 parts, 28 s" in out
    assert "windows: 0.5 s" in out
    assert max(map(len, out.splitlines())) <= 80
    assert describe["card"]["expected"] == {"high": {"precision": 0.9, "recall": 0.8}}


def test_sound_between_events_is_background_unless_partly_annotated(describe, nights):
    train(nights)
    assert describe["y"].count("background") == 10
    train(nights, "--partly-annotated")
    assert "background" not in describe["y"]


def test_folders_named_background_are_background(describe, nights, tmp_path):
    for number in range(2):
        write_night(tmp_path / "in" / f"{number}.wav", number)
        write_track(tmp_path / "in" / f"{number}.txt")
    write_night(tmp_path / "in" / "noise" / "rain.wav")
    write_night(tmp_path / "more" / "wind.wav")
    train(tmp_path / "in", "--partly-annotated", "--background", tmp_path / "more")
    background = [
        clip for clip, label in zip(describe["X"], describe["y"], strict=True) if label == "background"
    ]
    assert background == [str(tmp_path / "more" / "wind.wav"), str(tmp_path / "in" / "noise" / "rain.wav")]


def test_several_files_of_annotations_are_read(describe, nights):
    train(nights / "0.txt", nights / "1.txt")
    assert len(set(describe["groups"])) == 2


def test_table_with_times_gives_a_detector(describe, nights, tmp_path):
    table = tmp_path / "events.csv"
    table.write_text("path,start,end,label\n0.wav,2,2.5,low\n0.wav,6,6.5,high\n1.wav,2,2.5,low\n")
    train(table, "--audio-root", nights, "--precision", "0.95", "--random-state", "3")
    detector = describe["detector"]
    assert (detector.precision, detector.recall, detector.random_state) == (0.95, None, 3)


def test_options_of_reading_reach_the_detector(describe, nights):
    train(nights, "--sample-rate", "22050", "--channel", "first")
    logmel = describe["detector"].estimator
    assert (logmel.sample_rate, logmel.channel) == (22050, "first")
    assert describe["card"]["options"] == {"sample_rate": 22050, "channel": "first"}


def test_unreadable_recordings_are_named(describe, nights, tmp_path, capsys):
    table = tmp_path / "events.csv"
    table.write_text("path,start,end,label\n0.wav,2,2.5,low\n0.wav,6,6.5,high\nnone.wav,2,2.5,low\n")
    assert train(table, "--audio-root", nights) == 1
    assert "1 of 3 clips could not be read" in capsys.readouterr().err
    assert describe["card"]["data_set"]["n_unreadable"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--precision", "1.5"], "--precision 1.5: expected a share between 0 and 1"),
        (["--detector", "--pipeline", "mfcc-1nn"], "--detector: detectors need log mel spectrograms"),
        (["--detector", "--test-folder", "x"], "--detector: detectors cannot use --test-folder"),
        (["--no-detector", "--recall", "0.9"], "--recall: belongs to detectors of events"),
    ],
)
def test_options_that_do_not_fit_are_refused(nights, capsys, options, message):
    assert train(nights, *options) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_other_pipelines_train_a_classifier_of_the_parts(nights, tmp_path, capsys):
    path = tmp_path / "m"
    assert main(["train", str(nights), "-o", str(path), "--pipeline", "mfcc-1nn", "--no-evaluate"]) == 0
    assert (
        "a classifier of clips is trained on the annotated parts, not a detector" in capsys.readouterr().err
    )
    assert main(["evaluate", str(path), str(nights), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_right"] == 8


def test_such_a_classifier_cannot_detect(nights, model, capsys):
    assert main(["detect", str(model), str(nights / "0.wav")]) == 2
    err = capsys.readouterr().err
    assert "sounds.model: cannot find events: expected a detector" in err
    assert err.count("\n") == 1
