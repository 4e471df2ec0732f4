"""The whole loop in a headless browser, by keyboard alone."""

import os
import time
from pathlib import Path

import pytest

from skfewaudio.cli import main
from skfewaudio.datasets import load_csv
from skfewaudio.labelling import ActiveLabeller, LabellingPage
from skfewaudio.persistence import load_model

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytestmark = pytest.mark.slow
CLASSES = ("dog", "rain", "rooster")


@pytest.fixture
def folder(shared_data, tmp_path):
    """Folder of 36 clips of ESC-10, in three classes."""
    import csv

    root = shared_data / "data" / "ESC-50-master"
    with (root / "meta" / "esc50.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["category"] in CLASSES and row["fold"] in "1234"]
    found = {name: [row["filename"] for row in rows if row["category"] == name][:12] for name in CLASSES}
    (tmp_path / "sounds").mkdir()
    for name, files in found.items():
        for file in files:
            path = next((root / "audio").glob(f"{Path(file).stem}.*"))
            (tmp_path / "sounds" / f"{name}-{path.name}").symlink_to(path)
    return tmp_path / "sounds"


@pytest.fixture
def page(folder, tmp_path):
    paths = sorted(map(str, folder.iterdir()))
    table = tmp_path / "labels.csv"
    labeller = ActiveLabeller(paths, table=table, cache=tmp_path / "cache")
    with (
        labeller,
        LabellingPage(labeller, model_path=tmp_path / "m.model", table=table, folder=folder) as page,
    ):
        yield page


def class_of(name):
    return name.partition("-")[0]


def label_by_keyboard(chromium, n_clips):
    """Label clips: the first of each class by typing its name, and others by the number keys."""
    for number in range(1, n_clips + 1):
        clip, name = chromium.run("[question.clip, question.name]")
        known = chromium.run("state.classes.map(({name}) => name)")
        if class_of(name) in known:
            chromium.press(str(known.index(class_of(name)) + 1))
        else:
            chromium.press("n")
            chromium.type(class_of(name))
            chromium.press("Enter")
        chromium.wait(f"state.answers.label === {number} && question.clip !== {clip} && !busy")


def test_loop_by_keyboard_from_the_first_label_to_a_model_that_predicts(
    page, chromium, folder, tmp_path, capsys
):
    chromium.resize(1280, 900)
    chromium.open(page.url)
    chromium.wait("question !== null")
    label_by_keyboard(chromium, 30)

    # A wrong answer, found in the list and corrected.
    chromium.press("ArrowLeft")
    chromium.wait("question.answer !== null && !busy")
    wrong, name = chromium.run("[question.clip, question.name]")
    classes = chromium.run("state.classes.map(({name}) => name)")
    other = next(number for number, label in enumerate(classes, 1) if label != class_of(name))
    chromium.press(str(other))
    chromium.wait(f"question.clip !== {wrong} && !busy")
    page.session.labeller.plan_now()
    chromium.run("byId('refresh').focus()")
    chromium.press("Enter")
    chromium.wait("!byId('answers').hidden && byId('answers').tBodies[0].rows.length === 30")
    chromium.run(
        "[...document.querySelectorAll('#answers button')]"
        f".find((b) => b.ariaLabel === 'Correct {name}').focus()"
    )
    chromium.press("Enter")
    chromium.wait(f"question.clip === {wrong} && !busy")
    chromium.press(str(classes.index(class_of(name)) + 1))
    chromium.wait(f"question === null || question.clip !== {wrong} && !busy")

    course = {"accuracy": 0.6, "low": 0.4, "high": 0.8}
    history = [{"n_labelled": n, **course} for n in (10, 20)]
    chromium.run(f"update({{...state, history: {history}, estimate: {history[1]}}})")
    assert chromium.run("byId('growth').getBoundingClientRect().height") > 50

    dataset = load_csv(tmp_path / "labels.csv", on_extra="ignore")
    assert len(dataset) == 30
    assert [class_of(Path(path).name) for path in dataset.paths] == dataset.y.tolist()

    # Undo, skip, unknown and bad recording.
    for key, kind in (("s", "skip"), ("u", "unknown"), ("b", "bad")):
        chromium.press(key)
        chromium.wait(f"state.answers.{kind} === 1 && !busy")
        chromium.press("z")
        chromium.wait(f"state.answers.{kind} === 0 && !busy")

    chromium.run("byId('save').focus()")
    chromium.press("Enter")
    chromium.wait("['saved', 'failed'].includes(state.saved.status)", timeout=300)
    chromium.wait("byId('commands').textContent.includes('skfewaudio predict')")
    assert chromium.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert chromium.errors == []
    assert sorted(load_model(tmp_path / "m.model").classes_) == sorted(CLASSES)
    assert main(["predict", str(tmp_path / "m.model"), str(folder), "--csv"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    right = sum(class_of(Path(line.split(",")[0]).name) == line.split(",")[1] for line in lines)
    assert right >= 33


def test_page_plays_draws_trims_and_fits_a_phone(page, chromium):
    chromium.resize(360, 740)
    chromium.open(page.url)
    chromium.wait("question !== null && player.duration > 4 && canvas.width > 300")
    assert chromium.run("player.loop") is True
    chromium.wait("player.currentTime > 0.1")
    chromium.press(" ")
    chromium.wait("player.paused")
    left, top, width = chromium.run(
        "Object.values((({x, y, width}) => ({x, y, width}))(canvas.getBoundingClientRect()))"
    )
    for kind, share in (("mousePressed", 0.2), ("mouseMoved", 0.5), ("mouseReleased", 0.5)):
        chromium.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=left + share * width,
            y=top + 20,
            button="left",
            clickCount=1,
        )
    start, end = chromium.run("[Number(byId('start').value), Number(byId('end').value)]")
    assert abs(start - 1) < 0.1
    assert abs(end - 2.5) < 0.1
    assert chromium.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    chromium.press("n")
    chromium.type("a label")
    chromium.press("Enter")
    chromium.wait("state.answers.label === 1")
    (answer,) = page.session.labeller.labelled()
    assert (answer.label, answer.start, answer.end) == ("a label", start, end)
    assert chromium.errors == []


def test_page_elsewhere_can_neither_read_nor_answer(page, chromium, tmp_path):
    other = tmp_path / "evil.html"
    other.write_text("<!doctype html><title>evil</title>")
    chromium.open(other.as_uri())
    for options in ("{}", "{method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'}"):
        read = (
            f"fetch('{page.url}answer', {options}).then((r) => r.text()).then(() => 'read', () => 'refused')"
        )
        assert chromium.run(read) == "refused"
    body = "JSON.stringify({action: 'bad', clip: 0})"
    post = f"fetch('{page.url}answer', {{method: 'POST', mode: 'no-cors', body: {body}}})"
    chromium.run(f"{post}.catch(() => 0)")
    chromium.run(f"document.body.append(Object.assign(new Image(), {{src: '{page.url}sound/0'}}))")
    time.sleep(0.5)
    assert page.session.labeller.answers() == []


def test_page_has_no_serious_faults_of_accessibility(page, chromium):
    script = os.environ.get("SKFEWAUDIO_AXE", "")
    if not Path(script).is_file():
        pytest.skip("set SKFEWAUDIO_AXE to the path of axe.min.js")
    chromium.open(page.url)
    chromium.wait("question !== null")
    label_by_keyboard(chromium, 12)
    chromium.run("byId('refresh').click()")
    chromium.wait("!byId('answers').hidden")
    chromium.run(Path(script).read_text(encoding="utf-8") + "; 0")
    for scheme in ("light", "dark"):
        chromium.set_scheme(scheme)
        time.sleep(0.3)
        found = chromium.run("axe.run().then((r) => r.violations.map(({id, impact}) => [id, impact]))")
        assert [name for name, impact in found if impact in ("serious", "critical")] == []


def test_hostile_names_and_labels_are_shown_as_text(sounds, chromium, tmp_path):
    evil = "<img src=x onerror=document.title='evil'>"
    folder = tmp_path / "sounds"
    folder.mkdir()
    for number, path in enumerate(sorted(sounds.iterdir())[:3]):
        (folder / f"{evil}{number}.wav").symlink_to(path)
    labeller = ActiveLabeller(sorted(map(str, folder.iterdir())), table=tmp_path / "labels.csv", cache=False)
    with labeller, LabellingPage(labeller, model_path=tmp_path / "m.model", folder=folder) as page:
        chromium.open(page.url)
        chromium.wait("question !== null")
        for number, label in enumerate((evil, "<script>document.title='evil'</script>", "&amp"), 1):
            chromium.press("n")
            chromium.run(f"byId('label').value = {label!r}")
            chromium.press("Enter")
            chromium.wait(f"state.answers.label === {number} && !busy")
        chromium.wait("question === null")
        chromium.run("byId('refresh').click()")
        chromium.wait("byId('answers').tBodies[0].rows.length === 3")
        assert chromium.run("document.title") == "Label recordings"
        assert chromium.run("document.images.length") == 0
        assert chromium.errors == []
    assert sorted(load_csv(tmp_path / "labels.csv", on_extra="ignore").y)[0] == "&amp"
