"""scikit-learn's common checks, and the project's own checks of every estimator."""

import importlib
import pickle
import pkgutil

import numpy as np
import pytest
import soundfile
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

import skfewaudio
from skfewaudio import (
    MFCC,
    AugmentedClassifier,
    BlockClassifier,
    BlockScaler,
    CachedFeatures,
    CalibratedRidgeClassifier,
    ELMClassifier,
    ELMRegressor,
    LogMel,
    PatchClassifier,
    PretrainedEmbed,
    PrototypicalClassifier,
    RandomCNNFeatures,
    RawWaveform,
    SkorchCNN,
    SoundEmbed,
    SpectrogramStatistics,
    SpectrogramWithEmbeddings,
    SubsampledClassifier,
    TimeNormalizedSpectrogram,
    make_few_shot_classifier,
)

SAMPLE_RATE = 16000


class OfRows:
    """Rows as spectrograms of one frame, because the common checks pass matrices."""

    def _check_clips(self, X, *, reset):
        rows = validate_data(self, X, reset=reset, dtype=np.float32)
        return list(rows[:, :, None])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


class RowStatistics(OfRows, SpectrogramStatistics):
    """Statistics of rows."""


class NormalizedRows(OfRows, TimeNormalizedSpectrogram):
    """Rows stretched to one length."""


class RowEmbed(OfRows, SoundEmbed):
    """Embeddings of rows."""


class EmbeddedRows(SpectrogramWithEmbeddings):
    """Embeddings beside spectrograms as rows, because the common checks compare arrays."""

    def transform(self, X):
        clips = super().transform(X)
        return np.stack([np.append(clip.spectrogram.ravel(), [*clip.embeddings.values()]) for clip in clips])


class Sums:
    """Network that embeds clips of any length."""

    sample_rate, window = SAMPLE_RATE, None

    def __repr__(self):  # names of tests must not hold addresses
        return "Sums()"

    def embed(self, batch):
        return np.stack([batch.sum(axis=1), np.abs(batch).max(axis=1)], axis=1)


@pytest.fixture(autouse=True)
def cache_location(tmp_path_factory, monkeypatch):
    """Keep the features of a test in a folder of its own."""
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


ESTIMATORS = [
    LogMel(),
    MFCC(),
    CachedFeatures(MFCC()),
    RowStatistics(),
    NormalizedRows(),
    RowEmbed(),
    PretrainedEmbed(Sums()),
    EmbeddedRows(LogMel(), [("mfcc", MFCC())]),
    RandomCNNFeatures("single_layer", n_filters=4),
    RawWaveform(),
    PrototypicalClassifier(),
    SkorchCNN(optimizer=torch.optim.Adam, max_epochs=8),  # accurate enough after few epochs
    BlockScaler(),
    AugmentedClassifier(CalibratedRidgeClassifier()),
    CalibratedRidgeClassifier(),
    BlockClassifier([("all", FunctionTransformer())], CalibratedRidgeClassifier()),
    ELMClassifier(),
    ELMRegressor(),
    PatchClassifier(),
    SubsampledClassifier(KNeighborsClassifier(1), n_shots=None),
]
TESTED_WITH_WEIGHTS = {"VGGishEmbed"}  # in tests/features/vggish
# They search recordings for events, and have neither predict nor transform: see tests/detection.
DETECTORS = {"EventDetector", "PrototypicalDetector", "TemplateMatching"}


def test_every_public_estimator_is_checked():
    modules = [
        skfewaudio,
        *(
            importlib.import_module(f"skfewaudio.{module.name}")
            for module in pkgutil.iter_modules(skfewaudio.__path__)
            if not module.name.startswith("_")
        ),
    ]
    public = {name for module in modules for name in dir(module) if is_estimator(getattr(module, name))}
    checked = {kind.__name__ for estimator in ESTIMATORS for kind in type(estimator).__mro__}
    assert public - checked == TESTED_WITH_WEIGHTS | DETECTORS


def is_estimator(item):
    """Return whether an item is an estimator of this package; an augmentation is not, without `fit`."""
    is_class = isinstance(item, type) and issubclass(item, BaseEstimator) and hasattr(item, "fit")
    return is_class and item.__module__.startswith("skfewaudio.")


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_common_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        MFCC(summary=None),
        RandomCNNFeatures("sample_level", n_filters=2, random_state=None),
        PrototypicalClassifier(architecture=None, distance="cosine"),
        SkorchCNN(max_epochs=60),
        AugmentedClassifier(KNeighborsClassifier(1)),
        AugmentedClassifier(PatchClassifier()),
        AugmentedClassifier(
            BlockClassifier([("all", FunctionTransformer())], CalibratedRidgeClassifier(), incremental=True)
        ),
        BlockClassifier([("all", FunctionTransformer())], CalibratedRidgeClassifier(), incremental=True),
        CachedFeatures(LogMel()),
        CalibratedRidgeClassifier(0.1, class_weight="balanced"),
        ELMClassifier(15, penalty=0.0, direct_links=True),
        PatchClassifier(LinearSVC(), aggregation="vote"),
    ]
)
def test_scikit_learns_common_checks_with_other_parameters(estimator, check):
    check(estimator)


