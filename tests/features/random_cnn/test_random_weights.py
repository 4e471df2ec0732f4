"""Drawing, reproducibility and lifetime of the random weights."""

import gc
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from skfewaudio import RandomCNNFeatures
from skfewaudio.architectures import SingleLayer
from skfewaudio.features import _random_cnn

SPECTROGRAM, WAVEFORM = "single_layer", "sample_level"
of_either_kind = pytest.mark.parametrize("architecture", [SPECTROGRAM, WAVEFORM])


@of_either_kind
def test_random_state_determines_the_features(architecture, clips, make):
    first = make(architecture, random_state=1).transform(clips)
    np.testing.assert_array_equal(make(architecture, random_state=1).transform(clips), first)
    assert not np.allclose(make(architecture, random_state=2).transform(clips), first)


def test_fit_does_not_change_features_if_random_state_is_an_int(clips, make):
    features = make(random_state=1)
    before = features.transform(clips)
    np.testing.assert_array_equal(features.fit(clips[:1]).transform(clips), before)


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)], ids=["None", "RandomState"])
def test_fit_draws_weights_if_random_state_is_not_an_int(random_state, clips, make):
    features = make(random_state=random_state)
    with pytest.raises(NotFittedError):
        features.transform(clips)
    first = features.fit(clips).transform(clips)
    np.testing.assert_array_equal(features.transform(clips), first)
    assert not np.allclose(features.fit(clips).transform(clips), first)


def test_equal_random_states_draw_the_same_weights(clips, make):
    results = [make(random_state=np.random.RandomState(5)).fit_transform(clips) for _ in range(2)]
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize(
    ("random_state", "requires_fit"),
    [(0, False), (np.int64(3), False), (None, True), (np.random.RandomState(0), True)],
)
def test_requires_fit_tag_is_set_if_fit_draws_weights(random_state, requires_fit, make):
    assert get_tags(make(random_state=random_state)).requires_fit == requires_fit


def test_clone_gives_the_same_features(clips, make):
    features = make(random_state=4).fit(clips)
    np.testing.assert_array_equal(clone(features).transform(clips), features.transform(clips))


@pytest.mark.parametrize("random_state", [0, None])
def test_pickle_contains_no_weights_and_gives_the_same_features(random_state, clips):
    features = RandomCNNFeatures("single_layer", n_filters=200, random_state=random_state).fit(clips)
    expected = features.transform(clips)
    pickled = pickle.dumps(features)
    assert len(pickled) < 2000
    np.testing.assert_array_equal(pickle.loads(pickled).transform(clips), expected)


def test_transform_does_not_change_the_transformer(clips, make):
    features = make().fit(clips)
    before = dict(vars(features))
    features.transform(clips)
    assert vars(features) == before


@pytest.mark.parametrize(
    "change",
    [
        {"random_state": 9},
        {"n_filters": 5},
        {"n_mels": 60},
        {"architecture_params": {"bands": 1.0}},
        {"architecture": "musically_motivated"},
    ],
)
def test_parameters_can_be_changed_after_transform(change, clips, make):
    features = make()
    features.transform(clips)
    expected = RandomCNNFeatures(**{**features.get_params(), **change}).transform(clips)
    np.testing.assert_array_equal(features.set_params(**change).transform(clips), expected)


def test_weights_are_drawn_once(clips, monkeypatch, make):
    n_drawn = []

    def counted(*args, **kwargs):
        network = SingleLayer(*args, **kwargs)
        n_drawn.append(not network.output.weight.is_meta)
        return network

    features = make(counted, n_threads=2)
    features.transform(clips)
    features.transform(clips)
    assert sum(n_drawn) == 1


def test_weights_are_freed_with_the_transformer(clips, make):
    gc.collect()
    before = len(_random_cnn._drawn_networks)
    features = make()
    features.transform(clips)
    assert len(_random_cnn._drawn_networks) == before + 1
    del features
    gc.collect()
    assert len(_random_cnn._drawn_networks) == before


def test_global_random_state_is_unchanged(clips, make):
    torch.manual_seed(123)  # a state different from the seed of the weights
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    for random_state in (0, np.random.RandomState(0)):
        make(random_state=random_state).fit(clips).transform(clips)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_features_do_not_depend_on_global_random_state(clips, make):
    results = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        results.append(make().transform(clips))
    np.testing.assert_array_equal(*results)
