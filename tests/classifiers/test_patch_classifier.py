import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skfewaudio import LogMel
from skfewaudio.audio import split_patches
from skfewaudio.classifiers import PatchClassifier
from skfewaudio.model_selection import FewShotClassifier

LABELS = np.array(["bark", "horn", "siren"])


def make_clips(n_per_class=4, n_mels=12, lengths=(9, 14), seed=0):
    """Noise with a band of its own for each class."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for c, label in enumerate(LABELS):
        for i in range(n_per_class):
            clip = rng.standard_normal((n_mels, lengths[i % len(lengths)])).astype(np.float32)
            clip[c * n_mels // 3 : (c + 1) * n_mels // 3] += 3
            X.append(clip)
            y.append(label)
    return X, np.array(y)


def make_tags(**shape):
    """Clips that have two labels each, as an indicator matrix, and a third that none has."""
    X, y = make_clips(**shape)
    return X, np.column_stack([y != "horn", y != "bark", y == "none"]).astype(int)


class Scripted(ClassifierMixin, BaseEstimator):
    """Takes a row for the probabilities of the classes."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.rows_, self.labels_, self.weights_ = X, y, sample_weight
        return self

    def predict_proba(self, X):
        return X

    def predict(self, X):
        return self.classes_[X.argmax(axis=1)]

    def decision_function(self, X):
        return X[:, 1] - 0.5


