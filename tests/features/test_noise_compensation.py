import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skfewaudio import (
    LogMel,
    SoundEmbed,
    SpectrogramStatistics,
    load_model,
    make_few_shot_classifier,
    save_model,
)
from skfewaudio.datasets import load_synthetic
from skfewaudio.features import BlockScaler, TimeNormalizedSpectrogram
from skfewaudio.features._noise_compensation import load_directions

TRANSFORMERS = [SpectrogramStatistics, TimeNormalizedSpectrogram, SoundEmbed]


@pytest.fixture(scope="module")
def sounds():
    return load_synthetic(5, duration=1.0)


@pytest.fixture(scope="module")
def spectrograms(sounds):
    return LogMel.at_rate(sounds.sample_rate).fit_transform(sounds.X)


@pytest.fixture(scope="module")
def noisy(sounds):
    rng = np.random.default_rng(0)
    levels = np.std(sounds.X, axis=1, keepdims=True)
    return LogMel.at_rate(sounds.sample_rate).fit_transform(
        sounds.X + levels * rng.standard_normal(np.shape(sounds.X))
    )


@pytest.mark.parametrize(
    ("transformer", "gain"), [(SpectrogramStatistics, 0.3), (TimeNormalizedSpectrogram, 0.2)]
)
def test_clips_are_recognised_in_noise(transformer, gain, spectrograms, noisy):
    shares = []
    for compensated in (False, True):
        model = transformer(noise_compensation=compensated)
        clean, moved = model.fit_transform(spectrograms), model.transform(noisy)
        sizes = model.block_sizes() if hasattr(model, "block_sizes") else None
        scaler = BlockScaler(sizes).fit(np.vstack([clean, moved]))
        similarities = scaler.transform(moved) @ scaler.transform(clean).T
        shares.append(np.mean(similarities.argmax(axis=1) == np.arange(len(clean))))
    assert shares[1] >= shares[0] + gain


@pytest.mark.parametrize(
    ("transformer", "selection"),
    [
        (SpectrogramStatistics, ["modulation", "filters_mean"]),
        (TimeNormalizedSpectrogram, ["change", "shape"]),
        (SoundEmbed, [5, 3]),
    ],
)
def test_selected_blocks_are_columns_of_all_blocks(transformer, selection, spectrograms):
    some = transformer(selection, noise_compensation=True).fit(spectrograms)
    parts = [transformer([part], noise_compensation=True).fit_transform(spectrograms) for part in selection]
    np.testing.assert_allclose(some.transform(spectrograms), np.hstack(parts), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_other_numbers_of_bands_have_the_same_columns(transformer, spectrograms):
    model = transformer(noise_compensation=True).fit(spectrograms)
    other = transformer(noise_compensation=True).fit(spectrograms[:, ::2])
    np.testing.assert_array_equal(other.get_feature_names_out(), model.get_feature_names_out())
    assert other.transform(spectrograms[:, ::2]).shape == model.transform(spectrograms).shape


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (SpectrogramStatistics(n_filters=8), "n_filters=8 .*n_filters=16"),
        (SpectrogramStatistics(scale=1.5), "scale=1.5 .*scale=15.0"),
        (TimeNormalizedSpectrogram(n_steps=4), "n_steps=4 .*n_steps=16"),
    ],
)
def test_other_parameters_are_refused(model, message, spectrograms):
    with pytest.raises(ValueError, match=message):
        model.set_params(noise_compensation=True).fit(spectrograms)


def test_seed_of_compensated_statistics_has_no_effect(spectrograms):
    seeds = [SpectrogramStatistics(noise_compensation=True, random_state=seed) for seed in (0, 1)]
    np.testing.assert_array_equal(*[model.fit_transform(spectrograms) for model in seeds])


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_vectors_of_other_directions_are_refused(transformer, spectrograms):
    model = transformer(noise_compensation=True).fit(spectrograms)
    model.checksum_ = "0" * 64
    with pytest.raises(ValueError, match="fitted with other weights"):
        model.transform(spectrograms)


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_compensated_model_is_saved(transformer, sounds, spectrograms, tmp_path):
    model = make_pipeline(transformer(noise_compensation=True), KNeighborsClassifier(1))
    model.fit(spectrograms, sounds.y)
    save_model(model, tmp_path / "sounds.model")
    loaded = load_model(tmp_path / "sounds.model")
    np.testing.assert_array_equal(loaded.predict(spectrograms), model.predict(spectrograms))


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_model_of_an_earlier_version_is_not_compensated(transformer, spectrograms):
    model = transformer()
    expected = model.fit_transform(spectrograms)
    state = {name: value for name, value in model.__getstate__().items() if "checksum" not in name}
    del state["noise_compensation"]
    old = transformer.__new__(transformer)
    old.__setstate__(state)
    np.testing.assert_array_equal(old.transform(spectrograms), expected)


def test_directions_remove_shares_of_a_vector():
    for name, block in load_directions().items():
        squares = np.square(block.directions).sum(axis=0)
        assert squares.max() < 1, name
        products = block.directions.T @ block.directions - np.diag(squares)
        np.testing.assert_allclose(products, 0, atol=2e-3, err_msg=name)


def test_few_shot_classifier_takes_other_numbers_of_bands(sounds):
    model = make_few_shot_classifier(sample_rate=sounds.sample_rate, n_mels=40, augmentation=None)
    assert model.fit(sounds.X, sounds.y).score(sounds.X, sounds.y) == 1
