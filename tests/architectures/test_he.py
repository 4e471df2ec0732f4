import math

import pytest
import torch
from torch import nn

from skfewaudio.architectures import FrameLevel, init_he_

N_FILTERS = 4000
SIGMAS = 5  # tolerance in standard errors, exceeded once in two million draws


@pytest.fixture(params=[(1, (10, 5)), (7, (1, 3))], ids=["one channel", "seven channels"])
def drawn(request):
    """Weights of many filters, and their fan-in."""
    n_channels, kernel = request.param
    torch.manual_seed(0)
    conv = nn.Conv2d(n_channels, N_FILTERS, kernel)
    init_he_(conv)
    return conv.weight.detach().double().flatten(), n_channels * kernel[0] * kernel[1]


def test_mean_is_zero(drawn):
    weights, fan_in = drawn
    assert abs(weights.mean()) < SIGMAS * math.sqrt(2 / fan_in / len(weights))


def test_variance_is_two_over_fan_in(drawn):
    weights, fan_in = drawn
    # The kurtosis of a truncated normal distribution is below 3, the kurtosis of a normal distribution.
    assert abs(weights.var() * fan_in / 2 - 1) < SIGMAS * math.sqrt(2 / len(weights))


def test_values_are_truncated_at_two_standard_deviations_of_the_normal_distribution(drawn):
    weights, fan_in = drawn
    cut = 2 * math.sqrt(2 / fan_in) / 0.87962566
    assert weights.abs().max() <= cut * (1 + 1e-6)
    assert weights.abs().max() > 0.999 * cut


def test_values_have_a_truncated_normal_distribution(drawn):
    weights, fan_in = drawn
    std = math.sqrt(2 / fan_in) / 0.87962566
    for z in (0.25, 0.5, 1.0, 1.5):
        expected = math.erf(z / math.sqrt(2)) / math.erf(math.sqrt(2))
        error = math.sqrt(expected * (1 - expected) / len(weights))
        assert abs((weights.abs() < z * std).double().mean() - expected) < SIGMAS * error


def test_biases_are_zero():
    conv = nn.Conv2d(1, 10, 3)
    nn.init.ones_(conv.bias)
    init_he_(conv)
    assert (conv.bias == 0).all()


def test_a_convolution_without_biases_is_accepted():
    conv = nn.Conv2d(1, 10, 3, bias=False)
    nn.init.zeros_(conv.weight)
    init_he_(conv)
    assert (conv.weight != 0).all()


def test_networks_are_initialised_with_it():
    torch.manual_seed(0)
    maps = FrameLevel(2, 1, 736, n_filters=16).maps
    for name, fan_in in {"frame": 512, "back1": 7 * 16, "back3": 7 * 16}.items():
        conv = maps.layers[name].conv
        assert abs(conv.weight.var() * fan_in / 2 - 1) < SIGMAS * math.sqrt(2 / conv.weight.numel())
        assert (conv.bias == 0).all()


def test_values_depend_only_on_torchs_seed():
    convs = [nn.Conv2d(1, 3, 2) for _ in range(2)]
    for conv in convs:
        torch.manual_seed(3)
        init_he_(conv)
    assert torch.equal(convs[0].weight, convs[1].weight)
