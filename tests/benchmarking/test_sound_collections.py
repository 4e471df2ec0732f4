"""Tests of the assembling of sound collections, without the programs and sounds that they are made from."""

import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

FOLDER = Path(__file__).parents[2] / "benchmarks" / "sound_collections"
NAMES = [path.stem for path in FOLDER.glob("*.py")]


@pytest.fixture(scope="module")
def modules():
    sys.path.insert(0, str(FOLDER))
    yield SimpleNamespace(**{name: import_module(name) for name in NAMES})
    sys.path.remove(str(FOLDER))
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.fixture
def make_clip(modules):
    def make(name="a", fold=1, level=0.5):
        return modules.clips.Clip(np.full(10, level, np.float32), 8000, "low tom", fold, name)

    return make


def test_table_lists_the_files_with_their_labels_and_folds(modules, make_clip, tmp_path):
    modules.clips.write_clips([make_clip("a", 1, 0.5), make_clip("b", 2, 0.25)], tmp_path / "new")
    table = pd.read_csv(tmp_path / "new" / "clips.csv")
    assert table.values.tolist() == [["low tom/1-a.wav", "low tom", 1], ["low tom/2-b.wav", "low tom", 2]]
    sound, rate = soundfile.read(tmp_path / "new" / table["path"][1])
    assert rate == 8000
    np.testing.assert_allclose(sound, 0.25, atol=1e-4)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"name": "a", "level": 0.25}, "two clips are named"),
        ({"name": "b"}, "same sound"),
        ({"name": "b", "level": 0}, "silent"),
    ],
)
def test_second_clip_that_is_not_a_new_sound_is_refused(modules, make_clip, tmp_path, second, message):
    with pytest.raises(ValueError, match=message):
        modules.clips.write_clips([make_clip(), make_clip(**second)], tmp_path / "new")


def test_existing_collection_is_not_overwritten(modules, tmp_path, capsys):
    (tmp_path / "digits").mkdir()
    assert modules.assemble.main([str(tmp_path), "--only", "digits"]) == 1
    assert "exists; remove it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("words-other-voices", "espeak-ng"),
        ("words-same-voices", "espeak-ng"),
        ("digits", "flite"),
        ("instruments", "fluidsynth"),
    ],
)
def test_missing_program_is_named_with_its_package(modules, tmp_path, monkeypatch, capsys, name, package):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert modules.assemble.main([str(tmp_path / "new"), "--only", name]) == 1
    assert f"{name}: the program {package} was not found; on Debian: apt-get install {package}" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("name", "module", "constant", "package"),
    [
        ("drum-hits", "drums", "KITS", "hydrogen-drumkits"),
        ("drum-hits", "drums", "SAMPLES", "sonic-pi-samples"),
        ("telephone-voices", "voices", "PROMPTS", "asterisk-core-sounds-en-wav"),
        ("voice-actors", "voices", "GAME", "hedgewars-data"),
    ],
)
def test_missing_folder_is_named_with_its_package(
    modules, tmp_path, monkeypatch, capsys, name, module, constant, package
):
    if module == "drums":
        monkeypatch.setattr(modules.drums, "KITS", tmp_path)
    monkeypatch.setattr(getattr(modules, module), constant, tmp_path / "missing")
    assert modules.assemble.main([str(tmp_path / "new"), "--only", name]) == 1
    assert f"was not found; on Debian: apt-get install {package}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (('Ride (Custom, Zagrebin 22")', "RideBow-0"), "ride"),
        (("Hi-Hat Pedal (Paiste Alpha)", "HiHatFoot-1"), "pedal hat"),
        (("VariBreaks Hat 1 Cl", "VP Hat 1 Cl"), "closed hat"),
        (("Kick 3", "PowR_BD_1"), "kick"),
        (("BassDrum", "BD_08"), "kick"),
        (("drum_cymbal_open",), "open hat"),
        (("Crash", "cc_01"), "crash"),
        (("crash16inch", "crash16i__ride2"), None),
        (("Pedal HH", "hihat-open-1"), None),
        (("Ride Bell", "BL_04"), None),
        (("Snare Rimshot", "SnareRim-0"), None),
        (("Whistle", "EE_Whistle"), None),
    ],
)
def test_drum_label_is_what_all_recognised_names_agree_on(modules, names, label):
    assert modules.drums.find_label(*names) == label


def test_file_of_a_kit_is_listed_once_and_only_if_it_exists(modules, tmp_path):
    layers = "".join(
        f"<instrument><name>{name}</name><layer><filename>{file}</filename></layer></instrument>"
        for name, file in [("Tom Hi", "t.wav"), ("Tom Mid", "t.wav"), ("Crash", "missing.wav")]
    )
    (tmp_path / "drumkit.xml").write_text(f'<drumkit_info xmlns="http://kit">{layers}</drumkit_info>')
    (tmp_path / "t.wav").touch()
    assert modules.drums.find_kit(tmp_path) == {"tom": [tmp_path / "t.wav"]}


def test_variants_of_a_phrase_are_in_the_same_fold(modules):
    names = ["Ow1", "Laugh", "Ow2", "Boring", "Jump3", "Hello", "Jump1"]
    folds = modules.voices.deal_folds(names)
    assert folds["Ow1"] == folds["Ow2"]
    assert folds["Jump1"] == folds["Jump3"]
    assert set(folds.values()) == {1, 2, 3, 4}
    assert modules.voices.deal_folds(names[::-1]) == folds


def test_voices_of_digits_are_two_per_fold(modules):
    folds = modules.digits.FLITE_FOLDS | modules.digits.FESTIVAL_FOLDS
    assert sorted(folds.values()) == [1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize(("ticks", "encoded"), [(0, "00"), (127, "7f"), (128, "8100"), (2500, "9344")])
def test_midi_times_have_seven_bits_per_byte(modules, ticks, encoded):
    assert modules.instruments.encode_time(ticks).hex() == encoded


def test_midi_file_gives_the_length_of_its_track(modules):
    midi = modules.instruments.make_midi([(0, 60, 100), (40, 61, 80)])
    assert midi[:4] == b"MThd"
    assert int.from_bytes(midi[18:22], "big") == len(midi) - 22
    assert midi.endswith(b"\xff\x2f\x00")
