"""Metrics for taggers, against their definitions and against scikit-learn."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array
from scipy.stats import norm
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skfewaudio import SkorchCNN
from skfewaudio.metrics import SCORERS, d_prime, mean_auc, mean_average_precision
from skfewaudio.model_selection import few_shot_curve

METRICS = [mean_auc, mean_average_precision, d_prime]


def auc_by_counting(truth, scores):
    """Count the pairs that are in the right order, ties half (Mann and Whitney's U)."""
    above = np.subtract.outer(scores[truth == 1], scores[truth == 0])
    return np.mean((above > 0) + 0.5 * (above == 0))


def average_precision_by_sorting(truth, scores):
    """Average the precision at each clip that has the label, among all that score at least as high."""
    return np.mean([np.mean(truth[scores >= score]) for score in scores[truth == 1]])


def draw(n_clips=60, n_labels=5, *, levels=8, seed=0):
    """Draw labels and correlated scores with few distinct values, so that there are ties."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((n_clips, n_labels)) < np.linspace(0.1, 0.8, n_labels)).astype(int)
    truth[0], truth[1] = 0, 1
    scores = np.round((truth + rng.normal(0, 1.2, truth.shape)) * levels / 6) / levels
    return truth, scores


FORMULAS = [(mean_auc, auc_by_counting), (mean_average_precision, average_precision_by_sorting)]


@pytest.mark.parametrize(("metric", "formula"), FORMULAS)
@pytest.mark.parametrize("levels", [2, 1e6])
def test_each_label_has_the_value_of_the_formula(metric, formula, levels):
    truth, scores = draw(levels=levels)
    expected = [formula(truth[:, k], scores[:, k]) for k in range(5)]
    np.testing.assert_allclose(metric(truth, scores, average=None), expected, rtol=1e-12)


@pytest.mark.parametrize(("metric", "formula"), FORMULAS)
def test_the_balanced_mean_weights_all_labels_equally(metric, formula):
    truth, scores = draw()
    expected = np.mean([formula(truth[:, k], scores[:, k]) for k in range(5)])
    assert metric(truth, scores) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("metric", "formula"), FORMULAS)
def test_micro_ranks_all_pairs_at_once(metric, formula):
    truth, scores = draw()
    expected = formula(truth.ravel(), scores.ravel())
    assert metric(truth, scores, average="micro") == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("average", ["macro", "micro", None])
@pytest.mark.parametrize(
    ("metric", "theirs"), [(mean_auc, roc_auc_score), (mean_average_precision, average_precision_score)]
)
def test_values_equal_scikit_learns_if_all_are_defined(metric, theirs, average):
    truth, scores = draw()
    np.testing.assert_allclose(
        metric(truth, scores, average=average), theirs(truth, scores, average=average), rtol=1e-12
    )


# Table 2 of arXiv:1609.09430: the fully connected network, Inception V3 and ResNet-50 after 17 million steps.
@pytest.mark.parametrize(("area", "published"), [(0.851, 1.471), (0.918, 1.969), (0.926, 2.041)])
def test_d_prime_of_a_published_area_is_the_published_one(area, published):
    scores = np.append(np.arange(1000.0), 1000 * area - 0.5)[:, None]
    truth = np.append(np.zeros(1000), 1)[:, None]
    assert mean_auc(truth, scores) == area
    # The areas are rounded to 0.001: up to 0.006 in d-prime.
    assert d_prime(truth, scores) == pytest.approx(published, abs=0.006)


def test_d_prime_is_the_distance_between_normal_scores():
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 20000)[:, None]
    assert d_prime(truth, rng.normal(1.7 * truth, 1)) == pytest.approx(1.7, abs=0.03)


def test_d_prime_of_several_labels_is_computed_from_their_mean_area():
    truth, scores = draw()
    expected = np.sqrt(2) * norm.ppf(np.mean([auc_by_counting(truth[:, k], scores[:, k]) for k in range(5)]))
    assert d_prime(truth, scores) == pytest.approx(expected, rel=1e-12)
    assert d_prime(truth, scores) != pytest.approx(d_prime(truth, scores, average=None).mean(), rel=1e-3)


def test_one_perfect_label_does_not_make_d_prime_infinite():
    truth, scores = draw()
    scores[:, 0] = truth[:, 0]
    assert d_prime(truth, scores, average=None)[0] == np.inf
    assert np.isfinite(d_prime(truth, scores))


def test_perfect_scores_get_the_best_values():
    truth, _ = draw()
    assert mean_auc(truth, truth) == 1
    assert mean_average_precision(truth, truth) == 1
    assert d_prime(truth, truth) == np.inf


def test_inverted_scores_get_the_worst_values():
    truth, _ = draw()
    assert mean_auc(truth, -truth) == 0
    assert d_prime(truth, -truth) == -np.inf
    assert mean_average_precision(truth, -truth) == pytest.approx(truth.mean())


def test_constant_scores_are_no_better_than_chance():
    truth, _ = draw()
    constant = np.full(truth.shape, 0.3)
    assert mean_auc(truth, constant) == 0.5
    assert d_prime(truth, constant) == 0
    np.testing.assert_allclose(mean_average_precision(truth, constant, average=None), truth.mean(axis=0))


@pytest.mark.parametrize("metric", METRICS)
def test_a_label_that_no_clip_has_is_left_out_with_a_warning(metric):
    truth, scores = draw()
    expected = metric(truth[:, [0, 2, 4]], scores[:, [0, 2, 4]])
    truth[:, [1, 3]] = 0
    with pytest.warns(
        UndefinedMetricWarning, match=r"2 of 5 labels, which no clip .*: columns 1, 3$"
    ) as caught:
        assert metric(truth, scores) == expected
    assert caught[0].filename == __file__


@pytest.mark.parametrize("metric", [mean_auc, d_prime])
def test_a_label_that_every_clip_has_is_left_out_of_the_area(metric):
    truth, scores = draw()
    expected = metric(truth[:, 1:], scores[:, 1:])
    truth[:, 0] = 1
    with pytest.warns(
        UndefinedMetricWarning, match="1 of 5 labels, which no clip or every clip has, .*: column 0$"
    ):
        assert metric(truth, scores) == expected


def test_a_label_that_every_clip_has_is_always_retrieved():
    truth, scores = draw()
    truth[:, 0] = 1
    assert mean_average_precision(truth, scores, average=None)[0] == 1


@pytest.mark.parametrize("metric", METRICS)
def test_labels_left_out_are_nan_on_their_own_without_a_warning(metric):
    truth, scores = draw()
    truth[:, [1, 3]] = 0
    assert np.isnan(metric(truth, scores, average=None)).tolist() == [False, True, False, True, False]


@pytest.mark.parametrize("average", ["macro", "micro"])
@pytest.mark.parametrize("metric", METRICS)
def test_without_any_labels_the_mean_is_nan(metric, average):
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(metric(np.zeros((4, 3)), np.ones((4, 3)), average=average))


def test_many_labels_left_out_are_counted_and_the_first_named():
    truth = np.eye(20, 30)
    with pytest.warns(
        UndefinedMetricWarning, match=r"10 of 30 labels.*: columns 20, 21, 22, 23, 24, \.\.\.$"
    ):
        mean_auc(truth, truth)


def test_of_one_clip_only_the_precision_of_its_labels_is_defined():
    assert mean_average_precision([[1, 0]], [[0.2, 0.9]], average=None).tolist() == [
        1,
        pytest.approx(np.nan, nan_ok=True),
    ]
    with pytest.warns(UndefinedMetricWarning, match="2 of 2 labels"):
        assert np.isnan(mean_auc([[1, 0]], [[0.2, 0.9]]))


@pytest.mark.parametrize("metric", METRICS)
def test_labels_may_be_booleans_sparse_or_lists(metric):
    truth, scores = draw()
    expected = metric(truth, scores)
    for same in (truth.astype(bool), csr_array(truth), truth.tolist(), truth.astype(np.int8)):
        assert metric(same, scores.tolist()) == expected


@pytest.mark.parametrize(
    ("truth", "scores", "reason"),
    [
        ([1, 0], [0.1, 0.2], r"y_true has shape \(2,\); expected \(n_clips, n_labels\)"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "at least one of each"),
        (np.eye(3), np.eye(3)[:2], r"y_score has shape \(2, 3\); expected the shape of y_true, \(3, 3\)"),
        (np.eye(3), np.ones(3), r"y_score has shape \(3,\)"),
        (np.eye(3) * 2, np.eye(3), "y_true must be of 0 and 1; it has .*2"),
        (np.eye(3) - 0.5, np.eye(3), "y_true must be of 0 and 1; it has .*0.5"),
        (
            np.eye(3),
            np.where(np.eye(3, k=1), np.nan, 0),
            "y_score must be finite; it is nan for clip 0 and label 1",
        ),
        (np.eye(3), np.where(np.eye(3, k=-2), np.inf, 0), "it is inf for clip 2 and label 0"),
    ],
)
@pytest.mark.parametrize("metric", METRICS)
def test_invalid_labels_or_scores_are_refused(metric, truth, scores, reason):
    with pytest.raises(ValueError, match=reason):
        metric(truth, scores)


def test_an_unknown_average_is_refused():
    with pytest.raises(ValueError, match="average must be 'macro', 'micro' or None; got 'weighted'"):
        mean_auc([[0], [1]], [[0], [1]], average="weighted")


TAGS = hnp.arrays(np.int8, st.tuples(st.integers(2, 12), st.integers(1, 3)), elements=st.integers(0, 1))


@given(truth=TAGS, data=st.data())
@settings(max_examples=50, deadline=None)
def test_only_the_order_of_the_scores_matters(truth, data):
    assume((truth.sum(axis=0) % len(truth)).all())
    ranks = data.draw(hnp.arrays(np.int64, truth.shape, elements=st.integers(0, 5)))
    for metric in METRICS:
        np.testing.assert_array_equal(
            metric(truth, ranks, average=None), metric(truth, np.exp(ranks), average=None)
        )


@given(truth=TAGS, data=st.data())
@settings(max_examples=50, deadline=None)
def test_inverting_labels_and_scores_keeps_the_area(truth, data):
    assume((truth.sum(axis=0) % len(truth)).all())
    scores = data.draw(hnp.arrays(np.int64, truth.shape, elements=st.integers(0, 5)))
    np.testing.assert_allclose(mean_auc(truth, scores), mean_auc(1 - truth, -scores), atol=1e-12)


def clips(n_labels, seed=0):
    """Draw feature vectors and labels that depend on them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(80, 4))
    return X, (X[:, :n_labels] + rng.normal(0, 0.7, (80, n_labels)) > 0).astype(int)


