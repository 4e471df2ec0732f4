import pickle

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from skfewaudio import MFCC, BlockScaler, CalibratedRidgeClassifier, FewShotSplit
from skfewaudio.classifiers._ridge.calibration import ONE_SHOT_SHARPNESS
from skfewaudio.datasets import load_synthetic

LABELS = np.array(["bark", "horn", "rain", "siren"])


def make_data(n_samples=80, n_features=200, seed=0, spread=6.0):
    """Make overlapping classes with more features than rows."""
    X, codes = make_blobs(n_samples, n_features, centers=4, cluster_std=spread, random_state=3)
    order = np.random.default_rng(seed).permutation(n_samples)
    return X[order] / np.sqrt(n_features), LABELS[codes[order]]


def per_class(y, n):
    return np.concatenate([np.flatnonzero(y == label)[:n] for label in np.unique(y)])


def test_separable_classes_are_classified_correctly():
    X, y = make_data(spread=3.0)
    assert CalibratedRidgeClassifier().fit(X[:40], y[:40]).score(X[40:], y[40:]) == 1.0


@pytest.mark.parametrize("n_features", [10, 200], ids=["more rows", "more features"])
def test_weights_equal_ridge_regression_with_an_intercept(n_features):
    X, y = make_data(n_features=n_features)
    classifier = CalibratedRidgeClassifier(0.3).fit(X + 5, y)
    ridge = Ridge(0.3, solver="svd").fit(X + 5, (y[:, None] == LABELS) - 0.25)
    np.testing.assert_allclose(classifier.coef_, ridge.coef_, atol=1e-8)
    np.testing.assert_allclose(classifier.intercept_, ridge.intercept_, atol=1e-7)


def test_leave_one_out_error_with_an_intercept_equals_separate_fits():
    X, y = make_data(30, n_features=50)
    Y = (y[:, None] == LABELS) - 0.25
    groups = np.arange(30) // 2
    errors = []
    for group in range(15):
        kept = groups != group
        ridge = Ridge(2.0, solver="svd").fit(X[kept], Y[kept])
        # The mean of all targets, instead of the mean without the group.
        predicted = ridge.predict(X[~kept]) - Y[kept].mean(axis=0) + Y.mean(axis=0)
        errors.append(np.square(Y[~kept] - predicted))
    classifier = CalibratedRidgeClassifier([2.0, 3.0]).fit(X, y, groups=groups)
    assert classifier.loo_errors_[0] == pytest.approx(np.mean(errors))


def test_one_clip_per_class_of_features_far_from_0_is_learned():
    centres = np.random.default_rng(0).normal(size=(10, 40))
    classifier = CalibratedRidgeClassifier().fit(centres + 50, np.arange(10))
    assert classifier.loo_errors_ is None
    assert classifier.score(centres + 50, np.arange(10)) == 1


@pytest.fixture(scope="module")
def mfcc():
    """Return the raw MFCC of 150 sounds, and the sounds."""
    sounds = load_synthetic(15, duration=1.0)
    return MFCC(sample_rate=22050).fit_transform(sounds.X), sounds


@pytest.mark.parametrize("n_shots", [1, 2, 5])
def test_accuracy_on_raw_mfcc_is_not_below_the_nearest_neighbour(n_shots, mfcc):
    X, sounds = mfcc
    ours, nearest = [], []
    cv = FewShotSplit(n_shots, n_repeats=4, cv=sounds.make_cv())
    for train, test in cv.split(X, sounds.y, sounds.groups):
        for classifier, scores in ((CalibratedRidgeClassifier(), ours), (KNeighborsClassifier(1), nearest)):
            scores.append(classifier.fit(X[train], sounds.y[train]).score(X[test], sounds.y[test]))
    assert np.mean(ours) > np.mean(nearest)


def test_one_recording_per_class_is_better_than_chance():
    X, y = make_data(n_features=50)
    groups = np.unique(y, return_inverse=True)[1]
    assert CalibratedRidgeClassifier().fit(X + 20, y, groups=groups).score(X + 20, y) > 0.5


def make_blocks(rng, n_shots=5, informative=0):
    """Return rows of two blocks of 20 columns, one of which is noise, and their labels."""
    y = np.repeat(LABELS, n_shots)
    centres = 3 * rng.normal(size=(4, 20))
    blocks = [rng.normal(size=(len(y), 20)) for _ in range(2)]
    blocks[informative] += np.repeat(centres, n_shots, axis=0)
    return np.hstack(blocks), y


