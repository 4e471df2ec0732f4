import base64
import struct
import zlib

import numpy as np
import pandas as pd
import pytest

from skfewaudio.datasets import AudioDataset
from skfewaudio.reporting._report.media import (
    MAX_SECONDS,
    SAMPLE_RATE,
    clip_media,
    mel_spectrogram_levels,
    palette,
)
from skfewaudio.reporting._report.predictions import (
    Predictions,
    confused_pairs_table,
    confusion_table,
    misclassified_clips,
    per_class_table,
    share_cell,
)

TRUE = ["a", "b", "a", "b"]
# Three draws: clips 0 and 3 are always correct, clip 1 is always predicted as a, clip 2 once as b.
DRAWS = [["a", "a", "a", "b"], ["a", "a", "b", "b"], ["a", "a", "a", "b"]]


def make_dataset(n_samples=8000):
    X = np.zeros((4, n_samples), dtype=np.float32)
    return AudioDataset(X, TRUE, name="toy", sample_rate=8000)


def make_predictions(**columns):
    frame = pd.DataFrame(
        [
            {"pipeline": "p", "n_shots": 5, "repeat": r, "fold": 0, "clip": clip, "predicted": label}
            for r, draw in enumerate(DRAWS)
            for clip, label in enumerate(draw)
        ]
    )
    return Predictions.check(frame.assign(**columns), make_dataset())


def test_confusion_has_true_classes_as_rows():
    assert make_predictions().confusion("p", 5).tolist() == [[5, 1], [3, 3]]


def test_confusion_table_is_in_per_cent_of_the_true_class():
    table = confusion_table(make_predictions(), "p", 5)
    assert [[cell.text for cell in row] for row in table.rows] == [["a", "83", "17"], ["b", "50", "50"]]
    assert table.caption == "p, 5 per class: 66.7 % of 12 predictions correct"


def test_per_class_table_contains_the_diagonal():
    assert [row[1].text for row in per_class_table(make_predictions(), "p").rows] == ["83", "50"]


def test_confused_pairs_are_sorted_by_frequency():
    rows = [[cell.text for cell in row] for row in confused_pairs_table(make_predictions(), "p", 5).rows]
    assert rows == [["b", "a", "50", "6"], ["a", "b", "17", "6"]]


def test_misclassified_clips_are_sorted_by_errors():
    clips = misclassified_clips(make_predictions(), "p", 5, 12)
    assert [(c.clip, c.true, c.predicted, c.n_wrong, c.n_predictions) for c in clips] == [
        (1, "b", "a", 3, 3),
        (2, "a", "b", 1, 3),
    ]


def test_ties_between_misclassified_clips_are_broken_by_probability():
    frame = pd.DataFrame(
        {"pipeline": "p", "n_shots": 1, "repeat": 0, "fold": 0, "clip": [1, 3], "predicted": "a"}
    )
    predictions = Predictions.check(frame.assign(probability=[0.6, 0.9]), make_dataset())
    assert [clip.clip for clip in misclassified_clips(predictions, "p", 1, 12)] == [3, 1]


def test_correct_predictions_have_no_misclassified_clips():
    frame = pd.DataFrame(
        {"pipeline": "p", "n_shots": 1, "repeat": 0, "fold": 0, "clip": [0], "predicted": "a"}
    )
    predictions = Predictions.check(frame, make_dataset())
    assert misclassified_clips(predictions, "p", 1, 12) == []
    assert confused_pairs_table(predictions, "p", 1).rows == []


@pytest.mark.parametrize(
    ("count", "total", "text"), [(0, 9, "0"), (1, 999, "<1"), (998, 999, ">99"), (9, 9, "100"), (0, 0, "-")]
)
def test_shares_round_to_0_or_100_only_if_exact(count, total, text):
    assert share_cell(count, total).text == text


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"clip": 4}, r"clip 4, but the dataset has 4 clips"),
        ({"predicted": "dog"}, "'dog'; the classes of the dataset are a, b"),
        ({"true": "b"}, "'b' as the true class of clip 0, the dataset 'a'"),
    ],
)
def test_predictions_of_another_dataset_are_rejected(columns, message):
    with pytest.raises(ValueError, match=message):
        make_predictions(**columns)


def test_missing_probabilities_are_allowed():
    predictions = make_predictions(probability=None)
    assert [clip.clip for clip in misclassified_clips(predictions, "p", 5, 12)] == [1, 2]


def test_missing_column_is_named():
    with pytest.raises(ValueError, match="lack the columns n_shots"):
        Predictions.check(
            pd.DataFrame(columns=["pipeline", "repeat", "fold", "clip", "predicted"]), make_dataset()
        )


def decode_png(uri):
    """Decode the levels of an image written by `encode_image`, with row 0 at the top."""
    content = base64.b64decode(uri.split(",")[1])
    width, height = struct.unpack(">2I", content[16:24])
    start = content.index(b"IDAT")
    (length,) = struct.unpack(">I", content[start - 4 : start])
    rows = np.frombuffer(zlib.decompress(content[start + 4 : start + 4 + length]), np.uint8)
    return rows.reshape(height, width + 1)[:, 1:]


def test_spectrogram_of_a_high_tone_is_bright_at_the_top():
    tone = 0.5 * np.sin(2 * np.pi * 3000 * np.arange(16000) / 8000)
    dataset = AudioDataset([tone], ["a"], name="toy", sample_rate=8000)
    image = decode_png(clip_media(dataset, 0).image)
    assert image.shape[0] == 96
    assert image.max() == 255
    assert image[:48].mean() > 2 * image[48:].mean()


def test_text_of_the_spectrogram_contains_duration_and_frequency():
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 8000)
    media = clip_media(AudioDataset([tone], ["a"], name="toy", sample_rate=8000), 0)
    text = media.image_text
    assert "2.0 s" in text
    assert float(text.split()[-2].replace(",", "")) == pytest.approx(1000, rel=0.05)


def test_audio_is_compressed_and_limited_in_length():
    noise = np.random.default_rng(0).normal(scale=0.1, size=8000 * 20)
    media = clip_media(AudioDataset([noise], ["a"], name="toy", sample_rate=8000), 0)
    assert len(media.audio) < 150_000
    assert f"{MAX_SECONDS:.1f} s" in media.image_text


def test_silence_is_dark():
    levels, _ = mel_spectrogram_levels(np.zeros(SAMPLE_RATE, dtype=np.float32))
    assert levels.max() == 0


def test_features_have_no_audio():
    media = clip_media(AudioDataset([np.zeros((4, 5))], ["a"], name="toy"), 0)
    assert (media.audio, media.problem) == ("", "No sound: the dataset contains features.")


def test_palette_increases_in_lightness():
    colors = np.frombuffer(palette(), np.uint8).reshape(256, 3)
    assert (np.diff(colors @ [0.2126, 0.7152, 0.0722]) > 0).all()
