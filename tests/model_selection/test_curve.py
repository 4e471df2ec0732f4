import json
import threading

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, PredefinedSplit, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from skfewaudio.exceptions import LeakageWarning
from skfewaudio.model_selection import FewShotSplit, SubsampledClassifier, few_shot_curve

RNG = np.random.default_rng(0)
Y = np.repeat(["bark", "horn", "siren"], 20)
X = RNG.normal(size=(60, 4)) + np.repeat(np.arange(3), 20)[:, None]
FOLDS = np.tile([3, 5, 7], 20)
CV = PredefinedSplit(FOLDS)
KEY = ["pipeline", "n_shots", "repeat", "fold", "metric"]


def make_pipe(func=np.abs):
    return make_pipeline(FunctionTransformer(func), StandardScaler(), KNeighborsClassifier(1))


CALLS = []  # global, because estimators are cloned


def count_clips(clips):
    CALLS.append(len(clips))
    return clips


@pytest.fixture
def calls():
    CALLS.clear()
    return CALLS


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_equals_cross_val_score_with_few_shot_split(n_jobs):
    curve = few_shot_curve(
        make_pipe(), X, Y, n_shots=[1, 3], n_repeats=4, cv=CV, random_state=2, n_jobs=n_jobs
    )
    for n, part in curve.groupby("n_shots"):
        scores = cross_val_score(make_pipe(), X, Y, cv=FewShotSplit(n, n_repeats=4, cv=CV, random_state=2))
        assert part.sort_values(["repeat", "fold"])["value"].tolist() == scores.tolist()


def test_equals_a_grid_search_over_the_whole_pipeline():
    curve = few_shot_curve(make_pipe(), X, Y, n_shots=[1, 3], n_repeats=1, cv=CV)
    search = GridSearchCV(SubsampledClassifier(make_pipe()), {"n_shots": [1, 3]}, cv=CV).fit(X, Y)
    for number, (_, part) in enumerate(curve.groupby("fold")):
        assert part["value"].tolist() == search.cv_results_[f"split{number}_test_score"].tolist()


def test_one_row_per_draw_fold_and_metric():
    curve = few_shot_curve(
        make_pipe(), X, Y, n_shots=[1, 3], n_repeats=2, cv=CV, scoring=["accuracy", "f1_macro"]
    )
    assert len(curve) == len(curve[KEY].drop_duplicates()) == 2 * 2 * 3 * 2
    assert set(curve["metric"]) == {"accuracy", "f1_macro"}


def test_columns_contain_sizes_and_seed():
    curve = few_shot_curve(make_pipe(), X, Y, n_shots=[2], n_repeats=2, cv=CV, random_state=10)
    assert curve["n_train"].unique().tolist() == [6]
    assert curve["n_test"].unique().tolist() == [20]
    assert curve["seed"].unique().tolist() == [10, 11]


def test_folds_have_the_numbers_of_the_dataset():
    assert few_shot_curve(make_pipe(), X, Y, n_shots=[1], n_repeats=1, cv=CV)["fold"].tolist() == [3, 5, 7]


def test_other_folds_are_counted_from_zero():
    cv = StratifiedKFold(2).split(X, Y)
    assert few_shot_curve(make_pipe(), X, Y, n_shots=[1], n_repeats=1, cv=cv)["fold"].tolist() == [0, 1]


def test_stateless_steps_transform_every_clip_once(calls):
    few_shot_curve(make_pipe(count_clips), X, Y, n_shots=[1, 2], n_repeats=3, cv=CV)
    assert calls == [60]


def test_equal_stateless_steps_are_shared_between_estimators(calls):
    estimators = {"a": make_pipe(count_clips), "b": make_pipe(count_clips)}
    few_shot_curve(estimators, X, Y, n_shots=[1], n_repeats=2, cv=CV)
    assert calls == [60]


def test_different_stateless_steps_are_not_shared():
    estimators = {"a": make_pipe(), "b": make_pipe(np.square)}
    curve = few_shot_curve(estimators, X, Y, n_shots=[1], n_repeats=3, cv=CV)
    alone = few_shot_curve({"b": make_pipe(np.square)}, X, Y, n_shots=[1], n_repeats=3, cv=CV)
    assert curve[curve["pipeline"] == "b"]["value"].tolist() == alone["value"].tolist()


def test_leaves_the_estimators_unfitted():
    pipe = make_pipe()
    few_shot_curve(pipe, X, Y, n_shots=[1], n_repeats=1, cv=CV)
    assert not hasattr(pipe[-1], "classes_")


@pytest.mark.parametrize(
    ("estimators", "names"),
    [
        (make_pipe(), ["KNeighborsClassifier"]),
        ({"b": make_pipe(), "a": DummyClassifier()}, ["b", "a"]),
        ([("b", make_pipe()), ("a", DummyClassifier())], ["b", "a"]),
    ],
)
def test_names_of_estimators(estimators, names):
    curve = few_shot_curve(estimators, X, Y, n_shots=[1], n_repeats=1, cv=CV)
    assert curve["pipeline"].unique().tolist() == names


