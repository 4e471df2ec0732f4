"""Compression of spectrograms that is learned with the network."""

import pytest
import torch

from skfewaudio.architectures import SBCNN, VGG, Timbre, n_parameters

compressing = pytest.mark.parametrize("architecture", [SBCNN, Timbre, VGG])


def build(architecture, **params):
    torch.manual_seed(0)
    return architecture(10, n_mels=128, n_frames=128, **params)


@compressing
def test_learned_compression_adds_two_parameters(architecture):
    learned, fixed = build(architecture, learn_compression=True), build(architecture)
    assert n_parameters(learned) == n_parameters(fixed) + 2


@compressing
def test_gradients_reach_both_parameters_of_the_compression(architecture):
    network = build(architecture, learn_compression=True).train()
    network(torch.randn(4, 1, 128, 128).square()).square().sum().backward()
    gradients = torch.stack([network.trunk.compression.a.grad, network.trunk.compression.b.grad])
    assert torch.isfinite(gradients).all()
    assert (gradients != 0).all()


@compressing
def test_learned_compression_refuses_decibels(architecture):
    with pytest.raises(ValueError, match=r"was given -80; make them by LogMel\(compression=None\)"):
        build(architecture, learn_compression=True)(torch.full((2, 1, 128, 128), -80.0))
