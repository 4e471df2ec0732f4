"""Displays of spectrograms, confusions and calibration."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skfewaudio import LogMel
from skfewaudio.reporting import ConfusionDisplay, ReliabilityDisplay, SpectrogramDisplay

RATE = 16000
TONE = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
TRUE, PREDICTED = ["a", "a", "b", "b", "b"], ["a", "b", "b", "a", "a"]


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(scope="module")
def classifier():
    X, y = load_iris(return_X_y=True)
    return LogisticRegression(max_iter=500).fit(X, y), X, y


def test_clips_keep_their_own_rate_and_duration():
    display = SpectrogramDisplay.from_clips([(TONE, RATE), (TONE[:8000], 8000)])
    assert display.durations == pytest.approx([1.0, 1.0], abs=0.02)
    assert display.fmax == [8000, 4000]


def test_arrays_of_clips_need_a_rate():
    assert len(SpectrogramDisplay.from_clips(np.stack([TONE, TONE]), sample_rate=RATE).spectrograms) == 2


def test_titles_must_match_the_clips():
    with pytest.raises(ValueError, match="one for each of 1 clips; got 2"):
        SpectrogramDisplay.from_clips([(TONE, RATE)], ["a", "b"])


def test_spectrograms_of_an_estimator_are_its_features():
    transformer = LogMel(sample_rate=RATE, n_mels=40)
    display = SpectrogramDisplay.from_estimator(transformer, TONE[None], ["tone"])
    np.testing.assert_array_equal(display.spectrograms[0], transformer.transform(TONE[None])[0])
    assert display.durations[0] == pytest.approx(1.0, abs=0.05)


def test_estimator_with_an_automatic_rate_is_accepted():
    clips = [(TONE, RATE), (TONE, RATE)]
    display = SpectrogramDisplay.from_estimator(LogMel(sample_rate="auto").fit(clips), clips)
    assert display.fmax == [8000, 8000]
    assert display.durations[0] == pytest.approx(1.0, abs=0.05)


def test_transformer_of_vectors_has_no_spectrograms():
    from skfewaudio import MFCC

    with pytest.raises(ValueError, match="MFCC returns no mel spectrograms"):
        SpectrogramDisplay.from_estimator(MFCC(sample_rate=RATE), TONE[None])


def test_tone_is_drawn_at_its_frequency(ax):
    display = SpectrogramDisplay.from_clips([(TONE, RATE)]).plot(ax)
    image = ax.get_images()[0].get_array()
    height = (image.mean(axis=1).argmax() + 0.5) / len(image)
    ticks = dict(zip([text.get_text() for text in ax.get_yticklabels()], ax.get_yticks(), strict=True))
    assert display.axes_[0] is ax
    assert height == pytest.approx(ticks["1"], abs=0.02)


def test_new_figure_has_axes_for_every_clip():
    import matplotlib.pyplot as plt

    display = SpectrogramDisplay.from_clips([(TONE, RATE)] * 5).plot()
    assert len(display.figure_.axes) == 5
    plt.close(display.figure_)


def test_axes_must_match_the_clips(ax):
    with pytest.raises(ValueError, match="ax has 1 axes, but there are 2 clips"):
        SpectrogramDisplay.from_clips([(TONE, RATE)] * 2).plot(ax)


def test_confusions_have_true_classes_as_rows():
    assert ConfusionDisplay.from_predictions(TRUE, PREDICTED).frame().loc["b", "a"] == 2


def test_confusions_of_an_estimator_are_of_its_predictions(classifier):
    estimator, X, y = classifier
    display = ConfusionDisplay.from_estimator(estimator, X, y)
    assert np.trace(display.confusion_matrix) == (estimator.predict(X) == y).sum()


def test_pairs_are_sorted_by_their_share():
    pairs = ConfusionDisplay.from_predictions(TRUE, PREDICTED).pairs()
    assert pairs[["true", "predicted", "count"]].to_numpy().tolist() == [["b", "a", 2], ["a", "b", 1]]


def make_results(pipeline="p"):
    return pd.DataFrame(
        {"pipeline": pipeline, "n_shots": [1, 5, 5], "true": "a", "predicted": ["b", "a", "a"]}
    )


def test_results_are_those_with_the_most_clips():
    assert ConfusionDisplay.from_results(make_results()).confusion_matrix.tolist() == [[2]]


def test_results_of_several_pipelines_need_a_choice():
    both = pd.concat([make_results("p"), make_results("q")])
    with pytest.raises(ValueError, match=r"several pipelines \(p, q\); choose one"):
        ConfusionDisplay.from_results(both)


def test_cells_are_in_per_cent_of_the_true_class(ax):
    display = ConfusionDisplay.from_predictions(TRUE, PREDICTED)
    assert display.plot(ax) is display
    assert sorted(text.get_text() for text in ax.texts) == ["33", "50", "50", "67"]
    assert ax.get_title(loc="left") == "40.0 % of 5 predictions right"


def test_calibration_error_is_zero_on_the_diagonal():
    probabilities = np.tile([0.75, 0.25], (4, 1))
    display = ReliabilityDisplay.from_predictions(["a", "a", "a", "b"], probabilities)
    assert display.expected_calibration_error == pytest.approx(0)
    assert display.frame().query("count > 0")[["count", "accuracy"]].to_numpy().tolist() == [[4, 0.75]]


def test_overconfidence_is_the_difference_to_the_accuracy():
    probabilities = np.tile([1.0, 0.0], (4, 1))
    display = ReliabilityDisplay.from_predictions(["a", "a", "b", "b"], probabilities)
    assert display.expected_calibration_error == pytest.approx(0.5)


def test_reliability_of_an_estimator_uses_its_classes(classifier):
    estimator, X, y = classifier
    display = ReliabilityDisplay.from_estimator(estimator, X, y)
    assert display.counts.sum() == len(y)
    assert display.name == "LogisticRegression"


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [([[0.5, 0.5]], "a row for each of 2 clips"), ([[2.0, 0.0], [1, 0]], "from 0 to 1")],
)
def test_invalid_probabilities_are_rejected(probabilities, message):
    with pytest.raises(ValueError, match=message):
        ReliabilityDisplay.from_predictions(["a", "b"], probabilities)


def test_reliability_plot_shows_a_mark_for_each_filled_bin(ax):
    display = ReliabilityDisplay.from_predictions(["a", "b"], [[0.9, 0.1], [0.45, 0.55]], name="toy")
    assert display.plot(ax) is display
    assert len(ax.collections[-1].get_offsets()) == 2
    assert ax.get_title(loc="left").startswith("toy: calibration error")
