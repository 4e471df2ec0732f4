"""Parts of a model that do not fit together are refused: widths, numbers of samples, kinds of input."""

from copy import deepcopy

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline, make_union

from skfewaudio import (
    MFCC,
    CachedFeatures,
    CalibratedRidgeClassifier,
    PatchClassifier,
    PrototypicalClassifier,
    SkorchCNN,
    SubsampledClassifier,
    load_model,
    make_few_shot_classifier,
    save_model,
)
from skfewaudio.classifiers import AugmentedClassifier, BlockClassifier
from skfewaudio.detection import EventDetector
from skfewaudio.exceptions import ModelFileError
from skfewaudio.features import (
    BlockScaler,
    RawWaveform,
    SoundEmbed,
    SpectrogramWithEmbeddings,
    TimeNormalizedSpectrogram,
)

N_SAMPLES, N_MELS = 4000, 32  # of the clips and the spectrograms in conftest.py


def neighbours():
    return KNeighborsClassifier(1, algorithm="brute")


def mfcc(**params):
    return MFCC(sample_rate=8000, **params)


def refused(model, path, match):
    """Save a model with a changed state, and check that it is refused."""
    save_model(model, path)
    with pytest.raises(ModelFileError, match=match):
        load_model(path)


def loads(model, X, path):
    """Check that a model loads and predicts the same."""
    save_model(model, path)
    np.testing.assert_array_equal(load_model(path).predict(X), model.predict(X))


def blocks(**transformers):
    return BlockClassifier(list(transformers.items()), CalibratedRidgeClassifier(), scaler=BlockScaler())


def with_embedding(spectrogram):
    return SpectrogramWithEmbeddings(spectrogram, [("timbre", mfcc())])


# Widths


@pytest.mark.parametrize("name", ["embedding", "order"])
def test_block_of_other_bands_than_the_clips_is_refused(name, spectrograms, path):
    model = blocks(embedding=SoundEmbed(), order=TimeNormalizedSpectrogram(n_steps=4)).fit(*spectrograms)
    loads(model, spectrograms[0], path)
    dict(model.blocks_)[name][0].n_features_in_ = 7
    refused(model, path, "has a Pipeline of 7 features; expected 32")


def test_blocks_of_other_bands_than_the_block_classifier_are_refused(spectrograms, path):
    model = blocks(embedding=SoundEmbed()).fit(*spectrograms)
    model.n_features_in_ = 1000
    refused(model, path, "has a Pipeline of 32 features; expected 1000")


def test_block_without_a_pipeline_is_refused(spectrograms, path):
    model = blocks(embedding=SoundEmbed()).fit(*spectrograms)
    model.blocks_ = [("embedding", model.blocks_[0][1][0])]
    refused(model, path, "has a block that is a SoundEmbed, no Pipeline")


def test_block_without_a_transformer_is_refused(spectrograms, path):
    model = blocks(embedding=SoundEmbed()).fit(*spectrograms)
    model.blocks_[0][1].steps[0] = ("soundembed", None)
    refused(model, path, "has a block without a transformer")


@pytest.mark.parametrize("transformer", [SoundEmbed, TimeNormalizedSpectrogram])
def test_transformer_after_spectrograms_of_other_bands_is_refused(transformer, clips, log_mel, path):
    model = make_pipeline(log_mel, transformer(), neighbours()).fit(*clips)
    loads(model, clips[0], path)
    model[1].n_features_in_ = 7
    refused(model, path, f"has a {transformer.__name__} of 7 features; expected 32")


def test_classifier_of_other_bands_than_a_raw_waveform_is_refused(clips, path):
    model = make_pipeline(RawWaveform(8000), PatchClassifier(GaussianNB())).fit(*clips)
    loads(model, clips[0], path)
    model[-1].n_features_in_ = 2
    model[-1].estimator_ = GaussianNB().fit(np.eye(2), clips[1][[0, -1]])
    refused(model, path, "has a PatchClassifier of 2 features; expected 1")


