"""The loop of questions and answers, without a page."""

import numpy as np
import pytest
import soundfile

from skfewaudio.datasets import load_csv
from skfewaudio.labelling import ActiveLabeller, export_annotations, find_clips, save_final_model
from skfewaudio.persistence import load_model
from skfewaudio.pipelines import make_few_shot_classifier


def answer(labeller, y, n_answers):
    """Answer questions with the true labels, and return the clips."""
    clips = []
    for _ in range(n_answers):
        question = labeller.ask()
        labeller.tell(str(y[question.clip]))
        clips.append(question.clip)
    return clips


def make(paths, tmp_path, **options):
    options = {"background": False, "cache": False, "table": tmp_path / "labels.csv", **options}
    return ActiveLabeller(paths, **options)


def test_first_questions_cover_the_clusters(make_labeller):
    labeller, y = make_labeller()
    assert set(y[answer(labeller, y, 3)]) == {"a", "b", "c"}


@pytest.mark.parametrize("strategy", ["adaptive", "coverage", "uncertainty", "random"])
def test_every_clip_is_asked_once(make_labeller, strategy):
    labeller, y = make_labeller(10, strategy=strategy)
    assert sorted(answer(labeller, y, 10)) == list(range(10))
    assert labeller.ask() is None


def test_same_seed_gives_the_same_questions(make_labeller):
    questions = []
    for _ in range(2):
        labeller, y = make_labeller(strategy="random", random_state=3)
        questions.append(answer(labeller, y, 8))
    assert questions[0] == questions[1]


def test_beliefs_and_estimate_become_right(make_labeller):
    labeller, y = make_labeller()
    answer(labeller, y, 9)
    assert labeller.estimate() is None
    answer(labeller, y, 15)
    labeller.plan_now()
    beliefs = labeller.beliefs
    accuracy = np.mean(np.array(beliefs.classes)[beliefs.proba.argmax(axis=1)] == y)
    estimate = labeller.estimate()
    assert accuracy > 0.9
    assert abs(estimate.accuracy - accuracy) < 0.1
    assert estimate.low < estimate.accuracy < estimate.high
    assert estimate.n_labelled == labeller.history[-1]["n_labelled"] == 24


def test_wrong_label_is_the_first_doubt(make_labeller):
    labeller, y = make_labeller()
    clips = answer(labeller, y, 24)
    wrong = next(clip for clip in clips if y[clip] == "a")
    labeller.tell("b", clip=wrong)
    labeller.plan_now()
    doubtful, predicted, proba = labeller.doubts()[0]
    assert (doubtful.clip, predicted) == (wrong, "a")
    assert proba < 0.5


def test_outlook_needs_enough_labels_and_is_not_negative(make_labeller):
    labeller, y = make_labeller()
    for clip in range(12):
        labeller.tell(str(y[clip]), clip=clip)
    labeller.plan_now()
    assert labeller.outlook() is None
    for clip in range(45, 90, 3):
        labeller.tell(str(y[clip]), clip=clip)
    labeller.plan_now()
    outlook = labeller.outlook(10)
    assert 0 <= outlook.low <= outlook.gain <= outlook.high <= 1


def test_undo_takes_back_answers_and_corrections(make_labeller):
    labeller, _ = make_labeller(12)
    first = labeller.ask().clip
    labeller.tell("a")
    labeller.tell("b", clip=first)
    assert labeller.undo() == first
    assert labeller.answer_of(first).label == "a"
    assert labeller.undo() == first
    assert labeller.answer_of(first) is None
    assert labeller.undo() is None


def test_skipped_clips_come_last_and_others_never_again(make_labeller):
    labeller, _ = make_labeller(6)
    skipped = labeller.ask().clip
    labeller.skip()
    for kind in (labeller.mark_bad, labeller.mark_unknown, *[lambda: labeller.tell("a")] * 3):
        assert labeller.ask().clip != skipped
        kind()
    assert labeller.ask().clip == skipped
    labeller.tell("b")
    assert labeller.ask() is None
    assert len(labeller.labelled()) == 4


@pytest.mark.parametrize("clip", [-1, 12, True, 1.5, "1", None])
def test_invalid_clip_is_refused(make_labeller, clip):
    labeller, _ = make_labeller(12)
    with pytest.raises(ValueError, match=r"clip|no question"):
        labeller.tell("a", clip=clip)
    assert labeller.answers() == []


def test_unknown_strategy_and_no_clips_are_refused():
    with pytest.raises(ValueError, match="strategy='best'"):
        ActiveLabeller(["a.wav"], strategy="best")
    with pytest.raises(ValueError, match="no clips"):
        ActiveLabeller([])


