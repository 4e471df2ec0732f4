from collections import Counter

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfewaudio.model_selection._curve.fits import CurveFit, SharedWork, run_fit

RNG = np.random.default_rng(0)
Y = np.repeat(["bark", "horn"], 10)
X = RNG.normal(size=(20, 3)) + (Y == "horn")[:, None]
FOLD = (np.arange(0, 20, 2), np.arange(1, 20, 2))
CALLS = Counter()


@pytest.fixture
def calls():
    CALLS.clear()
    return CALLS


class CountingTransformer(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        CALLS["transform", len(X)] += 1
        return X * 1.0


class CountingClassifier(ClassifierMixin, BaseEstimator):
    """Nearest-mean classifier whose `predict` calls `predict_proba`, like the networks."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.stack([X[y == label].mean(axis=0) for label in self.classes_])
        return self

    def predict_proba(self, X):
        CALLS["predict_proba", len(X)] += 1
        scores = np.exp(-(((X[:, None] - self.means_) ** 2).sum(axis=2)))
        return scores / scores.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def run(estimator, scoring=("accuracy",), *, keep_predictions=True):
    scorer = check_scoring(CountingClassifier(), scoring=list(scoring))
    work = SharedWork("counting", estimator, X, Y, {1: FOLD}, scorer, keep_predictions)
    return run_fit(work, CurveFit(2, 0, 0, 1))[1]


@pytest.mark.parametrize("scoring", [["accuracy"], ["accuracy", "f1_macro", "roc_auc", "neg_log_loss"]])
def test_test_fold_is_predicted_once_for_all_metrics_and_predictions(scoring, calls):
    run(CountingClassifier(), scoring)
    assert calls["predict_proba", 10] == 1


def test_test_fold_is_transformed_once(calls):
    run(make_pipeline(CountingTransformer(), CountingClassifier()), ["accuracy", "roc_auc"])
    assert calls["transform", 10] == 1
    assert calls["predict_proba", 10] == 1


def test_without_predictions_only_the_methods_of_the_metrics_are_called(calls):
    class NoPredictions(CountingClassifier):
        def predict(self, X):
            raise AssertionError("predict must not be called")

    assert run(NoPredictions(), ["roc_auc"], keep_predictions=False).predictions is None


def test_predictions_match_the_scores():
    outcome = run(make_pipeline(StandardScaler(), CountingClassifier()))
    right = np.equal(outcome.predictions["true"], outcome.predictions["predicted"])
    assert right.mean() == outcome.scores["accuracy"]


def test_frozen_step_is_not_changed():
    scaler = StandardScaler().fit(X)
    pipe = make_pipeline(FrozenEstimator(scaler), CountingClassifier())
    before = dict(vars(pipe[0]))
    run(pipe)
    assert vars(pipe[0]) == before


def test_only_clips_of_the_draw_and_of_the_test_fold_are_accessed():
    class Clips(list):
        def __getitem__(self, position):
            accessed.add(int(position))
            return super().__getitem__(position)

    class ListClassifier(CountingClassifier):
        def fit(self, X, y):
            return super().fit(np.stack(X), y)

        def predict_proba(self, X):
            return super().predict_proba(np.stack(X))

    accessed = set()
    scorer = check_scoring(CountingClassifier(), scoring=["accuracy"])
    work = SharedWork("counting", ListClassifier(), Clips(X), Y, {1: FOLD}, scorer, keep_predictions=False)
    run_fit(work, CurveFit(2, 0, 0, 1))
    train, test = FOLD
    assert set(test) <= accessed
    assert len(accessed & set(train)) == 4


def test_size_is_about_the_size_of_the_data():
    scorer = check_scoring(CountingClassifier(), scoring=["accuracy"])
    work = SharedWork("large", None, np.zeros((20, 1000)), Y, {1: FOLD}, scorer, keep_predictions=False)
    assert 160_000 < work.__sizeof__() < 170_000
