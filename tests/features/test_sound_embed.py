import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skfewaudio import MFCC, LogMel, SoundEmbed, load_model, save_model
from skfewaudio.datasets import load_synthetic
from skfewaudio.exceptions import ModelFileError
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


@pytest.mark.parametrize("layers", [(5,), (4, 3)])
def test_layers_are_columns_of_all_layers_in_their_order(spectrograms, layers):
    every, some = SoundEmbed(), SoundEmbed(layers)
    columns = dict(zip(every.get_feature_names_out(), every.fit_transform(spectrograms).T, strict=True))
    names, found = some.get_feature_names_out(), some.fit_transform(spectrograms)
    np.testing.assert_array_equal(found, np.transpose([columns[name] for name in names]))
    assert [name.partition("__")[0] for name in names] == [
        f"layer{layer}" for layer, size in zip(layers, some.block_sizes(), strict=True) for _ in range(size)
    ]


@pytest.mark.parametrize("layers", [(), (2,), (5, 5), ("5",)])
def test_other_layers_are_refused(spectrograms, layers):
    with pytest.raises(ValueError, match=r"layers=.*expected some of 3, 4, 5"):
        SoundEmbed(layers).fit(spectrograms)


@pytest.mark.parametrize("method", ["transform", "partial_fit"])
def test_other_weights_are_refused(spectrograms, method):
    embed = SoundEmbed().fit(spectrograms)
    embed.checksum_ = "0" * 64
    with pytest.raises(ValueError, match="fitted with other weights"):
        getattr(embed, method)(spectrograms)
    assert embed.fit(spectrograms).transform(spectrograms).shape == (3, 4608)


def test_saved_model_of_other_weights_is_refused(spectrograms, tmp_path):
    model = make_pipeline(SoundEmbed(), KNeighborsClassifier(1)).fit(spectrograms, ["a", "b", "c"])
    model[0].checksum_ = "0" * 64
    save_model(model, tmp_path / "sounds.model")
    with pytest.raises(ModelFileError, match="fitted with other weights"):
        load_model(tmp_path / "sounds.model")


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