def test_names_must_differ():
    with pytest.raises(ValueError, match="different names"):
        few_shot_curve([("a", make_pipe()), ("a", make_pipe())], X, Y)


def test_estimator_by_name_is_an_error():
    with pytest.raises(TypeError, match="'svc'"):
        few_shot_curve("svc", X, Y)


@pytest.mark.parametrize(
    ("scoring", "name"),
    [
        ({"correct": "accuracy"}, "correct"),
        (make_scorer(accuracy_score), "score"),
    ],
)
def test_names_of_metrics(scoring, name):
    curve = few_shot_curve(make_pipe(), X, Y, n_shots=[1], n_repeats=1, cv=CV, scoring=scoring)
    assert curve["metric"].unique().tolist() == [name]


def test_rows_are_passed_on_after_each_fit():
    passed_on = []
    curve = few_shot_curve(make_pipe(), X, Y, n_shots=[1, 2], n_repeats=2, cv=CV, on_result=passed_on.append)
    assert [len(rows) for rows in passed_on] == [1] * 12
    pd.testing.assert_frame_equal(pd.DataFrame([row for rows in passed_on for row in rows]), curve)


def test_rows_from_workers_are_passed_to_a_callback_that_cannot_be_pickled():
    lock, passed_on = threading.Lock(), []

    def keep(rows):
        with lock:
            passed_on.extend(rows)

    options = {"n_shots": [1, 2], "n_repeats": 2, "cv": CV}
    curve = few_shot_curve(make_pipe(), X, Y, **options, n_jobs=2, on_result=keep, verbose=1)
    assert len(passed_on) == len(curve) == 12


def test_interrupted_curve_is_resumed():
    options = {"n_shots": [1, 2], "n_repeats": 3, "cv": CV}
    whole, passed_on = few_shot_curve(make_pipe(), X, Y, **options), []
    resumed = few_shot_curve(
        make_pipe(), X, Y, **options, finished=whole.iloc[:10], on_result=passed_on.extend
    )
    assert len(passed_on) == len(whole) - 10
    pd.testing.assert_frame_equal(resumed[[*KEY, "value"]], whole[[*KEY, "value"]])


def test_order_of_rows_does_not_depend_on_finished_rows():
    options = {"n_shots": [1, 2], "n_repeats": 3, "cv": CV}
    estimators = {"b": make_pipe(), "a": make_pipe(np.square)}
    whole = few_shot_curve(estimators, X, Y, **options)
    finished = whole.sample(frac=0.4, random_state=0)
    resumed = few_shot_curve(estimators, X, Y, **options, finished=finished, n_jobs=2)
    pd.testing.assert_frame_equal(resumed[[*KEY, "value"]], whole[[*KEY, "value"]])


def test_fit_that_lacks_a_metric_runs_again():
    options = {"n_shots": [1], "n_repeats": 1, "cv": CV, "scoring": ["accuracy", "f1_macro"]}
    whole, passed_on = few_shot_curve(make_pipe(), X, Y, **options), []
    few_shot_curve(make_pipe(), X, Y, **options, finished=whole.iloc[:5], on_result=passed_on.extend)
    assert [(row["fold"], row["metric"]) for row in passed_on] == [(7, "accuracy"), (7, "f1_macro")]


def test_last_of_repeated_finished_rows_is_kept():
    options = {"n_shots": [1], "n_repeats": 1, "cv": CV}
    whole = few_shot_curve(make_pipe(), X, Y, **options)
    twice = pd.concat([whole.assign(value=-1.0), whole])
    pd.testing.assert_frame_equal(few_shot_curve(make_pipe(), X, Y, **options, finished=twice), whole)


def test_finished_without_a_column_is_an_error():
    finished = pd.DataFrame([dict.fromkeys(["pipeline", "n_shots", "repeat", "fold", "value"], 0)])
    with pytest.raises(ValueError, match="lacks the columns seed, metric"):
        few_shot_curve(make_pipe(), X, Y, n_shots=[1], cv=CV, finished=finished)


def test_finished_curve_runs_nothing(calls):
    options = {"n_shots": [1, 2], "n_repeats": 2, "cv": CV}
    whole = few_shot_curve(make_pipe(), X, Y, **options)
    again = few_shot_curve(make_pipe(count_clips), X, Y, **options, finished=whole)
    assert calls == []
    pd.testing.assert_frame_equal(again, whole)


def test_rows_of_another_seed_are_not_finished():
    options = {"n_shots": [1], "n_repeats": 1, "cv": CV}
    other = few_shot_curve(make_pipe(), X, Y, **options, random_state=4)
    passed_on = []
    few_shot_curve(make_pipe(), X, Y, **options, finished=other, on_result=passed_on.extend)
    assert len(passed_on) == 3


