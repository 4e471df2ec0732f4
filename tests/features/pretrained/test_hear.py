"""Tests of modules of the HEAR challenge, which the tests write."""

import pickle
import sys

import numpy as np
import pytest
import torch

from skfewaudio.exceptions import WeightsNotFoundError
from skfewaudio.features import PretrainedEmbed
from skfewaudio.features._pretrained.hear import HearBackend

MODULE = """
import torch

class Model(torch.nn.Module):
    sample_rate, scene_embedding_size, timestamp_embedding_size = 8000, 4, 3

    def __init__(self):
        super().__init__()
        self.weights = torch.nn.Parameter(torch.ones(3))

def load_model(model_file_path=""):
    model = Model()
    if model_file_path:
        model.load_state_dict(torch.load(model_file_path, weights_only=True))
    return model

def get_timestamp_embeddings(audio, model):
    assert not model.training and not torch.is_grad_enabled()
    n_times = max(1, audio.shape[1] // 400)
    parts = torch.tensor_split(audio, n_times, dim=1)
    levels = torch.stack([part.square().mean(dim=1) for part in parts], dim=1)
    times = torch.arange(n_times) * 50.0 + 25.0
    return levels[:, :, None] * model.weights, times.expand(len(audio), -1)

def get_scene_embeddings(audio, model):
    embeddings, _ = get_timestamp_embeddings(audio, model)
    audio.zero_()  # modules may write to their input
    return torch.cat([embeddings.mean(dim=1), embeddings[:, -1, :1]], dim=1)
"""


