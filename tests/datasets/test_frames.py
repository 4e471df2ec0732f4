"""The table and the HTML representation of a dataset."""

import numpy as np
import pytest
import soundfile

from skfewaudio.datasets import AudioDataset
from skfewaudio.datasets._frames import MAX_BYTES, N_PLAYERS

RATE = 8000


def make_dataset(X=None, **fields):
    X = np.random.default_rng(0).normal(scale=0.1, size=(4, RATE)) if X is None else X
    return AudioDataset(X, ["rain", "wind"] * 2, **({"name": "toy", "sample_rate": RATE} | fields))


def test_table_of_parts_has_their_times():
    parts = [("a.wav", 0.0, 1.0), ("a.wav", 1.0, None)] * 2
    frame = make_dataset(parts).to_frame()
    assert frame.columns.tolist() == ["path", "start", "end", "label", "group"]
    assert frame["start"].tolist() == [0.0, 1.0] * 2


def test_table_of_sound_in_memory_has_no_paths():
    frame = make_dataset(folds=[1, 1, 2, 2]).to_frame()
    assert frame.columns.tolist() == ["label", "fold"]


def test_table_of_tags_has_a_column_for_each_label():
    dataset = AudioDataset(["a.wav", "b.wav"], [[1, 0], [1, 1]], name="tags", label_names=["rain", "wind"])
    assert dataset.to_frame()[["rain", "wind"]].to_numpy().tolist() == [[1, 0], [1, 1]]


def test_classes_are_counted_by_fold():
    html = make_dataset(folds=[1, 1, 1, 2])._repr_html_()
    assert '<th scope="row">rain</th><td>2</td><td>2</td><td>0</td>' in html


def test_many_folds_are_not_listed():
    labels = ["rain", "wind"] * 7
    dataset = AudioDataset(np.zeros((14, 10)), labels, name="toy", folds=range(14), sample_rate=RATE)
    assert "fold 0" not in dataset._repr_html_()


def test_some_clips_can_be_played():
    html = make_dataset()._repr_html_()
    assert html.count('<audio controls preload="metadata" src="data:audio/mpeg;base64,') == 2


def test_number_of_players_is_limited():
    labels = [f"class {k}" for k in range(20)]
    dataset = AudioDataset(np.zeros((20, RATE)), labels, name="many", sample_rate=RATE)
    assert dataset._repr_html_().count("<audio") == N_PLAYERS


def test_size_of_the_sound_is_limited(monkeypatch):
    monkeypatch.setattr("skfewaudio.datasets._frames._encode", lambda samples: bytes(MAX_BYTES // 2 + 1))
    assert make_dataset()._repr_html_().count("<audio") == 1


def test_unreadable_file_is_named(tmp_path):
    soundfile.write(tmp_path / "wind.wav", np.zeros(RATE), RATE)
    html = make_dataset([str(tmp_path / name) for name in ("missing.wav", "wind.wav")] * 2)._repr_html_()
    assert "missing.wav" in html
    assert html.count("<audio") == 1


def test_features_have_no_players():
    assert "<audio" not in make_dataset([np.zeros((4, 5))] * 4)._repr_html_()


@pytest.mark.parametrize("field", ["name", "licence"])
def test_texts_are_escaped(field):
    html = make_dataset(**{field: "<script>"})._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
