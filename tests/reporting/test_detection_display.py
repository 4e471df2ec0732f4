"""Plot of a spectrogram with annotated and found events."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from matplotlib.figure import Figure

from skfewaudio.datasets import AudioDataset
from skfewaudio.detection import TemplateMatching
from skfewaudio.reporting import DetectionDisplay
from skfewaudio.reporting._detection_display import LANE
from skfewaudio.reporting._detection_events import MAX_COLUMNS

RATE = 8000


def tone(seconds, hertz=1000.0):
    return 0.1 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def sound(seconds=10.0):
    """Return noise with a tone from 4 to 6 s."""
    samples = np.random.default_rng(0).normal(scale=0.001, size=round(seconds * RATE))
    samples[4 * RATE : 6 * RATE] += tone(2)
    return samples


def events(*rows, path=""):
    columns = ["start", "end", "label", "probability"]
    return pd.DataFrame([(*row, 0.9) for row in rows], columns=columns).assign(path=path)


TRUE = events((1, 2, "owl"), (4, 6, "fox"))
FOUND = events((1.1, 2, "owl"), (8, 9, "owl"))


@pytest.fixture(scope="module")
def display():
    return DetectionDisplay.from_predictions((sound(), RATE), FOUND, true=TRUE)


@pytest.fixture
def ax():
    return Figure().subplots()


def bars(ax):
    """Return start, end and row of each bar, by the name of its kind."""
    return {
        container.get_label(): [
            (bar.get_x(), bar.get_x() + bar.get_width(), bar.get_y()) for bar in container
        ]
        for container in ax.containers
        if len(container)
    }


def test_events_are_matched(display):
    frame = display.frame()
    assert frame["kind"].tolist() == ["annotated", "missed", "found", "false alarm"]
    assert frame["label"].tolist() == ["owl", "fox", "owl", "owl"]
    assert frame.columns.tolist() == ["start", "end", "label", "kind", "probability"]


def test_without_annotations_events_are_not_judged():
    display = DetectionDisplay.from_predictions((sound(), RATE), FOUND)
    assert display.frame()["kind"].tolist() == ["found", "found"]
    assert not display.has_truth


def test_plot_returns_the_display_with_axes_and_figure(display, ax):
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def test_bars_have_the_times_of_the_events_and_the_rows_of_their_classes(display, ax):
    found = bars(display.plot(ax).ax_)
    assert [time for kind in found for time in found[kind][0][:2]] == pytest.approx(
        [1, 2, 4, 6, 1.1, 2, 8, 9]
    )
    fox, owl = found["missed"][0][2], found["annotated"][0][2]
    assert fox - owl == pytest.approx(LANE)
    assert found["found"][0][2] == found["false alarm"][0][2] < owl


def test_classes_and_frequencies_are_named(display, ax):
    labels = [text.get_text() for text in display.plot(ax).ax_.get_yticklabels()]
    assert labels[-2:] == ["fox", "owl"]
    assert {"1", "2"} <= set(labels[:-2])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "annotated",
        "missed",
        "found",
        "false alarm",
    ]


def test_spectrogram_shows_the_sound_at_its_time_and_frequency(display):
    n_bands, n_frames = display.spectrogram.shape
    loudest = display.spectrogram.max(axis=0)
    times = np.flatnonzero(loudest > loudest.max() - 10) / n_frames * 10
    assert (times.min(), times.max()) == pytest.approx((4, 6), abs=0.1)
    mel = display.spectrogram.max(axis=1).argmax() / n_bands
    assert mel == pytest.approx(15 / 35.16, abs=0.03)  # Slaney's mel of 1 kHz and of 4 kHz
    assert (display.start, display.fmax) == (0, 4000)
    assert display.end == pytest.approx(10, abs=0.02)


def test_parts_of_files_show_their_events_alone(tmp_path):
    soundfile.write(tmp_path / "a.wav", sound(), RATE)
    path = str(tmp_path / "a.wav")
    others = events((5, 6, "cow"), path="other.wav")
    found = pd.concat([FOUND.assign(path=path), others])
    display = DetectionDisplay.from_predictions((path, 3.0, 8.5), found, true=TRUE.assign(path=path))
    assert display.frame()["label"].tolist() == ["fox", "owl"]
    assert (display.start, display.end) == pytest.approx((3.0, 8.5), abs=0.02)


def test_long_recordings_have_a_limited_number_of_columns(ax):
    samples = np.random.default_rng(0).normal(scale=0.001, size=120 * RATE)
    samples[60 * RATE : 60 * RATE + 400] += tone(0.05)
    display = DetectionDisplay.from_predictions((samples, RATE), FOUND)
    assert display.spectrogram.shape[1] <= MAX_COLUMNS
    loudest = display.spectrogram.max(axis=0)
    assert loudest.argmax() / len(loudest) == pytest.approx(0.5, abs=0.01)


def test_recordings_without_events_are_drawn(ax):
    display = DetectionDisplay.from_predictions((sound(), RATE), FOUND.head(0), true=TRUE.head(0))
    assert display.plot(ax).frame().empty
    assert ax.get_legend() is None


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(10) + 0.1])
def test_silent_and_short_recordings_are_drawn(samples, ax):
    DetectionDisplay.from_predictions((samples, RATE), FOUND).plot(ax).figure_.canvas.draw()


def test_annotations_may_be_a_dataset(tmp_path):
    soundfile.write(tmp_path / "a.wav", sound(), RATE)
    path = str(tmp_path / "a.wav")
    dataset = AudioDataset([(path, 1.0, 2.0)], ["owl"], name="a")
    display = DetectionDisplay.from_predictions(path, FOUND.assign(path=path), true=dataset)
    assert display.frame()["kind"].tolist() == ["annotated", "found", "false alarm"]


def test_events_are_found_with_a_detector():
    detector = TemplateMatching().fit(
        [(tone(0.5), RATE), (sound()[: 3 * RATE], RATE)], ["tone", "background"]
    )
    display = DetectionDisplay.from_estimator(detector, (sound(), RATE), true=events((4, 6, "tone")))
    assert display.frame()["kind"].tolist()[0] in ("annotated", "missed")
    strict = DetectionDisplay.from_estimator(detector, (sound(), RATE), threshold=1.0)
    assert strict.frame().empty


def test_title_is_drawn_on_request(display, ax):
    assert display.plot(ax, title="Night").ax_.get_title(loc="left") == "Night"


def test_invalid_tables_are_refused():
    with pytest.raises(ValueError, match="found lacks the columns end"):
        DetectionDisplay.from_predictions((sound(), RATE), FOUND.drop(columns="end"))