def test_sounds_are_labelled_resumed_exported_and_learnt(paths, tmp_path, true_class):
    with make(paths, tmp_path) as labeller:
        answer(labeller, [true_class(path) for path in paths], 6)
        labeller.ask()
        labeller.mark_bad()
    labeller = make(paths, tmp_path)
    assert [len(labeller.answers(kind)) for kind in ("label", "bad")] == [6, 1]
    answer(labeller, [true_class(path) for path in paths], 3)
    dataset = load_csv(tmp_path / "labels.csv", on_extra="ignore")
    assert len(dataset) == 9
    assert [true_class(path) for path in dataset.paths] == dataset.y.tolist()
    assert len(export_annotations(labeller, tmp_path / "raven", format="raven")) == 9
    save_final_model(labeller, tmp_path / "sounds.model")
    assert load_model(tmp_path / "sounds.model").predict(paths).tolist() == list(map(true_class, paths))


def test_model_needs_two_classes(paths, tmp_path):
    labeller = make(paths, tmp_path)
    labeller.tell("tone", clip=0)
    with pytest.raises(ValueError, match=r"labels of 1 classes \(tone\)"):
        save_final_model(labeller, tmp_path / "sounds.model")


def test_labels_of_parts_are_written_and_used(paths, tmp_path):
    labeller = make(paths, tmp_path)
    labeller.tell("tone", clip=0, start=0.1, end=0.3)
    labeller.tell("noise", clip=1)
    assert labeller.training_set()[0] == [(paths[0], 0.1, 0.3), paths[1]]
    assert load_csv(tmp_path / "labels.csv", on_extra="ignore").X[0][1:] == (0.1, 0.3)
    again = make(paths, tmp_path)
    assert again.training_set() == labeller.training_set()
    assert len(again) == len(paths)


@pytest.mark.parametrize(
    ("start", "end"), [(0.1, None), (None, 0.2), (0.3, 0.2), (-1, 1), (0.2, np.nan), (0.2, 0.7)]
)
def test_part_outside_the_clip_is_refused(paths, tmp_path, start, end):
    labeller = make(paths, tmp_path)
    with pytest.raises(ValueError, match="start"):
        labeller.tell("tone", clip=0, start=start, end=end)


def test_row_of_the_table_that_is_no_clip_is_kept(paths, tmp_path):
    labeller = make(paths[:4], tmp_path)
    labeller.tell("tone", clip=3)
    other = make(paths[:3], tmp_path)
    other.tell("noise", clip=0)
    assert load_csv(tmp_path / "labels.csv", on_extra="ignore").y.tolist() == ["tone", "noise"]


def test_unreadable_file_is_not_asked_about(paths, tmp_path, true_class):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF0000")
    labeller = make([*paths[:5], str(broken)], tmp_path)
    y = [*map(true_class, paths[:5])]
    assert sorted(answer(labeller, y, 5)) == list(range(5))
    assert labeller.ask() is None
    assert "broken.wav" in labeller.features.problems[5]


def test_failure_to_write_records_nothing(paths, tmp_path):
    labeller = make(paths, tmp_path)
    labeller.tell("tone", clip=0)
    (tmp_path / "labels.csv").write_text("path,label\n")
    with pytest.raises(ValueError, match="changed by another program"):
        labeller.tell("noise", clip=1)
    assert labeller.answer_of(1) is None
    with pytest.raises(ValueError, match="changed by another program"):
        labeller.undo()
    assert labeller.answer_of(0).label == "tone"


def test_given_model_believes_before_there_are_labels(paths, true_class):
    model = make_few_shot_classifier(augmentation=None).fit(paths, list(map(true_class, paths)))
    labeller = ActiveLabeller(paths, model=model, background=False, cache=False)
    question = labeller.ask()
    assert next(iter(question.proba)) == true_class(paths[question.clip])


def test_background_threads_catch_up_and_stop(paths, tmp_path, true_class):
    with make(paths, tmp_path, background=True) as labeller:
        answer(labeller, [true_class(path) for path in paths], 9)
        labeller.plan_now()
        assert labeller.features.n_done == len(paths)
        assert set(labeller.beliefs.classes) == {"tone", "noise", "clicks"}
        assert labeller.trouble == ""


def test_long_recordings_are_cut_into_windows(tmp_path):
    soundfile.write(tmp_path / "long.wav", np.zeros(8000 * 12 + 800), 8000)
    soundfile.write(tmp_path / "short.wav", np.zeros(8000 * 7), 8000)
    (tmp_path / "not.wav").write_bytes(b"RIFF")
    found = find_clips([tmp_path], window=5.0)
    assert [part[1:] for part in found.parts] == [(0.0, 5.0), (5.0, 12.1), (0.0, None)]
    assert len(found.problems) == 1


@pytest.mark.parametrize("name", ["a\nb.wav", "a\x1b.wav", b"\xff.wav"])
def test_files_whose_names_no_table_holds_are_left_out(tmp_path, name):
    path = tmp_path / (name if isinstance(name, str) else name.decode("utf-8", "surrogateescape"))
    soundfile.write(path.with_name("x.wav"), np.zeros(800), 8000)
    path.with_name("x.wav").rename(path)
    found = find_clips([tmp_path])
    assert found.parts == []
    assert "rename the file" in found.problems[0]