@pytest.mark.parametrize("informative", [0, 1])
def test_block_that_classifies_the_training_clips_has_most_weight(informative):
    X, y = make_blocks(np.random.default_rng(0), informative=informative)
    weights = CalibratedRidgeClassifier(block_sizes=[20, 20]).fit(X, y).block_weights_
    assert weights[informative] > 0.6
    assert weights.sum() == pytest.approx(1)


def test_common_offset_of_a_block_does_not_change_its_weight():
    X, y = make_blocks(np.random.default_rng(0))
    offset = np.repeat([0, 200.0], 20)
    weights = [
        CalibratedRidgeClassifier(block_sizes=[20, 20]).fit(Z, y).block_weights_ for Z in (X, X + offset)
    ]
    np.testing.assert_allclose(*weights, atol=1e-6)


def test_weights_of_blocks_are_the_prior_with_one_clip_per_class():
    X, y = make_blocks(np.random.default_rng(0), n_shots=1)
    classifier = CalibratedRidgeClassifier(block_sizes=[20, 20], block_prior=[1, 3]).fit(X, y)
    np.testing.assert_allclose(classifier.block_weights_, [0.25, 0.75])


@pytest.mark.parametrize(("value", "fit_intercept"), [(0.0, True), (0.1, True), (0.0, False)])
def test_constant_block_is_not_used(value, fit_intercept):
    X, y = make_blocks(np.random.default_rng(0))
    with_constant = np.hstack([X, np.full((len(X), 3), value)])
    expected = CalibratedRidgeClassifier(block_sizes=[20, 20], fit_intercept=fit_intercept).fit(X, y)
    classifier = CalibratedRidgeClassifier(block_sizes=[20, 20, 3], fit_intercept=fit_intercept)
    proba = classifier.fit(with_constant, y).predict_proba(with_constant)
    np.testing.assert_allclose(classifier.block_weights_, [*expected.block_weights_, 0], atol=1e-9)
    np.testing.assert_allclose(proba, expected.predict_proba(X), atol=1e-6)


def test_block_with_a_prior_of_0_is_ignored():
    X, y = make_blocks(np.random.default_rng(0))
    classifier = CalibratedRidgeClassifier(block_sizes=[20, 20], block_prior=[0, 1]).fit(X, y)
    np.testing.assert_array_equal(classifier.coef_[:, :20], 0)


def test_size_of_the_values_of_a_block_does_not_matter():
    X, y = make_blocks(np.random.default_rng(0))
    larger = np.hstack([X[:, :20], 1000 * X[:, 20:]])
    classifier = CalibratedRidgeClassifier(block_sizes=[20, 20])
    expected = clone(classifier).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(clone(classifier).fit(larger, y).predict_proba(larger), expected, atol=1e-6)


@pytest.mark.parametrize("sizes", [[20], [20, 30], [40, 0], []])
def test_block_sizes_that_do_not_add_up_are_refused(sizes):
    X, y = make_blocks(np.random.default_rng(0))
    with pytest.raises(ValueError, match="positive sizes that add up to the 40 columns"):
        CalibratedRidgeClassifier(block_sizes=sizes).fit(X, y)


@pytest.mark.parametrize("prior", [[1], [1, -1], [0, 0], [1, np.nan]])
def test_block_prior_that_is_no_weight_per_block_is_refused(prior):
    X, y = make_blocks(np.random.default_rng(0))
    with pytest.raises(ValueError, match="expected 2 weights from 0"):
        CalibratedRidgeClassifier(block_sizes=[20, 20], block_prior=prior).fit(X, y)


def test_penalty_with_the_smallest_leave_one_out_error_is_chosen():
    X, y = make_data()
    classifier = CalibratedRidgeClassifier([0.01, 1.0, 100.0]).fit(X, y)
    assert classifier.penalty_ == classifier.penalties_[classifier.loo_errors_.argmin()]
    assert classifier.penalties_.tolist() == [0.01, 1.0, 100.0]


def test_without_intercept_the_weights_equal_plain_ridge_regression():
    X, y = make_data()
    classifier = CalibratedRidgeClassifier(0.3, fit_intercept=False).fit(X, y)
    ridge = Ridge(0.3, fit_intercept=False, solver="svd").fit(X, (y[:, None] == LABELS) - 0.25)
    np.testing.assert_allclose(classifier.coef_, ridge.coef_, atol=1e-8)
    np.testing.assert_array_equal(classifier.intercept_, 0)


