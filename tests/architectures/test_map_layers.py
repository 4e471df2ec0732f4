"""Map layers, alone and combined in FeatureMaps."""

import weakref

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from skfewaudio.architectures import (
    ConvLayer,
    FeatureMaps,
    FrameLevelManyShapes,
    MusicallyMotivated,
    SampleLevel,
    SingleLayer,
)
from skfewaudio.architectures._map_layers import SMALL_KERNEL, BandMean, FrameMax


def ones(*args, value=1.0, **params):
    """Build a layer with constant filters and zero biases."""
    layer = ConvLayer(*args, **params)
    torch.nn.init.constant_(layer.conv.weight, value)
    torch.nn.init.zeros_(layer.conv.bias)
    return layer


@pytest.mark.parametrize(
    ("kernel", "stride", "expected"),
    [
        (2, 1, [3, 5, 7, 9, 11, 13, 7]),
        (3, 1, [3, 6, 9, 12, 15, 18, 13]),
        (4, 2, [6, 14, 22, 13]),
        (2, 3, [3, 9, 7]),
        (9, 1, [15, 21, 28, 28, 28, 27, 25]),
    ],
)
def test_same_padding_has_the_odd_zero_at_the_end(kernel, stride, expected):
    x = torch.arange(1.0, 8).view(1, 1, 1, 7)
    layer = ones(1, 1, (1, kernel), stride=stride, same="frames")
    assert layer(x).flatten().tolist() == expected


def test_same_padding_keeps_the_bands_for_a_filter_of_even_height():
    x = torch.arange(1.0, 5).view(1, 1, 4, 1)
    assert ones(1, 1, (2, 1), same="both")(x).flatten().tolist() == [3, 5, 7, 4]


@pytest.mark.parametrize("same", [None, "frames", "both"])
@pytest.mark.parametrize(("kernel", "stride"), [((1, 3), 3), ((3, 3), 1), ((1, 16), 1), ((4, 4), 2)])
def test_a_small_filter_as_a_matrix_product_equals_convolution(kernel, stride, same):
    assert kernel[0] * kernel[1] <= SMALL_KERNEL
    torch.manual_seed(0)
    layer, x = ConvLayer(1, 5, kernel, stride=stride, same=same), torch.randn(2, 1, 6, 40)
    by_convolution = layer(x).detach()
    with torch.no_grad():
        torch.testing.assert_close(layer(x), by_convolution)


def test_pooling_before_the_activation_gives_the_same_maps():
    torch.manual_seed(0)
    layer, x = ConvLayer(2, 3, (3, 3), pool=(2, 2), activation="elu"), torch.randn(2, 2, 9, 10)
    expected = F.max_pool2d(F.elu(layer.conv(x)), 2)
    torch.testing.assert_close(layer(x), expected)


def test_a_residual_layer_adds_its_input():
    x = torch.arange(1.0, 5).view(1, 1, 1, 4)
    layer = ones(1, 1, (1, 1), value=10.0, same="frames", residual=True)
    assert layer(x).flatten().tolist() == [11, 22, 33, 44]


def test_applying_a_layer_does_not_modify_its_input():
    x = -torch.ones(1, 1, 4, 4)
    with torch.no_grad():
        ones(1, 2, (1, 1), same="both")(x)
    assert (x == -1).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"same": "bands"}, "same='bands'; expected 'both', 'frames' or None"),
        ({"activation": "tanh"}, "activation='tanh'; expected one of relu, elu"),
    ],
)
def test_unknown_options_of_a_layer_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        ConvLayer(1, 1, (1, 1), **params)


def computed(network, x, layers):
    """Return the names of the layers computed for the maps of `layers`."""
    names = set()

    def counting(name, stretch):
        return lambda *args: (names.add(name), stretch(*args))[1]

    for name, layer in network.maps.layers.items():
        layer.stretch = counting(name, layer.stretch)
    assert list(dict(network.maps.iter_maps(x, layers=layers))) == layers
    return names


