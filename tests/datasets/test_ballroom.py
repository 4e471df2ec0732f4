"""load_extended_ballroom: the published layout, groups of repetitions, and a missing XML file."""

import inspect
import warnings
from pathlib import Path

import numpy as np
import pytest

from skfewaudio.datasets import _ballroom, load_extended_ballroom
from skfewaudio.exceptions import DatasetNotFoundError, LeakageWarning
from skfewaudio.plugins import DATASETS
from skfewaudio.testing import check_dataset

META = "extendedballroom_v1.1.xml"
DANCES = ("Chacha", "Waltz")
# Repetitions among twenty songs of each dance.
REPEATS = {
    "100001": ["exact 100003"],
    "100003": ["exact 100001", "time 100005"],
    "100004": ["version 100002"],
    "200010": ["version 200011", "version 200012"],
    "200019": ['karaoke 200020" voiced="yes'],
}
SONGS = {dance: [f"{k}000{i:02d}" for i in range(1, 21)] for k, dance in enumerate(DANCES, start=1)}


def xml(songs=SONGS, repeats=REPEATS):
    def song(name):
        inner = "".join('<{} id="{}"/>'.format(*repeat.split(" ", 1)) for repeat in repeats.get(name, []))
        return (
            f'<song album="One &amp; Two" artist="A" bpm="87" id="{name}" title="T" hash="0">{inner}</song>'
        )

    dances = "".join(f"<{dance}>{''.join(map(song, names))}</{dance}>" for dance, names in songs.items())
    return f"<ballroom>{dances}</ballroom>"


@pytest.fixture
def root(tmp_path, write_clips):
    root = tmp_path / "extendedballroom_v1.1"
    write_clips(root, [f"{dance}/{name}.mp3" for dance, names in SONGS.items() for name in names], rate=44100)
    (root / META).write_text(xml())
    return root


@pytest.fixture
def root_without_xml(root, monkeypatch):
    """All clips (20 songs in each of two dances), without the XML file."""
    monkeypatch.setattr(_ballroom, "N_SONGS", dict.fromkeys(DANCES, 20))
    (root / META).unlink()
    return root


def test_published_layout_is_read(root):
    dataset = load_extended_ballroom(root)
    assert dataset.paths[:2] == [str(root / "Chacha" / "100001.mp3"), str(root / "Chacha" / "100002.mp3")]
    assert dataset.y.tolist() == ["Chacha"] * 20 + ["Waltz"] * 20
    assert dataset.name == "extended_ballroom"


def test_songs_connected_by_any_kind_of_repetition_are_one_group(root):
    dataset = load_extended_ballroom(root)
    groups = dict(zip((Path(path).stem for path in dataset.paths), dataset.groups, strict=True))
    together = [
        {name for name in groups if groups[name] == first}
        for first in ("100001", "100002", "200010", "200019")
    ]
    assert together == [
        {"100001", "100003", "100005"},
        {"100002", "100004"},
        {"200010", "200011", "200012"},
        {"200019", "200020"},
    ]


def test_song_without_repetitions_has_its_own_group(root):
    assert len(np.unique(load_extended_ballroom(root).groups)) == 40 - 6


def test_folds_keep_groups_together(root):
    dataset = load_extended_ballroom(root)
    for train, test in dataset.make_cv().split():
        assert not set(dataset.groups[train]) & set(dataset.groups[test])


def test_there_are_ten_stratified_folds(root):
    dataset = load_extended_ballroom(root)
    assert dataset.make_cv().get_n_splits() == 10
    counts = [np.bincount(dataset.folds[dataset.y == dance])[1:] for dance in DANCES]
    assert np.min(counts) >= 1
    assert np.max(counts) <= 3


def test_folds_are_reproducible(root):
    assert load_extended_ballroom(root).folds.tolist() == load_extended_ballroom(root).folds.tolist()


def test_folds_do_not_depend_on_the_order_or_id_of_songs(root):
    folds = load_extended_ballroom(root).folds[5:20]
    assert set(np.diff(folds)) - {1, -9}


def test_missing_audio_does_not_change_the_folds_of_other_songs(root):
    whole = load_extended_ballroom(root)
    (root / "Chacha" / "100007.mp3").unlink()
    part = load_extended_ballroom(root, on_missing="ignore")
    assert part.folds.tolist() == np.delete(whole.folds, 6).tolist()


def test_dance_with_few_songs_reduces_the_number_of_folds(root):
    (root / META).write_text(xml({"Chacha": SONGS["Chacha"], "Waltz": SONGS["Waltz"][:4]}, {}))
    with pytest.warns(UserWarning, match="16 sound files have no row"):
        assert load_extended_ballroom(root).make_cv().get_n_splits() == 4


