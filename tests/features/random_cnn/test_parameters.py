"""Numbers of features and filters, architectures, and invalid parameters."""

from functools import partial

import numpy as np
import pytest
import torch

from skfewaudio import RandomCNNFeatures
from skfewaudio.architectures import VGG, SampleLevel, SingleLayer

SPECTROGRAM, WAVEFORM = "single_layer", "sample_level"


@pytest.mark.parametrize(
    ("architecture", "params", "n_features", "n_filters"),
    [
        ("single_layer", {}, 3585, 3585),
        ("small_filters", {}, 160, 32),
        ("small_filters", {}, 450, 90),
        ("small_filters", {}, 3585, 717),
        ("sample_level", {}, 161, 23),
        ("sample_level", {}, 3584, 512),
        ("frame_level", {}, 160, 40),
        ("frame_level", {}, 3584, 896),
        ("frame_level_many_shapes", {}, 160, 20),
        ("frame_level_many_shapes", {}, 3584, 448),
        ("musically_motivated", {}, 112, 4),
        ("musically_motivated", {}, 3584, 128),
        ("musically_motivated", {"architecture_params": {"temporal": False}}, 112, 8),
        ("musically_motivated", {"architecture_params": {"timbral": False}}, 3584, 256),
        ("small_filters", {"pooling": ["mean", "max"]}, 320, 32),
        ("sample_level", {"layers": ["conv0", "conv6"]}, 46, 23),
    ],
)
def test_number_of_features_chooses_the_published_number_of_filters(
    architecture, params, n_features, n_filters
):
    features = RandomCNNFeatures(architecture, n_features=n_features, **params)
    assert features._check_settings().params["n_filters"] == n_filters
    assert len(features.get_feature_names_out()) == n_features


@pytest.mark.parametrize("n_features", [1, 50, 99])
def test_nearest_possible_number_of_features_is_chosen(n_features):
    found = len(RandomCNNFeatures("sample_level", n_features=n_features).get_feature_names_out())
    assert found == max(7, 7 * round(n_features / 7))


def test_default_is_the_larger_published_number_of_features():
    assert len(RandomCNNFeatures().get_feature_names_out()) == 3584


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_features": 10, "n_filters": 4}, "n_filters=4 and n_features=10 exclude each other"),
        (
            {"architecture_params": {"n_filters": 8}},
            "contains n_filters, which is a parameter of Random",
        ),
        ({"architecture": "sb_cnn"}, "architecture='sb_cnn' is not a FeatureMapNetwork"),
        ({"architecture": VGG}, "is not a FeatureMapNetwork"),
        ({"architecture": lambda *_, **__: torch.nn.Linear(2, 2)}, "is not a FeatureMapNetwork"),
        ({"architecture": "small_filters", "n_mels": 64}, "64 bands .* too small for SmallFilters"),
        ({"pooling": ["mean", "median"]}, "expected one or more of mean, max, std, positive"),
        ({"pooling": []}, "expected one or more of mean, max, std, positive"),
        ({"pooling": "median"}, "pooling.*must be a str among"),
        ({"n_filters": 0}, "n_filters.*must be an int"),
        ({"duration": 0.0}, "duration.*must be a float"),
        ({"pad_mode": "reflect"}, "pad_mode.*must be a str among"),
        ({"random_state": "seed"}, "random_state.*must be an int"),
        ({"hop_length": 0}, "hop_length.*must be an int"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_bad_parameters_are_refused(params, message, method, clips):
    with pytest.raises(ValueError, match=message):
        getattr(RandomCNNFeatures(**params), method)(clips)


def test_architecture_class_is_equivalent_to_its_name(clips, make):
    np.testing.assert_array_equal(make(SampleLevel).transform(clips), make(WAVEFORM).transform(clips))


@pytest.mark.parametrize(
    ("builder", "name", "params"),
    [
        (partial(SingleLayer, bands=1.0), SPECTROGRAM, {"bands": 1.0}),
        (partial(SampleLevel, input_norm=None), WAVEFORM, {}),
        (lambda *args, **kwargs: SingleLayer(*args, **kwargs), SPECTROGRAM, {}),
    ],
    ids=["partial", "partial for waveforms", "function"],
)
def test_callable_that_builds_a_network_is_accepted(builder, name, params, clips, make):
    expected = make(name, architecture_params=params).transform(clips)
    np.testing.assert_array_equal(make(builder).transform(clips), expected)
