import threading

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, PredefinedSplit, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skfewaudio.exceptions import LeakageWarning
from skfewaudio.model_selection import FewShotClassifier, FewShotSplit, few_shot_curve

RNG = np.random.default_rng(0)
Y = np.repeat(["bark", "horn", "siren"], 20)
X = RNG.normal(size=(60, 4)) + np.repeat(np.arange(3), 20)[:, None]
FOLDS = np.tile([3, 5, 7], 20)
CV = PredefinedSplit(FOLDS)
KEY = ["pipeline", "n_shots", "repeat", "fold", "metric"]


def make_pipe(func=np.abs):
    return make_pipeline(FunctionTransformer(func), StandardScaler(), KNeighborsClassifier(1))


CALLS = []  # estimators are cloned, so a callable of its own would count in vain


def count_clips(clips):
    CALLS.append(len(clips))
    return clips


@pytest.fixture
def calls():
    CALLS.clear()
    return CALLS


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_equals_cross_val_score_with_few_shot_split(n_jobs):
    curve = few_shot_curve(
        make_pipe(), X, Y, n_shots=[1, 3], n_repeats=4, cv=CV, random_state=2, n_jobs=n_jobs
    )
    for n, part in curve.groupby("n_shots"):
        scores = cross_val_score(make_pipe(), X, Y, cv=FewShotSplit(n, n_repeats=4, cv=CV, random_state=2))
        assert part.sort_values(["repeat", "fold"])["value"].tolist() == scores.tolist()


def test_equals_a_grid_search_over_the_whole_pipeline():
    curve = few_shot_curve(make_pipe(), X, Y, n_shots=[1, 3], n_repeats=1, cv=CV)
    search = GridSearchCV(FewShotClassifier(make_pipe()), {"n_shots": [1, 3]}, cv=CV).fit(X, Y)
    for number, (_, part) in enumerate(curve.groupby("fold")):
        assert part["value"].tolist() == search.cv_results_[f"split{number}_test_score"].tolist()


def test_row_for_every_draw_fold_and_metric():
    curve = few_shot_curve(
        make_pipe(), X, Y, n_shots=[1, 3], n_repeats=2, cv=CV, scoring=["accuracy", "f1_macro"]
    )
    assert len(curve) == len(curve[KEY].drop_duplicates()) == 2 * 2 * 3 * 2
    assert set(curve["metric"]) == {"accuracy", "f1_macro"}


def test_columns_say_sizes_and_seed():
    curve = few_shot_curve(make_pipe(), X, Y, n_shots=[2], n_repeats=2, cv=CV, random_state=10)
    assert curve["n_train"].unique().tolist() == [6]
    assert curve["n_test"].unique().tolist() == [20]
    assert curve["seed"].unique().tolist() == [10, 11]


def test_folds_have_the_numbers_of_the_data_set():
    assert few_shot_curve(make_pipe(), X, Y, n_shots=[1], n_repeats=1, cv=CV)["fold"].tolist() == [3, 5, 7]


def test_other_folds_are_counted_from_zero():
    cv = StratifiedKFold(2).split(X, Y)
    assert few_shot_curve(make_pipe(), X, Y, n_shots=[1], n_repeats=1, cv=cv)["fold"].tolist() == [0, 1]


def test_stateless_steps_see_every_clip_once(calls):
    few_shot_curve(make_pipe(count_clips), X, Y, n_shots=[1, 2], n_repeats=3, cv=CV)
    assert calls == [60]


def test_equal_stateless_steps_are_shared_between_estimators(calls):
    estimators = {"a": make_pipe(count_clips), "b": make_pipe(count_clips)}
    few_shot_curve(estimators, X, Y, n_shots=[1], n_repeats=2, cv=CV)
    assert calls == [60]


def test_other_stateless_steps_are_not_shared():
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


def test_rows_are_handed_on_as_they_come():
    handed = []
    curve = few_shot_curve(make_pipe(), X, Y, n_shots=[1, 2], n_repeats=2, cv=CV, on_result=handed.append)
    assert [len(rows) for rows in handed] == [3] * 4
    pd.testing.assert_frame_equal(pd.DataFrame([row for rows in handed for row in rows]), curve)


def test_rows_are_handed_on_from_workers_to_what_cannot_be_pickled():
    lock, handed = threading.Lock(), []

    def keep(rows):
        with lock:
            handed.extend(rows)

    options = {"n_shots": [1, 2], "n_repeats": 2, "cv": CV}
    curve = few_shot_curve(make_pipe(), X, Y, **options, n_jobs=2, on_result=keep, verbose=1)
    assert len(handed) == len(curve) == 12


def test_interrupted_curve_goes_on_where_it_stopped():
    options = {"n_shots": [1, 2], "n_repeats": 3, "cv": CV}
    whole, handed = few_shot_curve(make_pipe(), X, Y, **options), []
    finished = whole.iloc[:10]  # three complete draws and a third of one
    resumed = few_shot_curve(make_pipe(), X, Y, **options, finished=finished, on_result=handed.extend)
    assert len(handed) == len(whole) - 9
    pd.testing.assert_frame_equal(resumed[[*KEY, "value"]], whole[[*KEY, "value"]])


def test_finished_curve_runs_nothing(calls):
    options = {"n_shots": [1, 2], "n_repeats": 2, "cv": CV}
    whole = few_shot_curve(make_pipe(), X, Y, **options)
    again = few_shot_curve(make_pipe(count_clips), X, Y, **options, finished=whole)
    assert calls == []
    pd.testing.assert_frame_equal(again, whole)


def test_draws_of_another_seed_do_not_count_as_finished():
    options = {"n_shots": [1], "n_repeats": 1, "cv": CV}
    other = few_shot_curve(make_pipe(), X, Y, **options, random_state=4)
    handed = []
    few_shot_curve(make_pipe(), X, Y, **options, finished=other, on_result=handed.extend)
    assert len(handed) == 3


def test_too_few_clips_are_named_before_any_feature_is_computed(calls):
    with pytest.raises(ValueError, match="bark has 13"):
        few_shot_curve(make_pipe(count_clips), X, Y, n_shots=[1, 50], cv=CV)
    assert calls == []


def test_failing_fit_is_raised():
    with pytest.raises(ValueError, match="n_neighbors"):
        few_shot_curve(KNeighborsClassifier(50), X, Y, n_shots=[1], n_repeats=1, cv=CV)


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
