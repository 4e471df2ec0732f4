"""The published networks of feature maps: filters, lengths and options."""

import pytest
import torch

from skfewaudio.architectures import (
    FrameLevel,
    FrameLevelManyShapes,
    MusicallyMotivated,
    SampleLevel,
    SingleLayer,
    SmallFilters,
)


def count(architecture, patch, **params):
    """Count the maps of each layer, without any weights."""
    with torch.device("meta"):
        return list(architecture(1, *patch, **params).maps.n_filters.values())


SPECTROGRAM, WAVEFORM = (96, 1280), (1, 12000)
ONLY_TIMBRAL, ONLY_TEMPORAL = {"temporal": False}, {"timbral": False}


@pytest.mark.parametrize(
    ("architecture", "patch", "params", "layers"),
    [
        (SingleLayer, SPECTROGRAM, {"n_filters": 160}, [160]),
        (SingleLayer, SPECTROGRAM, {"n_filters": 3585, "bands": 1.0}, [3585]),
        (SmallFilters, SPECTROGRAM, {"n_filters": 32}, 5 * [32]),
        (SmallFilters, SPECTROGRAM, {"n_filters": 90}, 5 * [90]),
        (SmallFilters, SPECTROGRAM, {"n_filters": 717}, 5 * [717]),
        (SampleLevel, WAVEFORM, {"n_filters": 23}, 7 * [23]),
        (SampleLevel, WAVEFORM, {"n_filters": 512}, 7 * [512]),
        (FrameLevel, WAVEFORM, {"n_filters": 40}, 4 * [40]),
        (FrameLevel, WAVEFORM, {"n_filters": 896}, 4 * [896]),
        (FrameLevelManyShapes, WAVEFORM, {"n_filters": 20}, 8 * [20]),
        (FrameLevelManyShapes, WAVEFORM, {"n_filters": 448}, 8 * [448]),
        (MusicallyMotivated, SPECTROGRAM, {"n_filters": 8, **ONLY_TIMBRAL}, 2 * [8, 16, 32]),
        (MusicallyMotivated, SPECTROGRAM, {"n_filters": 256, **ONLY_TIMBRAL}, 2 * [256, 512, 1024]),
        (MusicallyMotivated, SPECTROGRAM, {"n_filters": 8, **ONLY_TEMPORAL}, [6, 14, 30, 62]),
        (MusicallyMotivated, SPECTROGRAM, {"n_filters": 256, **ONLY_TEMPORAL}, [192, 448, 960, 1984]),
        (MusicallyMotivated, SPECTROGRAM, {"n_filters": 4}, [*2 * [4, 8, 16], 3, 7, 15, 31]),
        (MusicallyMotivated, SPECTROGRAM, {"n_filters": 128}, [*2 * [128, 256, 512], 96, 224, 480, 992]),
    ],
)
def test_layers_have_the_published_numbers_of_filters(architecture, patch, params, layers):
    assert count(architecture, patch, **params) == layers


@pytest.mark.parametrize(("bands", "height"), [(0.9, 86), (1.0, 96), (0.001, 1)])
def test_single_layer_filters_cover_the_fraction_of_bands(bands, height):
    assert list(SingleLayer(2, 96, 7, n_filters=1, bands=bands).maps.n_filters) == [f"7x{height}"]


@pytest.mark.parametrize("bands", [0, 1.1, -0.5])
def test_an_invalid_fraction_of_bands_is_refused(bands):
    with pytest.raises(ValueError, match=rf"bands={bands}; expected a share"):
        SingleLayer(2, 96, 7, bands=bands)


@pytest.mark.parametrize(
    ("frames", "lengths"),
    [("events", [64, 32, 16, 8]), ("music", [165, 128, 64, 32]), ((9, 7, 5, 3), [9, 7, 5, 3])],
)
def test_temporal_filters_have_the_requested_lengths(frames, lengths):
    network = MusicallyMotivated(2, 96, 20, timbral=False, temporal_frames=frames)
    assert list(network.maps.n_filters) == [f"{length}x1" for length in lengths]


@pytest.mark.parametrize("frames", ["speech", (64, 32), (8, 8, 4, 2)])
def test_other_temporal_lengths_are_refused(frames):
    with pytest.raises(ValueError, match="expected 'music' or 'events', or four different lengths"):
        MusicallyMotivated(2, 96, 20, temporal_frames=frames)


def test_a_network_without_filters_is_refused():
    with pytest.raises(ValueError, match="timbral=False with temporal=False leaves no filters"):
        MusicallyMotivated(2, 96, 20, timbral=False, temporal=False)


@pytest.mark.parametrize("norm", ["band", "all", "frame"])
def test_input_is_standardised_if_requested(norm):
    torch.manual_seed(0)
    network, x = SingleLayer(2, 20, 30, input_norm=norm).train(), 5 + 3 * torch.randn(4, 1, 20, 30)
    torch.testing.assert_close(network.embed(x), network.maps(network.trunk.input_norm(x)))
    assert abs(network.trunk.input_norm(x).mean()) < 1e-4


def test_each_weight_occurs_once_in_the_state_dict():
    state = SingleLayer(2, 20, 30).state_dict()
    assert sorted(state) == [
        "output.bias",
        "output.weight",
        "trunk.maps.layers.7x18.conv.bias",
        "trunk.maps.layers.7x18.conv.weight",
    ]
