"""Feature maps computed in stretches of frames, against an independent version in plain torch."""

from math import ceil

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from skfewaudio.architectures import (
    FrameLevel,
    FrameLevelManyShapes,
    MusicallyMotivated,
    SampleLevel,
    SingleLayer,
    SmallFilters,
)
from skfewaudio.architectures._map_layers import FILTERS_AT_ONCE


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


# The lengths leave a remainder at every pooling.
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
    """Network, patches, and the maps of its layers in plain torch."""
    architecture, params, patch, plain = CASES[request.param]
    torch.manual_seed(0)
    network = architecture(2, *patch, **params)
    x = torch.randn(2, 1, *patch)
    with torch.no_grad():
        for parameter in network.maps.parameters():
            if parameter.ndim == 1:
                parameter.normal_()  # non-zero biases
        layers = network.maps.layers
        convs = {name: layers[name].conv for name in network.maps.n_filters}
        return network, x, plain(convs, x)


def maps_of(network, x, **params):
    """Return the maps of each layer, with the stretches concatenated."""
    stretches = {}
    for name, maps in network.maps.iter_maps(x, **params):
        stretches.setdefault(name, []).append(maps)
    return {name: torch.cat(maps, dim=3) for name, maps in stretches.items()}


def assert_same_maps(ours, expected):
    assert list(ours) == list(expected)
    for name, maps in expected.items():
        torch.testing.assert_close(ours[name], maps, rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def test_maps_equal_plain_torch(case):
    network, x, expected = case
    assert_same_maps({name: maps.detach() for name, maps in maps_of(network, x).items()}, expected)


@pytest.mark.parametrize("n_values", [1, 50, 1001, None])
def test_stretches_of_any_size_equal_plain_torch(case, n_values):
    network, x, expected = case
    with torch.inference_mode():
        assert_same_maps(maps_of(network, x, n_values=n_values), expected)


def test_embedding_is_the_mean_of_each_map(case):
    network, x, expected = case
    with torch.no_grad():
        means = torch.cat([maps.mean(dim=(2, 3)) for maps in expected.values()], dim=1)
        torch.testing.assert_close(network.embed(x), means, rtol=1e-4, atol=1e-5)


def test_small_n_values_gives_more_stretches():
    torch.manual_seed(0)
    network, x = SingleLayer(2, 20, 41, n_filters=3), torch.randn(2, 1, 20, 41)
    assert len(list(network.maps.iter_maps(x, n_values=1))) == 35
    assert len(list(network.maps.iter_maps(x))) == 1
