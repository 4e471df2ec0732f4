import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from skfewaudio import LogMel, PrototypicalClassifier, make_few_shot_classifier
from skfewaudio.augmentation import BackgroundNoise
from skfewaudio.datasets import load_synthetic
from skfewaudio.model_selection import SubsampledClassifier, suggest_clips

RNG = np.random.default_rng(0)
Y = np.repeat(["bark", "horn", "siren"], 10)
X = RNG.normal(size=(30, 4)) + 3 * np.eye(3, 4)[np.repeat(np.arange(3), 10)]
UNLABELLED = RNG.normal(size=(40, 4)) + 1
MODEL = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


def uncertainties(strategy):
    two = np.sort(MODEL.predict_proba(UNLABELLED), axis=1)[:, ::-1][:, :2]
    p = MODEL.predict_proba(UNLABELLED)
    return {
        "margin": two[:, 1] - two[:, 0],
        "least_confident": -two[:, 0],
        "entropy": -(p * np.log(p)).sum(axis=1),
    }[strategy]


@pytest.mark.parametrize("strategy", ["margin", "least_confident", "entropy"])
def test_without_diversity_ranks_by_uncertainty(strategy):
    found = suggest_clips(MODEL, UNLABELLED, n_clips=7, strategy=strategy, diverse=False)
    assert found.tolist() == np.argsort(-uncertainties(strategy))[:7].tolist()


@pytest.mark.parametrize("strategy", ["margin", "least_confident", "entropy"])
def test_first_suggestion_has_the_highest_uncertainty(strategy):
    found = suggest_clips(MODEL, UNLABELLED, n_clips=7, strategy=strategy)
    assert found[0] == uncertainties(strategy).argmax()


def test_duplicates_are_not_suggested_together():
    uncertain = UNLABELLED[uncertainties("entropy").argmax()]
    clips = np.vstack([UNLABELLED, np.tile(uncertain, (10, 1))])
    alone = set(suggest_clips(MODEL, clips, n_clips=10, diverse=False))
    diverse = suggest_clips(MODEL, clips, n_clips=10)
    duplicates = {uncertainties("entropy").argmax(), *range(40, 50)}
    assert len(alone & duplicates) == 10
    assert len(duplicates.intersection(diverse)) == 1


def test_suggestions_differ_and_can_be_all_clips():
    duplicates = np.vstack([UNLABELLED[:5], UNLABELLED[:5]])
    assert sorted(suggest_clips(MODEL, duplicates, n_clips=10)) == list(range(10))


def test_fewer_suggestions_are_the_first_of_more():
    more = suggest_clips(MODEL, UNLABELLED, n_clips=12)
    assert suggest_clips(MODEL, UNLABELLED, n_clips=5).tolist() == more[:5].tolist()


def test_suggestions_are_deterministic():
    a, b = (suggest_clips(MODEL, UNLABELLED).tolist() for _ in range(2))
    assert a == b


def test_distance_decides_if_all_uncertainties_are_zero():
    sure = KNeighborsClassifier(1).fit(X, Y)
    clips = np.vstack([X[:10], X[:1] + 50])
    assert suggest_clips(sure, clips, n_clips=2).tolist() == [0, 10]


CALLS = []


def count_clips(clips):
    CALLS.append(len(clips))
    return clips


def test_features_are_computed_once():
    pipe = make_pipeline(FunctionTransformer(count_clips), LogisticRegression()).fit(X, Y)
    CALLS.clear()
    suggest_clips(pipe, UNLABELLED)
    assert CALLS == [40]


@pytest.mark.parametrize(
    "wrapped",
    [
        SubsampledClassifier(make_pipeline(StandardScaler(), LogisticRegression()), n_shots=None),
        GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {}, cv=2),
        make_pipeline(make_pipeline(StandardScaler(), LogisticRegression())),
    ],
    ids=["SubsampledClassifier", "GridSearchCV", "nested Pipeline"],
)
def test_wrapped_pipeline_gives_the_same_suggestions(wrapped):
    found = suggest_clips(wrapped.fit(X, Y), UNLABELLED)
    assert found.tolist() == suggest_clips(MODEL, UNLABELLED).tolist()


def test_accepts_audio_and_uses_the_embedding_of_the_last_step():
    dataset = load_synthetic(3, n_folds=2, duration=1.0)
    prototypes = PrototypicalClassifier(max_epochs=2, random_state=0)
    pipe = make_pipeline(LogMel(sample_rate=dataset.sample_rate), prototypes)
    pipe.fit(list(dataset.X[:20]), dataset.y[:20])
    found = suggest_clips(pipe, list(dataset.X[20:]), n_clips=5)
    assert len(set(found)) == 5
    assert found.max() < len(dataset) - 20


class SpectrogramClassifier(LogisticRegression):
    """Classifier of arrays of shape (n_clips, 2, 2), without an embedding."""

    def fit(self, clips, y):
        return super().fit(clips.reshape(-1, 4), y)

    def predict_proba(self, clips):
        return super().predict_proba(clips.reshape(-1, 4))


@pytest.mark.parametrize("augmentation", [None, [BackgroundNoise()]])
def test_recommended_classifier_accepts_clips_of_several_lengths(augmentation):
    rng = np.random.default_rng(0)
    clips = [rng.normal(scale=scale, size=size) for scale in (1.0, 0.1) for size in (8000, 9000)]
    model = make_few_shot_classifier(sample_rate=16000, augmentation=augmentation, n_copies=1)
    model.fit(clips, ["loud", "loud", "quiet", "quiet"])
    assert set(suggest_clips(model, clips, n_clips=4)) == {0, 1, 2, 3}


def test_spectrograms_are_compared_by_probabilities():
    cubes = FunctionTransformer(lambda clips: np.reshape(clips, (-1, 2, 2)))
    pipe = make_pipeline(cubes, SpectrogramClassifier()).fit(X, Y)
    first, second = suggest_clips(pipe, UNLABELLED, n_clips=2)
    probabilities = pipe.predict_proba(UNLABELLED)
    entropy = -(probabilities * np.log(probabilities)).sum(axis=1)
    distances = np.linalg.norm(probabilities - probabilities[first], axis=1)
    assert second == (entropy * distances).argmax()


def test_more_suggestions_than_clips_is_an_error():
    with pytest.raises(ValueError, match="n_clips=41 of 40 unlabelled clips"):
        suggest_clips(MODEL, UNLABELLED, n_clips=41)


@pytest.mark.parametrize("n_clips", [0, -1, 2.5, True])
def test_n_clips_must_be_a_count(n_clips):
    with pytest.raises(ValueError, match="n_clips must be an integer"):
        suggest_clips(MODEL, UNLABELLED, n_clips=n_clips)


def test_unknown_strategy_error_lists_the_strategies():
    with pytest.raises(ValueError, match="strategy='best'; expected one of margin, entropy, least_confident"):
        suggest_clips(MODEL, UNLABELLED, strategy="best")


def test_classifier_without_probabilities_is_rejected():
    with pytest.raises(TypeError, match="LinearSVC has no predict_proba"):
        suggest_clips(LinearSVC().fit(X, Y), UNLABELLED)


def test_classifier_must_be_fitted():
    with pytest.raises(NotFittedError):
        suggest_clips(LogisticRegression(), UNLABELLED)


def test_multi_label_classifier_is_rejected():
    tags = OneVsRestClassifier(LogisticRegression()).fit(X, np.c_[Y == "bark", Y != "siren"].astype(int))
    with pytest.raises(ValueError, match="do not add up to 1"):
        suggest_clips(tags, UNLABELLED)
