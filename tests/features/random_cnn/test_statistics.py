"""Statistics of the feature maps: values, names and layers."""

import numpy as np
import pandas as pd
import pytest
import torch

from skfewaudio import LogMel
from skfewaudio._torch_state import own_state
from skfewaudio.architectures import MusicallyMotivated, SampleLevel, SingleLayer
from skfewaudio.features import _random_cnn

SECOND = 12000
SPECTROGRAM, WAVEFORM = "single_layer", "sample_level"
of_any_kind = pytest.mark.parametrize(
    "architecture",
    [
        *("single_layer", "small_filters", "musically_motivated"),
        *("sample_level", "frame_level", "frame_level_many_shapes"),
    ],
)


def maps_of(features, clip):
    """Compute the maps of each layer for a clip, with a network drawn from the same seed."""
    class_ = {SPECTROGRAM: SingleLayer, WAVEFORM: SampleLevel, "musically_motivated": MusicallyMotivated}[
        features.architecture
    ]
    is_waveform = features.architecture == WAVEFORM
    with own_state(int(np.random.RandomState(features.random_state).randint(2**31 - 1)), torch.device("cpu")):
        network = class_(1, 1 if is_waveform else 96, class_.min_frames, n_filters=features.n_filters)
    x = clip if is_waveform else LogMel.from_preset("random-cnn").transform([clip])[0]
    with torch.no_grad():
        found = network.maps.iter_maps(torch.from_numpy(x).view(1, 1, -1, x.shape[-1]))
        return {name: maps[0].flatten(1).double().numpy() for name, maps in found}


STATISTICS = {
    "mean": lambda maps: maps.mean(axis=1),
    "max": lambda maps: maps.max(axis=1),
    "std": lambda maps: maps.std(axis=1),
    "positive": lambda maps: (maps > 0).mean(axis=1),
}


@pytest.mark.parametrize("architecture", [SPECTROGRAM, WAVEFORM, "musically_motivated"])
@pytest.mark.parametrize("pooling", [*STATISTICS, ["std", "mean"], ["max", "positive", "mean", "std"]])
def test_features_equal_numpy_statistics_of_the_maps(
    architecture, pooling, noise, make, assert_features_close
):
    features, clip = make(architecture, pooling=pooling, random_state=3), noise(2 * SECOND)
    names = [pooling] if isinstance(pooling, str) else pooling
    expected = [STATISTICS[name](maps) for maps in maps_of(features, clip).values() for name in names]
    assert_features_close(features.transform([clip])[0], np.concatenate(expected), tolerance=1e-4)


def test_std_of_maps_with_large_mean_is_accurate():
    maps = 1e4 + torch.randn(1, 2, 1, 5000, generator=torch.Generator().manual_seed(0))
    stretches = (("layer", part) for part in maps.split(700, dim=3))
    pooled = _random_cnn.pool_maps(stretches, ["std"])
    np.testing.assert_allclose(pooled, maps[0, :, 0].double().numpy().std(axis=1), rtol=1e-4)


def test_feature_names_contain_layer_statistic_and_filter(make):
    features = make(n_filters=2, pooling=["mean", "max"])
    expected = ["7x86_mean0", "7x86_mean1", "7x86_max0", "7x86_max1"]
    assert features.get_feature_names_out().tolist() == expected


@of_any_kind
@pytest.mark.parametrize("pooling", ["mean", ["std", "max"]])
def test_feature_names_are_unique(architecture, pooling, noise, make):
    features = make(architecture, pooling=pooling)
    names = features.get_feature_names_out()
    assert len(set(names)) == len(names) == features.transform([noise(SECOND)]).shape[1]


def test_feature_names_are_in_the_order_of_the_columns(clips, make):
    features = make("musically_motivated", pooling=["mean", "std"])
    table = features.set_output(transform="pandas").fit_transform(clips)
    assert isinstance(table, pd.DataFrame)
    for layer in ("3x38", "16x1"):
        alone = make("musically_motivated", pooling="std", layers=layer).transform(clips)
        columns = [name for name in table.columns if name.startswith(f"{layer}_std")]
        np.testing.assert_array_equal(table[columns], alone)


@pytest.mark.parametrize("layers", ["conv3", ["conv3"], ["conv5", "conv3"]])
def test_selected_layers_equal_layers_of_the_whole_network(layers, clips, make):
    every = make(WAVEFORM).transform(clips)
    wanted = [index for index in (3, 5) if f"conv{index}" in layers]
    expected = np.concatenate([every[:, 4 * index : 4 * index + 4] for index in wanted], axis=1)
    np.testing.assert_array_equal(make(WAVEFORM, layers=layers).transform(clips), expected)


@pytest.mark.parametrize("layers", ["conv9", ["conv1", "conv9"], []])
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_unknown_layer_error_lists_the_known_layers(layers, method, clips, make):
    with pytest.raises(ValueError, match=r"expected one or more of conv0, conv1, .* of 'sample_level'"):
        getattr(make(WAVEFORM, layers=layers), method)(clips)
