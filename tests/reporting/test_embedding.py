import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

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


def test_embeddings_must_be_vectors():
    with pytest.raises(ValueError, match=r"\(20, 1\)"):
        make_frame(Prototypes(1).fit(X, Y))


def test_labels_must_match_the_clips():
    with pytest.raises(ValueError, match="20 clips"):
        make_frame(Prototypes().fit(X, Y), Y[:5])
