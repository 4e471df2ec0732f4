"""The table of labels and the session file."""

import json
import os

import pytest

from skfewaudio.audio.clips import FilePart
from skfewaudio.datasets import load_csv
from skfewaudio.labelling._answers import Answer
from skfewaudio.labelling._session_files import Row, SessionFiles


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sounds").mkdir()
    for name in ("a.wav", "b.wav", "c.wav", "-d.wav", "#e.wav", "f,g.wav", 'h"i.wav', "=j.wav"):
        (tmp_path / "sounds" / name).write_bytes(b"")
    return tmp_path


def part(folder, name, start=0.0, end=None):
    return FilePart(str(folder / "sounds" / name), start, end)


def rows_of(folder):
    return [
        Row(part(folder, "a.wav"), Answer(0, "label", "rain")),
        Row(part(folder, "b.wav"), Answer(1, "unknown")),
        Row(part(folder, "c.wav"), Answer(2, "label", "wind")),
    ]


def save(folder, rows, history=()):
    files = SessionFiles(folder / "labels.csv")
    files.load()
    files.save(rows, history)
    return files


def load(folder):
    rows, history = SessionFiles(folder / "labels.csv").load()
    return [(os.path.basename(row.part.path), row.answer.kind, row.answer.label) for row in rows], history  # noqa: PTH119


def test_table_is_read_by_load_csv(folder):
    save(folder, rows_of(folder))
    dataset = load_csv(folder / "labels.csv", on_extra="ignore")
    assert dataset.y.tolist() == ["rain", "wind"]
    assert [os.path.relpath(path, folder) for path in dataset.X] == ["sounds/a.wav", "sounds/c.wav"]


def test_parts_are_written_with_times(folder):
    trimmed = Answer(1, "label", "wind", 0.25, 0.75)
    rows = [rows_of(folder)[0], Row(part(folder, "b.wav", 0.0, 5.0), trimmed)]
    save(folder, rows)
    dataset = load_csv(folder / "labels.csv", on_extra="ignore")
    assert [clip[1:] for clip in dataset.X] == [(0.0, None), (0.25, 0.75)]


@pytest.mark.parametrize("name", ["-d.wav", "#e.wav", "f,g.wav", 'h"i.wav', "=j.wav"])
def test_unusual_file_names_survive_the_table(folder, name):
    save(folder, [Row(part(folder, name), Answer(0, "label", 'a, "b"'))])
    dataset = load_csv(folder / "labels.csv", on_extra="ignore")
    assert [os.path.relpath(path, folder) for path in dataset.X] == [f"sounds/{name}"]
    assert dataset.y.tolist() == ['a, "b"']
    assert not (folder / "labels.csv").read_text().splitlines()[1].startswith(("-", "=", "#"))


def test_session_is_taken_up_with_the_order_and_the_course(folder):
    course = [{"n_labelled": 2.0, "accuracy": 0.5, "low": 0.2, "high": 0.8}]
    save(folder, rows_of(folder), course)
    expected = [("a.wav", "label", "rain"), ("b.wav", "unknown", ""), ("c.wav", "label", "wind")]
    assert load(folder) == (expected, course)


def test_answer_survives_a_kill_between_the_two_files(folder):
    files = save(folder, rows_of(folder)[:1])
    old = (folder / "labels.csv").read_bytes()
    files.save(rows_of(folder), [])
    (folder / "labels.csv").write_bytes(old)
    assert [name for name, _, _ in load(folder)[0]] == ["a.wav", "b.wav", "c.wav"]
    assert "wind" in (folder / "labels.csv").read_text()


def test_table_that_was_edited_wins(folder):
    save(folder, rows_of(folder))
    (folder / "labels.csv").write_text("path,label\nsounds/a.wav,hail\n")
    assert load(folder)[0] == [("a.wav", "label", "hail"), ("b.wav", "unknown", "")]


def test_table_without_a_session_is_taken_up(folder):
    (folder / "labels.csv").write_text("path,label\nsounds/a.wav,hail\n")
    assert load(folder)[0] == [("a.wav", "label", "hail")]


def test_table_with_only_a_header_has_no_answers(folder):
    (folder / "labels.csv").write_text("path,label\n")
    assert load(folder)[0] == []


def test_columns_that_would_be_lost_are_refused(folder):
    (folder / "labels.csv").write_text("path,label,fold\nsounds/a.wav,hail,1\n")
    with pytest.raises(ValueError, match="columns fold, which would be lost"):
        load(folder)


def test_change_by_another_program_is_not_overwritten(folder):
    files = save(folder, rows_of(folder)[:1])
    (folder / "labels.csv").write_text("path,label\nsounds/c.wav,hail\n")
    with pytest.raises(ValueError, match="changed by another program"):
        files.save(rows_of(folder), [])
    assert "hail" in (folder / "labels.csv").read_text()


def test_missing_table_with_a_session_is_an_error(folder):
    save(folder, rows_of(folder)[:1]).save(rows_of(folder), [])
    (folder / "labels.csv").unlink()
    with pytest.raises(ValueError, match=r"is missing, and labels\.session\.json has 3 answers"):
        load(folder)


def entry(history=(), **fields):
    """Return a session file whose only answer has a fault."""
    answer = {"path": "a", "start": 0, "end": None, "kind": "bad", "label": "", **fields}
    session = {"format": 1, "answers": [answer], "table": None, "previous": None, "history": history}
    return json.dumps(session).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100000,
        b'{"format": 2}',
        b'{"format": 1}',
        b'{"format": 1, "answers": [3], "table": null, "previous": null, "history": []}',
        entry(start=-1),
        entry(kind="x"),
        entry(kind="label", label="=1"),
        entry(path=3),
        entry(history=[{"n_labelled": "x"}]),
    ],
)
def test_damaged_session_file_is_named_and_kept(folder, content):
    (folder / "labels.session.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"labels\.session\.json"):
        load(folder)
    assert (folder / "labels.session.json").read_bytes() == content


def test_session_file_has_no_absolute_paths_of_sounds_beside_the_table(folder):
    save(folder, rows_of(folder))
    session = json.loads((folder / "labels.session.json").read_text())
    assert [entry["path"] for entry in session["answers"]] == ["sounds/a.wav", "sounds/b.wav", "sounds/c.wav"]
