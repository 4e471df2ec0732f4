"""One row an architecture drives every test."""

from importlib.metadata import entry_points

import pytest
import torch

from skfewaudio.architectures import VGG, PooledFilters, n_parameters
from skfewaudio.plugins import ARCHITECTURES

# name: (class, own parameters, embedding size at 128 x 128, parameters at 128 x 128 and 10 outputs)
TABLE = {
    # 5 layers of 3 x 3: 1 -> 32 and four times 32 -> 32, each with bias, scale and offset; 512 -> 10; input 2
    "vgg": (VGG, {}, 512, 2 + (9 + 3) * 32 + 4 * (9 * 32 + 3) * 32 + 513 * 10),
    # 4 statistics of 128 bands, and of 5 x 8 filters in 4 regions; the projection alone is learnt
    "pooled_filters": (PooledFilters, {}, 4 * 128 + 4 * 40 * 4, 1152 * 10),
}
cases = pytest.mark.parametrize("name", sorted(TABLE))


def build(name, n_mels=128, n_frames=128, n_outputs=10):
    architecture, params, *_ = TABLE[name]
    torch.manual_seed(0)
    return architecture(n_outputs, n_mels=n_mels, n_frames=n_frames, **params)


def test_table_is_complete():
    declared = {e.name for e in entry_points(group="skfewaudio.architectures") if e.dist.name == "skfewaudio"}
    assert declared == set(TABLE)


@cases
def test_registered_name_gives_the_class(name):
    assert ARCHITECTURES.get(name) is TABLE[name][0]


@cases
def test_number_of_parameters_is_that_counted_by_hand(name):
    assert n_parameters(build(name)) == TABLE[name][3]


def test_vgg_of_the_prototypical_network_has_the_documented_number_of_parameters():
    assert (
        n_parameters(VGG(10, 128, 128, n_filters=128)) == 2 + 12 * 128 + 4 * (9 * 128 + 3) * 128 + 2049 * 10
    )


@cases
@pytest.mark.parametrize(("n_mels", "n_frames"), [(128, 128), (64, 33), (45, 101), (96, 64)])
def test_embedding_and_outputs_have_one_row_a_patch(name, n_mels, n_frames):
    network = build(name, n_mels, n_frames).eval()
    x = torch.randn(3, 1, n_mels, n_frames)
    assert network(x).shape == (3, 10)
    assert network.embed(x).shape == (3, network.output.in_features)


@cases
def test_embedding_size_at_the_papers_patch(name):
    assert build(name).output.in_features == TABLE[name][2]


@cases
def test_gradients_are_finite_and_reach_every_parameter(name):
    network = build(name).train()
    network(torch.randn(4, 1, 128, 128)).square().sum().backward()
    for parameter in network.parameters():
        if parameter.requires_grad:
            assert torch.isfinite(parameter.grad).all()
            assert parameter.grad.abs().sum() > 0


@cases
def test_one_patch_is_enough_to_predict(name):
    network = build(name).eval()
    x = torch.randn(5, 1, 128, 128)
    torch.testing.assert_close(network(x[:1]), network(x)[:1], rtol=1e-4, atol=1e-5)


@cases
def test_silence_gives_finite_outputs(name):
    assert torch.isfinite(build(name).train()(torch.zeros(2, 1, 128, 128))).all()


@cases
def test_state_dict_makes_the_same_network(name):
    network, other = build(name).eval(), build(name, n_outputs=10).eval()
    for parameter in other.parameters():
        torch.nn.init.ones_(parameter)
    other.load_state_dict(network.state_dict())
    x = torch.randn(2, 1, 128, 128)
    torch.testing.assert_close(other(x), network(x))


@cases
def test_building_depends_on_torchs_seed_alone(name):
    a, b = build(name).state_dict(), build(name).state_dict()
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_vgg_refuses_patches_that_five_poolings_use_up():
    with pytest.raises(ValueError, match="give it at least 32 x 32"):
        VGG(10, n_mels=128, n_frames=31)


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
