"""Tests of the training of SoundEmbed's network and of the directions of noise, on few synthetic sounds."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from skfewaudio.features._noise_compensation import NoiseDirections, load_directions

FOLDER = Path(__file__).parents[2] / "benchmarks" / "synthetic_embedding"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def modules():
    sys.path.insert(0, str(FOLDER))
    import pool
    import train

    yield train, pool
    sys.path.remove(str(FOLDER))
    for name in ("train", "noise_directions", "pool", "synthesiser"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def rendered(modules, tmp_path_factory):
    """Return a folder with the renderings of one file."""
    _, pool = modules
    folder = tmp_path_factory.mktemp("embedding") / "pool"
    pool.render_pool(folder, 1, seed=3, n_processes=1)
    return folder


def run(train, monkeypatch, rendered, output, *, steps=3, seed=3, more=()):
    output.mkdir(exist_ok=True)
    if not (output / "pool").exists():
        (output / "pool").symlink_to(rendered)
    options = f"--files 1 --steps {steps} --batch 8 --seed {seed} --checkpoint-every 1 --device cpu"
    monkeypatch.setattr(sys, "argv", ["train.py", "--output", str(output), *options.split(), *more])
    train.main()


def test_interrupted_training_gives_the_same_weights(modules, rendered, monkeypatch, tmp_path):
    train, _ = modules
    run(train, monkeypatch, rendered, tmp_path / "whole")
    calls, contrast = [], train.contrast

    def fail_in_second_step(z):
        calls.append(z)
        if len(calls) > 3:  # three layers in each step
            raise KeyboardInterrupt
        return contrast(z)

    with monkeypatch.context() as patched:
        patched.setattr(train, "contrast", fail_in_second_step)
        with pytest.raises(KeyboardInterrupt):
            run(train, monkeypatch, rendered, tmp_path / "resumed")
    run(train, monkeypatch, rendered, tmp_path / "resumed")
    whole, resumed = (load_file(tmp_path / name / "weights-3.safetensors") for name in ("whole", "resumed"))
    assert whole.keys() == resumed.keys()
    for name, values in whole.items():
        torch.testing.assert_close(resumed[name], values, rtol=0, atol=0)


def test_a_folder_with_a_training_of_another_seed_is_refused(
    modules, rendered, monkeypatch, tmp_path, capsys
):
    train, _ = modules
    run(train, monkeypatch, rendered, tmp_path, steps=1)
    with pytest.raises(SystemExit):
        run(train, monkeypatch, rendered, tmp_path, steps=1, seed=4)
    assert "holds a training with" in capsys.readouterr().err


def test_training_starts_from_given_weights(modules, rendered, monkeypatch, tmp_path):
    train, _ = modules
    turns = ["--strengths", "1", "0.25"]
    run(train, monkeypatch, rendered, tmp_path / "first", more=turns)
    start = tmp_path / "first" / "weights-3.safetensors"
    more = ["--start", str(start), "--rate", "1e-9", "--precision", "single"]
    run(train, monkeypatch, rendered, tmp_path / "second", more=[*turns, *more])
    before, after = load_file(start), load_file(tmp_path / "second" / "weights-3.safetensors")
    learned = [name for name in before if name.endswith(("weight", "bias"))]
    assert len(learned) == 15  # a convolution and the two factors of its normalisation in each of 5 layers
    for name in learned:
        torch.testing.assert_close(after[name], before[name], rtol=0, atol=1e-4)


def test_variations_grow_with_their_strength(modules, rendered):
    _, pool = modules
    views = pool.load_pool(rendered, 1)
    none, weak, strong = (pool.draw_views(views, 40, [3, 0], strength) for strength in (0.0, 0.25, 1.0))
    assert 0 < float((weak - none).abs().mean()) < 0.6 * float((strong - none).abs().mean())


def test_views_are_new_in_each_step_and_the_same_in_each_run(modules, rendered):
    _, pool = modules
    views = pool.load_pool(rendered, 1)
    first = pool.draw_views(views, 8, [3, 0])
    assert first.shape[:2] == (16, 64)
    assert float(first.max()) == 0
    assert float(first.min()) >= -80
    torch.testing.assert_close(pool.draw_views(views, 8, [3, 0]), first, rtol=0, atol=0)
    assert not torch.equal(pool.draw_views(views, 8, [3, 1]), first)


def test_two_views_of_a_setting_are_more_alike_than_views_of_others(modules, rendered):
    _, pool = modules
    views = pool.load_pool(rendered, 1)[0][::4].astype(np.float32).mean(axis=3)  # one of each family
    views -= views.mean(axis=2, keepdims=True)
    views /= np.linalg.norm(views, axis=2, keepdims=True)
    similarity = views[:, 0] @ views[:, 1].T
    assert np.diagonal(similarity).mean() > similarity.mean() + 0.2


def test_measured_directions_of_noise_are_the_ones_that_are_attenuated(
    modules, rendered, monkeypatch, tmp_path
):
    import noise_directions

    (tmp_path / "pool").symlink_to(rendered)
    options = ["--output", str(tmp_path), "--files", "1", "--directions", "3", "--seed", "3"]
    monkeypatch.setattr(sys, "argv", ["noise_directions.py", *options])
    noise_directions.main()
    found = load_file(tmp_path / "directions.safetensors")
    assert {name.rpartition(".")[0] for name in found} == load_directions().keys()
    views = noise_directions.compute_views(modules[1].load_pool(rendered, 1), seed=3)["order.level"]
    block = NoiseDirections(
        *(found[f"order.level.{part}"].float().numpy() for part in NoiseDirections._fields)
    )
    before, after = (
        np.linalg.svd((part[:, 0] - part[:, 1]) / block.scale, compute_uv=False) ** 2
        for part in (views, np.stack([block.attenuate(views[:, i]) for i in range(2)], axis=1))
    )
    # The three largest variances fall to about the mean of the others, which stay.
    np.testing.assert_allclose(after[:6], before[3:9], rtol=0.01)
