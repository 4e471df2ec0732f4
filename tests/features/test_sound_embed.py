import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skfewaudio import MFCC, LogMel, SoundEmbed
from skfewaudio.datasets import load_synthetic
from skfewaudio.features._sound_embedding import network


@pytest.fixture(scope="module")
def spectrograms():
    rng = np.random.default_rng(0)
    return LogMel(sample_rate=16000).fit_transform(rng.standard_normal((3, 24000)))


def test_batch_equals_single_clips(spectrograms):
    together = SoundEmbed().fit_transform(spectrograms)
    alone = np.vstack([SoundEmbed().fit_transform(spectrograms[[i]]) for i in range(3)])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_level_does_not_change_the_embedding(spectrograms):
    expected = SoundEmbed().fit_transform(spectrograms)
    np.testing.assert_allclose(SoundEmbed().fit_transform(spectrograms - 20), expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(64, 1), (64, 20), (20, 40), (128, 40)])
def test_short_clips_and_other_numbers_of_bands_are_embedded(shape):
    clip = -40 + np.random.default_rng(0).standard_normal((1, *shape))
    embedding = SoundEmbed().fit_transform(clip)
    assert embedding.shape == (1, 4608)
    assert np.isfinite(embedding).all()


def test_long_clip_in_pieces_has_the_same_embedding(monkeypatch):
    clip = -40 + 9 * np.random.default_rng(0).standard_normal((1, 64, 5000))
    expected = SoundEmbed().fit_transform(clip)
    monkeypatch.setattr(network, "PIECE", 1024)
    np.testing.assert_allclose(SoundEmbed().fit_transform(clip), expected, atol=1e-5)


def test_default_data_type_of_torch_does_not_matter(spectrograms):
    expected = SoundEmbed().fit_transform(spectrograms)
    torch.set_default_dtype(torch.float64)
    try:
        np.testing.assert_array_equal(SoundEmbed().fit_transform(spectrograms), expected)
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.slow
def test_nearest_neighbour_of_embeddings_is_better_than_of_mfcc():
    sounds = load_synthetic(20, duration=1.0)
    train = sounds.folds != 1
    scores = []
    for transformer in (make_pipeline(LogMel.at_rate(22050), SoundEmbed()), MFCC(sample_rate=22050)):
        features = transformer.fit_transform(sounds.X)
        nearest = KNeighborsClassifier(1, metric="cosine").fit(features[train], sounds.y[train])
        scores.append(nearest.score(features[~train], sounds.y[~train]))
    assert scores[0] > scores[1] + 0.05
