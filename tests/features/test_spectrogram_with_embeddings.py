"""Spectrograms together with embeddings, and the classifiers of both."""

import numpy as np
import pytest
import soundfile
from sklearn.base import BaseEstimator, TransformerMixin, clone

from skfewaudio import CalibratedRidgeClassifier, LogMel, PrototypicalClassifier, make_few_shot_classifier
from skfewaudio.augmentation import BackgroundNoise
from skfewaudio.classifiers import AugmentedClassifier, BlockClassifier
from skfewaudio.features import (
    MFCC,
    CachedFeatures,
    PretrainedEmbed,
    SoundEmbed,
    SpectrogramWithEmbeddings,
)
from skfewaudio.model_selection import few_shot_curve

RATE = 8000
Y = np.repeat(["low", "high"], 6)


class Spectrum:
    """Network that embeds a clip by its mean spectrum up to 4 kHz."""

    sample_rate, window, digest = RATE, 0.25, "spectrum"
    n_calls = 0

    def embed(self, batch):
        Spectrum.n_calls += len(batch)
        return np.abs(np.fft.rfft(batch, 64)).astype(np.float32)


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    seconds = np.arange(RATE // 2) / RATE
    tones = np.sin(2 * np.pi * np.where(Y == "low", 300, 2000)[:, None] * seconds)
    return (tones + 0.3 * rng.standard_normal(tones.shape)).astype(np.float32)


def make(**options):
    return make_few_shot_classifier(sample_rate=RATE, embedding=Spectrum(), n_copies=1, **options)


def both(*embeddings):
    return SpectrogramWithEmbeddings(LogMel(sample_rate=RATE, n_mels=16), list(embeddings))


def test_parts_equal_those_of_the_transformers(clips):
    found = both(("net", PretrainedEmbed(Spectrum())), ("mfcc", MFCC(sample_rate=RATE))).fit_transform(clips)
    expected = LogMel(sample_rate=RATE, n_mels=16).transform(clips)
    np.testing.assert_array_equal(np.stack([clip.spectrogram for clip in found]), expected)
    for name, transformer in (("net", PretrainedEmbed(Spectrum())), ("mfcc", MFCC(sample_rate=RATE))):
        vectors = np.stack([clip.embeddings[name] for clip in found])
        np.testing.assert_allclose(vectors, transformer.transform(clips), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rate", [16000, "auto"])
def test_arrays_are_resampled_for_the_embedding(clips, tmp_path, rate):
    path = tmp_path / "clip.wav"
    soundfile.write(path, clips[0], 44100 if rate == "auto" else rate, subtype="FLOAT")
    embedder = SpectrogramWithEmbeddings(LogMel.at_rate(rate), [("net", PretrainedEmbed(Spectrum()))])
    from_array = embedder.fit_transform(clips[:1])[0].embeddings["net"]
    np.testing.assert_allclose(from_array, embedder.fit_transform([path])[0].embeddings["net"], atol=1e-5)


def test_embedding_is_one_block_of_the_classifier(clips):
    model = make().fit(clips, Y)
    weights = model[-1].estimator_.block_weights_
    assert list(weights) == ["statistics", "level", "shape", "embedding", "spectrum"]
    assert weights["spectrum"] > 0.2
    assert model.score(clips, Y) == 1.0


def test_several_embeddings_are_blocks_with_different_names(clips):
    model = make_few_shot_classifier(
        sample_rate=RATE, augmentation=None, embedding=[Spectrum(), Spectrum(), MFCC(sample_rate=RATE)]
    ).fit(clips, Y)
    assert list(model[-1].block_weights_)[4:] == ["spectrum", "spectrum-2", "mfcc"]


def test_copies_have_the_embeddings_of_their_clips(clips):
    """The classifier receives each embedding as often as there are clips and copies."""

    class Rows(CalibratedRidgeClassifier):
        def fit(self, X, y, sample_weight=None, groups=None):
            self.rows_ = X
            return super().fit(X, y, sample_weight=sample_weight, groups=groups)

    X = both(("net", PretrainedEmbed(Spectrum()))).fit_transform(clips)
    classifier = AugmentedClassifier(
        BlockClassifier([("net", "passthrough")], Rows()), augmentation=BackgroundNoise(), n_copies=2
    ).fit(X, Y)
    rows = classifier.estimator_.estimator_.rows_
    vectors = np.stack([clip.embeddings["net"] for clip in X])
    np.testing.assert_array_equal(rows[: len(X)], vectors)
    np.testing.assert_array_equal(rows[len(X) :], np.repeat(vectors, 2, axis=0))


def test_embedding_is_computed_once_per_clip_by_a_learning_curve(clips):
    before = Spectrum.n_calls
    few_shot_curve({"both": make(augmentation=None)}, clips, Y, n_shots=[1], n_repeats=2, cv=2)
    assert Spectrum.n_calls - before == 2 * len(clips)  # two windows per clip


def test_predictions_do_not_depend_on_the_form_of_the_clips(clips, tmp_path):
    paths = [tmp_path / f"{i}.wav" for i in range(len(clips))]
    for path, clip in zip(paths, clips, strict=True):
        soundfile.write(path, clip, RATE, subtype="FLOAT")
    model = make(augmentation=None).fit(clips, Y)
    np.testing.assert_allclose(model.predict_proba(paths), model.predict_proba(clips), atol=1e-5)


def test_channel_and_names_of_parameters_reach_the_embedding():
    from skfewaudio._reading import set_reading

    model = set_reading(make(), channel=1, sample_rate=16000)
    assert model.get_params()["features__spectrum__channel"] == 1
    assert model["features"].spectrogram.sample_rate == 16000
    assert model["features"].embeddings[0][1].sample_rate is None


def test_cached_copy_gives_the_same_without_the_network(clips, tmp_path):
    plain = both(("net", PretrainedEmbed(Spectrum())))
    cached = plain.with_cache(tmp_path)
    first = cached.fit_transform(clips)
    before = Spectrum.n_calls
    again = clone(cached).fit_transform(clips)
    assert Spectrum.n_calls == before
    for left, right, expected in zip(first, again, plain.transform(clips), strict=True):
        np.testing.assert_array_equal(left.spectrogram, expected.spectrogram)
        np.testing.assert_array_equal(right.embeddings["net"], expected.embeddings["net"])


def test_embedding_that_is_cached_is_a_block(clips, tmp_path):
    embedding = CachedFeatures(PretrainedEmbed(Spectrum()), location=tmp_path)
    model = make_few_shot_classifier(sample_rate=RATE, embedding=embedding, augmentation=None).fit(clips, Y)
    assert "spectrum" in model[-1].block_weights_


class Learned(TransformerMixin, BaseEstimator):
    """Transformer that needs a fit."""

    def fit(self, X, y=None):
        self.mean_ = 0.0
        return self

    def transform(self, X):
        return np.zeros((len(X), 1))


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        ([("net", Learned())], "embeddings has 'net', a Learned, which learns from the clips"),
        ([("spectrogram", MFCC())], "conflict with constructor arguments"),
        ([("a", MFCC()), ("a", MFCC())], "not unique"),
        ([("mfcc", MFCC(summary=None))], r"'mfcc' has the shape \(12, 20, .*expected one vector per clip"),
    ],
)
def test_invalid_embeddings_are_refused(embeddings, message, clips):
    with pytest.raises(ValueError, match=message):
        both(*embeddings).fit(clips).transform(clips)


def test_block_without_its_embedding_is_named(clips):
    X = both(("net", PretrainedEmbed(Spectrum()))).fit_transform(clips)
    classifier = BlockClassifier([("other", "passthrough")], CalibratedRidgeClassifier())
    with pytest.raises(ValueError, match=r"'other' .* have the embeddings net"):
        classifier.fit(X, Y)
    with pytest.raises(ValueError, match="have no embeddings"):
        classifier.fit([clip.spectrogram for clip in X], Y)


@pytest.mark.parametrize("classifier", [PrototypicalClassifier(architecture=None), SoundEmbed()])
def test_estimators_of_spectrograms_alone_refuse_clips_with_embeddings(classifier, clips):
    X = both(("net", PretrainedEmbed(Spectrum()))).fit_transform(clips)
    with pytest.raises(TypeError, match="it is for BlockClassifier"):
        classifier.fit(X, Y)
