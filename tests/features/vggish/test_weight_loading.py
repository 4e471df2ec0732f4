"""Loading, sharing and lifetime of the weights."""

import gc
import os
import pickle
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skfewaudio import VGGishEmbed
from skfewaudio.exceptions import WeightsNotFoundError
from skfewaudio.features import _vggish

SECOND = 16000


@pytest.fixture
def reads(monkeypatch):
    """Paths of the weight files that are read during a test."""
    paths = []

    def read(path):
        paths.append(os.fspath(path))
        return read_state_dict(path)

    read_state_dict = _vggish.read_state_dict
    monkeypatch.setattr(_vggish, "read_state_dict", read)
    return paths


def test_weights_are_loaded_once_at_the_first_transform(constant, reads, noise):
    embed = VGGishEmbed(constant(1.0), n_threads=2).fit([noise(SECOND)])
    assert reads == []
    embed.transform([noise(SECOND)] * 4)
    embed.transform([noise(SECOND)])
    assert reads == [os.fspath(embed.weights)]


def test_instances_share_weights(constant, reads, noise):
    first = VGGishEmbed(constant(1.0))
    first.transform([noise(SECOND)])
    clone(first).set_params(pooling="max").transform([noise(SECOND)])
    assert len(reads) == 1


@pytest.mark.slow
def test_weights_are_freed_with_the_last_instance(constant, noise):
    gc.collect()
    before = len(_vggish._loaded_networks)
    embed = VGGishEmbed(constant(1.0))
    embed.transform([noise(SECOND)])
    assert len(_vggish._loaded_networks) == before + 1
    del embed
    gc.collect()
    assert len(_vggish._loaded_networks) == before


@pytest.mark.slow
def test_changed_weight_file_is_loaded_again(constant, noise):
    embed = VGGishEmbed(constant(1.0))
    before = embed.transform([noise(SECOND)])
    constant(np.arange(128.0))
    np.testing.assert_array_equal(embed.transform([noise(SECOND)])[0], np.arange(128))
    np.testing.assert_array_equal(before[0], np.ones(128))


def test_weights_can_be_changed_after_transform(constant, noise):
    embed = VGGishEmbed(constant(1.0))
    embed.transform([noise(SECOND)])
    embed.set_params(weights=constant(2.0, name="other.pth"))
    np.testing.assert_array_equal(embed.transform([noise(SECOND)])[0], np.full(128, 2))


def test_transform_does_not_change_the_embedder(weights, noise):
    embed = VGGishEmbed(weights)
    before = dict(vars(embed))
    embed.transform([noise(SECOND)])
    assert vars(embed) == before


def test_pickle_contains_no_weights_and_gives_the_same_embeddings(constant, noise):
    embed = VGGishEmbed(constant(np.arange(128.0)))
    embed.transform([noise(SECOND)])
    pickled = pickle.dumps(embed)
    assert len(pickled) < 2000
    del embed
    gc.collect()
    np.testing.assert_array_equal(pickle.loads(pickled).transform([noise(SECOND)])[0], np.arange(128))


def test_global_random_state_is_unchanged(constant, noise):
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    VGGishEmbed(constant(1.0)).fit_transform([noise(SECOND)])
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_no_network_request_before_the_weights_are_needed(tmp_path, monkeypatch):
    requests = []

    def refuse(*args):
        requests.append(args)
        raise OSError("no network")

    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path))
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    embed = VGGishEmbed(output="pca").fit(np.zeros((1, SECOND)))
    assert requests == []
    with pytest.raises(WeightsNotFoundError) as caught:
        embed.transform(np.zeros((1, SECOND)))
    assert requests
    assert "could not download https://" in str(caught.value)
    assert f"put the file into {tmp_path / 'weights'}" in str(caught.value)


@pytest.mark.slow
def test_no_network_request_on_import(tmp_path):
    code = """
import socket
def refuse(*args): print("requested", args)
socket.socket.connect = socket.getaddrinfo = refuse
import skfewaudio
for name in skfewaudio.__all__: getattr(skfewaudio, name)
print("imported")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "imported\n"
