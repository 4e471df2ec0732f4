import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skfewaudio import make_few_shot_classifier
from skfewaudio.augmentation import BackgroundNoise
from skfewaudio.model_selection import SubsampledClassifier
from skfewaudio.reporting import EmbeddingDisplay

RNG = np.random.default_rng(0)
Y = np.repeat(["bark", "horn"], 10)
X = RNG.normal(size=(20, 5))


class Prototypes(BaseEstimator):
    """Embedding into the first features, with class means as prototypes."""

    def __init__(self, n_dims=4):
        self.n_dims = n_dims

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.prototypes_ = np.stack([self.transform(X[y == label]).mean(axis=0) for label in self.classes_])
        return self

    def transform(self, X):
        return X[:, : self.n_dims]

    def predict(self, X):
        return self.classes_[np.zeros(len(X), dtype=int)]


def make_frame(estimator, y=Y):
    return EmbeddingDisplay.from_estimator(estimator, X, y).frame()


def test_clips_are_projected_on_their_principal_components():
    found = make_frame(Prototypes().fit(X, Y)).query("kind == 'clip'")[["x", "y"]]
    np.testing.assert_allclose(found, PCA(2).fit_transform(X[:, :4]), atol=1e-12)


def test_prototypes_are_projected_like_the_clips():
    frame = make_frame(Prototypes().fit(X, Y))
    means = frame.query("kind == 'clip'").groupby("label")[["x", "y"]].mean()
    np.testing.assert_allclose(frame.query("kind == 'prototype'")[["x", "y"]], means, atol=1e-12)


def test_two_dimensional_embeddings_are_not_projected():
    frame = make_frame(Prototypes(2).fit(X, Y)).query("kind == 'clip'")
    np.testing.assert_array_equal(frame[["x", "y"]], X[:, :2])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: make_pipeline(FunctionTransformer(), model),
        lambda model: SubsampledClassifier(model, 5),
        lambda model: SubsampledClassifier(make_pipeline(FunctionTransformer(), model), 5),
    ],
)
def test_prototypes_are_found_inside_other_estimators(wrap):
    frame = make_frame(wrap(Prototypes()).fit(X, Y))
    assert frame.query("kind == 'prototype'")["label"].tolist() == ["bark", "horn"]


def test_transformer_without_prototypes_gives_only_clips():
    assert set(make_frame(PCA(3).fit(X))["kind"]) == {"clip"}


def test_plot_draws_points_per_class_and_a_star_per_prototype():
    ax = Figure().subplots()
    display = EmbeddingDisplay.from_estimator(Prototypes().fit(X, Y), X, Y)
    assert display.plot(ax, title="toy") is display
    assert display.figure_ is ax.figure
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["bark", "horn"]
    assert len(ax.collections) == 2 + 2
    assert [text.get_text() for text in ax.texts] == ["bark", "horn"]


def test_plot_without_labels_draws_clips_without_class():
    ax = Figure().subplots()
    EmbeddingDisplay.from_estimator(Prototypes().fit(X, Y), X).plot(ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["clips"]


def test_features_before_a_classifier_are_its_space():
    model = make_pipeline(PCA(3), KNeighborsClassifier(1)).fit(X, Y)
    found = make_frame(model)[["x", "y"]]
    np.testing.assert_allclose(found, PCA(2).fit_transform(PCA(3).fit_transform(X)), atol=1e-12)


def test_classifier_without_features_has_no_space():
    with pytest.raises(TypeError, match="KNeighborsClassifier has no transform"):
        make_frame(KNeighborsClassifier(1).fit(X, Y))


@pytest.mark.parametrize("augmentation", [None, [BackgroundNoise()]])
def test_space_of_the_recommended_classifier_is_that_of_its_blocks(augmentation):
    clips = RNG.normal(size=(4, 8000)) * np.array([[1.0], [0.1], [1.0], [0.1]])
    labels = ["loud", "quiet"] * 2
    model = make_few_shot_classifier(sample_rate=16000, augmentation=augmentation, n_copies=1)
    model.fit(clips, labels)
    blocks = model[-1] if augmentation is None else model[-1].estimator_
    found = EmbeddingDisplay.from_estimator(model, clips, labels).frame()[["x", "y"]]
    vectors = blocks.transform(model[:-1].transform(clips))
    np.testing.assert_allclose(found, PCA(2, random_state=0).fit_transform(vectors), atol=1e-4)


def test_positions_of_clips_are_kept():
    display = EmbeddingDisplay.from_estimator(Prototypes().fit(X, Y), X, Y, clips=np.arange(20) + 7)
    assert display.frame().query("kind == 'clip'")["clip"].tolist() == list(range(7, 27))


def test_positions_must_match_the_clips():
    with pytest.raises(ValueError, match=r"20 clips; got \(3,\)"):
        EmbeddingDisplay.from_estimator(Prototypes().fit(X, Y), X, Y, clips=[0, 1, 2])


def test_embeddings_must_be_vectors():
    with pytest.raises(ValueError, match=r"\(20, 1\)"):
        make_frame(Prototypes(1).fit(X, Y))


def test_labels_must_match_the_clips():
    with pytest.raises(ValueError, match="20 clips"):
        make_frame(Prototypes().fit(X, Y), Y[:5])
