"""Numbers of labelled clips per class that fit the dataset, and folders whose recordings are known."""

import shutil

import numpy as np
import pandas as pd
import pytest

from skfewaudio.benchmarking import main
from skfewaudio.benchmarking._n_shots import choose_n_shots
from skfewaudio.datasets import AudioDataset


def dataset_of(counts, **fields):
    labels = np.repeat(list(counts), list(counts.values()))
    return AudioDataset(np.zeros((len(labels), 100)), labels, name="toy", sample_rate=8000, **fields)


def splits_of(dataset, n_folds=2):
    folds = np.arange(len(dataset)) % n_folds
    return [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(n_folds)]


def test_default_numbers_that_fit_are_used():
    dataset = dataset_of({"dog": 12, "owl": 20})
    chosen = choose_n_shots(None, dataset, splits_of(dataset))
    assert chosen.n_shots == [1, 2, 5]
    assert chosen.message == "Left out: 10, 20 clips per class; dog has 6 training clips (see --n-shots)"


def test_nothing_is_left_out_of_many_clips():
    dataset = dataset_of({"dog": 40, "owl": 40})
    assert choose_n_shots(None, dataset, splits_of(dataset)) == ([1, 2, 5, 10, 20], "")


def test_smallest_training_set_decides():
    dataset = dataset_of({"dog": 10, "owl": 10})
    splits = [(np.arange(20), []), (np.array([0, 1, 10, 11, 12]), [])]
    assert choose_n_shots(None, dataset, splits).n_shots == [1, 2]


def test_given_number_that_is_too_large_is_refused_with_the_largest_that_fits():
    dataset = dataset_of({"dog": 12, "fox": 14, "owl": 20})
    message = "--n-shots 8 needs at least 8 .* dog has 6, fox has 7; the largest number that fits is 6"
    with pytest.raises(ValueError, match=message):
        choose_n_shots([1, 8], dataset, splits_of(dataset))


def test_given_numbers_that_fit_are_used():
    dataset = dataset_of({"dog": 12, "owl": 20})
    assert choose_n_shots([6, 3], dataset, splits_of(dataset)) == ([6, 3], "")


@pytest.mark.parametrize("requested", [None, [1]])
def test_class_without_training_clips_is_named(requested):
    dataset = dataset_of({"dog": 2, "owl": 4})
    splits = [(np.arange(2, 6), np.arange(2)), (np.arange(5), [5])]
    with pytest.raises(
        ValueError, match=r"has no clips of dog: every class needs clips in .* Add clips, or leave"
    ):
        choose_n_shots(requested, dataset, splits)


def request_without_n_shots(options):
    first = options.index("--n-shots")
    return [*options[:first], *options[first + 3 :]]


def test_folder_of_few_clips_is_compared_with_the_numbers_that_fit(options, tmp_path, capsys):
    assert main(request_without_n_shots(options)) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "Left out: 5, 10, 20 clips per class; noise has 4 training clips (see --n-shots)" in said
    assert set(pd.read_json(tmp_path / "out" / "results.jsonl", lines=True)["n_shots"]) == {1, 2}


def test_error_names_the_option_and_the_largest_number(options, capsys):
    assert main([*options, "--n-shots", "1", "20"]) == 2
    message = capsys.readouterr().err
    assert "--n-shots 20 needs at least 20 training clips" in message
    assert "the largest number that fits is 4" in message


def rename(clips, root, name):
    """Copy the clips under names made of their class and number."""
    for file in sorted(clips.rglob("*.wav")):
        (root / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, root / file.parent.name / name(file.parent.name, int(file.stem)))
    return root


def test_recordings_of_a_folder_are_not_split(options, clips, tmp_path):
    takes = rename(
        clips, tmp_path / "takes", lambda label, k: f"1-{len(label)}00{k // 2}-{'AB'[k % 2]}-0.wav"
    )
    assert main([*options, "--data-home", str(takes)]) == 0
    assert pd.read_csv(tmp_path / "out" / "leaks.csv").empty


def test_class_of_one_recording_is_named_with_advice(options, clips, tmp_path, capsys):
    def name(label, k):
        return f"SMU01234_20230514_04300{0 if label == 'tone' else k}_{k:04}.wav"

    assert main([*options, "--data-home", str(rename(clips, tmp_path / "night", name))]) == 2
    message = capsys.readouterr().err
    assert "class 'tone' has one recording: it cannot be both trained and tested on. Add another" in message


def test_file_name_that_is_not_utf8_is_no_obstacle(options, clips, tmp_path):
    root = rename(clips, tmp_path / "latin-\udce4", lambda _, k: f"K\udce4uz{k}.wav")
    shutil.copy(root / "tone" / "K\udce4uz0.wav", root / "tone" / "again\udce4.wav")
    assert main([*options, "--data-home", str(root), "--unlabelled", str(root)]) == 0
    assert "ce4uz0.wav" in (tmp_path / "out" / "leaks.csv").read_text(encoding="utf-8")
