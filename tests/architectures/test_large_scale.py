"""Networks of the large-scale study: sizes, widths and bottlenecks."""

import pytest
import torch

from skfewaudio.architectures import VGGE, AlexNet, FullyConnected, InceptionV3, ResNet50, n_parameters

NETWORKS = {
    "fully_connected": FullyConnected,
    "alexnet": AlexNet,
    "vgg_e": VGGE,
    "inception_v3": InceptionV3,
    "resnet50": ResNet50,
}
NARROW = {name: {"width": 0.1} for name in ("alexnet", "vgg_e", "inception_v3", "resnet50")}
of_any_width = pytest.mark.parametrize("name", NARROW)


def draw(name, **params):
    torch.manual_seed(0)
    return NETWORKS[name](10, n_mels=64, n_frames=96, **params).eval()


@pytest.mark.parametrize(
    ("name", "published"),
    [("fully_connected", 11.2), ("alexnet", 37.3), ("vgg_e", 62), ("inception_v3", 28), ("resnet50", 30)],
)
def test_network_has_about_the_published_number_of_parameters(name, published):
    with torch.device("meta"):
        network = NETWORKS[name](3087)
    assert n_parameters(network) / 1e6 == pytest.approx(published, rel=0.03)
    assert f"{n_parameters(network):,}" in NETWORKS[name].__doc__


@pytest.mark.parametrize("name", NETWORKS)
def test_bottleneck_outputs_are_the_embedding(name):
    network = draw(name, bottleneck=128, **NARROW.get(name, {"n_units": 100}))
    x = torch.randn(2, 1, 64, 96)
    assert network.embed(x).shape == (2, 128)
    torch.testing.assert_close(network(x), network.output(network.embed(x)))
    assert n_parameters(network.output) == 129 * 10


@of_any_width
def test_width_scales_every_layer(name):
    with torch.device("meta"):
        whole, narrow = (NETWORKS[name](10, width=width) for width in (1.0, 0.25))
    assert n_parameters(narrow) == pytest.approx(n_parameters(whole) / 16, rel=0.05)
    assert len(list(narrow.modules())) == len(list(whole.modules()))


@of_any_width
def test_narrow_network_runs(name):
    assert draw(name, width=0.1, bottleneck=8)(torch.randn(2, 1, 64, 96)).shape == (2, 10)


def test_width_of_zero_is_refused():
    with pytest.raises(ValueError, match="width must be above 0; got 0"):
        draw("resnet50", width=0)
