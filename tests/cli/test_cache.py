"""Tests of skfewaudio cache."""

import json

import pytest

from skfewaudio.cli import main


def cache(capsys, *argv):
    status = main(["cache", *map(str, argv)])
    return status, capsys.readouterr()


def test_warm_fills_the_cache_and_clear_empties_it(clips, tmp_path, capsys):
    location = ["--location", tmp_path / "cache"]
    warm = ["warm", clips, "--transformer", "mfcc", *location]
    assert cache(capsys, *warm)[1].out == "0 sounds were in the cache, 8 computed\n"
    assert cache(capsys, *warm)[1].out == "8 sounds were in the cache, 0 computed\n"
    info = json.loads(cache(capsys, "info", "--json", *location)[1].out)
    assert [(held["name"], held["n_entries"]) for held in info["transformers"]] == [("MFCC", 8)]
    assert cache(capsys, "clear", "--transformer", "logmel", *location)[1].out.startswith("0 entries")
    assert cache(capsys, "clear", "--transformer", "mfcc", *location)[1].out.startswith("8 entries")


def test_warm_continues_after_an_unreadable_file(other_clips, tmp_path, capsys):
    (other_clips / "noise" / "0.wav").write_bytes(b"")
    status, text = cache(
        capsys, "warm", other_clips, "--transformer", "mfcc", "--location", tmp_path / "cache"
    )
    assert (status, text.out) == (1, "0 sounds were in the cache, 3 computed\n")
    assert "0.wav: is empty" in text.err


def test_reading_options_decide_on_the_features(clips, tmp_path, capsys):
    warm = ["warm", clips, "--transformer", "logmel", "--location", tmp_path / "cache"]
    for options in ([], ["--sample-rate", "16000"], ["--channel", "first"]):
        assert cache(capsys, *warm, *options)[1].out == "0 sounds were in the cache, 8 computed\n"
    # The recordings have 16 kHz.
    assert cache(capsys, *warm, "--sample-rate", "auto")[1].out == "8 sounds were in the cache, 0 computed\n"


@pytest.mark.parametrize(("name", "rate"), [("mfcc", "auto"), ("vggish", "8000")])
def test_sample_rate_that_a_transformer_cannot_use_is_refused(clips, tmp_path, capsys, name, rate):
    options = ["--sample-rate", rate, "--location", tmp_path]
    status, text = cache(capsys, "warm", clips, "--transformer", name, *options)
    assert status == 2
    assert f"--transformer {name}: " in text.err


def test_dataset_made_by_code_is_refused(tmp_path, capsys):
    status, text = cache(capsys, "warm", "sound_scenes", "--transformer", "mfcc", "--location", tmp_path)
    assert status == 2
    assert "made by code" in text.err