def test_classifier_after_prototypes_of_other_dimensions_is_refused(spectrograms, path):
    prototypes = PrototypicalClassifier(None, patch_frames=8).fit(*spectrograms)
    model = make_pipeline(prototypes, neighbours().fit(np.zeros((2, 5)), spectrograms[1][[0, -1]]))
    refused(model, path, f"has a KNeighborsClassifier of 5 features; expected {8 * N_MELS}")


@pytest.mark.slow
def test_detector_whose_classifiers_take_other_bands_is_refused(clips, log_mel, path):
    order = TimeNormalizedSpectrogram(n_bands=4, n_steps=2)
    model = EventDetector(make_pipeline(log_mel, order, neighbours())).fit(*clips)
    save_model(model, path)
    load_model(path)
    for name in ("window_classifier_", "region_classifier_"):
        forged = deepcopy(model)
        getattr(forged, name)[0].n_features_in_ = 31
        refused(forged, path, "has a Pipeline of 31 features; expected 32")


@pytest.mark.slow
def test_detector_whose_classifier_of_events_does_not_fit_is_refused(clips, log_mel, path):
    X, y = clips
    model = EventDetector(log_mel).fit(X, y)
    save_model(model, path)
    assert load_model(path).event_classifier_.classes_.tolist() == [0, 1]
    other = deepcopy(model)
    other.event_classifier_ = make_few_shot_classifier(augmentation=None).fit(X, y)[-1]
    refused(other, path, r"has a classifier of the classes \['horn', 'wind'\]")
    order = TimeNormalizedSpectrogram(n_bands=4, n_steps=2)
    images = np.random.default_rng(0).normal(-40, 5, (6, 31, 20)).astype(np.float32)
    model.event_classifier_ = make_pipeline(order, neighbours()).fit(images, [0, 0, 0, 1, 1, 1])
    refused(model, path, "has a Pipeline of 31 features; expected 32")


@pytest.fixture
def embedded(clips, log_mel):
    """A fitted pipeline whose classifier also takes an embedding with each spectrogram."""
    classifier = blocks(embedding=SoundEmbed(), timbre="passthrough")
    return make_pipeline(with_embedding(log_mel), AugmentedClassifier(classifier)).fit(*clips)


def test_classifier_of_an_embedding_loads(embedded, clips, path):
    loads(embedded, clips[0], path)


def test_embedding_of_other_dimensions_is_refused(embedded, path):
    embedded[0].embeddings[0][1].n_mfcc = 13
    refused(embedded, path, "of the embedding 'timbre' of 120 dimensions; expected 78")


def test_embedding_that_is_not_scaled_has_the_size_of_its_block(clips, log_mel, path):
    classifier = BlockClassifier([("timbre", "passthrough")], CalibratedRidgeClassifier())
    model = make_pipeline(with_embedding(log_mel), classifier).fit(*clips)
    loads(model, clips[0], path)
    model[0].embeddings[0][1].n_mfcc = 13
    refused(model, path, "of the embedding 'timbre' of 120 dimensions; expected 78")


@pytest.mark.parametrize("sizes", [[-120], [120.0], [120, 0], None])
def test_embedding_without_a_size_is_refused(sizes, clips, log_mel, path):
    classifier = BlockClassifier([("timbre", "passthrough")], CalibratedRidgeClassifier())
    model = make_pipeline(with_embedding(log_mel), classifier).fit(*clips)
    model[-1].estimator_.block_sizes = sizes
    refused(model, path, "has the block 'timbre' of unknown size")


def test_embedding_of_another_name_is_refused(embedded, path):
    embedded[0].embeddings, embedded[0].checksums_ = [("pitch", mfcc())], {"pitch": None}
    refused(embedded, path, "of the embedding 'timbre'; expected one of pitch")


def test_embeddings_of_one_name_are_refused(embedded, path):
    embedded[0].embeddings *= 2
    refused(embedded, path, "Names provided are not unique")


