"""A recorder's card as it comes from the field goes through every command, and each bad file is named."""

import os
import unicodedata
import warnings

import numpy as np
import pytest
import soundfile

from skfewaudio import load_model
from skfewaudio.cli import main

CLASSES = ("dog", "rain", "Käuzchen")
N_FILES = 200
BAD = ("dog/000.wav", "rain/001.WAV", "dog/003.flac", "dog/006.wav", "rain/007.WAV")


def make_sound(label, rate, rng):
    seconds = np.arange(int(0.15 * rate)) / rate
    noise = rng.standard_normal(len(seconds))
    tone = np.sin(2 * np.pi * rng.uniform(500, 700) * seconds)
    sweep = np.sin(2 * np.pi * (1500 + 4000 * seconds) * seconds)
    return 0.1 * {"dog": tone + 0.1 * noise, "rain": noise, "Käuzchen": sweep + 0.1 * noise}[label]


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    """Write a folder per class with 200 files, some of them as damaged or odd as in the field."""
    root = tmp_path_factory.mktemp("CARD")
    rng = np.random.default_rng(0)
    for i in range(N_FILES):
        label = CLASSES[i % 3]
        suffix = ("wav", "WAV", "wav", "flac", "ogg", "wav")[i % 6]
        rate = 16000 if i % 10 else 22050
        folder = root / label
        folder.mkdir(exist_ok=True)
        soundfile.write(folder / f"{i:03d}.{suffix}", make_sound(label, rate, rng), rate)
    for name in BAD[:3]:
        (root / name).write_bytes(b"")
    for name in BAD[3:]:
        content = (root / name).read_bytes()
        (root / name).write_bytes(content[: len(content) // 2])
    sound = make_sound("rain", 16000, rng)
    soundfile.write(root / "rain" / "019.WAV", np.c_[sound, -sound], 16000)  # one microphone inverted
    (root / "dog" / "012.wav").rename(root / "dog" / os.fsdecode(b"K\xfcche.wav"))  # Latin-1
    (root / "rain" / "013.WAV").rename(root / "rain" / unicodedata.normalize("NFD", "Bä.wav"))
    nfd = root / unicodedata.normalize("NFD", "Käuzchen")  # as macOS writes it
    nfd.mkdir()
    (root / "Käuzchen" / "014.wav").rename(nfd / "014.wav")
    for litter in ("._015.wav", ".DS_Store", "Thumbs.db"):
        (root / "dog" / litter).write_bytes(b"\0\5\26\7" * 10)
    (root / "System Volume Information").mkdir()
    return root


@pytest.fixture(scope="module")
def trained(card, tmp_path_factory):
    """Train on the card with the default pipeline, and return the model, the status and the messages."""
    path = tmp_path_factory.mktemp("model") / "card.model"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        status = main(["train", str(card), "-o", str(path), "--device", "cpu", "--no-evaluate"])
    return path, status


def assert_every_bad_file_is_named(text):
    for name in BAD:
        assert name.replace("/", os.sep) in text


def test_train_leaves_bad_files_out_and_names_them(card, tmp_path, capsys):
    options = ["--device", "cpu", "--no-evaluate", "--pipeline", "mfcc-1nn"]
    assert main(["train", str(card), "-o", str(tmp_path / "m"), *options]) == 1
    printed = capsys.readouterr()
    assert_every_bad_file_is_named(printed.err)
    assert "019.WAV" in printed.err  # whose channels cancel each other
    counts = dict(line.split() for line in printed.out.splitlines()[1:4])
    assert sum(map(int, counts.values())) == N_FILES - len(BAD)
    assert set(counts) == set(CLASSES)


def test_the_model_has_learned_the_classes(card, trained):
    path, status = trained
    assert status == 1
    model = load_model(path)
    assert sorted(model.classes_) == sorted(CLASSES)
    rng = np.random.default_rng(1)
    sounds = [(make_sound(label, 16000, rng), 16000) for label in CLASSES for _ in range(4)]
    assert (model.predict(sounds) == np.repeat(CLASSES, 4)).mean() > 0.9


def test_predict_goes_on_and_names_bad_files(card, trained, capsys):
    assert main(["predict", str(trained[0]), str(card)]) == 1
    printed = capsys.readouterr()
    assert_every_bad_file_is_named(printed.err)
    assert len(printed.out.splitlines()) >= N_FILES - len(BAD)


def test_evaluate_goes_on_and_names_bad_files(card, trained, capsys):
    assert main(["evaluate", str(trained[0]), str(card)]) == 1
    printed = capsys.readouterr()
    assert_every_bad_file_is_named(printed.err)
    assert f"{N_FILES - len(BAD)} clips" in printed.out


def test_check_names_bad_files(card, capsys):
    assert main(["datasets", "check", str(card)]) == 1
    printed = capsys.readouterr()
    assert_every_bad_file_is_named(printed.out + printed.err)


def test_the_cache_is_warmed_with_the_good_files(card, tmp_path, capsys):
    options = ["--transformer", "mfcc", "--location", str(tmp_path)]
    assert main(["cache", "warm", str(card), *options]) == 1
    assert_every_bad_file_is_named(capsys.readouterr().err)
