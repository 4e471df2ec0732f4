"""PatchClassifier as an estimator, with various wrapped estimators."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skfewaudio import LogMel
from skfewaudio.classifiers import PatchClassifier

LABELS = np.array(["bark", "horn", "siren"])


@pytest.mark.slow
@parametrize_with_checks(
    [
        PatchClassifier(aggregation="vote"),
        PatchClassifier(LogisticRegression()),
        PatchClassifier(make_pipeline(StandardScaler(), LogisticRegression()), aggregation="max"),
        PatchClassifier(LinearSVC(random_state=0), aggregation="vote"),
        PatchClassifier(RandomForestClassifier(5, random_state=0)),
    ]
)
def test_scikit_learns_common_checks_with_other_parameters(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "model",
    [
        PatchClassifier(),
        PatchClassifier(LogisticRegression(max_iter=1000), patch_frames=4),
        PatchClassifier(LogisticRegression(max_iter=1000), patch_frames=4, aggregation="max"),
        PatchClassifier(LinearSVC(), patch_frames=3, hop_frames=1, aggregation="vote"),
        PatchClassifier(make_pipeline(StandardScaler(), SVC()), patch_frames=20, aggregation="vote"),
    ],
    ids=["default", "logistic", "logistic max", "svm vote", "pipeline"],
)
def test_separable_spectrograms_are_classified_correctly(model, make_clips):
    X, y = make_clips(seed=1)
    assert model.fit(*make_clips()).score(X, y) == 1.0


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba", "decision_function"])
def test_feature_vectors_give_the_results_of_the_estimator_alone(method):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 5)), np.tile(LABELS, 10)
    alone = LogisticRegression().fit(X, y)
    model = PatchClassifier(LogisticRegression(), patch_frames=32).fit(X, y)
    np.testing.assert_allclose(getattr(model, method)(X), getattr(alone, method)(X), rtol=1e-12)


def test_array_and_list_of_spectrograms_are_equivalent(make_clips):
    X, y = make_clips(lengths=(10,))
    a, b = PatchClassifier(patch_frames=4).fit(X, y), PatchClassifier(patch_frames=4).fit(np.stack(X), y)
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(np.stack(X)))


def test_nearest_neighbour_votes_over_sequences_of_embeddings():
    rng = np.random.default_rng(0)
    centres = 3 * rng.standard_normal((3, 128))
    y = np.repeat([0, 1, 2], 5)
    X = [centres[c][:, None] + rng.standard_normal((128, rng.integers(1, 10))) for c in y]
    model = PatchClassifier(KNeighborsClassifier(1, metric="cosine"), aggregation="vote")
    folds = [(np.arange(i, 15, 5), np.delete(np.arange(15), np.arange(i, 15, 5))) for i in range(5)]
    assert cross_val_score(model, X, LABELS[y], cv=folds).tolist() == [1.0] * 5
    assert model.fit(X, LABELS[y]).n_features_in_ == 128


def test_default_is_the_nearest_neighbour_by_cosine(make_clips):
    X, y = make_clips()
    named = PatchClassifier(KNeighborsClassifier(1, metric="cosine")).fit(X, y)
    X, _ = make_clips(seed=1)
    np.testing.assert_array_equal(
        PatchClassifier().fit(*make_clips()).predict_proba(X), named.predict_proba(X)
    )


def test_estimator_without_probabilities_needs_votes(make_clips):
    X, y = make_clips()
    with pytest.raises(
        ValueError, match=r"aggregation='mean' needs probabilities.*LinearSVC.*aggregation='vote'"
    ):
        PatchClassifier(LinearSVC()).fit(X, y)


def test_regressor_is_refused(make_clips):
    with pytest.raises(ValueError, match=r"estimator=LinearRegression\(\) is not a classifier"):
        PatchClassifier(LinearRegression()).fit(*make_clips())


def test_tags_of_the_estimator_are_kept_if_valid_for_clips():
    tags = get_tags(PatchClassifier(MultinomialNB()))
    assert tags.input_tags.positive_only
    assert tags.input_tags.three_d_array
    assert not tags.input_tags.sparse


def test_vectors_are_refused_where_spectrograms_were_fitted(make_clips):
    model = PatchClassifier().fit(*make_clips())
    with pytest.raises(ValueError, match="X holds feature vectors, and fit was given the other kind"):
        model.predict(np.zeros((2, 12)))


def test_other_number_of_bands_is_refused(make_clips):
    model = PatchClassifier().fit(*make_clips())
    with pytest.raises(ValueError, match="X has 16 features, but PatchClassifier is expecting 12"):
        model.predict([np.zeros((16, 40))])


def test_clone_pickle_and_refit_on_another_shape(make_clips):
    X, y = make_clips()
    model = PatchClassifier(patch_frames=4).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    X, y = make_clips(n_mels=15, lengths=(30,))
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), clone(model).fit(X, y).predict_proba(X))
    assert model.n_features_in_ == 15
    assert model.estimator_.n_features_in_ == 60


def test_fit_does_not_change_the_estimator_and_the_parameters(make_clips):
    given = LogisticRegression()
    model = PatchClassifier(given)
    params = model.get_params()
    model.fit(*make_clips())
    assert not hasattr(given, "classes_")
    assert model.get_params() == params


@pytest.mark.parametrize("patch_frames", [1, 8])
def test_one_clip_per_class_and_one_frame_per_clip(patch_frames, make_clips):
    X, y = make_clips(n_per_class=1, lengths=(1,))
    assert PatchClassifier(patch_frames=patch_frames).fit(X, y).predict(X).tolist() == y.tolist()


def test_silence_can_be_fitted_and_classified():
    X = [np.zeros((4, 9)), np.zeros((4, 5)), np.ones((4, 2))]
    assert np.isfinite(PatchClassifier(patch_frames=3).fit(X, LABELS).predict_proba(X)).all()


def test_grid_search_sets_parameters_of_patches_and_estimator(make_clips):
    X, y = make_clips()
    grid = {"patch_frames": [1, 4], "estimator__n_neighbors": [1, 3]}
    search = GridSearchCV(PatchClassifier(KNeighborsClassifier()), grid, cv=2).fit(X, y)
    assert search.best_score_ == 1.0


def test_pipeline_from_waveforms():
    t = np.arange(8000) / 16000
    X = [np.sin(2 * np.pi * f * t[: 4000 + 40 * f // 10]) for f in (400, 440, 480, 900, 1000)]
    y = np.array(["low", "low", "low", "high", "high"])
    model = make_pipeline(
        LogMel(sample_rate=16000, n_fft=512, hop_length=256),
        PatchClassifier(make_pipeline(StandardScaler(), LogisticRegression()), patch_frames=8),
    )
    assert model.fit(X[1:4], y[1:4]).predict([X[0], X[4]]).tolist() == ["low", "high"]