def test_scores_sum_to_zero():
    X, y = make_data()
    scores = CalibratedRidgeClassifier().fit(X, y).decision_function(X)
    np.testing.assert_allclose(scores.sum(axis=1), 0, atol=1e-9)


def test_probabilities_are_the_softmax_of_the_scores_at_the_temperature():
    X, y = make_data()
    classifier = CalibratedRidgeClassifier().fit(X, y)
    expected = softmax(classifier.decision_function(X) / classifier.temperature_, axis=1)
    np.testing.assert_allclose(classifier.predict_proba(X), expected)
    np.testing.assert_allclose(np.exp(classifier.predict_log_proba(X)), expected)


def test_two_classes_have_one_score_and_two_probabilities():
    X, y = make_data()
    X, y = X[np.isin(y, LABELS[:2])], y[np.isin(y, LABELS[:2])]
    classifier = CalibratedRidgeClassifier().fit(X, y)
    scores, proba = classifier.decision_function(X), classifier.predict_proba(X)
    assert scores.shape == (len(X),)
    np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-scores / classifier.temperature_)))
    np.testing.assert_array_equal(classifier.predict(X) == LABELS[1], scores > 0)


@pytest.mark.parametrize("n_shots", [5, 10, 20])
def test_mean_probability_is_close_to_the_accuracy(n_shots):
    """Average over draws, with a spread at which about a third of the predictions are wrong."""
    probability, accuracy = [], []
    for seed in range(10):
        X, y = make_data(400, 100, seed=seed, spread=22.0)
        chosen = per_class(y, n_shots)
        rest = np.setdiff1d(np.arange(len(y)), chosen)
        classifier = CalibratedRidgeClassifier().fit(X[chosen], y[chosen])
        probability.append(classifier.predict_proba(X[rest]).max(axis=1).mean())
        accuracy.append(classifier.score(X[rest], y[rest]))
    assert 0.4 < np.mean(accuracy) < 0.9
    assert np.mean(probability) == pytest.approx(np.mean(accuracy), abs=0.1)


def test_one_clip_per_class_has_the_fixed_sharpness_for_any_penalty():
    X, y = make_data()
    chosen = per_class(y, 1)
    probas = []
    for penalty in (1e-6, 1.0, 1e3):
        classifier = CalibratedRidgeClassifier(penalty).fit(X[chosen], y[chosen])
        probas.append(classifier.predict_proba(X[chosen]).max(axis=1).mean())
        scores = classifier.decision_function(X[chosen])
        own = scores[np.arange(4), np.arange(4)]
        assert np.mean(own * 4 / 3) / classifier.temperature_ == pytest.approx(ONE_SHOT_SHARPNESS)
    np.testing.assert_allclose(probas, 1 / (1 + 3 * np.exp(-ONE_SHOT_SHARPNESS)), atol=0.02)


def test_single_clip_of_a_class_does_not_affect_the_temperature():
    X, y = make_data(spread=3.0)
    chosen = per_class(y, 10)
    lone = [*chosen[:10], *chosen[10:20], *chosen[20:30], chosen[30]]
    with_lone = CalibratedRidgeClassifier(0.1).fit(X[lone], y[lone])
    # When left out, the single clip is always misclassified, which would lower the other probabilities.
    assert with_lone.predict_proba(X[lone[:30]]).max(axis=1).mean() > 0.8


def test_duplicates_of_a_single_clip_count_as_one_clip():
    X, y = make_data()
    chosen = per_class(y, 1)
    once, twice = (CalibratedRidgeClassifier().fit(X[i], y[i]) for i in (chosen, np.repeat(chosen, 2)))
    np.testing.assert_allclose(once.predict_proba(X), twice.predict_proba(X), atol=1e-4)


def test_weight_of_k_equals_k_repetitions():
    X, y = make_data(40)
    k = np.arange(40) % 3
    weighted = CalibratedRidgeClassifier().fit(X, y, sample_weight=k)
    copied = CalibratedRidgeClassifier().fit(X.repeat(k, axis=0), y.repeat(k))
    np.testing.assert_allclose(weighted.predict_proba(X), copied.predict_proba(X), atol=1e-8)