@pytest.fixture
def write_module(tmp_path, monkeypatch):
    """Return a function that writes a module which can be imported in this test only."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, text=MODULE):
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(text)
        return name

    yield write
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


def noise(n_clips, n_samples):
    return np.random.default_rng(0).normal(scale=0.2, size=(n_clips, n_samples)).astype(np.float32)


def test_scene_embeddings_are_the_default(write_module):
    X = noise(3, 4000)
    embed = PretrainedEmbed(f"hear:{write_module('hear_scenes')}")
    found = embed.fit_transform(X.copy())
    assert found.shape == (3, 4)
    np.testing.assert_allclose(found[:, 0], np.square(X).mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found[:, 3], np.square(X[:, -400:]).mean(axis=1), rtol=1e-5)


def test_the_input_is_not_written_to(write_module):
    X = noise(2, 4000)
    PretrainedEmbed(f"hear:{write_module('hear_input')}").fit_transform(X)
    np.testing.assert_array_equal(X, noise(2, 4000))


def test_timestamp_embeddings_are_the_frames_of_a_clip(write_module):
    X = noise(2, 4000)
    embed = PretrainedEmbed(f"hear:{write_module('hear_times')}", output="timestamp", pooling=None)
    found = embed.fit_transform(X)
    assert found.shape == (2, 3, 10)
    np.testing.assert_allclose(found[:, 1], np.square(X).reshape(2, 10, 400).mean(axis=2), rtol=1e-5)


def test_clips_of_different_lengths_have_the_embeddings_that_they_have_alone(write_module):
    clips = [noise(1, n)[0] for n in (1, 100, 4000, 9000, 4000)]
    embed = PretrainedEmbed(f"hear:{write_module('hear_lengths')}")
    alone = np.concatenate([embed.transform([clip]) for clip in clips])
    np.testing.assert_allclose(embed.fit_transform(clips), alone, rtol=1e-5)


def test_weights_are_passed_to_the_module(write_module, tmp_path):
    name, weights = write_module("hear_weights"), tmp_path / "weights.pt"
    torch.save({"weights": torch.tensor([1.0, 2.0, 3.0])}, weights)
    plain = PretrainedEmbed(f"hear:{name}").fit(noise(1, 800))
    given = PretrainedEmbed(f"hear:{name}?weights={weights}").fit(noise(1, 800))
    ratio = given.transform(noise(2, 800)) / plain.transform(noise(2, 800))
    np.testing.assert_allclose(ratio, [[1, 2, 3, 1]] * 2, rtol=1e-6)
    assert given.checksum_ != plain.checksum_


def test_other_code_of_the_module_is_refused_after_fit(write_module):
    embed = PretrainedEmbed(f"hear:{write_module('hear_changed')}").fit(noise(1, 800))
    write_module("hear_changed", MODULE + "# changed\n")
    with pytest.raises(WeightsNotFoundError, match="hear_changed"):
        embed.transform(noise(1, 800))


def test_a_pickle_has_neither_code_nor_weights(write_module):
    embed = PretrainedEmbed(f"hear:{write_module('hear_pickle')}").fit(noise(1, 800))
    before = embed.transform(noise(2, 800))
    content = pickle.dumps(embed)
    assert len(content) < 2000
    np.testing.assert_array_equal(pickle.loads(content).transform(noise(2, 800)), before)


def test_files_of_a_package_are_its_own_and_those_of_the_weights(write_module, tmp_path):
    package, weights = tmp_path / "hear_package", tmp_path / "weights"
    package.mkdir()
    weights.mkdir()
    files = [package / "__init__.py", package / "other.py", weights / "part-1", weights / "part-2"]
    for file in files:
        file.write_text(MODULE if file.name == "__init__.py" else "")
    assert HearBackend.files(f"hear_package?weights={weights}") == files


@pytest.mark.parametrize("part", ["get_scene_embeddings", "scene_embedding_size", "sample_rate"])
def test_a_missing_part_of_the_interface_is_named(write_module, part):
    name = write_module(f"hear_without_{part}", MODULE.replace(part, f"{part}_of_old"))
    with pytest.raises(ValueError, match=f"has no {part}; expected the interface"):
        HearBackend.open(name)


@pytest.mark.parametrize("output", ["scene", "timestamp"])
def test_embeddings_of_another_size_are_refused(write_module, output):
    wrong = MODULE.replace("8000, 4, 3", "8000, 5, 6")
    backend = HearBackend.open(write_module(f"hear_size_{output}", wrong), output=output)
    with pytest.raises(ValueError, match=rf"shape \(2, .*\) for 2 clips; expected \(2, .*{backend.n_dims}\)"):
        backend.embed(noise(2, 800))


@pytest.mark.parametrize("output", ["last", 0])
def test_an_unknown_output_is_refused(write_module, output):
    with pytest.raises(ValueError, match=rf"output={output!r}; expected 'scene' or 'timestamp'"):
        HearBackend.open(write_module("hear_output"), output=output)


@pytest.mark.parametrize("name", ["no_such_module", "no_such_package.module", "numpy.no_such_module"])
@pytest.mark.parametrize("use", [HearBackend.open, HearBackend.files])
def test_a_missing_module_is_reported(name, use):
    with pytest.raises(ImportError, match=f"there is no module {name} that can be imported"):
        use(name)


def test_a_module_that_lacks_a_library_is_reported(write_module):
    name = write_module("hear_needs", "import no_such_library")
    with pytest.raises(ImportError, match=r"hear_needs .*No module named 'no_such_library'"):
        HearBackend.open(name)


@pytest.mark.parametrize("location", ["module.py", "a/b", "module?file=x", "", "module?"])
def test_other_locations_are_refused(location):
    if location in ("module.py", "module?"):  # valid names of modules, which do not exist
        with pytest.raises(ImportError, match="there is no module"):
            HearBackend.open(location)
    else:
        with pytest.raises(ValueError, match="expected the name of a Python module"):
            HearBackend.open(location)


def test_missing_weights_are_reported(write_module):
    with pytest.raises(WeightsNotFoundError, match=r"missing\.pt does not exist"):
        HearBackend.open(f"{write_module('hear_missing')}?weights=missing.pt")
