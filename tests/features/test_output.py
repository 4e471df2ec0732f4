"""Containers and column names of the output, through whole pipelines."""

import numpy as np
import pandas as pd
import pytest
import sklearn
import soundfile
from sklearn import config_context
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from skfewaudio import (
    MFCC,
    BlockScaler,
    CachedFeatures,
    CalibratedRidgeClassifier,
    LogMel,
    PatchClassifier,
    PrototypicalClassifier,
    SkorchCNN,
    SpectrogramStatistics,
    SubsampledClassifier,
    VGGishEmbed,
    few_shot_curve,
    make_few_shot_classifier,
)

RATE = 8000
N_CLIPS = 12
Y = np.tile(["rain", "wind"], N_CLIPS // 2)
WAVEFORMS = 0.1 * np.random.default_rng(0).normal(size=(N_CLIPS, 2000)) * np.where(Y == "rain", 1, 3)[:, None]


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    """Frame with a column of paths and a column of numbers, and with an index that is not in order."""
    folder = tmp_path_factory.mktemp("sounds")
    paths = [str(folder / f"{index}.wav") for index in range(N_CLIPS)]
    for path, clip in zip(paths, WAVEFORMS, strict=True):
        soundfile.write(path, clip, RATE, subtype="FLOAT")
    return pd.DataFrame({"path": paths, "seconds": np.arange(N_CLIPS)}, index=np.arange(N_CLIPS)[::-1])


def few_shot(**params):
    return make_few_shot_classifier(sample_rate=RATE, n_mels=16, n_copies=1, **params)


def statistics():
    return make_pipeline(LogMel(sample_rate=RATE, n_mels=16), SpectrogramStatistics(["bands"]))


def columns(*of_path):
    return make_column_transformer(*of_path, (StandardScaler(), ["seconds"]))


keeps_index_of_series = pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.7"),
    reason="scikit-learn 1.6 drops the index of a Series",
)
MAPS = {
    "log-mel": LogMel(sample_rate=RATE, n_mels=16),
    "coefficients": MFCC(sample_rate=RATE, summary=None),
    "cached": CachedFeatures(LogMel(sample_rate=RATE, n_mels=16)),
}
every_map = pytest.mark.parametrize("transformer", MAPS.values(), ids=MAPS)


@pytest.fixture(autouse=True)
def cache_location(tmp_path, monkeypatch):
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path))


@every_map
def test_names_of_spectrograms_are_those_of_their_rows(transformer):
    assert len(transformer.get_feature_names_out()) == transformer.fit_transform(WAVEFORMS).shape[1]


@every_map
@pytest.mark.parametrize("container", ["default", "pandas", "polars"])
def test_spectrograms_of_arrays_are_arrays_in_any_container(transformer, container):
    spectrograms = transformer.set_output(transform=container).fit_transform(WAVEFORMS)
    assert isinstance(spectrograms, np.ndarray)


@every_map
def test_global_container_does_not_change_spectrograms(transformer, frame):
    with config_context(transform_output="pandas"):
        assert isinstance(transformer.fit_transform(frame["path"]), np.ndarray)


@every_map
def test_spectrograms_of_pandas_keep_the_index(transformer, frame):
    spectrograms = transformer.set_output(transform="pandas").fit_transform(frame["path"])
    pd.testing.assert_index_equal(spectrograms.index, frame.index)
    assert spectrograms.iloc[0].ndim == 2


def test_container_of_embeddings_of_patches_can_be_set():
    assert VGGishEmbed(pooling=None).set_output(transform="pandas").pooling is None


@pytest.mark.parametrize("params", [{}, {"augmentation": None}], ids=["augmented", "not augmented"])
@pytest.mark.parametrize("container", ["default", "pandas"])
def test_container_does_not_change_the_few_shot_classifier(params, container, frame):
    expected = few_shot(**params).fit(WAVEFORMS, Y).predict_proba(WAVEFORMS)
    model = few_shot(**params).set_output(transform=container).fit(frame["path"], Y)
    np.testing.assert_allclose(model.predict_proba(frame["path"]), expected, atol=1e-6)


def test_steps_of_the_few_shot_classifier_name_their_columns():
    model = few_shot(augmentation=None).fit(WAVEFORMS, Y)
    names = model[:-1].get_feature_names_out()
    assert len(set(names)) == len(names) == model[:-1].transform(WAVEFORMS).shape[1]
    assert few_shot()[:-1].get_feature_names_out()[-1] == "mel15"


