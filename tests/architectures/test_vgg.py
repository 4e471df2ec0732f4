import pytest
import torch
from torch import nn
from torch.nn.functional import elu, max_pool2d

from skfewaudio.architectures import VGG, n_parameters


def with_random_norms(**params):
    """Build a network with random batch-norm statistics and scales of either sign."""
    torch.manual_seed(0)
    network = VGG(10, 64, 64, n_filters=4, input_norm="all", **params)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2)
    return network


def test_128_filters_have_the_documented_number_of_parameters():
    n = n_parameters(VGG(10, 128, 128, n_filters=128))
    assert n == 12 * 128 + 4 * (9 * 128 + 3) * 128 + 2049 * 10
    assert f"{n:,}" in VGG.__doc__


@pytest.mark.parametrize("pool_first", [False, True], ids=["published order", "pooled first"])
def test_layers_come_in_the_documented_order(pool_first):
    network = with_random_norms(pool_first=pool_first).eval()
    x = torch.randn(3, 1, 64, 64)
    trunk, h = network.trunk, network.trunk.input_norm(x)
    for i in range(1, 6):
        h = trunk.get_submodule(f"conv{i}")(h)
        norm = trunk.get_submodule(f"norm{i}")
        h = norm(elu(max_pool2d(h, 2))) if pool_first else max_pool2d(norm(elu(h)), 2)
    torch.testing.assert_close(network.embed(x), h.flatten(1))


@pytest.mark.parametrize(("axis", "n_learned"), [("band", 0), ("all", 2), ("frame", 2 * 32)])
def test_published_input_normalisations_have_a_scale_and_an_offset(axis, n_learned):
    assert n_parameters(VGG(10, 64, 32, input_norm=axis).trunk.input_norm) == n_learned


def test_order_of_pooling_does_not_change_the_state_dict():
    names = [list(VGG(10, 32, 32, n_filters=2, pool_first=order).state_dict()) for order in (False, True)]
    assert names[0] == names[1]


def test_unknown_input_normalisation_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'row' is unknown; expected one of \['all', 'band', 'frame'\]"):
        VGG(10, n_mels=64, n_frames=64, input_norm="row")


@pytest.mark.parametrize(("axis", "kept"), [("band", 1), ("frame", 2), ("all", None)])
def test_input_normalisation_has_statistics_along_its_axis(axis, kept):
    norm = VGG(10, n_mels=48, n_frames=40, input_norm=axis).trunk.input_norm.train()
    x = 5 + 3 * torch.randn(6, 1, 48, 40) * torch.rand(1, 1, 48, 1) + torch.randn(1, 1, 1, 40)
    y = norm(x).squeeze(1)
    rest = [d for d in range(3) if d != kept]
    torch.testing.assert_close(y.mean(rest), torch.zeros_like(y.mean(rest)), rtol=0, atol=1e-4)
    torch.testing.assert_close(y.var(rest, correction=0), torch.ones_like(y.mean(rest)), rtol=0, atol=0.05)
