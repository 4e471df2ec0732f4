"""VGGish against reference values of the published PyTorch port, with random weights."""

import numpy as np
import pytest
import torch

from skfewaudio.architectures import VGGish, load_backbone


@pytest.fixture(scope="module")
def reference(shared_data):
    with np.load(shared_data / "golden" / "vggish_reference.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in ("examples", "embeddings")}


@pytest.fixture(scope="module")
def network(reference):
    """Network with the weights of the reference, loaded under their published names."""
    with torch.device("meta"):  # initial weights would be replaced
        vggish = VGGish(5)
    vggish = vggish.to_empty(device="cpu").eval()
    rng = np.random.default_rng(0)
    state = {}
    for name, tensor in vggish.trunk.state_dict().items():
        x = rng.standard_normal(tensor.shape, dtype=np.float32)
        x *= np.sqrt(2 / np.prod(tensor.shape[1:])) if tensor.ndim > 1 else 0.01
        state[name] = torch.from_numpy(x)
    load_backbone(vggish, state, source="random weights")
    return vggish


@pytest.fixture
def patches(reference):
    return reference["examples"].transpose(1, 2).unsqueeze(1)


def test_state_dict_has_the_published_names_and_shapes():
    with torch.device("meta"):
        state = VGGish(5).trunk.state_dict()
    convolutions = {0: (64, 1), 3: (128, 64), 6: (256, 128), 8: (256, 256), 11: (512, 256), 13: (512, 512)}
    dense = {0: (4096, 12288), 2: (4096, 4096), 4: (128, 4096)}
    expected = {f"features.{i}.weight": (*shape, 3, 3) for i, shape in convolutions.items()}
    expected |= {f"embeddings.{i}.weight": shape for i, shape in dense.items()}
    expected |= {name.replace("weight", "bias"): shape[:1] for name, shape in expected.items()}
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == expected


def test_embeddings_equal_the_reference(network, patches, reference):
    with torch.inference_mode():
        torch.testing.assert_close(network.embed(patches), reference["embeddings"], rtol=1e-4, atol=1e-6)


def test_embed_linear_returns_the_embedding_before_its_relu(network, patches):
    with torch.inference_mode():
        linear, embedding = network.embed_linear(patches[:1]), network.embed(patches[:1])
    assert (linear < 0).any()
    torch.testing.assert_close(linear.relu(), embedding)


def test_untrained_activations_keep_their_scale():
    torch.manual_seed(0)
    network = VGGish(5).eval()
    with torch.inference_mode():
        embeddings = network.embed(torch.randn(2, 1, 64, 96))
    assert 0.1 < embeddings.square().mean().sqrt() < 10


@pytest.mark.parametrize("shape", [(128, 96), (64, 128)])
def test_other_patch_shapes_are_refused_with_the_remedy(shape):
    found = rf"not of {shape[0]} x {shape[1]}; .* LogMel.from_preset\(\"vggish\"\) and patch_frames=96"
    with pytest.raises(ValueError, match=found):
        VGGish(10, *shape)
