import pytest
import torch
from torch import nn

from skfewaudio.architectures import Timbre, n_parameters


def plain_forward(network, x):
    """Convolve and take the maximum, with torch's own gradients."""
    layers = network.trunk
    if hasattr(layers, "compression"):
        x = layers.compression(x)
    filters = layers.filters
    responses = nn.functional.conv2d(layers.input_norm(x), filters.weight, filters.bias)
    return network.output(responses.amax(dim=(2, 3)))


def both_ways(patch=(40, 30), **params):
    """Return outputs and gradients (weights, bias, input) of the network and of `plain_forward`."""
    torch.manual_seed(0)
    network = Timbre(3, *patch, **params).double().train()
    x = torch.rand(5, 1, *patch, dtype=torch.float64, requires_grad=True)
    wanted = {"input": x, **dict(network.named_parameters())}
    results = []
    for forward in (network, lambda x: plain_forward(network, x)):
        outputs = forward(x)
        gradients = torch.autograd.grad(outputs.sin().sum(), list(wanted.values()))
        results.append({"outputs": outputs, **dict(zip(wanted, gradients, strict=True))})
    return results


@pytest.mark.parametrize(
    "params",
    [{}, {"n_filters": 4}, {"learn_compression": True}, {"patch": (40, 7)}, {"patch": (1, 30)}],
    ids=["a filter each class", "linear layer", "compression", "shortest patch", "one band"],
)
def test_training_on_the_largest_windows_equals_training_by_convolution(params):
    ours, plain = both_ways(**params)
    for name, expected in plain.items():
        assert expected.abs().max() > 0, name
        torch.testing.assert_close(ours[name], expected, rtol=1e-9, atol=1e-12, msg=name)


def test_predictions_equal_convolution():
    torch.manual_seed(0)
    network = Timbre(3, 40, 30).eval()
    x = torch.randn(2, 1, 40, 30)
    torch.testing.assert_close(network(x), plain_forward(network, x))


def test_training_and_predicting_give_the_same_outputs():
    torch.manual_seed(0)
    filters = Timbre(3, 40, 30).trunk.filters
    x = torch.randn(4, 1, 40, 30)
    torch.testing.assert_close(filters.train()(x), filters.eval()(x))


@pytest.mark.parametrize(("n_mels", "n_bands"), [(128, 108), (64, 54), (40, 34), (1, 1)])
def test_filters_cover_the_papers_fraction_of_the_bands(n_mels, n_bands):
    assert Timbre(10, n_mels, 20).trunk.filters.kernel_size == (n_bands, 7)


def test_by_default_no_linear_layer_follows_the_filters():
    network = Timbre(10, 40, 20).eval()
    x = torch.randn(2, 1, 40, 20)
    assert torch.equal(network(x), network.embed(x))


def test_a_linear_layer_follows_a_given_number_of_filters():
    network = Timbre(10, 128, 128, n_filters=32)
    assert network.output.in_features == 32
    assert n_parameters(network) == 757 * 32 + 33 * 10
    assert f"{n_parameters(network):,}" in Timbre.__doc__