def test_layers_after_the_last_requested_one_are_not_computed():
    network, x = SampleLevel(2, 1, 2187, n_filters=2), torch.randn(1, 1, 1, 2187)
    assert computed(network, x, ["conv1"]) == {"conv0", "conv1"}


def test_layers_that_the_requested_one_does_not_need_are_not_computed():
    network, x = MusicallyMotivated(2, 20, 30), torch.randn(1, 1, 20, 30)
    assert computed(network, x, ["8x1"]) == {"envelope", "8x1"}


@pytest.mark.parametrize("n_values", [None, 500])
@pytest.mark.parametrize(
    ("architecture", "patch"), [(SampleLevel, (1, 2187)), (FrameLevelManyShapes, (1, 1000))]
)
def test_maps_are_released_when_no_layer_needs_them(architecture, patch, n_values, monkeypatch):
    torch.manual_seed(0)
    network = architecture(2, *patch, n_filters=2).requires_grad_(False)
    inputs = {}
    for name, layer in network.maps.layers.items():

        def stretch(x, first, last, name=name, original=layer.stretch):
            inputs[name] = weakref.ref(x)
            return original(x, first, last)

        monkeypatch.setattr(layer, "stretch", stretch)
    x = torch.randn(1, 1, *patch)
    for name, _ in network.maps.iter_maps(x, n_values=n_values):
        alive = {other for other, given in inputs.items() if given() is not None and given() is not x}
        assert alive <= {name}


def test_maps_of_several_sources_are_concatenated():
    maps = FeatureMaps()
    maps.add("one", ones(1, 1, (1, 1), value=1.0))
    maps.add("two", ones(1, 1, (1, 1), value=10.0))
    sum_ = ones(2, 1, (1, 1))
    maps.add("sum", sum_, "two", "one")
    torch.nn.init.constant_(sum_.conv.weight[:, :1], 100.0)
    found = dict(maps.iter_maps(torch.ones(1, 1, 1, 1)))
    assert found["sum"].item() == 1001


def test_the_input_can_be_combined_with_the_maps_of_a_layer():
    maps = FeatureMaps()
    maps.add("one", ones(1, 1, (1, 1), value=10.0))
    maps.add("sum", ones(2, 1, (1, 1)), "one", "input")
    assert maps(torch.ones(1, 1, 1, 1)).tolist() == [[10, 11]]


def test_layers_without_filters_are_not_features():
    maps = FeatureMaps()
    maps.add("envelope", BandMean())
    maps.add("pool", FrameMax(2), "envelope")
    maps.add("conv", ConvLayer(1, 3, (1, 1)), "pool")
    assert maps.n_filters == {"conv": 3}
    assert maps(torch.ones(2, 1, 4, 5)).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "sources", "message"),
    [
        ("first", (), "there is a layer 'first' already"),
        ("input", (), "there is a layer 'input' already"),
        ("second", ("frist",), "there is no layer 'frist'; expected one of first"),
    ],
)
def test_names_that_cannot_be_added_are_refused(name, sources, message):
    maps = FeatureMaps()
    maps.add("first", BandMean())
    with pytest.raises(ValueError, match=message):
        maps.add(name, BandMean(), *sources)


def test_an_unknown_requested_layer_lists_the_known_ones():
    network = SingleLayer(2, 20, 7, n_filters=2)
    with pytest.raises(ValueError, match="there is no layer '7x86'; expected one of 7x18"):
        next(network.maps.iter_maps(torch.zeros(1, 1, 20, 7), layers=["7x86"]))


def test_the_error_for_too_few_frames_names_the_layer():
    network = SingleLayer(2, 20, 7, n_filters=2)
    with pytest.raises(ValueError, match="6 frames are too few for layer '7x18'"):
        network(torch.zeros(1, 1, 20, 6))