TAGGERS = {
    "list of probabilities": MultiOutputClassifier(GaussianNB()),
    "list of a classifier's own": RandomForestClassifier(20, random_state=0),
    "probabilities": OneVsRestClassifier(LogisticRegression()),
    "chain": ClassifierChain(LogisticRegression()),
    "decisions": OneVsRestClassifier(LinearSVC()),
    "pipeline": make_pipeline(StandardScaler(), KNeighborsClassifier()),
    "network": SkorchCNN(max_epochs=5, random_state=0),
}


def scores_of(tagger, X):
    """Return the scores of all labels in one array."""
    if not hasattr(tagger, "predict_proba"):
        return tagger.decision_function(X)
    scores = tagger.predict_proba(X)
    return np.stack([proba[:, 1] for proba in scores], axis=1) if isinstance(scores, list) else scores


# scikit-learn's own scorers treat two labels as two classes.
@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("tagger", TAGGERS.values(), ids=TAGGERS.keys())
def test_scorers_accept_the_scores_of_every_kind_of_tagger(tagger, n_labels):
    X, y = clips(n_labels)
    tagger.fit(X[:40], y[:40])
    for name, metric in zip(["mean_auc", "mean_average_precision", "d_prime"], METRICS, strict=True):
        assert SCORERS[name](tagger, X[40:], y[40:]) == metric(y[40:], scores_of(tagger, X[40:]))