class Mute(ClassifierMixin, BaseEstimator):
    """The same, and it tells no more than the label."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[X.argmax(axis=1)]


def scripted(*frames, estimator=None, **params):
    """A classifier of the first labels, and one clip whose frames have these probabilities."""
    clip = np.array(frames, dtype=np.float32).T
    model = PatchClassifier(estimator or Scripted(), **params)
    return model.fit(list(np.eye(len(clip))[:, :, None]), LABELS[: len(clip)]), [clip]


@parametrize_with_checks(
    [
        PatchClassifier(),
        PatchClassifier(aggregation="vote"),
        PatchClassifier(LogisticRegression()),
        PatchClassifier(make_pipeline(StandardScaler(), LogisticRegression()), aggregation="max"),
        PatchClassifier(LinearSVC(random_state=0), aggregation="vote"),
        PatchClassifier(RandomForestClassifier(5, random_state=0)),
    ]
)
def test_scikit_learns_common_checks(estimator, check):
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
def test_separable_spectrograms_are_told_apart(model):
    X, y = make_clips(seed=1)
    assert model.fit(*make_clips()).score(X, y) == 1.0


@pytest.mark.parametrize("pad_mode", ["repeat", "zero"])
def test_rows_are_the_flattened_patches_with_the_labels_of_their_clips(pad_mode):
    X, y = make_clips(lengths=(3, 11))
    model = PatchClassifier(Scripted(), patch_frames=5, hop_frames=3, pad_mode=pad_mode, batch_size=2).fit(
        X, y
    )
    patches = [split_patches(clip, 5, hop_frames=3, pad_mode=pad_mode) for clip in X]
    np.testing.assert_array_equal(model.estimator_.rows_, np.concatenate(patches).reshape(-1, 60))
    np.testing.assert_array_equal(model.estimator_.labels_, np.repeat(y, [len(p) for p in patches]))
    assert model.estimator_.rows_.dtype == np.float32


@pytest.mark.parametrize(("patch_frames", "n_rows"), [(1, 10), (4, 4), (5, 2)])
def test_default_hop_is_half_a_patch_and_at_least_a_frame(patch_frames, n_rows):
    X, y = make_clips(n_per_class=1, lengths=(10,))
    model = PatchClassifier(Scripted(), patch_frames=patch_frames).fit(X, y)
    assert len(model.estimator_.rows_) == 3 * n_rows


def test_mean_is_that_of_the_patches_probabilities():
    model, clip = scripted([0.1, 0.9], [0.8, 0.2], [0.9, 0.1])
    np.testing.assert_allclose(model.predict_proba(clip), [[0.6, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(model.predict_log_proba(clip), np.log([[0.6, 0.4]]), rtol=1e-6)
    assert model.predict(clip) == ["bark"]


def test_max_is_that_of_the_patches_probabilities_normalised():
    model, clip = scripted([0.1, 0.9], [0.8, 0.2], [0.6, 0.4], aggregation="max")
    np.testing.assert_allclose(model.predict_proba(clip), [[0.8 / 1.7, 0.9 / 1.7]], rtol=1e-6)
    assert model.predict(clip) == ["horn"]


@pytest.mark.parametrize("estimator", [Scripted(), Mute()])
def test_vote_gives_the_share_of_patches_that_have_each_label(estimator):
    frames = [0.1, 0.9], [0.6, 0.4], [0.6, 0.4], [0.6, 0.4]
    model, clip = scripted(*frames, estimator=estimator, aggregation="vote")
    np.testing.assert_array_equal(model.predict_proba(clip), [[0.75, 0.25]])
    assert model.predict(clip) == ["bark"]


@pytest.mark.parametrize(("estimator", "label"), [(Scripted(), "horn"), (Mute(), "bark")])
def test_tied_vote_goes_to_the_likelier_or_else_to_the_first(estimator, label):
    # The siren is the likeliest of all, and no patch is given it.
    model, tied = scripted([0.40, 0.21, 0.39], [0.19, 0.42, 0.39], estimator=estimator, aggregation="vote")
    untied = [np.array([[0.1, 0.2, 0.7]]).T]
    assert model.predict(untied + tied).tolist() == ["siren", label]


def test_margins_of_two_classes_are_averaged():
    model, clip = scripted([0.1, 0.9], [0.8, 0.2], [0.9, 0.1], aggregation="vote")
    np.testing.assert_allclose(model.decision_function(clip), [-0.1], rtol=1e-6)


def test_max_weighs_the_largest_margins_of_two_classes():
    model, clip = scripted([0.1, 0.9], [0.8, 0.2], [0.7, 0.3], aggregation="max")
    np.testing.assert_allclose(model.decision_function(clip), [(0.4 - 0.3) / 2], rtol=1e-6)


def test_margins_of_three_classes_are_averaged():
    X, y = make_clips(lengths=(6,))
    model = PatchClassifier(LinearSVC(), aggregation="vote").fit(X, y)
    frames = np.concatenate([clip.T for clip in X])
    expected = model.estimator_.decision_function(frames).reshape(12, 6, 3).mean(axis=1)
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-6)


@pytest.mark.parametrize("aggregation", ["mean", "max", "vote"])
def test_batches_change_nothing(aggregation):
    X, y = make_clips(lengths=(1, 5, 40))
    whole = PatchClassifier(LogisticRegression(max_iter=1000), patch_frames=2, aggregation=aggregation).fit(
        X, y
    )
    parts = clone(whole).set_params(batch_size=7).fit(X, y)
    np.testing.assert_allclose(parts.predict_proba(X), whole.predict_proba(X), rtol=1e-6)


def test_no_more_than_a_batch_of_patches_is_predicted_at_once():
    sizes = []

    class Counting(Scripted):
        def predict_proba(self, X):
            sizes.append(len(X))
            return super().predict_proba(X)

    model, _ = scripted([0.5, 0.5], estimator=Counting(), batch_size=10)
    model.predict_proba([np.zeros((2, 95)), *[np.zeros((2, 2))] * 4])
    assert max(sizes) <= 10
    assert sum(sizes) == 103


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba", "decision_function"])
def test_plain_matrix_gives_what_the_estimator_gives(method):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 5)), np.tile(LABELS, 10)
    alone = LogisticRegression().fit(X, y)
    model = PatchClassifier(LogisticRegression(), patch_frames=32).fit(X, y)
    np.testing.assert_allclose(getattr(model, method)(X), getattr(alone, method)(X), rtol=1e-12)


def test_array_and_list_of_spectrograms_give_the_same():
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


def test_default_is_the_nearest_neighbour_by_cosine():
    X, y = make_clips()
    named = PatchClassifier(KNeighborsClassifier(1, metric="cosine")).fit(X, y)
    X, _ = make_clips(seed=1)
    np.testing.assert_array_equal(
        PatchClassifier().fit(*make_clips()).predict_proba(X), named.predict_proba(X)
    )


def test_sample_weight_of_a_clip_is_that_of_its_patches():
    X, y = make_clips(n_per_class=1, lengths=(4,))
    model = PatchClassifier(Scripted(), patch_frames=2).fit(X, y, sample_weight=[1.0, 2.0, 3.0])
    assert list(model.estimator_.weights_) == [1.0] * 3 + [2.0] * 3 + [3.0] * 3


def test_sample_weight_goes_through_pipelines_on_both_sides():
    X, y = make_clips(lengths=(6,))
    inner = make_pipeline(StandardScaler(), LogisticRegression())
    model = make_pipeline(PatchClassifier(inner))
    weighted = model.fit(
        X, y, patchclassifier__logisticregression__sample_weight=np.arange(12)
    ).predict_proba(X)
    assert not np.allclose(weighted, model.fit(X, y).predict_proba(X))


def test_sample_weight_of_another_length_is_refused():
    X, y = make_clips(n_per_class=1, lengths=(4,))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        PatchClassifier(Scripted()).fit(X, y, sample_weight=np.ones(12))


def test_sample_weight_is_refused_where_the_estimator_does_not_take_it():
    X, y = make_clips()
    with pytest.raises(TypeError, match=r"KNeighborsClassifier.*sample_weight"):
        PatchClassifier().fit(X, y, sample_weight=np.ones(12))


MULTI_LABEL = {
    "nearest neighbour": PatchClassifier(),
    "forest": PatchClassifier(RandomForestClassifier(10, random_state=0), patch_frames=2),
    "max": PatchClassifier(RandomForestClassifier(10, random_state=0), aggregation="max"),
    "vote": PatchClassifier(RidgeClassifier(), aggregation="vote"),
}


@pytest.mark.parametrize("name", sorted(MULTI_LABEL))
def test_clips_can_have_several_labels(name):
    X, Y = make_tags()
    model = clone(MULTI_LABEL[name]).fit(X, Y)
    test, truth = make_tags(seed=1)
    proba = model.predict_proba(test)
    assert proba.shape == (12, 3)
    assert (proba[:, 2] == 0).all()
    np.testing.assert_array_equal(model.predict(test), proba > 0.5)
    assert (model.predict(test) == truth).mean() > 0.9


def test_labels_one_against_the_rest_are_averaged():
    X, Y = make_tags(lengths=(6,))
    model = PatchClassifier(OneVsRestClassifier(LogisticRegression())).fit(X, Y[:, :2])
    rows = np.concatenate([clip.T for clip in X])
    for method in ("predict_proba", "decision_function"):
        expected = getattr(model.estimator_, method)(rows).reshape(12, 6, 2).mean(axis=1)
        np.testing.assert_allclose(getattr(model, method)(X), expected, rtol=1e-5)


def test_label_that_every_clip_has_is_certain():
    X, Y = make_tags()
    assert PatchClassifier().fit(X, np.ones_like(Y)).predict_proba(X).min() == 1


def test_two_dimensional_labels_that_are_no_indicators_are_refused():
    X, _ = make_clips()
    with pytest.raises(ValueError, match="y should be a 1d array"):
        PatchClassifier().fit(X, np.column_stack([np.arange(12) % 3, np.arange(12) % 4]))


def test_estimator_without_probabilities_needs_votes():
    X, y = make_clips()
    with pytest.raises(
        ValueError, match=r"aggregation='mean' needs probabilities.*LinearSVC.*aggregation='vote'"
    ):
        PatchClassifier(LinearSVC()).fit(X, y)


@pytest.mark.parametrize(
    ("model", "methods"),
    [
        (PatchClassifier(LogisticRegression()), {"predict_proba", "predict_log_proba", "decision_function"}),
        (PatchClassifier(), {"predict_proba", "predict_log_proba"}),
        (
            PatchClassifier(LinearSVC(), aggregation="vote"),
            {"predict_proba", "predict_log_proba", "decision_function"},
        ),
        (PatchClassifier(LinearSVC()), {"decision_function"}),
        (PatchClassifier(Mute(), aggregation="vote"), {"predict_proba", "predict_log_proba"}),
    ],
    ids=["logistic", "default", "svm vote", "svm", "mute vote"],
)
def test_methods_are_those_that_the_estimator_allows(model, methods):
    assert {
        m for m in ("predict_proba", "predict_log_proba", "decision_function") if hasattr(model, m)
    } == methods


def test_regressor_is_refused():
    with pytest.raises(ValueError, match=r"estimator=LinearRegression\(\) is no classifier"):
        PatchClassifier(LinearRegression()).fit(*make_clips())


def test_tags_are_those_of_the_estimator_as_far_as_they_hold_for_clips():
    tags = get_tags(PatchClassifier(MultinomialNB()))
    assert tags.input_tags.positive_only
    assert tags.input_tags.three_d_array
    assert not tags.input_tags.sparse


def test_vectors_are_refused_where_spectrograms_were_fitted():
    model = PatchClassifier().fit(*make_clips())
    with pytest.raises(ValueError, match="X holds feature vectors, and fit was given the other kind"):
        model.predict(np.zeros((2, 12)))


def test_other_number_of_bands_is_refused():
    model = PatchClassifier().fit(*make_clips())
    with pytest.raises(ValueError, match="X has 16 features, but PatchClassifier is expecting 12"):
        model.predict([np.zeros((16, 40))])


def test_clone_pickle_and_refit_on_another_shape():
    X, y = make_clips()
    model = PatchClassifier(patch_frames=4).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    X, y = make_clips(n_mels=15, lengths=(30,))
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), clone(model).fit(X, y).predict_proba(X))
    assert model.n_features_in_ == 15
    assert model.estimator_.n_features_in_ == 60


def test_fit_leaves_the_given_estimator_and_the_parameters_alone():
    given = LogisticRegression()
    model = PatchClassifier(given)
    params = model.get_params()
    model.fit(*make_clips())
    assert not hasattr(given, "classes_")
    assert model.get_params() == params


@pytest.mark.parametrize("patch_frames", [1, 8])
def test_one_clip_a_class_and_one_frame_a_clip(patch_frames):
    X, y = make_clips(n_per_class=1, lengths=(1,))
    assert PatchClassifier(patch_frames=patch_frames).fit(X, y).predict(X).tolist() == y.tolist()


def test_silence_is_classified_and_learnt_from():
    X = [np.zeros((4, 9)), np.zeros((4, 5)), np.ones((4, 2))]
    assert np.isfinite(PatchClassifier(patch_frames=3).fit(X, LABELS).predict_proba(X)).all()


def test_number_of_shots_counts_clips():
    X, y = make_clips()
    model = FewShotClassifier(PatchClassifier(Scripted()), n_shots=2).fit(X, y)
    assert len(model.support_) == 6
    assert len(model.estimator_.estimator_.rows_) == sum(X[i].shape[1] for i in model.support_)


def test_search_reaches_patches_and_estimator():
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
