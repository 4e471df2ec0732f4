"""The section of found events in the report."""

import base64
import re

import numpy as np
import pandas as pd
import pytest
import soundfile

from skfewaudio.datasets import AudioDataset
from skfewaudio.reporting import write_report

RATE = 8000
RESULTS = pd.DataFrame(
    {"pipeline": "1-nn", "n_shots": 1, "repeat": [0, 1], "fold": 0, "metric": "f_score", "value": [0.4, 0.5]}
)
TIMES = [(0.0, 1.0), (3.0, 4.0), (5.0, 6.0), (9.5, 10.0)]


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("night") / "night.wav"
    soundfile.write(path, np.random.default_rng(0).normal(scale=0.1, size=10 * RATE), RATE)
    return str(path)


@pytest.fixture
def found(recording):
    table = pd.DataFrame(TIMES, columns=["start", "end"])
    return table.assign(path=recording, label=["owl", "owl", "fox", "owl"], probability=[0.9, 0.6, 0.7, 0.8])


@pytest.fixture
def annotated(found):
    """The first and last of the found events, and one that was missed."""
    missed = pd.DataFrame([{"path": found["path"][0], "start": 7.0, "end": 8.0, "label": "fox"}])
    return pd.concat([found.iloc[[0, 3]], missed]).drop(columns="probability")


def write(tmp_path, **options):
    format = options.get("format", "html")
    return write_report(tmp_path / f"report.{format}", RESULTS, **options).read_text(encoding="utf-8")


def section(page):
    return page.partition('<section id="events"')[2].partition("</section>")[0]


def names(page):
    return re.findall(r"<h3>night\.wav, ([\d.]+) s to [\d.]+ s</h3>", section(page))


def test_each_event_has_a_player_and_a_picture(tmp_path, found):
    page = section(write(tmp_path, detections=found))
    sounds = re.findall(r'<audio [^>]*src="data:audio/[a-z]+;base64,([^"]+)"', page)
    assert len(sounds) == 4
    assert all(len(base64.b64decode(sound)) > 1000 for sound in sounds)
    assert page.count("<img ") == 4


def test_events_are_sorted_by_probability(tmp_path, found):
    assert names(write(tmp_path, detections=found)) == ["0.00", "9.50", "5.00", "3.00"]


def test_false_alarms_come_first_by_probability(tmp_path, found, annotated):
    page = write(tmp_path, detections=found, annotations=annotated)
    assert names(page) == ["5.00", "3.00", "0.00", "9.50"]
    assert re.findall('<p class="\\w+">(false alarm|annotated)</p>', section(page)) == (
        ["false alarm"] * 2 + ["annotated"] * 2
    )
    assert "4 events found, of which 2 are false alarms." in page


def test_scores_by_class_are_shown_with_annotations(tmp_path, found, annotated):
    page = section(write(tmp_path, detections=found, annotations=annotated))
    rows = re.findall(r'<th scope="row">([\w ]+)</th>((?:\s*<td[^>]*>[^<]*</td>)+)', page)
    cells = {name: re.findall(r">([^<]*)</td>", row) for name, row in rows}
    assert cells["owl"] == ["2", "3", "2", "67", "100", "80"]
    assert cells["fox"] == ["1", "1", "0", "0", "0", "0"]
    assert cells["all classes"] == ["3", "4", "2", "50", "67", "57"]


def test_events_without_annotations_are_not_judged(tmp_path, found):
    page = section(write(tmp_path, detections=found))
    assert "false alarm" not in page
    assert "<table" not in page


def test_annotations_may_be_a_dataset(tmp_path, found, recording):
    dataset = AudioDataset([(recording, 5.0, 6.0)], ["fox"], name="night")
    page = write(tmp_path, detections=found, annotations=dataset)
    assert "4 events found, of which 3 are false alarms." in page


def test_number_of_events_is_limited(tmp_path, found):
    page = write(tmp_path, detections=found, n_events=2)
    assert names(page) == ["0.00", "9.50"]
    assert "2 of 4" in section(page)


def test_long_events_add_few_bytes(tmp_path, recording):
    def size(end):
        table = pd.DataFrame([{"path": recording, "start": 0.0, "end": end, "label": "owl"}])
        return len(write(tmp_path, detections=table))

    assert size(10.0) - size(0.5) < 100_000


def test_no_events_are_said(tmp_path, found):
    page = section(write(tmp_path, detections=found.head(0)))
    assert "0 events found." in page
    assert "<audio" not in page


def test_a_missing_recording_is_named_in_place_of_its_sound(tmp_path, found):
    page = section(write(tmp_path, detections=found.assign(path="gone/night.wav")))
    assert page.count("No sound: the file") == 4
    assert "<audio" not in page


def test_names_are_escaped(tmp_path, found):
    page = write(tmp_path, detections=found.assign(label="<b>owl</b>"))
    assert "<b>owl</b>" not in page
    assert "&lt;b&gt;owl&lt;/b&gt;" in page


def test_markdown_has_the_events_and_scores(tmp_path, found, annotated):
    text = write(tmp_path, detections=found, annotations=annotated, format="markdown")
    events = text.partition("## Found events")[2]
    assert "night.wav, 5.00 s to 6.00 s" in events
    assert events.count("false alarm") == 3
    assert "Scores of the found events by class" in events


def test_invalid_tables_are_refused(tmp_path, found):
    with pytest.raises(ValueError, match="detections lacks the columns start, end"):
        write(tmp_path, detections=found[["path", "label"]])


def test_misclassified_parts_of_recordings_can_be_heard(tmp_path, recording):
    clips = [(recording, float(start), start + 1.0) for start in range(4)]
    dataset = AudioDataset(clips, ["owl", "fox"] * 2, name="night")
    predictions = pd.DataFrame(
        {"pipeline": "1-nn", "n_shots": 1, "repeat": 0, "fold": 0, "clip": range(4), "predicted": "owl"}
    )
    page = write(tmp_path, predictions=predictions, dataset=dataset)
    clips = page.partition('<section id="clips"')[2].partition("</section>")[0]
    assert re.findall("<h3>(.*)</h3>", clips) == [
        "night.wav, 1.00 s to 2.00 s",
        "night.wav, 3.00 s to 4.00 s",
    ]
    assert clips.count("<audio") == 2