@pytest.mark.parametrize("present", [0, 1])
def test_a_label_that_is_constant_in_training_is_scored(present):
    X, y = clips(2)
    lone = y[:40].copy()
    lone[:, 1] = present
    tagger = RandomForestClassifier(5, random_state=0).fit(X[:40], lone)
    scores = np.stack([tagger.predict_proba(X[40:])[0][:, 1], np.full(40, present)], axis=1)
    assert SCORERS["mean_auc"](tagger, X[40:], y[40:]) == mean_auc(y[40:], scores)


@pytest.mark.parametrize("classifier", [LogisticRegression(), LinearSVC()])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_are_scored_as_one_label_per_clip(classifier, n_classes):
    X, tags = clips(2)
    y = np.array(["bark", "horn", "rain"])[tags.sum(axis=1) % n_classes]
    classifier.fit(X[:40], y[:40])
    if n_classes == 2 and isinstance(classifier, LinearSVC):
        scores = np.outer(classifier.decision_function(X[40:]), [-1, 1])
    else:
        scores = scores_of(classifier, X[40:])
    truth = y[40:, None] == classifier.classes_
    assert SCORERS["mean_average_precision"](classifier, X[40:], y[40:]) == mean_average_precision(
        truth, scores
    )


def test_cross_validation_gives_a_column_for_each_scorer():
    X, y = clips(3)
    found = cross_validate(TAGGERS["probabilities"], X, y, cv=KFold(2), scoring=SCORERS)
    for name, metric in zip(["mean_auc", "mean_average_precision", "d_prime"], METRICS, strict=True):
        expected = []
        for train, test in KFold(2).split(X):
            fitted = OneVsRestClassifier(LogisticRegression()).fit(X[train], y[train])
            expected.append(metric(y[test], fitted.predict_proba(X[test])))
        np.testing.assert_allclose(found[f"test_{name}"], expected)


