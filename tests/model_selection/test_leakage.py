import io
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from skfewaudio.datasets import load_esc50, load_synthetic
from skfewaudio.exceptions import AudioLoadError, LeakageWarning
from skfewaudio.model_selection import check_leakage
from skfewaudio.model_selection._leakage.near_duplicates import align, find_similar_sequences

RATE = 16000
FIRE_CLIPS = np.arange(110, 140)  # of ESC-10
COLUMNS = ["kind", "first", "second", "first_fold", "second_fold", "similarity", "detail"]


def make_clips(n_clips=6, seconds=2.0):
    """Make clips of noise whose level changes differently over time."""
    rng = np.random.default_rng(0)
    n = round(seconds * RATE)
    clips = rng.normal(size=(n_clips, n)) * np.repeat(rng.uniform(0.1, 1, (n_clips, 20)), n // 20, axis=1)
    return list((0.1 * clips).astype(np.float32))


CLIPS = make_clips()


def as_ogg(x):
    file = io.BytesIO()
    sf.write(file, x, RATE, format="OGG", subtype="VORBIS", compression_level=0.9)
    file.seek(0)
    return sf.read(file, dtype="float32")[0]


CHANGES = {
    "gain": lambda x: 0.5 * x,
    "ogg": as_ogg,
    "shift": lambda x: np.pad(x, (800, 0))[: len(x)],
    "excerpt": lambda x: x[3333:30000],
    "noise": lambda x: x + np.random.default_rng(1).normal(size=len(x)) * x.std() * 10**-1.5,
}


def check(X, *args, **kwargs):
    """Return the findings without the warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)
        return check_leakage(X, *args, **kwargs)


def pairs(table, kind):
    ours = table[table["kind"] == kind]
    return list(zip(ours["first"], ours["second"], strict=True))


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_finds_modified_duplicate_on_the_other_side(change):
    table = check([*CLIPS, change(CLIPS[2])], folds=[1] * 6 + [2], sample_rate=RATE)
    assert pairs(table, "near_duplicate") == [(2, 6)]
    assert table.loc[0, ["first_fold", "second_fold"]].tolist() == [1, 2]


def test_finds_nothing_in_different_clips_and_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = check_leakage(CLIPS, ["a", "b"] * 3, folds=[1, 2] * 3, sample_rate=RATE)
    assert table.empty
    assert list(table.columns) == COLUMNS


def test_warns_with_the_number_of_findings_of_each_kind():
    clips = [*CLIPS, CLIPS[0], 0.5 * CLIPS[1]]
    with pytest.warns(LeakageWarning, match=r"1 x duplicate, 1 x near_duplicate, such as clips 0 and 6"):
        check_leakage(clips, folds=[1] * 6 + [2] * 2, sample_rate=RATE)


def test_duplicate_is_not_a_near_duplicate():
    table = check([*CLIPS, CLIPS[0].copy()], folds=[1] * 6 + [2], sample_rate=RATE)
    assert pairs(table, "duplicate") == [(0, 6)]
    assert pairs(table, "near_duplicate") == []


def test_duplicates_on_the_same_side_are_no_leak():
    assert check([*CLIPS, 0.5 * CLIPS[0], CLIPS[1]], folds=[1] * 8, sample_rate=RATE).empty


def test_without_folds_groups_are_compared():
    clips = [*CLIPS, 0.5 * CLIPS[0], 0.5 * CLIPS[1]]
    table = check(clips, groups=["a", "b", "c", "d", "e", "f", "a", "g"], sample_rate=RATE)
    assert pairs(table, "near_duplicate") == [(1, 7)]


def test_without_folds_and_groups_all_duplicates_are_reported_without_folds():
    table = check([*CLIPS, 0.5 * CLIPS[0]], sample_rate=RATE)
    assert pairs(table, "near_duplicate") == [(0, 6)]
    assert table["first_fold"].isna().all()


def test_detail_contains_the_shift_of_a_duplicate():
    table = check([*CLIPS, CLIPS[0][8000:]], sample_rate=RATE)
    assert "second starts 0.5" in table.loc[0, "detail"]


def test_three_equal_clips_are_two_findings():
    table = check([CLIPS[0], CLIPS[1], CLIPS[0], CLIPS[0]], folds=[1, 1, 2, 3], sample_rate=RATE)
    assert pairs(table, "duplicate") == [(0, 2), (0, 3)]


def test_each_group_in_several_folds_is_one_finding():
    table = check(CLIPS, folds=[1, 2, 3, 1, 1, 2], groups=list("aaabbc"), sample_rate=RATE)
    assert pairs(table, "recording") == [(0, 1)]
    assert "recording a, 3 clips" in table.loc[0, "detail"]


def test_classes_of_one_recording_may_lie_in_different_folds():
    y = ["bark", "horn", "bark", "horn", "bark", "horn"]
    table = check(CLIPS, y, folds=[1, 2] * 3, groups=list("aabbcc"), sample_rate=RATE)
    assert pairs(table, "recording") == []
    assert pairs(table, "label") == [(0, 1), (2, 3), (4, 5)]


def test_duplicate_with_another_label_is_found_within_a_fold():
    y = ["bark"] * 6 + ["horn"]
    table = check([*CLIPS, 0.5 * CLIPS[3]], y, folds=[1] * 7, sample_rate=RATE)
    assert pairs(table, "label") == [(3, 6)]
    assert table.loc[0, "detail"] == "labelled bark and horn"


def test_label_sets_of_a_recording_may_differ():
    y = np.eye(6, 3, dtype=int)
    assert check(CLIPS, y, folds=[1] * 6, groups=[0] * 6, sample_rate=RATE).empty


def test_duplicate_with_another_label_set_is_found():
    y = np.array([[1, 0]] * 6 + [[1, 1]])
    assert pairs(check([*CLIPS, CLIPS[3]], y, folds=[1] * 7, sample_rate=RATE), "label") == [(3, 6)]


def write(folder, names, clips=CLIPS):
    for name, clip in zip(names, clips, strict=False):
        sf.write(folder / name, clip, RATE)
    return [folder / name for name in names]


@pytest.mark.parametrize(
    "names",
    [
        ["1-100-A-0.wav", "2-100-B-0.wav", "2-101-A-0.wav"],
        ["4910-3-0-0.wav", "4910-3-0-1.wav", "4918-3-0-0.wav"],
        ["a001_0_10.wav", "a001_10_20.wav", "b001_0_10.wav"],
    ],
    ids=["ESC-50", "UrbanSound8K", "TUT 2017"],
)
def test_recordings_are_identified_from_file_names(tmp_path, names):
    table = check(write(tmp_path, names), folds=[1, 2, 3])
    assert pairs(table, "recording") == [(0, 1)]


def test_unknown_file_name_patterns_are_ignored(tmp_path):
    assert check(write(tmp_path, ["dog.wav", "dog-2.wav", "2024-01-12-3.wav"]), folds=[1, 2, 3]).empty


def test_recording_known_from_groups_and_file_names_is_reported_once(tmp_path):
    paths = write(tmp_path, ["1-100-A-0.wav", "2-100-B-0.wav"])
    assert len(check(paths, folds=[1, 2], groups=["100", "100"])) == 1


def test_details_contain_the_file_names(tmp_path):
    paths = write(tmp_path, ["a.wav", "b.wav"], [CLIPS[0], CLIPS[0]])
    assert check(paths, folds=[1, 2]).loc[0, "detail"] == "a.wav, b.wav"


def test_duplicate_in_another_file_format_is_found_but_not_at_another_speed(tmp_path):
    sf.write(tmp_path / "a.wav", CLIPS[0], RATE)
    sf.write(tmp_path / "b.flac", CLIPS[0], 2 * RATE)
    sf.write(tmp_path / "c.flac", CLIPS[0], RATE)
    table = check([str(tmp_path / name) for name in ("a.wav", "b.flac", "c.flac")])
    assert (0, 2) in pairs(table, "duplicate") + pairs(table, "near_duplicate")
    assert (0, 1) not in pairs(table, "near_duplicate")  # played twice as fast


def test_unreadable_file_is_named(tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"")
    with pytest.raises(AudioLoadError, match=r"bad\.wav"):
        check_leakage([tmp_path / "bad.wav"])


def test_finds_near_duplicates_among_spectrograms():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 40, 60))
    X = [*X, X[1][:, 10:] - 3.0]
    assert pairs(check(X), "near_duplicate") == [(1, 5)]


def test_finds_duplicates_among_vectors():
    X = np.random.default_rng(0).normal(size=(20, 30))
    X[7], X[9] = X[3], X[4] * 1.001
    table = check(X, folds=[1] * 5 + [2] * 15)
    assert pairs(table, "duplicate") == [(3, 7)]
    assert pairs(table, "near_duplicate") == [(4, 9)]


def test_silence_is_not_a_near_duplicate():
    silent = np.zeros(2 * RATE, dtype=np.float32)
    table = check([silent, *CLIPS, silent[:RATE]], sample_rate=RATE)
    assert table.empty


def test_clip_shorter_than_a_window_is_compared():
    short = [CLIPS[0][:500], CLIPS[1][:500]]
    assert check(short, sample_rate=RATE).empty


def test_block_size_does_not_change_the_findings(monkeypatch):
    clips = [*CLIPS, 0.5 * CLIPS[0], CLIPS[1][:20000], CLIPS[5][9000:]]
    whole = check(clips, sample_rate=RATE)
    monkeypatch.setattr("skfewaudio.model_selection._leakage.near_duplicates.BLOCK_CLIPS", 2)
    pd.testing.assert_frame_equal(check(clips, sample_rate=RATE), whole)
    assert pairs(whole, "near_duplicate") == [(0, 6), (1, 7), (5, 8)]


def test_correlation_equals_direct_computation():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 20)), rng.normal(size=(3, 12))
    similarity, lag = align(a, b)
    shared, other = a[:, max(lag, 0) : lag + 12], b[:, max(-lag, 0) : 20 - lag]
    expected = (shared * other).sum() / np.sqrt((shared**2).sum() * (other**2).sum())
    assert similarity == pytest.approx(expected)


def test_first_pass_agrees_with_exact_comparison():
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(4, n)) for n in (30, 50, 40, 20, 60)]
    sequences += [sequences[1][:, 15:], sequences[4][:, :35]]
    expected = [
        (i, j)
        for i in range(len(sequences))
        for j in range(i + 1, len(sequences))
        if align(sequences[i], sequences[j])[0] >= 0.6
    ]
    found = find_similar_sequences(sequences, lambda a, b: np.ones((len(a), len(b)), dtype=bool), 0.6)
    assert [(pair.first, pair.second) for pair in found] == expected == [(1, 5), (4, 6)]


@pytest.mark.parametrize("value", [0, -1, 1.5])
def test_min_similarity_must_be_a_share(value):
    with pytest.raises(ValueError, match="min_similarity must be above 0"):
        check_leakage(CLIPS, sample_rate=RATE, min_similarity=value)


@pytest.mark.parametrize("name", ["y", "folds", "groups"])
def test_argument_of_another_length_is_named(name):
    with pytest.raises(ValueError, match=f"{name} must have one value for each of 6 clips"):
        check_leakage(CLIPS, sample_rate=RATE, **{name: [1, 2]})


def test_waveforms_without_a_sample_rate_are_rejected():
    with pytest.raises(ValueError, match="give their sample_rate"):
        check_leakage(CLIPS)


def test_finds_no_near_duplicates_in_the_synthetic_dataset():
    dataset = load_synthetic(6, n_folds=2, duration=2.0)
    table = check(dataset.X, dataset.y, folds=dataset.folds, sample_rate=dataset.sample_rate)
    assert pairs(table, "near_duplicate") == []


def test_finds_known_near_duplicate_in_esc10(shared_data):
    dataset = load_esc50(shared_data / "data", subset="esc10").subset(FIRE_CLIPS)
    table = check(dataset.X, groups=dataset.groups)
    assert [row.split(": ")[0] for row in table["detail"][table["kind"] == "near_duplicate"]] == [
        "2-28314-A-12.ogg, 2-30322-A-12.ogg"
    ]