@keeps_index_of_series
@pytest.mark.parametrize("column", ["path", ["path"]], ids=["series", "frame"])
def test_statistics_in_a_column_transformer_have_names_and_index(column, frame):
    transformer = columns((statistics(), column)).set_output(transform="pandas")
    table = transformer.fit_transform(frame)
    pd.testing.assert_index_equal(table.index, frame.index)
    assert table.columns[-1] == "standardscaler__seconds"
    assert table.columns[0] == "pipeline__bands__mean_0"
    assert transformer.get_feature_names_out().tolist() == table.columns.tolist()


@keeps_index_of_series
def test_named_columns_are_cross_validated(frame):
    transformer = columns((statistics(), "path")).set_output(transform="pandas")
    accuracy = cross_val_score(make_pipeline(transformer, CalibratedRidgeClassifier()), frame, Y, cv=3)
    assert np.isfinite(accuracy).all()


CLASSIFIERS = {
    "prototypes": PrototypicalClassifier(max_epochs=1),
    "network": SkorchCNN(max_epochs=1),
    "subsampled": SubsampledClassifier(PrototypicalClassifier()),
}


@pytest.mark.parametrize("classifier", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_embeddings_of_classifiers_have_names(classifier, frame):
    model = make_pipeline(MFCC(sample_rate=RATE), classifier).set_output(transform="pandas")
    embeddings = model.fit(frame[["path"]], Y).transform(frame[["path"]])
    pd.testing.assert_index_equal(embeddings.index, frame.index)
    assert embeddings.columns.tolist() == model.get_feature_names_out().tolist()


def test_embeddings_of_a_network_on_spectrograms_have_names():
    network = SkorchCNN(max_epochs=1, architecture_params={"n_filters": 4}, random_state=0)
    spectrograms = np.random.default_rng(0).normal(size=(N_CLIPS, 32, 36))
    embeddings = network.fit(spectrograms, Y).transform(spectrograms)
    assert len(network.get_feature_names_out()) == embeddings.shape[1]


@pytest.mark.parametrize(
    "classifier",
    [PatchClassifier(), PrototypicalClassifier(None), SubsampledClassifier(PatchClassifier())],
    ids=["patches", "prototypes", "subsampled"],
)
def test_classifiers_take_a_series_of_spectrograms(classifier, frame):
    spectrograms = LogMel(sample_rate=RATE).set_output(transform="pandas").fit_transform(frame["path"])
    arrays = LogMel(sample_rate=RATE).fit_transform(frame["path"])
    found = classifier.fit(spectrograms, Y).predict_proba(spectrograms)
    np.testing.assert_array_equal(found, classifier.fit(arrays, Y).predict_proba(arrays))


def test_a_column_of_paths_is_searched_over(frame):
    search = GridSearchCV(few_shot(), {"classifier__copy_weight": [0.1, 0.3]}, cv=2)
    assert search.fit(frame[["path"]], Y).predict(frame[["path"]]).shape == (N_CLIPS,)


def test_a_column_of_paths_in_a_column_transformer(frame):
    table = columns((MFCC(sample_rate=RATE), ["path"])).fit_transform(frame)
    np.testing.assert_allclose(table[:, :-1], MFCC(sample_rate=RATE).transform(WAVEFORMS), atol=1e-4)


@pytest.mark.parametrize("kind", ["frame", "array"])
def test_learning_curve_of_a_column_of_paths(kind, frame):
    X = frame[["path"]] if kind == "frame" else frame[["path"]].to_numpy()
    curve = few_shot_curve(few_shot(), X, Y, n_shots=[1], n_repeats=1, cv=2)
    assert curve["value"].notna().all()


def test_resampled_columns_of_paths_are_fitted(frame):
    """As RandomOverSampler does, which returns a column of paths as an array."""
    rows = np.array([0, 1, 2, 3, 1, 1])
    X = frame[["path"]].to_numpy()[rows]
    assert few_shot().fit(X, Y[rows]).predict(X).tolist() == Y[rows].tolist()


def test_bagging_draws_columns_of_paths(frame):
    from sklearn.ensemble import BaggingClassifier

    model = BaggingClassifier(few_shot(augmentation=None), n_estimators=2, random_state=0)
    assert model.fit(frame[["path"]], Y).predict(frame[["path"]]).shape == (N_CLIPS,)


def test_scaled_blocks_have_the_names_of_the_statistics():
    pipeline = make_pipeline(*statistics(), BlockScaler()).fit(WAVEFORMS)
    assert pipeline.get_feature_names_out()[0] == "bands__mean_0"
