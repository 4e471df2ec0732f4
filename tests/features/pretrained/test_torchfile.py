"""Networks in files of torch."""

import os
import pickle

import numpy as np
import pytest
import torch

from skfewaudio.exceptions import WeightsNotFoundError
from skfewaudio.features import PretrainedEmbed

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")


class Layer(torch.nn.Module):
    """Product with a matrix, and its positive part."""

    def __init__(self, matrix):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.from_numpy(matrix))

    def forward(self, x):
        linear = x @ self.weight
        return linear, linear.relu()


class Recurrent(torch.nn.Module):
    """Network that remembers earlier calls until it is reset."""

    def __init__(self):
        super().__init__()
        self.total = torch.zeros(1)

    @torch.jit.export
    def reset_states(self):
        self.total = torch.zeros(1)

    def forward(self, x, scale: int = 1):
        self.total = self.total + x.abs().mean()
        return x[:, :2] * scale + self.total


def embed(path, X, **options):
    return PretrainedEmbed(f"{path}?sample_rate=8000", window=0.1, n_threads=1, **options).fit_transform(X)


@pytest.fixture
def script(matrix, tmp_path):
    path = tmp_path / "layer.pt"
    torch.jit.script(Layer(matrix)).save(path)
    return path


@pytest.mark.parametrize(("output", "kind"), [(None, "linear"), (0, "linear"), (1, "relu")])
def test_embedding_is_the_chosen_output_of_a_script(script, matrix, sounds, output, kind):
    linear = sounds[0] @ matrix
    expected = linear if kind == "linear" else np.maximum(linear, 0)
    np.testing.assert_allclose(embed(script, sounds[:1], output=output)[0], expected, atol=1e-5)


@pytest.mark.parametrize("output", ["embedding", 2])
def test_unknown_output_is_refused(script, sounds, output):
    with pytest.raises(ValueError, match=f"output={output!r}: .*layer.pt returned"):
        embed(script, sounds, output=output)


def test_waveforms_that_do_not_fit_are_named(script, sounds):
    with pytest.raises(ValueError, match=r"layer.pt cannot be run on waveforms of shape \(2, 400\)"):
        PretrainedEmbed(f"{script}?sample_rate=8000&window=0.05").fit_transform(sounds[:1])


def test_recurrent_network_is_reset_and_receives_further_arguments(tmp_path, sounds):
    path = tmp_path / "recurrent.pt"
    torch.jit.script(Recurrent()).save(path)
    embedder = PretrainedEmbed(f"{path}?sample_rate=8000&window=0.1&scale=3", batch_size=1)
    first = embedder.fit_transform(sounds[:1])
    np.testing.assert_array_equal(embedder.transform(sounds[:1]), first)
    expected = sounds[0][:2] * 3 + np.abs(sounds[0]).mean()
    np.testing.assert_allclose(first[0], expected, atol=1e-6)


@pytest.mark.slow
def test_embedding_is_the_output_of_an_exported_program(matrix, tmp_path, sounds):
    path = tmp_path / "layer.pt2"
    batch = torch.export.Dim("batch")
    program = torch.export.export(Layer(matrix), (torch.zeros(2, 800),), dynamic_shapes=({0: batch},))
    torch.export.save(program, path)
    found = PretrainedEmbed(f"{path}?sample_rate=8000", n_threads=1).fit_transform(sounds[:2])
    np.testing.assert_allclose(found[0], sounds[0] @ matrix, atol=1e-5)
    expected = (sounds[1].reshape(2, 800) @ matrix).mean(axis=0)
    np.testing.assert_allclose(found[1], expected, atol=1e-5)


class Harmful:
    """Object whose pickle creates a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["evil.pt", pytest.param("evil.pt2", marks=pytest.mark.slow)])
def test_no_pickle_is_run(tmp_path, sounds, name):
    path, made = tmp_path / name, tmp_path / "made"
    for write in (torch.save, lambda item, file: file.write_bytes(pickle.dumps(item))):
        write(Harmful(made), path)
        with pytest.raises(WeightsNotFoundError, match=name):
            embed(path, sounds)
    assert not made.exists()


def test_tensors_are_no_network(matrix, tmp_path, sounds):
    path = tmp_path / "tensors.pt"
    torch.save(Layer(matrix).state_dict(), path)
    with pytest.raises(WeightsNotFoundError, match=r"tensors.pt is not TorchScript.*torch.jit.save"):
        embed(path, sounds)


def test_damaged_script_is_named(script, damage, sounds):
    with pytest.raises(WeightsNotFoundError, match=r"layer.pt"):
        embed(damage(script), sounds)
