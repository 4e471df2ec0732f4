"""Patches that the estimator receives, and the aggregation of its predictions."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skfewaudio.audio import split_patches
from skfewaudio.classifiers import PatchClassifier
from skfewaudio.model_selection import SubsampledClassifier

LABELS = np.array(["bark", "horn", "siren"])


class Scripted(ClassifierMixin, BaseEstimator):
    """Classifier that returns its input as class probabilities."""

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
    """Classifier that predicts labels without probabilities."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[X.argmax(axis=1)]


def scripted(*frames, estimator=None, **params):
    """Return a fitted classifier, and one clip whose frames have the given probabilities."""
    clip = np.array(frames, dtype=np.float32).T
    model = PatchClassifier(estimator or Scripted(), **params)
    return model.fit(list(np.eye(len(clip))[:, :, None]), LABELS[: len(clip)]), [clip]


@pytest.mark.parametrize("pad_mode", ["repeat", "zero"])
def test_rows_are_the_flattened_patches_with_the_labels_of_their_clips(pad_mode, make_clips):
    X, y = make_clips(lengths=(3, 11))
    model = PatchClassifier(Scripted(), patch_frames=5, hop_frames=3, pad_mode=pad_mode, batch_size=2).fit(
        X, y
    )
    patches = [split_patches(clip, 5, hop_frames=3, pad_mode=pad_mode) for clip in X]
    np.testing.assert_array_equal(model.estimator_.rows_, np.concatenate(patches).reshape(-1, 60))
    np.testing.assert_array_equal(model.estimator_.labels_, np.repeat(y, [len(p) for p in patches]))
    assert model.estimator_.rows_.dtype == np.float32


@pytest.mark.parametrize(("patch_frames", "n_rows"), [(1, 10), (4, 4), (5, 2)])
def test_default_hop_is_half_a_patch_and_at_least_a_frame(patch_frames, n_rows, make_clips):
    X, y = make_clips(n_per_class=1, lengths=(10,))
    model = PatchClassifier(Scripted(), patch_frames=patch_frames).fit(X, y)
    assert len(model.estimator_.rows_) == 3 * n_rows


def test_mean_averages_the_probabilities_of_patches():
    model, clip = scripted([0.1, 0.9], [0.8, 0.2], [0.9, 0.1])
    np.testing.assert_allclose(model.predict_proba(clip), [[0.6, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(model.predict_log_proba(clip), np.log([[0.6, 0.4]]), rtol=1e-6)
    assert model.predict(clip) == ["bark"]


def test_max_is_the_normalised_maximum_of_the_probabilities_of_patches():
    model, clip = scripted([0.1, 0.9], [0.8, 0.2], [0.6, 0.4], aggregation="max")
    np.testing.assert_allclose(model.predict_proba(clip), [[0.8 / 1.7, 0.9 / 1.7]], rtol=1e-6)
    assert model.predict(clip) == ["horn"]


@pytest.mark.parametrize("estimator", [Scripted(), Mute()])
def test_vote_is_the_share_of_patches_with_each_label(estimator):
    frames = [0.1, 0.9], [0.6, 0.4], [0.6, 0.4], [0.6, 0.4]
    model, clip = scripted(*frames, estimator=estimator, aggregation="vote")
    np.testing.assert_array_equal(model.predict_proba(clip), [[0.75, 0.25]])
    assert model.predict(clip) == ["bark"]


@pytest.mark.parametrize(("estimator", "label"), [(Scripted(), "horn"), (Mute(), "bark")])
def test_tied_vote_is_decided_by_the_mean_probability_or_goes_to_the_first_label(estimator, label):
    # The siren has the highest mean probability, but no patch votes for it.
    model, tied = scripted([0.40, 0.21, 0.39], [0.19, 0.42, 0.39], estimator=estimator, aggregation="vote")
    untied = [np.array([[0.1, 0.2, 0.7]]).T]
    assert model.predict(untied + tied).tolist() == ["siren", label]


def test_margins_of_two_classes_are_averaged():
    model, clip = scripted([0.1, 0.9], [0.8, 0.2], [0.9, 0.1], aggregation="vote")
    np.testing.assert_allclose(model.decision_function(clip), [-0.1], rtol=1e-6)


def test_max_compares_the_largest_margins_of_two_classes():
    model, clip = scripted([0.1, 0.9], [0.8, 0.2], [0.7, 0.3], aggregation="max")
    np.testing.assert_allclose(model.decision_function(clip), [(0.4 - 0.3) / 2], rtol=1e-6)


def test_margins_of_three_classes_are_averaged(make_clips):
    X, y = make_clips(lengths=(6,))
    model = PatchClassifier(LinearSVC(), aggregation="vote").fit(X, y)
    frames = np.concatenate([clip.T for clip in X])
    expected = model.estimator_.decision_function(frames).reshape(12, 6, 3).mean(axis=1)
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-6)


@pytest.mark.parametrize("aggregation", ["mean", "max", "vote"])
def test_batch_size_does_not_change_the_result(aggregation, make_clips):
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


def test_sample_weight_of_a_clip_is_repeated_for_its_patches(make_clips):
    X, y = make_clips(n_per_class=1, lengths=(4,))
    model = PatchClassifier(Scripted(), patch_frames=2).fit(X, y, sample_weight=[1.0, 2.0, 3.0])
    assert list(model.estimator_.weights_) == [1.0] * 3 + [2.0] * 3 + [3.0] * 3


def test_sample_weight_passes_through_outer_and_inner_pipelines(make_clips):
    X, y = make_clips(lengths=(6,))
    inner = make_pipeline(StandardScaler(), LogisticRegression())
    model = make_pipeline(PatchClassifier(inner))
    weighted = model.fit(
        X, y, patchclassifier__logisticregression__sample_weight=np.arange(12)
    ).predict_proba(X)
    assert not np.allclose(weighted, model.fit(X, y).predict_proba(X))


def test_sample_weight_of_another_length_is_refused(make_clips):
    X, y = make_clips(n_per_class=1, lengths=(4,))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        PatchClassifier(Scripted()).fit(X, y, sample_weight=np.ones(12))


def test_sample_weight_for_an_estimator_without_weights_is_refused(make_clips):
    X, y = make_clips()
    with pytest.raises(TypeError, match=r"KNeighborsClassifier.*sample_weight"):
        PatchClassifier().fit(X, y, sample_weight=np.ones(12))


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
def test_available_methods_depend_on_the_estimator(model, methods):
    assert {
        m for m in ("predict_proba", "predict_log_proba", "decision_function") if hasattr(model, m)
    } == methods


def test_number_of_shots_counts_clips(make_clips):
    X, y = make_clips()
    model = SubsampledClassifier(PatchClassifier(Scripted()), n_shots=2).fit(X, y)
    assert len(model.support_) == 6
    assert len(model.estimator_.estimator_.rows_) == sum(X[i].shape[1] for i in model.support_)
