"""Layers whose maps come a stretch at a time, against plain torch written down anew."""

import weakref
from math import ceil

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from skfewaudio.architectures import (
    ConvLayer,
    FeatureMaps,
    FrameLevel,
    FrameLevelManyShapes,
    MusicallyMotivated,
    SampleLevel,
    SingleLayer,
    SmallFilters,
)
from skfewaudio.architectures._map_layers import FILTERS_AT_ONCE, SMALL_KERNEL, BandMean, FrameMax


def same(x, conv, stride=1):
    """Convolve along the frames with TensorFlow's padding."""
    width, kernel = x.shape[-1], conv.kernel_size[1]
    missing = max((ceil(width / stride) - 1) * stride + kernel - width, 0)
    padded = F.pad(x, (missing // 2, missing - missing // 2))
    return F.conv2d(padded, conv.weight, conv.bias, stride=(1, stride))


def plain_single(convs, x):
    return {name: F.relu(F.conv2d(x, c.weight, c.bias)).amax(2, keepdim=True) for name, c in convs.items()}


def plain_small(convs, x):
    maps = {}
    for (name, conv), pool in zip(
        convs.items(), [(4, 2), (4, 3), (5, 2), (4, 2), (4, 4)], strict=True
    ):  # (time, frequency), as published
        x = F.max_pool2d(F.elu(F.conv2d(x, conv.weight, conv.bias, padding=1)), pool[::-1])
        maps[name] = x
    return maps


def plain_musical(convs, x):
    maps = {}
    for name, conv in convs.items():
        if name.endswith("x1"):
            maps[name] = F.relu(same(x.mean(2, keepdim=True), conv))
        else:
            maps[name] = F.relu(same(x, conv)).amax(2, keepdim=True)
    return maps


def plain_sample_level(convs, x):
    maps = {}
    for name, conv in convs.items():
        if name == "conv0":
            x = F.relu(F.conv2d(x, conv.weight, conv.bias, stride=(1, 3)))
        else:
            x = F.max_pool2d(F.relu(F.conv2d(x, conv.weight, conv.bias, padding=(0, 1))), (1, 3))
        maps[name] = x
    return maps


def plain_back_end(convs, front):
    first = F.relu(F.conv2d(front, convs["back1"].weight, convs["back1"].bias))
    second = first + F.relu(F.conv2d(first, convs["back2"].weight, convs["back2"].bias, padding=(0, 3)))
    pooled = F.max_pool2d(second, (1, 2))
    third = pooled + F.relu(F.conv2d(pooled, convs["back3"].weight, convs["back3"].bias, padding=(0, 3)))
    return {"back1": first, "back2": second, "back3": third}


def plain_frame_level(convs, x):
    front = F.relu(F.conv2d(x, convs["frame"].weight, convs["frame"].bias, stride=(1, 32)))
    return {"frame": front, **plain_back_end(convs, front)}


def plain_many_shapes(convs, x):
    front = {name: F.relu(same(x, conv, 32)) for name, conv in convs.items() if name.startswith("frame")}
    return {**front, **plain_back_end(convs, torch.cat(list(front.values()), dim=1))}


# Lengths are odd ones, that leave something over at every pooling.
CASES = {
    "single_layer": (SingleLayer, {"n_filters": 3}, (20, 41), plain_single),
    "many filters": (SingleLayer, {"n_filters": 2 * FILTERS_AT_ONCE + 3}, (20, 41), plain_single),
    "all bands": (SingleLayer, {"n_filters": 3, "bands": 1.0}, (20, 41), plain_single),
    "small_filters": (SmallFilters, {"n_filters": 2}, (97, 1303), plain_small),
    "events": (MusicallyMotivated, {"n_filters": 4}, (20, 67), plain_musical),
    "music": (MusicallyMotivated, {"n_filters": 4, "temporal_frames": "music"}, (20, 53), plain_musical),
    "sample_level": (SampleLevel, {"n_filters": 3}, (1, 2291), plain_sample_level),
    "frame_level": (FrameLevel, {"n_filters": 3}, (1, 1043), plain_frame_level),
    "frame_level_many_shapes": (FrameLevelManyShapes, {"n_filters": 3}, (1, 603), plain_many_shapes),
}


@pytest.fixture(params=CASES, scope="module")
def case(request):
    """A network, patches, and the maps of its layers by plain torch."""
    architecture, params, patch, plain = CASES[request.param]
    torch.manual_seed(0)
    network = architecture(2, *patch, **params)
    x = torch.randn(2, 1, *patch)
    with torch.no_grad():
        for parameter in network.maps.parameters():
            if parameter.ndim == 1:
                parameter.normal_()  # biases that are seen
        layers = network.maps.layers
        convs = {name: layers[name].conv for name in network.maps.n_filters}
        return network, x, plain(convs, x)


def maps_of(network, x, **params):
    """Give each layer's maps, its stretches put together."""
    stretches = {}
    for name, maps in network.maps.iter_maps(x, **params):
        stretches.setdefault(name, []).append(maps)
    return {name: torch.cat(maps, dim=3) for name, maps in stretches.items()}


def assert_same_maps(ours, expected):
    assert list(ours) == list(expected)
    for name, maps in expected.items():
        torch.testing.assert_close(ours[name], maps, rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def test_maps_are_those_of_plain_torch(case):
    network, x, expected = case
    assert_same_maps({name: maps.detach() for name, maps in maps_of(network, x).items()}, expected)


@pytest.mark.parametrize("n_values", [1, 50, 1001, None])
def test_stretches_of_any_size_are_those_of_plain_torch(case, n_values):
    network, x, expected = case
    with torch.inference_mode():
        assert_same_maps(maps_of(network, x, n_values=n_values), expected)


def test_embedding_is_the_mean_of_each_map(case):
    network, x, expected = case
    with torch.no_grad():
        means = torch.cat([maps.mean(dim=(2, 3)) for maps in expected.values()], dim=1)
        torch.testing.assert_close(network.embed(x), means, rtol=1e-4, atol=1e-5)


def test_few_values_at_once_make_more_stretches():
    torch.manual_seed(0)
    network, x = SingleLayer(2, 20, 41, n_filters=3), torch.randn(2, 1, 20, 41)
    assert len(list(network.maps.iter_maps(x, n_values=1))) == 35
    assert len(list(network.maps.iter_maps(x))) == 1


# One layer


def ones(*args, value=1.0, **params):
    """A layer whose filters are all of one value, without bias."""
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
def test_padding_that_leaves_the_length_has_the_odd_zero_at_the_end(kernel, stride, expected):
    x = torch.arange(1.0, 8).view(1, 1, 1, 7)
    layer = ones(1, 1, (1, kernel), stride=stride, same="frames")
    assert layer(x).flatten().tolist() == expected


def test_bands_padded_for_a_filter_of_even_height_are_as_many_as_before():
    x = torch.arange(1.0, 5).view(1, 1, 4, 1)
    assert ones(1, 1, (2, 1), same="both")(x).flatten().tolist() == [3, 5, 7, 4]


@pytest.mark.parametrize("same", [None, "frames", "both"])
@pytest.mark.parametrize(("kernel", "stride"), [((1, 3), 3), ((3, 3), 1), ((1, 16), 1), ((4, 4), 2)])
def test_a_small_filter_by_a_matrix_product_is_its_convolution(kernel, stride, same):
    assert kernel[0] * kernel[1] <= SMALL_KERNEL
    torch.manual_seed(0)
    layer, x = ConvLayer(1, 5, kernel, stride=stride, same=same), torch.randn(2, 1, 6, 40)
    by_convolution = layer(x).detach()
    with torch.no_grad():
        torch.testing.assert_close(layer(x), by_convolution)


def test_activation_and_pooling_may_change_places():
    torch.manual_seed(0)
    layer, x = ConvLayer(2, 3, (3, 3), pool=(2, 2), activation="elu"), torch.randn(2, 2, 9, 10)
    expected = F.max_pool2d(F.elu(layer.conv(x)), 2)
    torch.testing.assert_close(layer(x), expected)


def test_a_residual_layer_adds_its_input():
    x = torch.arange(1.0, 5).view(1, 1, 1, 4)
    layer = ones(1, 1, (1, 1), value=10.0, same="frames", residual=True)
    assert layer(x).flatten().tolist() == [11, 22, 33, 44]


def test_applying_a_layer_leaves_its_input_as_it_was():
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


# Layers together


def computed(network, x, layers):
    """Give the names of the layers that are computed for the maps of some."""
    names = set()

    def counting(name, stretch):
        return lambda *args: (names.add(name), stretch(*args))[1]

    for name, layer in network.maps.layers.items():
        layer.stretch = counting(name, layer.stretch)
    assert list(maps_of(network, x, layers=layers)) == layers
    return names


def test_layers_after_the_last_one_wanted_are_not_computed():
    network, x = SampleLevel(2, 1, 2187, n_filters=2), torch.randn(1, 1, 1, 2187)
    assert computed(network, x, ["conv1"]) == {"conv0", "conv1"}


def test_layers_beside_the_wanted_one_are_not_computed():
    network, x = MusicallyMotivated(2, 20, 30), torch.randn(1, 1, 20, 30)
    assert computed(network, x, ["8x1"]) == {"envelope", "8x1"}


@pytest.mark.parametrize("n_values", [None, 500])
@pytest.mark.parametrize(
    ("architecture", "patch"), [(SampleLevel, (1, 2187)), (FrameLevelManyShapes, (1, 1000))]
)
def test_maps_are_dropped_when_no_layer_needs_them_any_more(architecture, patch, n_values, monkeypatch):
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


def test_maps_of_several_layers_come_one_after_the_other_into_the_next():
    maps = FeatureMaps()
    maps.add("one", ones(1, 1, (1, 1), value=1.0))
    maps.add("two", ones(1, 1, (1, 1), value=10.0))
    sum_ = ones(2, 1, (1, 1))
    maps.add("sum", sum_, "two", "one")
    torch.nn.init.constant_(sum_.conv.weight[:, :1], 100.0)
    found = dict(maps.iter_maps(torch.ones(1, 1, 1, 1)))
    assert found["sum"].item() == 1001


def test_the_input_may_be_taken_beside_another_layers_maps():
    maps = FeatureMaps()
    maps.add("one", ones(1, 1, (1, 1), value=10.0))
    maps.add("sum", ones(2, 1, (1, 1)), "one", "input")
    assert maps(torch.ones(1, 1, 1, 1)).tolist() == [[10, 11]]


def test_layers_that_only_prepare_are_no_features():
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


def test_an_unknown_layer_wanted_lists_the_known_ones():
    network = SingleLayer(2, 20, 7, n_filters=2)
    with pytest.raises(ValueError, match="there is no layer '7x86'; expected one of 7x18"):
        next(network.maps.iter_maps(torch.zeros(1, 1, 20, 7), layers=["7x86"]))


def test_too_few_frames_for_a_layer_name_it():
    network = SingleLayer(2, 20, 7, n_filters=2)
    with pytest.raises(ValueError, match="6 frames are too few for layer '7x18'"):
        network(torch.zeros(1, 1, 20, 6))


# Networks


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
def test_single_layers_filters_cover_the_share_of_bands(bands, height):
    assert list(SingleLayer(2, 96, 7, n_filters=1, bands=bands).maps.n_filters) == [f"7x{height}"]


@pytest.mark.parametrize("bands", [0, 1.1, -0.5])
def test_a_share_of_bands_that_is_none_is_refused(bands):
    with pytest.raises(ValueError, match=rf"bands={bands}; expected a share"):
        SingleLayer(2, 96, 7, bands=bands)


@pytest.mark.parametrize(
    ("frames", "lengths"),
    [("events", [64, 32, 16, 8]), ("music", [165, 128, 64, 32]), ((9, 7, 5, 3), [9, 7, 5, 3])],
)
def test_temporal_filters_have_the_lengths_asked_for(frames, lengths):
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
def test_input_is_standardised_where_asked(norm):
    torch.manual_seed(0)
    network, x = SingleLayer(2, 20, 30, input_norm=norm).train(), 5 + 3 * torch.randn(4, 1, 20, 30)
    torch.testing.assert_close(network.embed(x), network.maps(network.trunk.input_norm(x)))
    assert abs(network.trunk.input_norm(x).mean()) < 1e-4


def test_each_weight_stands_once_in_the_state_dict():
    state = SingleLayer(2, 20, 30).state_dict()
    assert sorted(state) == [
        "output.bias",
        "output.weight",
        "trunk.maps.layers.7x18.conv.bias",
        "trunk.maps.layers.7x18.conv.weight",
    ]