def test_balanced_classes_have_the_same_total_weight():
    X, y = make_data(spread=12.0)
    many, few = np.flatnonzero(y == "bark"), np.flatnonzero(y == "horn")[:2]
    chosen = np.r_[many, few]
    balanced = CalibratedRidgeClassifier(1.0, class_weight="balanced").fit(X[chosen], y[chosen])
    weights = np.where(y[chosen] == "horn", len(chosen) / 4, len(chosen) / 2 / len(many))
    weighted = CalibratedRidgeClassifier(1.0).fit(X[chosen], y[chosen], sample_weight=weights)
    np.testing.assert_allclose(balanced.coef_, weighted.coef_)


def test_class_weight_below_zero_is_refused():
    X, y = make_data()
    with pytest.raises(ValueError, match="none below 0"):
        CalibratedRidgeClassifier(class_weight={"bark": -1}).fit(X, y)


@pytest.mark.parametrize("n_copies", [1, 2])
def test_training_on_zeros_gives_equal_probabilities(n_copies):
    X, y = np.zeros((4 * n_copies, 5)), np.tile(LABELS, n_copies)
    classifier = CalibratedRidgeClassifier().fit(X, y)
    np.testing.assert_allclose(classifier.predict_proba(np.ones((2, 5))), 0.25, atol=1e-12)


@pytest.mark.parametrize("penalty", [0.0, [0.0, 1.0], -1.0])
def test_penalty_of_zero_or_less_is_refused(penalty):
    X, y = make_data()
    with pytest.raises(ValueError, match="penalty"):
        CalibratedRidgeClassifier(penalty).fit(X, y)


def test_clips_of_unknown_classes_are_less_familiar():
    X, y = make_data(200)
    unknown = y == "siren"
    train, known = np.flatnonzero(~unknown)[:60], np.flatnonzero(~unknown)[60:]
    classifier = CalibratedRidgeClassifier().fit(X[train], y[train])
    familiarity = classifier.score_samples(np.vstack([X[known], X[unknown]]))
    assert roc_auc_score(np.repeat([1, 0], [len(known), unknown.sum()]), familiarity) > 0.9


def test_familiarity_is_minus_the_squared_distance_from_the_nearest_class():
    X, y = make_data()
    classifier = CalibratedRidgeClassifier().fit(X, y)
    targets = np.eye(4) - 0.25
    distances = np.square(classifier.decision_function(X)[:, None] - targets).sum(axis=2)
    np.testing.assert_allclose(classifier.score_samples(X), -distances.min(axis=1), atol=1e-12)


def test_familiarity_with_rejection_falls_with_the_variance_of_a_gaussian_process():
    X, y = make_data(60)
    classifier = CalibratedRidgeClassifier(false_rejection_rate=0.1).fit(X[:40], y[:40])
    rows, new = X[:40] - X[:40].mean(axis=0), X[40:] - X[:40].mean(axis=0)
    size = np.square(rows).sum(axis=1).mean()
    kernel = rows @ rows.T / size + 0.1 * np.eye(40)
    cross = new @ rows.T / size
    variance = np.square(new).sum(axis=1) / size - (cross * np.linalg.solve(kernel, cross.T).T).sum(axis=1)
    expected = classifier._scores(X[40:]).max(axis=1) - 2 * variance
    np.testing.assert_allclose(classifier.score_samples(X[40:]), expected, atol=1e-5)


def test_sound_outside_of_the_span_of_the_training_clips_is_rejected():
    X, y = make_data()
    X = np.hstack([X, np.zeros((len(X), 1))])
    classifier = CalibratedRidgeClassifier(false_rejection_rate=0.1).fit(X, y)
    other = X[:5] + np.eye(X.shape[1])[-1] * np.linalg.norm(X, axis=1).max()
    # Their scores are the same, because the last feature is 0 in all training clips.
    np.testing.assert_allclose(classifier.decision_function(other), classifier.decision_function(X[:5]))
    assert set(classifier.predict(other)) == {"unknown"}


def test_model_of_an_earlier_version_keeps_its_familiarity():
    X, y = make_data()
    plain = CalibratedRidgeClassifier().fit(X, y)
    old = CalibratedRidgeClassifier(false_rejection_rate=0.1).fit(X, y)
    del old.novelty_mean_, old.novelty_scale_, old.novelty_basis_
    np.testing.assert_array_equal(old.score_samples(X), plain.score_samples(X))