def test_a_search_finds_the_better_parameter():
    X, y = clips(3)
    grid = {"estimator__C": [1e-9, 1.0], "estimator__class_weight": [{0: 1, 1: 1}]}
    search = GridSearchCV(
        OneVsRestClassifier(LogisticRegression()), grid, scoring=SCORERS["d_prime"], cv=KFold(3)
    )
    assert search.fit(X, y).best_score_ > 1
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_few_shot_curve_contains_the_name_of_the_scorer():
    X, tags = clips(1)
    curve = few_shot_curve(
        GaussianNB(), X, tags[:, 0], n_shots=[5], n_repeats=1, cv=2, scoring=SCORERS["mean_average_precision"]
    )
    assert set(curve["metric"]) == {"mean_average_precision"}
    assert curve["value"].between(0.5, 1).all()


def test_a_fold_without_a_label_warns_and_is_scored():
    X, y = clips(3)
    y[40:, 1] = 0
    tagger = DummyClassifier(strategy="prior").fit(X[:40], y[:40])
    with pytest.warns(UndefinedMetricWarning, match="1 of 3 labels"):
        assert SCORERS["mean_auc"](tagger, X[40:], y[40:]) == 0.5


def test_scorers_survive_pickling():
    again = pickle.loads(pickle.dumps(SCORERS["mean_auc"]))
    X, y = clips(2)
    tagger = TAGGERS["probabilities"].fit(X, y)
    assert again(tagger, X, y) == SCORERS["mean_auc"](tagger, X, y)


def test_scorers_have_a_repr():
    assert repr(SCORERS["d_prime"]) == "skfewaudio.metrics.SCORERS['d_prime']"


def test_no_warning_is_issued_if_all_values_are_defined():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for metric in METRICS:
            metric(*draw())
