"""Several labels per clip, and invalid labels."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multiclass import OneVsRestClassifier

from skfewaudio.classifiers import PatchClassifier

MULTI_LABEL = {
    "nearest neighbour": PatchClassifier(),
    "forest": PatchClassifier(RandomForestClassifier(10, random_state=0), patch_frames=2),
    "max": PatchClassifier(RandomForestClassifier(10, random_state=0), aggregation="max"),
    "vote": PatchClassifier(RidgeClassifier(), aggregation="vote"),
}


@pytest.mark.parametrize("name", sorted(MULTI_LABEL))
def test_clips_can_have_several_labels(name, make_tags):
    X, Y = make_tags()
    model = clone(MULTI_LABEL[name]).fit(X, Y)
    test, truth = make_tags(seed=1)
    proba = model.predict_proba(test)
    assert proba.shape == (12, 3)
    assert (proba[:, 2] == 0).all()
    np.testing.assert_array_equal(model.predict(test), proba > 0.5)
    assert (model.predict(test) == truth).mean() > 0.9


def test_one_vs_rest_scores_are_averaged(make_tags):
    X, Y = make_tags(lengths=(6,))
    model = PatchClassifier(OneVsRestClassifier(LogisticRegression())).fit(X, Y[:, :2])
    rows = np.concatenate([clip.T for clip in X])
    for method in ("predict_proba", "decision_function"):
        expected = getattr(model.estimator_, method)(rows).reshape(12, 6, 2).mean(axis=1)
        np.testing.assert_allclose(getattr(model, method)(X), expected, rtol=1e-5)


def test_label_of_every_clip_has_probability_one(make_tags):
    X, Y = make_tags()
    assert PatchClassifier().fit(X, np.ones_like(Y)).predict_proba(X).min() == 1


def test_two_dimensional_labels_other_than_indicators_are_refused(make_clips):
    X, _ = make_clips()
    with pytest.raises(ValueError, match="y should be a 1d array"):
        PatchClassifier().fit(X, np.column_stack([np.arange(12) % 3, np.arange(12) % 4]))
