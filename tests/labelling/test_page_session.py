"""What the page shows and does, without HTTP."""

import io
import struct

import numpy as np
import pytest
import soundfile

from skfewaudio.labelling import ActiveLabeller
from skfewaudio.labelling._page.messages import Action, parse_action
from skfewaudio.labelling._page.session import MAX_CLASSES, PageSession


@pytest.fixture
def session(paths, tmp_path, sounds):
    labeller = ActiveLabeller(
        paths, table=tmp_path / "labels.csv", classes=["tone"], background=False, cache=False
    )
    return PageSession(
        labeller, model_path=tmp_path / "a b.model", table=tmp_path / "labels.csv", folder=sounds
    )


def act(session, action, clip=None, label=None, start=None, end=None):
    return session.act(Action(action, clip, label, start, end))


def test_question_names_the_file_and_its_times(session):
    question = session.next()["question"]
    assert question["name"].endswith(".wav")
    assert "/" not in question["name"]
    assert (question["start"], question["end"]) == (0.0, 0.5)


def test_answer_leads_to_the_next_question_and_counts(session):
    first = session.next()["question"]["clip"]
    shown = act(session, "label", first, "tone")
    assert shown["question"]["clip"] != first
    assert shown["classes"] == [{"name": "tone", "n": 1}]
    assert shown["answers"] == {"label": 1, "unknown": 0, "bad": 0, "skip": 0}


def test_same_answer_twice_counts_once(session):
    for _ in range(2):
        act(session, "label", 3, "tone")
    assert len(session.labeller.labelled()) == 1


def test_undo_shows_the_clip_again(session):
    act(session, "label", 3, "tone")
    assert act(session, "undo")["question"]["clip"] == 3
    with pytest.raises(ValueError, match="nothing to undo"):
        act(session, "undo")


def test_review_lists_everything_and_doubts_first(session, paths, true_class):
    for clip, path in enumerate(paths[:9]):
        act(session, "label", clip, true_class(path))
    act(session, "label", 0, "tone")  # it is of another class
    act(session, "bad", 10)
    session.labeller.plan_now()
    rows = session.review()
    assert len(rows) == 10
    assert (rows[0]["clip"], rows[0]["label"], rows[0]["predicted"]) == (0, "tone", true_class(paths[0]))
    assert rows[-1]["kind"] == "bad"


def test_number_of_classes_is_limited(session):
    for number in range(MAX_CLASSES - 1):
        session.labeller.add_class(f"class {number}")
    with pytest.raises(ValueError, match="200 classes"):
        act(session, "label", 0, "one more")
    act(session, "label", 0, "class 7")
    assert len(session.labeller.labelled()) == 1


def test_failed_save_is_reported(session):
    act(session, "save")
    session.finish()
    saved = session.state()["saved"]
    assert saved["status"] == "failed"
    assert "at least two" in saved["error"]


def test_commands_quote_names_and_fit_parts(session):
    commands = session.outlook()["commands"]
    assert "'" in commands[0]
    assert "--no-detector" not in commands[-1]
    act(session, "label", 0, "tone", 0.1, 0.3)
    assert session.outlook()["commands"][-1].endswith(" --no-detector")


def test_sound_and_spectrogram_are_of_the_clip(session, paths):
    samples, rate = soundfile.read(io.BytesIO(session.sound(2)))
    expected, _ = soundfile.read(paths[2])
    assert rate == 8000
    np.testing.assert_allclose(samples, expected, atol=1e-4)
    picture = session.spectrogram(2)
    n_bands, n_frames, highest = struct.unpack("<3I", picture[:12])
    assert (n_bands, highest, len(picture)) == (96, 4000, 12 + n_bands * n_frames)
    assert max(picture[12:]) == 255


def test_spectrogram_of_silence_is_dark(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(800), 8000)
    labeller = ActiveLabeller([str(tmp_path / "a.wav")], background=False, cache=False)
    session = PageSession(labeller, model_path=tmp_path / "a.model")
    assert not any(session.spectrogram(0)[12:])


def test_long_parts_are_cut_for_the_page(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(8000 * 70), 8000)
    labeller = ActiveLabeller([(str(tmp_path / "a.wav"), 1.0, 69.0)], background=False, cache=False)
    samples, rate = soundfile.read(
        io.BytesIO(PageSession(labeller, model_path=tmp_path / "a.model").sound(0))
    )
    assert len(samples) == 60 * rate


def test_action_of_a_label_is_parsed():
    body = b'{"action": "label", "clip": 3, "label": "rain", "start": 0.5, "end": 1}'
    assert parse_action(body) == Action("label", 3, "rain", 0.5, 1.0)
