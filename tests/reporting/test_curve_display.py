import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from skfewaudio.reporting import FewShotCurveDisplay
from skfewaudio.reporting._plotting import separate_labels


def make_display(n_repeats=3, n_classes=10):
    rows = [
        {
            "pipeline": p,
            "n_shots": n,
            "repeat": r,
            "fold": 0,
            "metric": "accuracy",
            "value": 0.3 + 0.01 * r + 0.02 * n,
            "n_train": n * n_classes,
        }
        for p in ("1-nn", "prototypes")
        for n in (1, 5, 20)
        for r in range(n_repeats)
    ]
    return FewShotCurveDisplay.from_results(pd.DataFrame(rows))


@pytest.fixture
def ax():
    return Figure().subplots()


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def test_plot_returns_the_display_with_axes_and_figure(ax):
    display = make_display()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def test_one_line_per_method_in_per_cent(ax):
    lines = {line.get_label(): line for line in make_display().plot(ax).ax_.get_lines()}
    np.testing.assert_allclose(lines["1-nn"].get_ydata(), [33, 41, 71])
    assert "prototypes" in lines


def test_band_is_the_interval(ax):
    display = make_display().plot(ax)
    low = display.ax_.collections[0].get_paths()[0].vertices[:, 1].min()
    first = display.frame().iloc[0]
    assert low == pytest.approx(100 * (first["mean"] - first["half_width"]))


def test_ticks_are_the_numbers_of_clips(ax):
    ticks = [tick.get_text() for tick in make_display().plot(ax).ax_.get_xticklabels()]
    assert ticks == ["1", "5", "20"]
    assert ax.get_xscale() == "log"


def test_axes_are_labelled(ax):
    make_display().plot(ax, title="toy")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Labelled clips per class", "Accuracy (%)")
    assert ax.get_title(loc="left") == "toy"


def test_lines_and_chance_are_labelled(ax):
    assert {"1-nn", "prototypes", "chance"} <= set(texts(make_display().plot(ax)))


def test_chance_is_one_over_the_number_of_classes():
    assert make_display(n_classes=4).chance == pytest.approx(0.25)


def test_caption_contains_the_number_of_draws(ax):
    assert "mean and 95 % interval over 3 draws of clips" in texts(make_display(3).plot(ax))


def test_caption_mentions_missing_interval_for_one_draw(ax):
    assert "one draw of clips: no interval" in texts(make_display(1).plot(ax))


def test_creates_a_figure_without_axes():
    import matplotlib.pyplot as plt

    display = make_display().plot()
    assert plt.fignum_exists(display.figure_.number)
    plt.close(display.figure_)


def test_frame_is_a_copy():
    display = make_display()
    frame = display.frame()
    frame["mean"] = 0
    assert display.frame()["mean"].gt(0).all()


@pytest.mark.parametrize("heights", [[50.0, 50.0, 50.0], [99.0, 98.0, 100.0], [10.0, 90.0, 12.0]])
def test_labels_are_separated_in_order(heights):
    shown = separate_labels(heights, gap=5.0)
    assert np.diff(np.sort(shown)).min() >= 5 - 1e-9
    assert shown.max() <= 100
    assert (np.argsort(shown) == np.argsort(heights, kind="stable")).all()


def test_missing_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install skfewaudio\[plot\]"):
        make_display().plot()


def test_import_does_not_load_matplotlib():
    code = "import sys, skfewaudio.reporting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