PIPELINES = {
    "mfcc": lambda: make_pipeline(MFCC(sample_rate=SAMPLE_RATE), KNeighborsClassifier(1)),
    "prototypes": lambda: make_pipeline(
        LogMel(sample_rate=SAMPLE_RATE, hop_length=512),
        PrototypicalClassifier(max_epochs=2, random_state=0),
    ),
    "mfcc prototypes": lambda: make_pipeline(MFCC(sample_rate=SAMPLE_RATE), PrototypicalClassifier()),
    "cnn": lambda: make_pipeline(
        LogMel(sample_rate=SAMPLE_RATE, hop_length=512),
        SkorchCNN(architecture_params={"n_filters": 8}, patch_frames=32, max_epochs=5, random_state=0),
    ),
    "mfcc probe": lambda: make_pipeline(
        MFCC(sample_rate=SAMPLE_RATE), SkorchCNN(max_epochs=5, random_state=0)
    ),
    "mfcc elm": lambda: make_pipeline(
        MFCC(sample_rate=SAMPLE_RATE), StandardScaler(), ELMClassifier(200, random_state=0)
    ),
    "random cnn": lambda: make_pipeline(
        RandomCNNFeatures("single_layer", n_filters=20, sample_rate=SAMPLE_RATE),
        StandardScaler(),
        KNeighborsClassifier(1),
    ),
    "patches": lambda: make_pipeline(
        LogMel(sample_rate=SAMPLE_RATE, hop_length=512), PatchClassifier(patch_frames=4)
    ),
    "few-shot classifier": lambda: make_few_shot_classifier(sample_rate=SAMPLE_RATE),
    "few-shot classifier with an embedding": lambda: make_few_shot_classifier(
        sample_rate=SAMPLE_RATE, augmentation=None, embedding=Sums()
    ),
    "few shots": lambda: make_pipeline(
        LogMel(sample_rate=SAMPLE_RATE, hop_length=512),
        SubsampledClassifier(PrototypicalClassifier(max_epochs=2, random_state=0), n_shots=1),
    ),
}
every_pipeline = pytest.mark.parametrize("name", sorted(PIPELINES))


def scores(model, X):
    """Return probabilities if available, and decision values otherwise."""
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.decision_function(X)


@pytest.fixture(scope="module")
def sounds():
    """Tones of two classes in noise, (n_clips, n_samples), and their labels."""
    rng = np.random.default_rng(0)
    t = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    frequencies = np.array([400, 440, 480, 2000, 2200, 2400])
    X = 0.3 * np.sin(2 * np.pi * frequencies[:, None] * t) + 0.01 * rng.standard_normal((6, len(t)))
    return X.astype(np.float32), np.repeat(["low", "high"], 3)


@every_pipeline
def test_array_list_and_paths_agree(name, sounds, tmp_path):
    X, y = sounds
    paths = [tmp_path / f"{i}.wav" for i in range(len(X))]
    for path, x in zip(paths, X, strict=True):
        soundfile.write(path, x, SAMPLE_RATE, subtype="FLOAT")
    results = [scores(PIPELINES[name]().fit(kind, y), kind) for kind in (X, list(X), paths)]
    np.testing.assert_allclose(results[1], results[0], atol=1e-6)
    np.testing.assert_allclose(results[2], results[0], atol=1e-6)


@every_pipeline
def test_string_labels_are_predicted(name, sounds):
    X, y = sounds
    assert PIPELINES[name]().fit(X, y).predict(X).tolist() == y.tolist()


@every_pipeline
def test_clone_pickle_and_refit_on_another_length(name, sounds):
    X, y = sounds
    model = PIPELINES[name]().fit(X, y)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(scores(restored, X), scores(model, X))
    longer = np.concatenate([X, X], axis=1)
    np.testing.assert_array_equal(
        scores(model.fit(longer, y), longer), scores(clone(model).fit(longer, y), longer)
    )


@every_pipeline
def test_one_shot_per_class(name, sounds):
    X, y = sounds
    assert set(PIPELINES[name]().fit(X[[0, 3]], y[[0, 3]]).predict(X)) <= {"low", "high"}


@every_pipeline
def test_clip_of_one_sample_and_silence_are_classified(name, sounds):
    X, y = sounds
    clips = [*X, np.zeros(1, dtype=np.float32), np.zeros(SAMPLE_RATE, dtype=np.float32)]
    model = PIPELINES[name]().fit(list(X), y)
    assert np.isfinite(scores(model, clips)).all()


@every_pipeline
def test_training_on_silence_gives_finite_scores(name, sounds):
    X, y = sounds
    assert np.isfinite(scores(PIPELINES[name]().fit(np.zeros_like(X), y), X)).all()


def test_cross_validation_runs_on_paths_of_real_recordings(shared_data):
    from sklearn.model_selection import PredefinedSplit, cross_val_score

    from skfewaudio.datasets import load_esc50

    data = load_esc50(shared_data / "data", subset="esc10")
    keep = np.flatnonzero(np.isin(data.y, ["dog", "rain"]) & np.isin(data.folds, [1, 2]))
    model = make_pipeline(LogMel(), PrototypicalClassifier(random_state=0))
    accuracy = cross_val_score(
        model, [data.X[i] for i in keep], data.y[keep], cv=PredefinedSplit(data.folds[keep])
    )
    assert accuracy.shape == (2,)
    assert accuracy.mean() > 0.8
