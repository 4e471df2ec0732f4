"""Parameters of fit, with scikit-learn's metadata routing and without."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object

from skfewaudio import (
    AugmentedClassifier,
    BlockClassifier,
    CachedFeatures,
    CalibratedRidgeClassifier,
    PatchClassifier,
    SubsampledClassifier,
    few_shot_curve,
    make_few_shot_classifier,
)

RATE = 8000
N_CLIPS = 12
Y = np.tile(["rain", "wind"], N_CLIPS // 2)
GROUPS = np.repeat(np.arange(N_CLIPS // 2), 2)
WEIGHTS = np.linspace(0.25, 2, N_CLIPS)
RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(N_CLIPS, 4)) + 3 * (Y == "rain")[:, None]
WAVEFORMS = 0.1 * RNG.normal(size=(N_CLIPS, 2000)) * np.where(Y == "rain", 1, 3)[:, None]


@pytest.fixture(params=[False, True], ids=["without routing", "with routing"])
def either(request):
    with config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


class Recorder(ClassifierMixin, BaseEstimator):
    """Classifier that keeps what fit receives."""

    def fit(self, X, y, sample_weight=None, groups=None):
        self.classes_ = np.unique(y)
        self.n_features_in_ = np.shape(X)[1]
        self.received_ = {"sample_weight": sample_weight, "groups": groups}
        Recorder.last = self.received_
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


class Weighted(TransformerMixin, BaseEstimator):
    """Transformer of single clips whose fit accepts a weight."""

    def fit(self, X, y=None, sample_weight=None):
        Weighted.last = sample_weight
        return self

    def transform(self, X):
        return np.asarray([clip[:2] for clip in X])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def few_shot(**params):
    return make_few_shot_classifier(sample_rate=RATE, n_mels=16, n_copies=1, **params)


@pytest.mark.parametrize("params", [{}, {"augmentation": None}], ids=["augmented", "not augmented"])
def test_routing_does_not_change_the_few_shot_classifier(params):
    expected = few_shot(**params).fit(WAVEFORMS, Y).predict_proba(WAVEFORMS)
    with config_context(enable_metadata_routing=True):
        found = few_shot(**params).fit(WAVEFORMS, Y).predict_proba(WAVEFORMS)
    np.testing.assert_array_equal(found, expected)


def test_groups_have_the_same_effect_with_routing_and_without():
    expected = few_shot().fit(WAVEFORMS, Y, classifier__groups=GROUPS).predict_proba(WAVEFORMS)
    with config_context(enable_metadata_routing=True):
        found = few_shot().fit(WAVEFORMS, Y, groups=GROUPS).predict_proba(WAVEFORMS)
    np.testing.assert_array_equal(found, expected)


def test_weights_have_the_same_effect_with_routing_and_without():
    expected = few_shot().fit(WAVEFORMS, Y, classifier__sample_weight=WEIGHTS).predict_proba(WAVEFORMS)
    with config_context(enable_metadata_routing=True):
        model = few_shot()
        model["classifier"].estimator.set_fit_request(sample_weight=True)
        found = model.fit(WAVEFORMS, Y, sample_weight=WEIGHTS).predict_proba(WAVEFORMS)
    np.testing.assert_array_equal(found, expected)


def test_grouped_cross_validation_of_the_few_shot_classifier(routing):
    scores = cross_validate(few_shot(), WAVEFORMS, Y, cv=GroupKFold(3), params={"groups": GROUPS})
    assert np.isfinite(scores["test_score"]).all()


def test_cross_validation_of_the_few_shot_classifier(either):
    assert np.isfinite(cross_val_score(few_shot(), WAVEFORMS, Y, cv=2)).all()


def test_nested_grouped_search_of_the_few_shot_classifier(routing):
    search = GridSearchCV(few_shot(), {"classifier__copy_weight": [0.1, 0.3]}, cv=GroupKFold(2))
    found = cross_validate(search, WAVEFORMS, Y, cv=GroupKFold(2), params={"groups": GROUPS})
    assert np.isfinite(found["test_score"]).all()


def test_learning_curve_of_the_few_shot_classifier(either):
    curve = few_shot_curve(few_shot(), WAVEFORMS, Y, n_shots=[1], n_repeats=1, cv=2, groups=GROUPS)
    assert curve["value"].notna().all()


@pytest.mark.parametrize("is_on", [False, True], ids=["without routing", "with routing"])
def test_learning_curve_passes_groups_to_estimators_that_request_them(is_on):
    with config_context(enable_metadata_routing=is_on):
        model = Recorder().set_fit_request(groups=True) if is_on else Recorder()
        few_shot_curve(model, VECTORS, Y, n_shots=[2], n_repeats=1, cv=GroupKFold(2), groups=GROUPS)
    groups = Recorder.last["groups"]
    assert len(groups) == 4 if is_on else groups is None


def test_copies_have_the_groups_and_the_weights_of_their_clips(either):
    spectrograms = RNG.normal(size=(N_CLIPS, 8, 20))
    flat = make_pipeline(Flatten(), StandardScaler(), Recorder())
    model = AugmentedClassifier(flat, augmentation=[louder], n_copies=1, copy_weight=0.5)
    model.fit(spectrograms, Y, groups=GROUPS)
    received = model.estimator_[-1].received_
    np.testing.assert_array_equal(received["groups"], np.tile(GROUPS, 2))
    np.testing.assert_array_equal(received["sample_weight"], np.repeat([1, 0.5], N_CLIPS))
    # The weights are those of copies, which the scaler must not see.
    assert model.estimator_[1].n_samples_seen_ == 2 * N_CLIPS


class Flatten(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.asarray(X).reshape(len(X), -1)


def louder(spectrograms, targets, generator):
    return spectrograms + 1, targets


def test_requests_of_the_last_step_are_kept(routing):
    estimator = make_pipeline(
        StandardScaler(), Recorder().set_fit_request(groups=False, sample_weight="importance")
    )
    model = AugmentedClassifier(estimator).fit(VECTORS, Y, groups=GROUPS, importance=WEIGHTS)
    received = model.estimator_[-1].received_
    assert received["groups"] is None
    np.testing.assert_array_equal(received["sample_weight"], WEIGHTS)


def test_requests_are_set_on_the_clone_only(routing):
    estimator = make_pipeline(StandardScaler(), Recorder())
    AugmentedClassifier(estimator).fit(VECTORS, Y)
    requests = get_routing_for_object(estimator[-1]).fit.requests
    assert requests == {"sample_weight": None, "groups": None}


def test_weights_that_no_step_requests_are_an_error(routing):
    with pytest.raises(UnsetMetadataPassedError, match=r"sample_weight.*LogisticRegression"):
        AugmentedClassifier(make_pipeline(LogisticRegression())).fit(VECTORS, Y, sample_weight=WEIGHTS)


def test_ensembles_that_request_no_weights_are_fitted_without(routing):
    model = AugmentedClassifier(BaggingClassifier(LogisticRegression(), 2)).fit(VECTORS, Y)
    assert set(model.predict(VECTORS)) <= set(Y)


def test_plain_sample_weight_reaches_the_last_step_of_a_pipeline():
    estimator = make_pipeline(StandardScaler(), Recorder())
    model = AugmentedClassifier(estimator).fit(VECTORS, Y, sample_weight=WEIGHTS)
    np.testing.assert_array_equal(model.estimator_[-1].received_["sample_weight"], WEIGHTS)


def test_weights_for_an_estimator_without_them_are_an_error():
    with pytest.raises(TypeError, match="sample_weight"):
        AugmentedClassifier(KNeighborsClassifier()).fit(VECTORS, Y, sample_weight=WEIGHTS)


def test_added_clips_and_copies_have_the_groups_and_the_weights_of_their_clips(either):
    inner = BlockClassifier([("all", FunctionTransformer())], CalibratedRidgeClassifier(), incremental=True)
    if either:
        inner.set_fit_request(sample_weight=True).set_partial_fit_request(sample_weight=True)
    model = AugmentedClassifier(inner, augmentation=[louder], n_copies=1, copy_weight=0.5)
    params = {"sample_weight": WEIGHTS, "groups": GROUPS}
    model.fit(VECTORS, Y, **params).partial_fit(VECTORS, Y, classes=np.unique(Y), **params)
    clips = model.estimator_.kept_clips_
    np.testing.assert_array_equal(clips.recordings, np.tile(GROUPS, 4))
    np.testing.assert_array_equal(clips.weights, np.tile([*WEIGHTS, *(0.5 * WEIGHTS)], 2))


def test_weights_of_copies_of_added_clips_need_no_request(routing):
    inner = BlockClassifier([("all", FunctionTransformer())], CalibratedRidgeClassifier(), incremental=True)
    model = AugmentedClassifier(inner, augmentation=[louder], n_copies=1).fit(VECTORS, Y)
    weights = model.partial_fit(VECTORS, Y).estimator_.kept_clips_.weights
    np.testing.assert_array_equal(weights, np.tile(np.repeat([1, 0.3], N_CLIPS), 2))


def request(estimator, is_on, **names):
    return estimator.set_fit_request(**names) if is_on else estimator


def test_subsampled_classifier_passes_the_parameters_of_the_drawn_clips(either):
    estimator = request(Recorder(), either, sample_weight=True, groups=True)
    model = SubsampledClassifier(estimator, 2).fit(VECTORS, Y, sample_weight=WEIGHTS, groups=GROUPS)
    np.testing.assert_array_equal(model.estimator_.received_["sample_weight"], WEIGHTS[model.support_])
    np.testing.assert_array_equal(model.estimator_.received_["groups"], GROUPS[model.support_])


def test_patch_classifier_repeats_the_parameters_for_the_patches(either):
    estimator = request(Recorder(), either, sample_weight=True, groups=True)
    model = PatchClassifier(estimator, aggregation="vote", patch_frames=2, hop_frames=2)
    model.fit(np.ones((N_CLIPS, 3, 4)), Y, sample_weight=WEIGHTS, groups=GROUPS)
    np.testing.assert_array_equal(model.estimator_.received_["sample_weight"], np.repeat(WEIGHTS, 2))
    np.testing.assert_array_equal(model.estimator_.received_["groups"], np.repeat(GROUPS, 2))


def test_cached_features_pass_parameters_to_the_transformer(either, tmp_path):
    transformer = request(Weighted(), either, sample_weight=True)
    CachedFeatures(transformer, location=tmp_path).fit(WAVEFORMS, sample_weight=WEIGHTS)
    np.testing.assert_array_equal(Weighted.last, WEIGHTS[:1])  # fitted to the first clip only


@pytest.mark.parametrize(
    "router",
    [
        AugmentedClassifier(LogisticRegression()),
        PatchClassifier(LogisticRegression()),
        SubsampledClassifier(LogisticRegression()),
        CachedFeatures(Weighted()),
    ],
    ids=lambda router: type(router).__name__,
)
def test_unrequested_parameters_are_refused_by_the_wrapped_estimator(routing, router):
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        router.fit(VECTORS, Y, sample_weight=WEIGHTS)