def test_no_folds_if_a_dance_has_one_song(root):
    (root / META).write_text(xml({"Chacha": SONGS["Chacha"], "Waltz": SONGS["Waltz"][:1]}, {}))
    with pytest.warns(UserWarning, match="19 sound files have no row"):
        assert load_extended_ballroom(root).folds is None


def test_folder_is_found_in_the_data_home(root):
    assert len(load_extended_ballroom(root.parent)) == 40


def test_clips_in_another_format(root, write_clips):
    for file in root.glob("*/*.mp3"):
        file.unlink()
    write_clips(root, [f"{dance}/{name}.wav" for dance, names in SONGS.items() for name in names])
    assert load_extended_ballroom(root).paths[0] == str(root / "Chacha" / "100001.wav")


def test_song_without_audio_is_reported(root):
    (root / "Waltz" / "200003.mp3").unlink()
    with pytest.raises(
        DatasetNotFoundError, match=r"1 of 40 rows of .*v1\.1\.xml have no.*Waltz/200003\.mp3"
    ):
        load_extended_ballroom(root)


def test_audio_without_a_song_is_reported(root, write_clips):
    write_clips(root, ["Waltz/300000.wav"])
    with pytest.warns(UserWarning, match=r"1 sound files have no row in .*Waltz/300000\.wav"):
        load_extended_ballroom(root)


@pytest.mark.parametrize("text", ["<ballroom/>", "<ballroom><Waltz/></ballroom>"])
def test_xml_file_without_songs_is_an_error(root, text):
    (root / META).write_text(text)
    with pytest.raises(
        ValueError, match=r'v1\.1\.xml holds no songs; expected <song id="100601"> within <Waltz>'
    ):
        load_extended_ballroom(root)


def test_songs_without_an_id_are_an_error(root):
    (root / META).write_text("<ballroom><Waltz><song><id>200001</id></song></Waltz></ballroom>")
    with pytest.raises(ValueError, match="holds 1 songs without an id"):
        load_extended_ballroom(root)


def test_invalid_xml_is_an_error(root):
    (root / META).write_text("404: not found")
    with pytest.raises(ValueError, match=r"v1\.1\.xml is not readable XML: syntax error"):
        load_extended_ballroom(root)


def test_duplicate_id_is_an_error(root):
    (root / META).write_text(xml({"Chacha": ["100001"], "Waltz": ["100001"]}, {}))
    with pytest.raises(ValueError, match="more than one song with the id 100001"):
        load_extended_ballroom(root)


@pytest.mark.parametrize(("repeat", "named"), [("exact 999999", "999999"), ('exact " no="1', "none")])
def test_repetition_of_an_unknown_song_is_an_error(root, repeat, named):
    (root / META).write_text(xml(repeats={"100001": [repeat]}))
    with pytest.raises(ValueError, match=rf"does not have: {named} \(of 100001\)"):
        load_extended_ballroom(root)


def test_missing_xml_file_warns_of_leakage(root_without_xml):
    with pytest.warns(
        LeakageWarning, match=r"has no extendedballroom_v1\.1\.xml, which lists the repetitions"
    ):
        dataset = load_extended_ballroom(root_without_xml)
    assert dataset.groups is None
    assert dataset.make_cv().get_n_splits() == 10


def test_too_few_clips_without_the_xml_file_are_an_error(root_without_xml):
    (root_without_xml / "Waltz" / "200003.mp3").unlink()
    with (
        pytest.warns(LeakageWarning),
        pytest.raises(DatasetNotFoundError, match=r"too few clips of Waltz \(19 of 20\)\. Complete"),
    ):
        load_extended_ballroom(root_without_xml)


def test_available_clips_can_be_loaded_without_the_xml_file(root_without_xml):
    (root_without_xml / "Waltz" / "200003.mp3").unlink()
    with pytest.warns(LeakageWarning), pytest.warns(UserWarning, match=r"Waltz \(19 of 20\); the others"):
        assert len(load_extended_ballroom(root_without_xml, on_missing="warn")) == 39


def test_missing_clips_can_be_ignored_without_the_xml_file(root_without_xml):
    (root_without_xml / "Waltz" / "200003.mp3").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", LeakageWarning)
        assert len(load_extended_ballroom(root_without_xml, on_missing="ignore")) == 39


def test_error_names_the_source(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"get extendedballroom_v1\.1\.xml and the script.*ircam"):
        load_extended_ballroom(tmp_path)


def test_unknown_option_is_rejected(tmp_path):
    with pytest.raises(ValueError, match="on_missing must be 'raise', 'warn' or 'ignore'; got 'skip'"):
        load_extended_ballroom(tmp_path, on_missing="skip")


def test_loader_is_a_plugin_with_the_benchmark_options():
    load = DATASETS.get("extended_ballroom")
    assert load is load_extended_ballroom
    assert "data_home" in inspect.signature(load).parameters


def test_the_contract_of_datasets_is_kept(root):
    check_dataset(load_extended_ballroom, data_home=root)
