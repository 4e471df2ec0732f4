import pytest
import torch

from skfewaudio.architectures import VGG, PooledFilters, load_backbone


def small_vgg(seed, n_outputs=3, **params):
    """Build a network with random weights and batch-norm statistics."""
    torch.manual_seed(seed)
    network = VGG(n_outputs, n_mels=32, n_frames=32, **({"n_filters": 2} | params))
    for buffer in network.buffers():
        if buffer.is_floating_point():
            torch.nn.init.uniform_(buffer)
    return network.eval()


def snapshot(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def without_trunk(state):
    return {name.removeprefix("trunk."): tensor for name, tensor in state.items()}


@pytest.mark.parametrize("rename", [dict, without_trunk], ids=["own names", "without trunk"])
def test_all_layers_except_the_output_layer_are_loaded(rename):
    network, other = small_vgg(0), small_vgg(1)
    output = snapshot(network.output)
    load_backbone(network, rename(other.state_dict()), source="x")
    x = torch.randn(2, 1, 32, 32)
    assert torch.equal(network.embed(x), other.embed(x))
    assert all(torch.equal(tensor, output[name]) for name, tensor in network.output.state_dict().items())


def test_output_layer_of_another_size_is_ignored():
    network, other = small_vgg(0, n_outputs=3), small_vgg(1, n_outputs=7)
    load_backbone(network, other.state_dict(), source="x")
    assert torch.equal(network.trunk.conv5.weight, other.trunk.conv5.weight)


def test_weights_are_not_shared():
    network, other = small_vgg(0), small_vgg(1)
    load_backbone(network, other.state_dict(), source="x")
    torch.nn.init.zeros_(other.trunk.conv1.weight)
    assert network.trunk.conv1.weight.abs().sum() > 0


def test_fixed_front_end_is_loaded_too():
    torch.manual_seed(0)
    network, other = (PooledFilters(3, n_mels=32, n_frames=32, n_filters=2).eval() for _ in range(2))
    load_backbone(network, other.state_dict(), source="x")
    x = torch.randn(2, 1, 32, 32)
    assert torch.equal(network.embed(x), other.embed(x))


def test_half_precision_is_converted_to_the_networks_type():
    network, other = small_vgg(0), small_vgg(1).half()
    load_backbone(network, other.state_dict(), source="x")
    assert network.trunk.conv1.weight.dtype == torch.float32
    assert torch.equal(network.trunk.conv1.weight, other.trunk.conv1.weight.float())


def test_num_batches_tracked_may_be_missing():
    network, other = small_vgg(0), small_vgg(1)
    state = {name: t for name, t in other.state_dict().items() if not name.endswith("num_batches_tracked")}
    load_backbone(network, state, source="x")
    assert torch.equal(network.trunk.norm5.running_mean, other.trunk.norm5.running_mean)


def change(**tensors):
    """Return a function that replaces entries of a state dict, named with __ instead of a dot."""
    return lambda state: state | {name.replace("__", "."): tensor for name, tensor in tensors.items()}


def leave_out(part):
    return lambda state: {name: tensor for name, tensor in state.items() if part not in name}


MISMATCHES = {
    "shape": (
        change(trunk__conv1__weight=torch.zeros(2, 1, 5, 5)),
        r"trunk\.conv1\.weight has shape \(2, 1, 5, 5\), expected \(2, 1, 3, 3\)",
    ),
    "missing": (leave_out("conv2"), r"missing: trunk\.conv2\.weight, trunk\.conv2\.bias"),
    "missing statistics": (leave_out("running_var"), r"missing: trunk\.input_norm\.norm\.running_var"),
    "unexpected": (change(conv6__bias=torch.zeros(2)), r"unexpected: conv6\.bias"),
    "many": (leave_out("trunk"), r"missing: (trunk[.\w]+, ){2}trunk[.\w]+ and 29 more"),
    "given twice": (change(conv1__bias=torch.zeros(2)), r"given twice: conv1\.bias"),
    "whole numbers": (
        change(trunk__conv1__bias=torch.zeros(2, dtype=torch.int8)),
        r"trunk\.conv1\.bias is of torch\.int8, expected torch\.float32",
    ),
    "not a tensor": (change(trunk__conv1__bias=[0, 0]), r"trunk\.conv1\.bias is a list, expected a tensor"),
    "nested": (lambda state: {"state_dict": state}, "unexpected: state_dict"),
}
mismatches = pytest.mark.parametrize(("mismatch", "message"), MISMATCHES.values(), ids=MISMATCHES.keys())


@mismatches
def test_mismatch_is_reported_with_the_source(mismatch, message):
    state = mismatch(small_vgg(1).state_dict())
    with pytest.raises(ValueError, match=rf"^bark\.pt does not hold the weights of this VGG; .*{message}"):
        load_backbone(small_vgg(0), state, source="bark.pt")


@mismatches
def test_mismatch_leaves_the_network_unchanged(mismatch, message):
    network = small_vgg(0)
    before = snapshot(network)
    with pytest.raises(ValueError, match=message):
        load_backbone(network, mismatch(small_vgg(1).state_dict()), source="x")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_several_mismatches_are_reported_at_once():
    with pytest.raises(ValueError, match=r"trunk\.conv1\.weight has shape .* and \d+ more$"):
        load_backbone(small_vgg(0), small_vgg(1, n_filters=4).state_dict(), source="x")
