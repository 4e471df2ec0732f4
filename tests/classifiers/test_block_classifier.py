import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier

from skfewaudio import (
    BlockClassifier,
    BlockScaler,
    CalibratedRidgeClassifier,
    SoundEmbed,
    SpectrogramStatistics,
    TimeNormalizedSpectrogram,
    load_model,
    make_few_shot_classifier,
    save_model,
)

Y = np.array(["up", "down", "flat"] * 4)


@pytest.fixture(scope="module")
def X():  # noqa: N802
    """Return spectrograms of tones that go up or down or stay."""
    rng = np.random.default_rng(0)
    clips = []
    for label in Y:
        clip = -60 + 3 * rng.standard_normal((40, 24))
        path = np.linspace(10, 30, 24) + rng.integers(-3, 4)
        path = {"up": path, "down": path[::-1], "flat": np.full(24, path[12])}[label]
        clip[path.round().astype(int), np.arange(24)] += 40
        clips.append(clip)
    return np.stack(clips)


def make_blocks(**params):
    blocks = [("statistics", SpectrogramStatistics()), ("order", TimeNormalizedSpectrogram())]
    params = {"scaler": BlockScaler()} | params
    return BlockClassifier(blocks, CalibratedRidgeClassifier(fit_intercept=False), **params)


def test_new_clips_are_classified(X):
    classifier = make_blocks().fit(X[:9], Y[:9])
    assert classifier.score(X[9:], Y[9:]) == 1
    assert classifier.classes_.tolist() == ["down", "flat", "up"]


def test_weights_are_known_by_the_names_of_the_blocks(X):
    weights = make_blocks().fit(X, Y).block_weights_
    assert list(weights) == ["statistics", "order"]
    assert sum(weights.values()) == pytest.approx(1)


def test_prior_is_multiplied_by_the_relevance_of_a_block(X):
    classifier = make_blocks(prior=[1, 2]).fit(X[:3], Y[:3])
    relevance = classifier.blocks_[1][1][0].relevance_
    expected = 2 * relevance / (1 + 2 * relevance)
    assert classifier.block_weights_["order"] == pytest.approx(expected)


def test_products_of_transformed_clips_are_the_weighted_similarities(X):
    classifier = make_blocks().fit(X, Y)
    features = classifier.transform(X)
    np.testing.assert_allclose(np.square(features).sum(axis=1), 1, rtol=1e-5)


def test_predictions_are_of_the_classifier_of_all_blocks(X):
    classifier = make_blocks().fit(X, Y)
    blocks = np.hstack([block.transform(X) for _, block in classifier.blocks_])
    np.testing.assert_array_equal(classifier.predict_proba(X), classifier.estimator_.predict_proba(blocks))


def test_parameters_of_transformers_are_set_by_the_names_of_blocks(X):
    classifier = make_blocks().set_params(statistics__n_filters=4, order=SoundEmbed())
    assert classifier.get_params()["statistics__n_filters"] == 4
    assert classifier.fit(X, Y).blocks_[1][1].transform(X).shape == (12, 4608)


def test_clone_has_its_own_transformers():
    classifier = make_blocks()
    clone(classifier).set_params(statistics__n_filters=4)
    assert classifier.get_params()["statistics__n_filters"] == 16


@pytest.mark.parametrize("n_mels", [32, 64])
def test_number_of_bands_of_the_recommended_pipeline_can_be_searched(n_mels):
    clips = np.random.default_rng(0).standard_normal((8, 4000))
    clips[::2] = np.cumsum(clips[::2], axis=1)
    model = make_few_shot_classifier(sample_rate=8000, augmentation=None)
    search = GridSearchCV(model, {"logmel__n_mels": [n_mels]}, cv=2).fit(clips, ["low", "high"] * 4)
    assert search.best_estimator_[-1].n_features_in_ == n_mels
    assert search.best_score_ == 1


def test_saved_model_predicts_the_same(X, tmp_path):
    classifier = make_blocks().fit(X, Y)
    save_model(classifier, tmp_path / "model")
    np.testing.assert_array_equal(
        load_model(tmp_path / "model").predict_proba(X), classifier.predict_proba(X)
    )


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([], r"names \[\]"),
        ([("a", SoundEmbed()), ("a", SoundEmbed())], r"names \['a', 'a'\]"),
    ],
)
def test_missing_and_equal_names_of_blocks_are_refused(blocks, message, X):
    with pytest.raises(ValueError, match=message):
        BlockClassifier(blocks, CalibratedRidgeClassifier()).fit(X, Y)


def test_prior_of_another_length_is_refused(X):
    with pytest.raises(ValueError, match="expected 2 weights, one for each block"):
        make_blocks(prior=[1, 2, 3]).fit(X, Y)


def test_classifier_without_block_sizes_is_refused(X):
    with pytest.raises(ValueError, match="block_sizes"):
        BlockClassifier([("embedding", SoundEmbed())], KNeighborsClassifier(1)).fit(X, Y)