def test_copies_do_not_enlarge_the_model():
    X, y = make_data(40)
    copied = CalibratedRidgeClassifier(false_rejection_rate=0.2)
    weights = np.r_[np.ones(40), np.full(80, 0.3)]
    noise = np.random.default_rng(0).standard_normal((80, X.shape[1]))
    rows = np.vstack([X, X.repeat(2, axis=0) + 0.1 * noise])
    groups = np.r_[np.arange(40), np.arange(40).repeat(2)]
    copied.fit(rows, np.r_[y, y.repeat(2)], sample_weight=weights, groups=groups)
    assert copied.novelty_basis_.shape == (40, X.shape[1])


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_known_clips_are_rejected_at_about_the_requested_rate(rate):
    X, y = make_data(1200)
    classifier = CalibratedRidgeClassifier(false_rejection_rate=rate).fit(X[:400], y[:400])
    assert (classifier.predict(X[400:]) == "unknown").mean() == pytest.approx(rate, abs=0.05)


def test_few_known_clips_are_rejected_no_more_often_than_requested():
    """A clip is nearer to a mean that includes the clip than other clips are."""
    rejected = []
    for seed in range(20):
        X, y = make_data(400, spread=8.0, seed=seed)
        train = per_class(y, 2)
        classifier = CalibratedRidgeClassifier(false_rejection_rate=0.2).fit(X[train], y[train])
        others = np.setdiff1d(np.arange(400), train)
        rejected.append((classifier.predict(X[others]) == "unknown").mean())
    assert np.mean(rejected) < 0.2


def test_noise_predicts_no_left_out_clip():
    """Rows that are centred together lie opposite to the mean of the others, which shows the class."""
    noise = BlockScaler().fit_transform(np.random.default_rng(0).standard_normal((8, 500)))
    labels = np.arange(8) // 2
    errors = {
        intercept: CalibratedRidgeClassifier(fit_intercept=intercept).fit(noise, labels).loo_errors_.min()
        for intercept in (False, True)
    }
    # The mean square of the targets, 3/4 and -1/4, is 3/16.
    assert errors[False] < 0.9 * 3 / 16 < 0.99 * 3 / 16 < errors[True]


def test_clips_of_unknown_classes_are_rejected():
    X, y = make_data(200)
    unknown = y == "siren"
    classifier = CalibratedRidgeClassifier(false_rejection_rate=0.1).fit(X[~unknown], y[~unknown])
    assert (classifier.predict(X[unknown]) == "unknown").mean() > 0.6


def test_rejection_does_not_change_probabilities():
    X, y = make_data()
    plain, rejecting = (CalibratedRidgeClassifier(false_rejection_rate=r).fit(X, y) for r in (None, 0.1))
    np.testing.assert_array_equal(plain.predict_proba(X), rejecting.predict_proba(X))


def test_nothing_is_rejected_at_a_rate_below_one_training_clip():
    X, y = make_data()
    chosen = per_class(y, 2)
    classifier = CalibratedRidgeClassifier(false_rejection_rate=0.01).fit(X[chosen], y[chosen])
    assert classifier.threshold_ == -np.inf
    assert set(classifier.predict(100 * X)) <= set(LABELS)


def test_rejected_clips_among_numbers_have_a_number():
    X, y = make_data()
    codes = np.searchsorted(LABELS, y)
    classifier = CalibratedRidgeClassifier(false_rejection_rate=0.5, unknown_label=-1).fit(X, codes)
    predicted = classifier.predict(1000 * X)
    assert predicted.dtype.kind == "i"
    assert set(predicted.tolist()) <= {0, 1, 2, 3, -1}
    assert -1 in predicted.tolist()


@pytest.mark.parametrize(("labels", "unknown"), [([0, 1, 2, 3], "unknown"), (LABELS, -1)])
def test_label_of_rejected_clips_of_another_type_is_refused(labels, unknown):
    X, y = make_data()
    y = np.array(labels)[np.searchsorted(LABELS, y)]
    with pytest.raises(ValueError, match="of different types, which scores do not accept"):
        CalibratedRidgeClassifier(false_rejection_rate=0.5, unknown_label=unknown).fit(X, y)


@pytest.mark.parametrize("wrong", [["bark", 0] * 40, [True, "bark"] * 40, [None, "bark"] * 40])
def test_labels_of_mixed_types_are_refused(wrong):
    with pytest.raises(ValueError, match=r"mixes|contains None"):
        CalibratedRidgeClassifier().fit(make_data()[0], np.array(wrong, dtype=object))


