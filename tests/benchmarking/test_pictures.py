import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[2]


def import_script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pictures():
    pytest.importorskip("matplotlib")
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        yield import_script("pictures")
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


def read_table(path, row):
    """Return the numbers of a row of a table in Markdown, without intervals."""
    line = next(line for line in path.read_text().splitlines() if line.startswith("|") and row in line)
    return [float(cell) for cell in re.findall(r"\|\s*\**(\d+\.\d)", line)]


def test_every_kind_of_sound_is_read_from_its_page(pictures):
    kinds = pictures.read_kinds(2)
    assert len(kinds) == 9
    assert kinds["telephone voices"] == (67.1, 74.4)


def test_kinds_without_twenty_clips_per_class_are_left_out(pictures):
    assert "drum hits" not in pictures.read_kinds(4)


def test_labels_do_not_overlap_and_keep_their_order(pictures):
    moved = pictures.spread([80.0, 92.0, 91.0, 50.0], 4.0)
    assert moved == [80.0, 92.0, 88.0, 50.0]


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks/how_good.md"])
@pytest.mark.parametrize(
    ("row", "source"),
    [
        ("MFCC, nearest neighbour", "MFCC, 1-NN"),
        ("random forest", "random forest"),
        ("few-shot classifier**", "few-shot classifier"),
    ],
)
def test_short_tables_repeat_the_measured_accuracies(page, row, source):
    known = read_table(ROOT / "docs/benchmarks/few-shot-esc10.md", source)
    if page == "README.md":
        row = row.replace("few-shot classifier**", "make_few_shot_classifier()")
    assert read_table(ROOT / page, row)[:3] == [known[0], known[2], known[4]]


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks/how_good.md"])
def test_short_tables_repeat_the_accuracies_with_an_embedding(page):
    known = read_table(ROOT / "docs/benchmarks/pretrained.md", "| with BirdNET ")
    row = "BirdNET's embedding**" if page == "README.md" else "few-shot classifier with BirdNET"
    assert read_table(ROOT / page, row)[:3] == [known[0], known[2], known[4]]


# librosa imports aifc and others to load a file.
@pytest.mark.filterwarnings("ignore:.*slated for removal:DeprecationWarning")
def test_mfcc_by_librosa_are_forty_numbers_per_clip(tmp_path):
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.random.default_rng(0).normal(scale=0.1, size=22050), 22050)
    assert import_script("baselines").compute_mfcc([path, path]).shape == (2, 40)