def test_too_few_clips_raise_before_features_are_computed(calls):
    with pytest.raises(ValueError, match="bark has 13"):
        few_shot_curve(make_pipe(count_clips), X, Y, n_shots=[1, 50], cv=CV)
    assert calls == []


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_failing_fit_is_raised_and_named(n_jobs):
    with pytest.raises(ValueError, match="n_neighbors") as caught:
        few_shot_curve({"far": KNeighborsClassifier(5)}, X, Y, n_shots=[1, 2], cv=CV, n_jobs=n_jobs)
    assert "This was 'far' with n_shots=1, repeat 0, fold" in caught.value.__notes__[0]


def test_unknown_metric_raises_before_features_are_computed(calls):
    with pytest.raises(ValueError, match="acuracy"):
        few_shot_curve(make_pipe(count_clips), X, Y, n_shots=[1], cv=CV, scoring="acuracy")
    assert calls == []


@pytest.mark.parametrize("convert", [np.asarray, csr_matrix])
def test_multi_label_error_names_the_alternatives(convert, calls):
    tags = convert(np.tile([[0, 1, 1], [1, 0, 0]], (30, 1)))
    with pytest.raises(ValueError, match=r"\(60, 3\).*cross_validate.*SCORERS"):
        few_shot_curve(make_pipe(count_clips), X, tags, n_shots=[1], cv=CV)
    assert calls == []


def predict_all(estimators, **options):
    found = []
    curve = few_shot_curve(
        estimators, X, Y, n_shots=[1, 3], n_repeats=2, cv=CV, on_predictions=found.append, **options
    )
    lists = ["clip", "true", "predicted", "probability", "true_probability"]
    return curve, pd.DataFrame(found).explode(lists, ignore_index=True).infer_objects()


def test_predictions_contain_every_test_clip_of_every_fit():
    curve, found = predict_all(make_pipe())
    assert len(found) == curve["n_test"].sum()
    assert all(found["true"] == Y[found["clip"]])
    assert all(found["fold"] == FOLDS[found["clip"]])


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_predictions_match_the_scores(n_jobs):
    curve, found = predict_all(make_pipe(), n_jobs=n_jobs)
    key = ["pipeline", "n_shots", "repeat", "fold"]
    right = (found["true"] == found["predicted"]).groupby([found[name] for name in key]).mean()
    assert right.tolist() == curve.sort_values(key)["value"].tolist()


def test_probabilities_belong_to_the_predicted_and_the_true_class():
    _, found = predict_all(LogisticRegression())
    right = found["true"] == found["predicted"]
    assert (found["probability"] == found["true_probability"])[right].all()
    assert (found["probability"] > found["true_probability"])[~right].all()
    train, _ = next(FewShotSplit(3, n_repeats=2, cv=CV).split(X, Y))
    proba = LogisticRegression().fit(X[train], Y[train]).predict_proba(X[FOLDS == 3])
    first = found.query("n_shots == 3 and repeat == 0 and fold == 3")
    np.testing.assert_allclose(first["probability"], proba.max(axis=1))


def test_probabilities_are_none_without_predict_proba():
    found = []
    few_shot_curve(LinearSVC(), X, Y, n_shots=[1], n_repeats=1, cv=CV, on_predictions=found.append)
    assert found[0]["probability"] == found[0]["true_probability"] == [None] * 20


def test_predictions_can_be_written_as_json():
    found = []
    few_shot_curve(make_pipe(), X, Y, n_shots=[1], n_repeats=1, cv=CV, on_predictions=found.append)
    assert json.loads(json.dumps(found)) == found


def test_predictions_are_passed_on_before_the_rows_of_a_fit():
    order = []
    few_shot_curve(
        make_pipe(),
        X,
        Y,
        n_shots=[1],
        n_repeats=1,
        cv=CV,
        on_result=lambda rows: order.append(("rows", rows[0]["fold"])),
        on_predictions=lambda found: order.append(("predictions", found["fold"])),
    )
    assert order == [(kind, fold) for fold in (3, 5, 7) for kind in ("predictions", "rows")]


def test_group_on_both_sides_warns_once():
    with pytest.warns(LeakageWarning, match="both sides") as caught:
        few_shot_curve(make_pipe(), X, Y, n_shots=[1], n_repeats=2, cv=CV, groups=np.repeat(np.arange(30), 2))
    assert len(caught) == 1


def test_default_folds_keep_groups_together(recwarn):
    few_shot_curve(make_pipe(), X, Y, n_shots=[1], n_repeats=1, groups=np.repeat(np.arange(30), 2))
    assert not [w for w in recwarn if issubclass(w.category, LeakageWarning)]


def test_verbose_shows_progress_on_stderr(capsys):
    few_shot_curve({"1-nn": make_pipe()}, X, Y, n_shots=[1], n_repeats=2, cv=CV, verbose=1)
    assert "1-nn" in capsys.readouterr().err


def test_quiet_by_default(capsys):
    few_shot_curve(make_pipe(), X, Y, n_shots=[1], n_repeats=1, cv=CV)
    assert capsys.readouterr() == ("", "")