# Numbers of samples, of clips in a table


@pytest.mark.parametrize(
    "wrap",
    [
        lambda pipeline: SubsampledClassifier(pipeline, n_shots=2),
        lambda pipeline: MultiOutputClassifier(pipeline),
        lambda pipeline: make_pipeline(make_union(pipeline[0], mfcc(n_mfcc=13)), pipeline[1]),
    ],
    ids=["subsampled", "outputs", "union"],
)
def test_parts_of_clips_of_other_lengths_are_refused(wrap, clips, path):
    X, y = clips
    model = wrap(make_pipeline(mfcc(), neighbours()))
    model.fit(X, np.c_[y, y] if isinstance(model, MultiOutputClassifier) else y)
    loads(model, X, path)
    inner = model[0].transformer_list[1] if hasattr(model, "steps") else None
    inner = inner or (getattr(model, "estimators_", None) or [model.estimator_])[0]
    inner[1 if isinstance(inner, tuple) else 0].n_features_in_ = 1000
    refused(model, path, f"of 1000 features; expected {N_SAMPLES}|of {N_SAMPLES} features; expected 1000")


@pytest.mark.parametrize("wrap", [CachedFeatures, with_embedding])
def test_transformer_within_one_of_longer_clips_is_refused(wrap, clips, log_mel, path):
    X, _ = clips
    model = wrap(log_mel).fit(X)
    inner = getattr(model, "transformer", None) or model.spectrogram
    inner.n_features_in_ = 1000
    refused(model, path, f"has a LogMel of 1000 features; expected {N_SAMPLES}")


def test_search_over_a_pipeline_of_clips_loads(clips, path):
    search = GridSearchCV(make_pipeline(mfcc(), neighbours()), {"mfcc__n_mfcc": [13]}, cv=2).fit(*clips)
    loads(search, clips[0], path)


# Kinds of input: spectrograms, or feature vectors


@pytest.fixture(params=["prototypes", "network", "patches"])
def classifier(request):
    """Classifier of both kinds of input."""
    return {
        "prototypes": PrototypicalClassifier(None, patch_frames=1),
        "network": SkorchCNN("linear_probe", patch_frames=1, max_epochs=1, random_state=0),
        "patches": PatchClassifier(GaussianNB()),
    }[request.param]


def test_vectors_that_are_declared_as_spectrograms_are_refused(classifier, path):
    X, y = np.random.default_rng(0).normal(size=(6, 4)), np.array(list("aaabbb"))
    model = classifier.fit(X, y)
    loads(model, X, path)
    model.patch_frames_ = 1
    refused(model, path, "has patch_frames_=1 with max_silence_=None")


def test_spectrograms_that_are_declared_as_vectors_are_refused(classifier, spectrograms, path):
    model = classifier.fit(*spectrograms)
    loads(model, spectrograms[0], path)
    model.patch_frames_ = None
    refused(model, path, "has patch_frames_=None with max_silence_=0")


def test_model_of_a_version_that_did_not_measure_silence_loads(classifier, spectrograms, path):
    model = classifier.fit(*spectrograms)
    del model.max_silence_
    loads(model, spectrograms[0], path)


# Numbers that nothing in a file contradicts


@pytest.mark.parametrize("transformer", [SoundEmbed(), TimeNormalizedSpectrogram(n_steps=4)])
def test_forged_bands_of_a_transformer_alone_are_the_bands_that_it_takes(transformer, spectrograms, path):
    model = make_pipeline(transformer, neighbours()).fit(*spectrograms)
    model[0].n_features_in_ = 7
    save_model(model, path)
    loaded = load_model(path)
    assert len(loaded.predict(spectrograms[0][:, :7])) == len(spectrograms[0])
    with pytest.raises(ValueError, match=r"has 32 features, but \w+ is expecting 7"):
        loaded.predict(spectrograms[0])