def test_missing_groups_are_refused():
    X, y = make_data()
    with pytest.raises(ValueError, match="groups contains None"):
        CalibratedRidgeClassifier().fit(X, y, groups=[None, *range(79)])


def test_rejection_with_one_clip_per_class_is_refused():
    X, y = make_data()
    chosen = per_class(y, 1)
    with pytest.raises(ValueError, match="two different clips of a class"):
        CalibratedRidgeClassifier(false_rejection_rate=0.1).fit(X[chosen], y[chosen])


def test_unknown_label_that_is_a_class_is_refused():
    X, y = make_data()
    with pytest.raises(ValueError, match="is a class; choose another label"):
        CalibratedRidgeClassifier(false_rejection_rate=0.1, unknown_label="bark").fit(X, y)


def test_single_class_is_refused():
    X, y = make_data()
    with pytest.raises(ValueError, match="only one class"):
        CalibratedRidgeClassifier().fit(X[y == "bark"], y[y == "bark"])


def test_clone_and_pickle_predict_the_same():
    X, y = make_data()
    classifier = CalibratedRidgeClassifier(class_weight="balanced", false_rejection_rate=0.1).fit(X, y)
    for copy in (clone(classifier).fit(X, y), pickle.loads(pickle.dumps(classifier))):
        np.testing.assert_array_equal(copy.predict_proba(X), classifier.predict_proba(X))
        np.testing.assert_array_equal(copy.predict(X), classifier.predict(X))


@pytest.mark.slow
def test_five_real_recordings_per_class_suffice_for_recognition(shared_data):
    from skfewaudio import SubsampledClassifier, make_few_shot_classifier
    from skfewaudio.datasets import load_esc50

    data = load_esc50(shared_data / "data", subset="esc10")
    keep = np.flatnonzero(np.isin(data.folds, [1, 2]))
    X, y, train = [data.X[i] for i in keep], data.y[keep], data.folds[keep] == 1
    model = make_few_shot_classifier(augmentation=None)
    features = np.array([*model[0].fit_transform(X), None], dtype=object)[:-1]
    scores = [
        SubsampledClassifier(model[1], 5, random_state=seed)
        .fit(list(features[train]), y[train])
        .score(list(features[~train]), y[~train])
        for seed in range(3)
    ]
    assert np.mean(scores) > 0.7


def test_clips_of_one_recording_are_left_out_together():
    """Four similar pieces per recording: left out one by one, they overestimate the accuracy."""
    gaps = []
    for seed in range(6):
        X, y = make_data(400, spread=22.0, seed=seed)
        train = per_class(y, 8)
        test = np.setdiff1d(per_class(y, 60), train)
        noise = np.random.default_rng(seed).standard_normal((4 * len(train), X.shape[1]))
        pieces, labels = X[train].repeat(4, axis=0) + 0.05 * noise, y[train].repeat(4)
        models = [
            CalibratedRidgeClassifier().fit(pieces, labels, groups=groups)
            for groups in (None, np.arange(len(train)).repeat(4))
        ]
        gaps.append(
            [
                model.score(X[test], y[test]) - model.predict_proba(X[test]).max(axis=1).mean()
                for model in models
            ]
        )
    one_by_one, by_recording = np.abs(np.mean(gaps, axis=0))
    assert by_recording < 0.03 < 0.08 < one_by_one


def test_groups_may_be_names_and_must_match_the_number_of_clips():
    X, y = make_data(40)
    by_name = CalibratedRidgeClassifier().fit(X, y, groups=np.repeat([f"take {i}" for i in range(20)], 2))
    by_number = CalibratedRidgeClassifier().fit(X, y, groups=np.arange(20).repeat(2))
    np.testing.assert_allclose(by_name.loo_errors_, by_number.loo_errors_)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        CalibratedRidgeClassifier().fit(X, y, groups=[1, 2])


def test_class_with_one_recording_does_not_affect_the_temperature():
    X, y = make_data()
    chosen = per_class(y, 2)
    pieces = CalibratedRidgeClassifier().fit(X[chosen], y[chosen], groups=np.arange(4).repeat(2))
    own = pieces._scores(X[chosen])[np.arange(8), np.arange(4).repeat(2)] * 4 / 3
    assert own.mean() / pieces.temperature_ == pytest.approx(ONE_SHOT_SHARPNESS)
