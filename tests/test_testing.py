"""The checks for plugin authors accept the built-ins and name each broken rule."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from torch import nn

from skfewaudio import MFCC, RandomCNNFeatures
from skfewaudio.architectures import Architecture
from skfewaudio.datasets import AudioDataset, load_folder, load_synthetic
from skfewaudio.testing import check_architecture, check_dataset, check_embedding


class BandMeans(Architecture):
    """A correct architecture."""

    def __init__(self, n_outputs, n_mels, n_frames):
        super().__init__(n_outputs, n_mels, n_frames)
        self.trunk = nn.Sequential(nn.AdaptiveAvgPool2d((n_mels, 1)), nn.Flatten())
        self.output = nn.Linear(n_mels, n_outputs)


class OneOutput(BandMeans):
    def forward(self, x):
        return super().forward(x).mean(dim=0, keepdim=True)


class Bypass(BandMeans):
    def forward(self, x):
        return 2 * super().forward(x)


class Unused(BandMeans):
    def __init__(self, n_outputs, n_mels, n_frames):
        super().__init__(n_outputs, n_mels, n_frames)
        self.spare = nn.Linear(2, 2)


class Centred(BandMeans):
    def embed(self, x):
        return super().embed(x - x.mean(dim=0, keepdim=True))


class Logarithm(BandMeans):
    def embed(self, x):
        return super().embed(x.square()).log()


class Unseeded(BandMeans):
    def __init__(self, n_outputs, n_mels, n_frames):
        super().__init__(n_outputs, n_mels, n_frames)
        self.register_buffer("noise", torch.from_numpy(np.random.default_rng().normal(size=3)))


class Unsaved(BandMeans):
    def __init__(self, n_outputs, n_mels, n_frames):
        super().__init__(n_outputs, n_mels, n_frames)
        self.calls = 0

    def embed(self, x):
        self.calls += 1
        return super().embed(x) + id(self) % 1009


def test_a_correct_architecture_passes():
    check_architecture(BandMeans)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        (OneOutput, r"outputs have shape \(1, 3\)"),
        (Bypass, r"forward\(x\) is not output\(embed\(x\)\)"),
        (Unused, r"no gradient reaches the parameter spare\.weight"),
        (Centred, "depend on the rest of its batch"),
        (Logarithm, "silence"),
        (Unseeded, "initial weights differ: noise"),
        (Unsaved, "does not restore the network"),
        (lambda n_outputs, n_mels, n_frames: "network", "returned a str"),
    ],
)
def test_the_broken_rule_of_an_architecture_is_named(architecture, message):
    with pytest.raises(AssertionError, match=message):
        check_architecture(architecture)


def test_the_random_state_of_torch_is_left_alone():
    before = torch.random.get_rng_state()
    check_architecture(BandMeans)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    "embedding", [MFCC(sample_rate=16000), RandomCNNFeatures("single_layer", n_filters=4)]
)
def test_the_built_in_features_are_embeddings(embedding):
    check_embedding(embedding, sample_rate=embedding.sample_rate)


class Loudness(TransformerMixin, BaseEstimator):
    """An embedding that reads arrays and files, with faults to choose from."""

    def __init__(self, fault=None):
        self.fault = fault

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        from skfewaudio.audio import load_audio

        clips = [load_audio(x, sample_rate=None) if isinstance(x, str) else x for x in X]
        rows = np.array([[np.sqrt(np.square(clip).mean()), np.abs(clip).max()] for clip in clips])
        if self.fault == "batch":
            rows -= rows.mean(axis=0)
        if self.fault == "silence":
            with np.errstate(divide="ignore"):
                rows = np.log(rows)
        if self.fault == "files" and isinstance(X[0], str):
            rows *= 2
        if self.fault == "integers":
            rows = (1000 * rows).astype(int)
        return rows[0] if self.fault == "shape" else rows


def test_a_correct_embedding_passes():
    check_embedding(Loudness())


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("batch", "depends on the rest of its batch"),
        ("silence", "silence and of short clips"),
        ("files", "a list of paths differ"),
        ("integers", "dtype int64"),
        ("shape", r"shape \(2,\); expected an array"),
    ],
)
def test_the_broken_rule_of_an_embedding_is_named(fault, message):
    with pytest.raises(AssertionError, match=message):
        check_embedding(Loudness(fault))


def test_an_embedded_dataset_passes():
    check_dataset(load_synthetic, n_clips_per_class=4, n_folds=2, sample_rate=8000)


def load_toy(fault):
    dataset = AudioDataset(
        list(0.1 * np.random.default_rng(0).standard_normal((6, 100))),
        ["bark", "horn"] * 3,
        name="toy",
        folds=[1, 1, 2, 2, 3, 3],
        sample_rate=8000,
        licence="CC0",
        citation="Nobody, 2020",
    )
    faults = {
        "folds": {"folds": None},
        "licence": {"licence": ""},
        "files": {"X": [f"missing{i}.wav" for i in range(6)]},
        "classes": {"target": ["bark"] * 6},
        "none": {},
    }
    return replace(dataset, **faults[fault])


def test_a_correct_loader_passes():
    check_dataset(load_toy, fault="none")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("folds", "neither folds nor groups"),
        ("licence", "has no licence"),
        ("files", "6 files do not exist"),
        ("classes", r"classes \['bark'\] only"),
    ],
)
def test_the_broken_rule_of_a_loader_is_named(fault, message):
    with pytest.raises(AssertionError, match=message):
        check_dataset(load_toy, fault=fault)


def test_a_loader_that_draws_anew_is_found():
    rng = np.random.default_rng(0)

    def load():
        return replace(load_toy("none"), target=rng.permutation(["bark", "horn"] * 3))

    with pytest.raises(AssertionError, match="second call returns other labels"):
        check_dataset(load)


def test_a_folder_without_a_licence_is_no_published_dataset(tmp_path):
    for label in ("bark", "horn"):
        (tmp_path / label).mkdir()
        soundfile.write(tmp_path / label / "a.wav", np.full(800, 0.1), 8000)
    with pytest.raises(AssertionError, match="has no licence"):
        check_dataset(load_folder, root=tmp_path)
