import base64
import struct
import zlib

import numpy as np
import pandas as pd
import pytest

from skfewaudio.datasets import AudioDataset
from skfewaudio.reporting._report.media import MAX_SECONDS, SAMPLE_RATE, clip_media, mel_levels, palette
from skfewaudio.reporting._report.predictions import (
    Predictions,
    class_table,
    confusion_table,
    hard_clips,
    pair_table,
    share_cell,
)

TRUE = ["a", "b", "a", "b"]
# Three draws: clip 0 is right; 1 always a; 2 once b; 3 right.
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


def test_confusion_counts_true_by_predicted():
    assert make_predictions().confusion("p", 5).tolist() == [[5, 1], [3, 3]]


def test_confusion_table_is_in_per_cent_of_the_true_class():
    table = confusion_table(make_predictions(), "p", 5)
    assert [[cell.text for cell in row] for row in table.rows] == [["a", "83", "17"], ["b", "50", "50"]]
    assert table.caption == "p, 5 per class: 66.7 % of 12 predictions right"


def test_class_table_is_the_diagonal():
    assert [row[1].text for row in class_table(make_predictions(), "p").rows] == ["83", "50"]


def test_pairs_are_most_frequent_first():
    rows = [[cell.text for cell in row] for row in pair_table(make_predictions(), "p", 5).rows]
    assert rows == [["b", "a", "50", "6"], ["a", "b", "17", "6"]]


def test_hard_clips_are_those_most_often_wrong():
    clips = hard_clips(make_predictions(), "p", 5, 12)
    assert [(c.clip, c.true, c.predicted, c.n_wrong, c.n_predictions) for c in clips] == [
        (1, "b", "a", 3, 3),
        (2, "a", "b", 1, 3),
    ]


def test_of_equally_wrong_clips_the_surest_comes_first():
    frame = pd.DataFrame(
        {"pipeline": "p", "n_shots": 1, "repeat": 0, "fold": 0, "clip": [1, 3], "predicted": "a"}
    )
    predictions = Predictions.check(frame.assign(probability=[0.6, 0.9]), make_dataset())
    assert [clip.clip for clip in hard_clips(predictions, "p", 1, 12)] == [3, 1]


def test_right_predictions_have_no_hard_clips():
    frame = pd.DataFrame(
        {"pipeline": "p", "n_shots": 1, "repeat": 0, "fold": 0, "clip": [0], "predicted": "a"}
    )
    predictions = Predictions.check(frame, make_dataset())
    assert hard_clips(predictions, "p", 1, 12) == []
    assert pair_table(predictions, "p", 1).rows == []


@pytest.mark.parametrize(
    ("count", "total", "text"), [(0, 9, "0"), (1, 999, "<1"), (998, 999, ">99"), (9, 9, "100"), (0, 0, "-")]
)
def test_shares_never_round_to_never_or_always(count, total, text):
    assert share_cell(count, total).text == text


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"clip": 4}, r"clip 4, but the data set has 4 clips"),
        ({"predicted": "dog"}, "'dog'; the data set's are a, b"),
        ({"true": "b"}, "'b' as the true class of clip 0, the data set 'a'"),
    ],
)
def test_predictions_of_another_data_set_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        make_predictions(**columns)


def test_unknown_probabilities_do_no_harm():
    predictions = make_predictions(probability=None)
    assert [clip.clip for clip in hard_clips(predictions, "p", 5, 12)] == [1, 2]


def test_missing_column_is_named():
    with pytest.raises(ValueError, match="lack the columns n_shots"):
        Predictions.check(
            pd.DataFrame(columns=["pipeline", "repeat", "fold", "clip", "predicted"]), make_dataset()
        )


def decode_png(uri):
    """Read size and levels of an image that `encode_image` wrote, row 0 at the top."""
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


def test_text_of_the_spectrogram_says_length_and_frequency():
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 8000)
    media = clip_media(AudioDataset([tone], ["a"], name="toy", sample_rate=8000), 0)
    text = media.image_text
    assert "2.0 s" in text
    assert float(text.split()[-2].replace(",", "")) == pytest.approx(1000, rel=0.05)


def test_sound_is_compressed_and_of_bounded_length():
    noise = np.random.default_rng(0).normal(scale=0.1, size=8000 * 20)
    media = clip_media(AudioDataset([noise], ["a"], name="toy", sample_rate=8000), 0)
    assert len(media.audio) < 150_000
    assert f"{MAX_SECONDS:.1f} s" in media.image_text


def test_silence_is_dark():
    levels, _ = mel_levels(np.zeros(SAMPLE_RATE, dtype=np.float32))
    assert levels.max() == 0


def test_features_have_no_sound():
    media = clip_media(AudioDataset([np.zeros((4, 5))], ["a"], name="toy"), 0)
    assert (media.audio, media.problem) == ("", "No sound: the data set holds features.")


def test_palette_grows_lighter_throughout():
    colors = np.frombuffer(palette(), np.uint8).reshape(256, 3)
    assert (np.diff(colors @ [0.2126, 0.7152, 0.0722]) > 0).all()
