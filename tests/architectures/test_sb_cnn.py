import torch
from torch import nn
from torch.nn.functional import max_pool2d, relu

from skfewaudio.architectures import SBCNN


def test_embedding_equals_the_published_order_of_layers():
    torch.manual_seed(0)
    network = SBCNN(10, n_mels=64, n_frames=128).eval()
    x = torch.randn(3, 1, 64, 128)
    trunk = network.trunk
    h = max_pool2d(relu(trunk.conv1(trunk.input_norm(x))), (2, 4))
    h = max_pool2d(relu(trunk.conv2(h)), (2, 4))
    h = relu(trunk.conv3(h)).flatten(1)
    torch.testing.assert_close(network.embed(x), relu(trunk.dense4(h)))


def test_dense_layer_has_2400_inputs_for_the_papers_patch():
    assert SBCNN(10, n_mels=128, n_frames=128).trunk.dense4.in_features == 2400


def test_dropout_comes_before_each_dense_layer():
    torch.manual_seed(0)
    network = SBCNN(10, n_mels=32, n_frames=100, dropout=1.0).train()
    nn.init.ones_(network.trunk.dense4.bias)
    x = torch.randn(4, 1, 32, 100)
    assert (network.embed(x) == 0).all()
    network.trunk.dropout5.eval()
    assert (network.embed(x) == 1).all()


def test_normalised_input_requires_no_gradient():
    network = SBCNN(10, n_mels=32, n_frames=100).train()
    assert not network.trunk.input_norm(torch.randn(2, 1, 32, 100)).requires_grad
