"""Parameters of estimators for reading recordings."""

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skfewaudio import MFCC, LogMel, VGGishEmbed, make_few_shot_classifier
from skfewaudio._reading import get_reading, set_everywhere, set_reading


def test_channel_and_truncation_are_set_and_read_in_pipelines():
    model = set_reading(make_few_shot_classifier(), channel="first", allow_truncated=True)
    assert model[0].channel == "first"
    assert get_reading(model) == {"channel": "first", "allow_truncated": True}


def test_defaults_are_returned_for_an_estimator_without_the_parameters():
    assert get_reading(LogisticRegression()) == {"channel": "mean", "allow_truncated": False}


def test_none_changes_nothing():
    model = make_pipeline(LogMel(channel=1), LogisticRegression())
    assert get_reading(set_reading(model))["channel"] == 1


@pytest.mark.parametrize(
    ("transformer", "rate", "expected"),
    [
        (LogMel(), 384000, (384000, 32768, 8916)),
        (LogMel(), "auto", ("auto", 2048, 1024)),
        (MFCC(), 24000, (24000, 4096, 1024)),
        (LogMel.from_preset("vggish"), 8000, (8000, 256, 80)),
    ],
)
def test_frames_keep_their_duration_at_another_rate(transformer, rate, expected):
    set_reading(make_pipeline(transformer, LogisticRegression()), sample_rate=rate)
    assert (transformer.sample_rate, transformer.n_fft, transformer.hop_length) == expected


def test_transformer_that_cannot_choose_a_rate_says_so():
    with pytest.raises(ValueError, match="MFCC cannot choose the sample rate; expected a number"):
        set_reading(MFCC(), sample_rate="auto")


def test_fixed_rate_is_an_error():
    with pytest.raises(ValueError, match="the sample rate is fixed"):
        set_reading(VGGishEmbed(), sample_rate=8000)


def test_unknown_parameter_is_an_error():
    with pytest.raises(ValueError, match="no parameter class_weight"):
        set_everywhere(LogMel(), {"class_weight": "balanced"})