# Kept clips


@pytest.fixture
def incremental(spectrograms):
    """A fitted classifier that keeps its clips, with weights and recordings."""
    classifier = blocks(order=TimeNormalizedSpectrogram(n_steps=4), embedding=SoundEmbed())
    X, y = spectrograms
    return classifier.set_params(incremental=True).fit(X, y, np.ones(len(X)), groups=list("aabbcc"))


def test_kept_clips_are_saved(incremental, spectrograms, path):
    loads(incremental, spectrograms[0], path)
    saved, found = incremental.kept_clips_, load_model(path).kept_clips_
    for name in ("labels", "weights", "recordings", "names"):
        np.testing.assert_array_equal(getattr(found, name), getattr(saved, name))
    for block, other in zip(found.features, saved.features, strict=True):
        np.testing.assert_array_equal(block, other)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("features", lambda blocks: blocks[:1], "blocks of .* columns; expected"),
        ("features", lambda blocks: tuple(blocks), "features is .*; expected a list"),
        ("features", lambda blocks: [], "features is .*; expected a list"),
        ("features", lambda blocks: [block[:-1] for block in blocks], "labels is an array"),
        ("features", lambda blocks: [blocks[0], blocks[1][:-1]], "features is an array of float32"),
        ("features", lambda blocks: [block[:, :-1] for block in blocks], "blocks of .* columns; expected"),
        ("features", lambda blocks: [block.astype(np.float64) for block in blocks], "array of float64"),
        ("features", lambda blocks: [block * np.nan for block in blocks], "without NaN"),
        ("features", lambda blocks: [block + np.inf for block in blocks], "without NaN"),
        ("labels", lambda labels: np.arange(len(labels)), "kept_clips_ of other labels than its classes_"),
        ("labels", lambda labels: labels[:-1], "labels is an array"),
        ("labels", lambda labels: labels.astype(object), "labels is an array of object"),
        ("labels", lambda labels: labels.tolist(), "labels is .*; expected a 1-D array"),
        ("weights", lambda weights: weights[1:], "weights is an array"),
        ("weights", lambda weights: -weights, "weights is .*; expected numbers from 0"),
        ("recordings", lambda recordings: recordings + 1, "recordings up to 3 with 3 names"),
        ("recordings", lambda recordings: recordings - 2**62, "recordings is .*; expected integers from"),
        ("recordings", lambda recordings: recordings[:, None], "recordings is an array"),
        ("names", lambda names: np.array(["a", "a", "b"]), "names is .*; expected a 1-D array"),
        ("names", lambda names: None, "recordings up to 2 with 0 names"),
    ],
)
def test_kept_clips_that_do_not_fit_are_refused(name, change, message, incremental, path):
    clips = incremental.kept_clips_
    vars(clips)[name] = change(getattr(clips, name))
    refused(incremental, path, message)


def test_kept_clips_of_another_kind_are_refused(incremental, path):
    incremental.kept_clips_ = SoundEmbed()
    refused(incremental, path, "kept_clips_ is SoundEmbed")


@pytest.mark.parametrize("number", [0, -1, 2**60, 1.0, None])
def test_number_of_clips_that_no_fit_counts_is_refused(number, spectrograms, path):
    model = AugmentedClassifier(blocks(embedding=SoundEmbed())).fit(*spectrograms)
    model.n_clips_seen_ = number
    refused(model, path, "n_clips_seen_ is .*; expected an integer from 1")


@pytest.mark.parametrize(
    "value", [np.zeros(3, dtype=np.int64), np.ones(3), np.ones((3, 1), dtype=np.int64), [1, 2]]
)
def test_durations_that_no_clip_has_are_refused(value, spectrograms, path):
    model = blocks(order=TimeNormalizedSpectrogram(n_steps=4)).fit(*spectrograms)
    model.blocks_[0][1][0].n_active_frames_ = value
    refused(model, path, "n_active_frames_ is .*; expected")
