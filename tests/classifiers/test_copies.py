"""Tests of the average of fits with and without augmented copies."""

import numpy as np
import pytest
from scipy.special import expit, logit

from skfewaudio import make_few_shot_classifier
from skfewaudio.classifiers import CalibratedRidgeClassifier
from skfewaudio.classifiers._ridge.copies import PRIOR_SHARE

LABELS = np.repeat(["bark", "rain", "siren"], 6)


def make_clips(seed=0):
    """Three classes that differ in the first three of forty features."""
    clips = 0.3 * np.random.default_rng(seed).standard_normal((18, 40))
    clips[np.arange(18), np.arange(18) // 6] += 2
    return clips


def add_copies(clips, copies):
    """Return clips with two copies each, their labels, weights and groups."""
    numbers = np.repeat(np.arange(len(clips)), 2)
    weights = np.repeat([1.0, 0.3], [len(clips), 2 * len(clips)])
    groups = np.concatenate([np.arange(len(clips)), numbers])
    return np.vstack([clips, copies]), LABELS[groups], weights, groups


@pytest.fixture
def helpful():
    """Copies that change what does not matter."""
    clips = make_clips()
    copies = clips.repeat(2, axis=0)
    copies[:, 3:] += np.random.default_rng(1).standard_normal((36, 37))
    return add_copies(clips, copies)


@pytest.fixture
def harmful():
    """Copies of every class that look like the next one."""
    clips = make_clips()
    return add_copies(clips, np.roll(clips, 1, axis=1).repeat(2, axis=0))


def fit(data, **params):
    X, y, weights, groups = data
    return CalibratedRidgeClassifier(weigh_copies=True, **params).fit(X, y, weights, groups=groups)


def test_scores_are_the_average_of_two_fits(helpful):
    X, y, weights, groups = helpful
    averaged = fit(helpful)
    everything = CalibratedRidgeClassifier().fit(X, y, weights, groups=groups)
    alone = CalibratedRidgeClassifier().fit(X[:18], y[:18])
    share = averaged.copies_share_
    assert 0 < share < 1
    expected = share * everything._scores(X) + (1 - share) * alone._scores(X)
    np.testing.assert_allclose(averaged._scores(X), expected, atol=1e-10)


def test_share_follows_the_likelihood_of_left_out_clips(helpful):
    X, y, weights, groups = helpful
    likelihoods = []
    for rows in (np.arange(len(X)), np.arange(18)):
        model = CalibratedRidgeClassifier().fit(X[rows], y[rows], weights[rows], groups=groups[rows])
        own = []
        for i in range(18):
            others = rows[groups[rows] != i]
            left = CalibratedRidgeClassifier(model.penalty_)
            left.fit(X[others], y[others], weights[others], groups=groups[others])
            # The mean of the targets is that of all clips, so that the class of the clip is not revealed.
            scores = left._scores(X[[i]])[0]
            targets = (y[rows, None] == model.classes_) - 1 / 3
            kept = (y[others, None] == model.classes_) - 1 / 3
            scores += np.average(targets, axis=0, weights=weights[rows])
            scores -= np.average(kept, axis=0, weights=weights[others])
            scaled = scores / model.temperature_
            own.append(scaled[model.classes_ == y[i]][0] - np.log(np.exp(scaled).sum()))
        likelihoods.append(sum(own))
    expected = expit(logit(PRIOR_SHARE) + likelihoods[0] - likelihoods[1])
    assert fit(helpful).copies_share_ == pytest.approx(expected, rel=1e-4)


def test_harmful_copies_get_a_small_share(helpful, harmful):
    assert fit(harmful).copies_share_ < 0.1
    assert fit(helpful).copies_share_ > PRIOR_SHARE


def test_one_clip_per_class_says_nothing_about_copies(harmful):
    X, y, weights, groups = harmful
    rows = np.flatnonzero(np.isin(groups, [0, 6, 12]))
    assert fit((X[rows], y[rows], weights[rows], groups[rows])).copies_share_ == pytest.approx(PRIOR_SHARE)


def test_classes_of_one_recording_may_have_other_weights(helpful):
    """Balanced classes have different weights in a recording that holds several of them."""
    X, y, weights, groups = helpful
    rows = np.flatnonzero(~np.isin(groups, [0, 1]))
    sites = groups[rows] % 3
    model = CalibratedRidgeClassifier(weigh_copies=True, class_weight="balanced", false_rejection_rate=0.2)
    model.fit(X[rows], y[rows], weights[rows], groups=sites)
    assert len(model.novelty_basis_) == 16
    assert model.score(X[:18], y[:18]) > 0.8


def test_without_copies_nothing_changes(helpful):
    X, y = helpful[0][:18], helpful[1][:18]
    plain, averaged = (CalibratedRidgeClassifier(weigh_copies=weigh).fit(X, y) for weigh in (False, True))
    np.testing.assert_array_equal(averaged.predict_proba(X), plain.predict_proba(X))
    assert averaged.copies_share_ == 1


def test_unlabelled_clips_exclude_the_average(helpful):
    X, y, weights, groups = helpful
    some = np.where(groups >= 17, "-1", y)
    model = fit((X, some, weights, groups), semi_supervised=True)
    assert model.copies_share_ == 1


def test_rejection_uses_the_average(harmful):
    model = fit(harmful, false_rejection_rate=0.2)
    X = harmful[0]
    assert (model.predict(X[:18]) == "unknown").mean() < 0.2
    assert len(model.novelty_basis_) == 18
    assert set(model.predict(-5 * X[:3])) == {"unknown"}


def test_few_shot_classifier_weighs_its_copies():
    seconds = np.arange(8000) / 16000
    pitches = np.array([[300.0], [320.0], [340.0], [2000.0], [2100.0], [2200.0]])
    X = np.sin(2 * np.pi * pitches * seconds)
    model = make_few_shot_classifier(sample_rate=16000).fit(X, ["low"] * 3 + ["high"] * 3)
    assert 0 < model[-1].estimator_.estimator_.copies_share_ < 1
