"""find_unreadable and drop_unreadable."""

import numpy as np
import pytest
import soundfile

from skfewaudio.datasets import AudioDataset, drop_unreadable, find_unreadable

RATE = 8000


@pytest.fixture
def files(tmp_path):
    """Files by the kind of their fault."""
    sound = 0.1 * np.random.default_rng(0).normal(size=10 * RATE)
    paths = {name: tmp_path / f"{name}.wav" for name in ("good", "cut", "text", "empty", "header", "nan")}
    soundfile.write(paths["good"], sound, RATE)
    whole = paths["good"].read_bytes()
    paths["cut"].write_bytes(whole[: len(whole) // 2])
    paths["text"].write_bytes(b"not a recording" * 10_000)
    paths["empty"].write_bytes(b"")
    soundfile.write(paths["header"], sound[:0], RATE)
    sound[-1] = np.nan
    soundfile.write(paths["nan"], sound, RATE, subtype="FLOAT")
    return paths | {"missing": tmp_path / "missing.wav"}


def reasons(files, **options):
    errors = find_unreadable(list(files.values()), **options)
    return {list(files)[index]: error.reason for index, error in errors.items()}


def test_every_fault_is_found_with_its_reason(files):
    found = reasons(files)
    assert list(found) == ["cut", "text", "empty", "header", "nan", "missing"]
    assert found["empty"] == "is empty (0 bytes)"
    assert "is truncated" in found["cut"]
    assert "NaN" in found["nan"]


def test_opening_finds_all_but_damage_inside_the_sound(files):
    assert list(reasons(files, decode=False)) == ["cut", "text", "empty", "header", "missing"]


def test_truncated_file_is_readable_if_allowed(files):
    assert "cut" not in reasons(files, allow_truncated=True)


def test_missing_channel_makes_a_file_unreadable(files):
    assert "channel=1" in reasons({"good": files["good"]}, channel=1)["good"]


def test_part_after_the_end_is_found_and_part_of_a_cut_file_is_readable(files):
    good, cut = str(files["good"]), str(files["cut"])
    errors = find_unreadable([(good, 1.0, 2.0), (good, 11.0, 12.0), (cut, 0.0, 1.0)])
    assert list(errors) == [1]


def test_waveforms_are_readable():
    assert find_unreadable([np.zeros(10), (np.zeros(10), RATE)]) == {}


def test_threads_do_not_change_the_order(files):
    clips = [files["empty"], files["good"]] * 20
    assert list(find_unreadable(clips, n_threads=8)) == list(range(0, 40, 2))


def make_dataset(files, **options):
    names = ["good", "empty", "good", "text", "missing"]
    return AudioDataset(
        [str(files[name]) for name in names], ["a", "a", "b", "c", "c"], name="mine", **options
    )


def test_dataset_keeps_the_labels_and_groups_of_readable_clips(files):
    with pytest.warns(UserWarning, match="cannot be read"):
        kept = drop_unreadable(make_dataset(files, groups=[1, 2, 3, 4, 5]))
    assert kept.y.tolist() == ["a", "b"]
    assert kept.groups.tolist() == [1, 3]


def test_warning_names_all_files_and_lost_classes(files):
    with pytest.warns(UserWarning, match="3 of 5 clips") as caught:
        drop_unreadable(make_dataset(files))
    message = str(caught[0].message)
    assert message.startswith("3 of 5 clips of 'mine' cannot be read and are left out. No clip is left of c.")
    assert all(f"{files[name]}: " in message for name in ("empty", "text", "missing"))


def test_warning_about_many_files_names_ten_of_them(files, tmp_path):
    missing = [str(tmp_path / f"missing{k}.wav") for k in range(12)]
    with pytest.warns(UserWarning, match="12 of 13 clips") as caught:
        drop_unreadable(AudioDataset([str(files["good"]), *missing], ["a"] * 13, name="mine"))
    assert str(caught[0].message).count("missing") == 10
    assert str(caught[0].message).endswith("\n  ... and 2 more")


def test_readable_dataset_is_returned_unchanged(files):
    dataset = AudioDataset([str(files["good"])], ["a"], name="mine")
    assert drop_unreadable(dataset) is dataset


def test_dataset_without_readable_clip_is_an_error(files):
    dataset = AudioDataset([str(files["empty"])], ["a"], name="mine")
    with pytest.raises(ValueError, match=r"none of the 1 clips of 'mine' can be read:\n.*is empty"):
        drop_unreadable(dataset)
