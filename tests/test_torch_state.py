"""Random numbers and defaults of torch: fits neither use nor change those of the process."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from torch import nn
from torch.nn import functional

from skfewaudio import (
    MFCC,
    AugmentedClassifier,
    CalibratedRidgeClassifier,
    ELMClassifier,
    LogMel,
    PatchClassifier,
    PrototypicalClassifier,
    RandomCNNFeatures,
    SkorchCNN,
    SpectrogramStatistics,
    load_model,
    make_few_shot_classifier,
    save_model,
)
from skfewaudio._torch import torch_threads
from skfewaudio._torch_state import own_state
from skfewaudio.augmentation import BackgroundNoise, MixUp, RandomEqualizer, SpecAugment, TimeStretch
from skfewaudio.classifiers import ELMRegressor
from skfewaudio.features import _pooling

RATE = 8000
CPU = torch.device("cpu")
RNG = np.random.default_rng(0)
Y = np.repeat(["low", "high"], 4)
SOUNDS = RNG.normal(0, 0.1, (8, 4000)).astype(np.float32)
SOUNDS[4:] = np.diff(SOUNDS[4:], prepend=0)
SPECTROGRAMS = (-40 + 10 * RNG.standard_normal((8, 32, 40))).astype(np.float32)
SPECTROGRAMS[4:, :8] += 20
VECTORS = SPECTROGRAMS.mean(axis=2)
CHANGES = [TimeStretch(), SpecAugment(), BackgroundNoise(), RandomEqualizer()]

CLASSIFIERS = {
    "cnn": (
        SkorchCNN(architecture_params={"n_filters": 4}, patch_frames=32, max_epochs=2, random_state=0),
        SPECTROGRAMS,
    ),
    "tuned cnn": (
        SkorchCNN(
            "timbre",
            optimizer=torch.optim.Adam,
            learning_rate=0.01,
            class_weight={"low": 2.0},
            augmentation=[*CHANGES, MixUp()],
            validation_split=0.5,
            patience=1,
            patch_frames=32,
            max_epochs=2,
            random_state=0,
        ),
        SPECTROGRAMS,
    ),
    "probe": (SkorchCNN(max_epochs=2, random_state=0), VECTORS),
    "mixed precision cnn": (
        SkorchCNN("timbre", patch_frames=32, max_epochs=3, mixed_precision=True, random_state=0),
        SPECTROGRAMS,
    ),
    "prototypes": (PrototypicalClassifier(max_epochs=2, random_state=0), SPECTROGRAMS),
    "prototypes of vectors": (PrototypicalClassifier(), VECTORS),
    "elm": (ELMClassifier(20, random_state=0), VECTORS),
    "ridge": (CalibratedRidgeClassifier(), VECTORS),
    "patches": (PatchClassifier(patch_frames=8), SPECTROGRAMS),
    "augmented": (
        AugmentedClassifier(
            make_pipeline(SpectrogramStatistics(), CalibratedRidgeClassifier()),
            augmentation=CHANGES,
            random_state=0,
        ),
        SPECTROGRAMS,
    ),
    "few-shot": (make_few_shot_classifier(sample_rate=RATE), SOUNDS),
    "random cnn": (
        make_pipeline(
            RandomCNNFeatures("single_layer", n_filters=20, pooling=["mean", "positive"]),
            CalibratedRidgeClassifier(),
        ),
        SOUNDS,
    ),
}
every_classifier = pytest.mark.parametrize("name", CLASSIFIERS)
every_network = pytest.mark.parametrize("name", ["cnn", "tuned cnn", "prototypes", "random cnn"])


def fit_and_score(name):
    """Fit an estimator that has drawn nothing before, and return its scores for the training clips."""
    estimator, X = CLASSIFIERS[name]
    _pooling.draw_filters.cache_clear()
    fitted = clone(estimator).fit(X, Y)
    return fitted.predict_proba(X) if hasattr(fitted, "predict_proba") else fitted.decision_function(X)


def process_state():
    """Return everything that a call must leave as it was, in this thread and for new threads."""
    with ThreadPoolExecutor(1) as pool:
        of_new_threads = pool.submit(torch.get_num_threads).result()
    return [
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
        (torch.get_num_threads(), of_new_threads),
        torch.get_default_dtype(),
        torch.empty(0).device,
        (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")),
        torch.is_autocast_cache_enabled(),
    ]


@contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device(device):
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


SETTINGS = {
    "double precision": lambda: default_dtype(torch.float64),
    "half precision": lambda: default_dtype(torch.bfloat16),
    "another device": lambda: default_device("meta"),
    "another device in a block": lambda: torch.device("meta"),
    "no gradients": torch.no_grad,
    "inference mode": torch.inference_mode,
    "mixed precision": lambda: torch.autocast("cpu", torch.bfloat16),
    "two threads": lambda: torch_threads(2),
}
SLOW_SETTINGS = ["half precision", "another device in a block", "inference mode", "mixed precision"]
every_setting = pytest.mark.parametrize(
    "setting",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW_SETTINGS)) for name in SETTINGS],
)


@every_network
def test_fits_in_threads_equal_a_fit_alone(name):
    expected = fit_and_score(name)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(fit_and_score, [name] * 4):
            np.testing.assert_array_equal(found, expected)


@every_network
def test_other_threads_that_draw_from_torch_neither_change_a_fit_nor_are_changed(name):
    expected = fit_and_score(name)
    is_done, drawn = threading.Event(), []

    def draw():
        while not is_done.wait(1e-4):
            drawn.append(torch.rand(1))

    torch.manual_seed(5)
    other = threading.Thread(target=draw)
    other.start()
    try:
        np.testing.assert_array_equal(fit_and_score(name), expected)
    finally:
        is_done.set()
        other.join()
    torch.manual_seed(5)
    assert torch.equal(torch.cat(drawn), torch.cat([torch.rand(1) for _ in drawn]))


@every_setting
@every_classifier
def test_defaults_of_the_user_neither_change_a_result_nor_are_changed(name, setting):
    expected = fit_and_score(name)
    with SETTINGS[setting]():
        before = process_state()
        found = fit_and_score(name)
        assert process_state() == before
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 if setting == "two threads" else 0)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("setting", ["double precision", "another device"])
@pytest.mark.parametrize("name", ["cnn", "prototypes", "few-shot", "random cnn"])
def test_defaults_of_the_user_do_not_change_a_saved_model(name, setting, tmp_path):
    estimator, X = CLASSIFIERS[name]
    fitted = clone(estimator).fit(X, Y)
    with SETTINGS[setting]():
        save_model(fitted, tmp_path / "model")
        before = process_state()
        loaded = load_model(tmp_path / "model")
        assert process_state() == before
        np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("setting", ["double precision", "another device"])
@pytest.mark.parametrize(
    "transformer",
    [LogMel(sample_rate=RATE), LogMel(sample_rate=RATE, pad_mode="reflect"), MFCC(sample_rate=RATE)],
    ids=["logmel", "reflected logmel", "mfcc"],
)
def test_defaults_of_the_user_do_not_change_spectrograms(transformer, setting):
    expected = transformer.fit_transform(SOUNDS)
    with SETTINGS[setting]():
        np.testing.assert_array_equal(transformer.fit_transform(SOUNDS), expected)


@pytest.mark.parametrize("augmentation", [*CHANGES, MixUp(), MixUp(0.5)], ids=repr)
def test_default_precision_does_not_change_an_augmentation(augmentation):
    batch = torch.from_numpy(SPECTROGRAMS), torch.eye(8, dtype=torch.float32)
    expected = augmentation(*batch, torch.Generator().manual_seed(0))
    with default_dtype(torch.float64):
        found = augmentation(*batch, torch.Generator().manual_seed(0))
    assert all(map(torch.equal, found, expected))


class Failing(nn.Module):
    """Network that draws, and then fails in the first training step."""

    def __init__(self, n_outputs, n_mels, n_frames):
        super().__init__()
        self.layer = nn.Linear(n_mels * n_frames, n_outputs)

    def forward(self, x):
        raise ArithmeticError


@pytest.mark.parametrize("setting", ["double precision", "another device", "no gradients", "two threads"])
@pytest.mark.parametrize("classifier", [SkorchCNN, PrototypicalClassifier])
def test_state_of_the_process_is_restored_after_an_error(classifier, setting):
    with SETTINGS[setting]():
        before = process_state()
        with pytest.raises(ArithmeticError):
            classifier(Failing, random_state=0).fit(SPECTROGRAMS, Y)
        assert process_state() == before


@pytest.mark.parametrize("estimator", [ELMClassifier(20, random_state=0), ELMRegressor(20, random_state=0)])
def test_random_state_of_numpy_is_not_used_by_extreme_learning_machines(estimator):
    before = process_state()
    estimator.fit(VECTORS, np.arange(8) % 2)
    assert process_state() == before


class EveryDraw(nn.Module):
    """Network that draws in all ways that torch offers to networks."""

    def __init__(self):
        super().__init__()
        self.linear, self.conv, self.embedding = nn.Linear(8, 8), nn.Conv2d(1, 2, 3), nn.Embedding(4, 8)
        self.lstm = nn.LSTM(8, 8, 2, dropout=0.5)
        self.attention = nn.MultiheadAttention(8, 2, dropout=0.3)
        self.drawn = [
            nn.init.trunc_normal_(torch.empty(3, 3)),
            nn.init.orthogonal_(torch.empty(3, 3)),
            nn.init.kaiming_normal_(torch.empty(3, 3)),
            torch.randn(3),
            torch.randperm(9),
            torch.randint(9, (3,)),
            torch.normal(0.0, 1.0, size=(3,)),
        ]

    def forward(self, x):
        rows = x[:, None]
        return [
            functional.dropout(x),
            functional.dropout(x.clone(), 0.3, True, True),
            functional.dropout2d(x[None, None]),
            functional.alpha_dropout(x, training=True),
            functional.feature_alpha_dropout(x, training=True),
            functional.rrelu(x, training=True),
            functional.gumbel_softmax(x),
            functional.fractional_max_pool2d(x[None, None], 2, output_size=2),
            functional.scaled_dot_product_attention(rows, rows, rows, dropout_p=0.5),
            torch.rand_like(x),
            torch.bernoulli(torch.full_like(x, 0.5)),
            torch.multinomial(torch.ones(8), 3),
            x.clone().exponential_(),
            self.lstm(rows)[0],
            self.attention(rows, rows, rows)[0],
            self.linear(x),
        ]


def draw_everything():
    network = EveryDraw()
    outputs = network(torch.arange(64.0, dtype=torch.float32, device="cpu").view(8, 8))
    return [*network.state_dict().values(), *network.drawn, *outputs]


@pytest.mark.parametrize("setting", ["", "double precision", "another device"])
def test_networks_draw_what_torch_draws_from_its_own_generator_with_the_same_seed(setting):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        expected = draw_everything()
    before = torch.get_rng_state()
    with SETTINGS.get(setting, nullcontext)(), own_state(3, CPU):
        found = draw_everything()
    assert torch.equal(torch.get_rng_state(), before)
    assert [tensor.dtype for tensor in found] == [tensor.dtype for tensor in expected]
    assert all(map(torch.equal, found, expected))


def draw_in_both_ways():
    return torch.cat([torch.rand(5), functional.dropout2d(torch.ones(1, 5, 1, 1)).flatten()])


def test_block_within_a_block_has_draws_of_its_own():
    with own_state(3, CPU):
        outer = [draw_in_both_ways(), draw_in_both_ways()]
    with own_state(4, CPU):
        inner = [draw_in_both_ways(), draw_in_both_ways()]
    with own_state(3, CPU):
        found = [draw_in_both_ways()]
        with own_state(4, CPU):
            found += [draw_in_both_ways(), draw_in_both_ways()]
        found.append(draw_in_both_ways())
    assert all(map(torch.equal, found, [outer[0], *inner, outer[1]]))
