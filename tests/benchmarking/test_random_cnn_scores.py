"""Cross-validation scores of the suite random-cnn, their table and their plot."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skfewaudio.benchmarking._random_cnn import scores, studies

FOLDS = np.arange(60) % 4
GRID = [{"C": [0.01, 1.0], "gamma": [0.1, 10.0]}]
NO_ROWS = pd.DataFrame({"pipeline": [], "repeat": [], "fold": []})


@pytest.fixture(scope="module")
def noisy():
    """Return 60 points of three classes that overlap."""
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], 20)
    return rng.normal(size=(60, 5)) + 0.8 * (y[:, None] == ["a", "b", "c", "c", "b"]), y


def score(X, y, *, folds=FOLDS, tested=None, grid=GRID, n_repeats=1, finished=NO_ROWS, rotate=False):
    calls = []

    def make_feature_study(name, *, random_state):
        calls.append((name, random_state))
        return studies.FeatureStudy(FunctionTransformer(), SVC(), grid and (lambda _: grid), rotate)

    rows = []
    scores.score_feature_studies(
        make_feature_study,
        ["raw+svm"],
        X,
        y,
        PredefinedSplit(folds if tested is None else np.where(np.isin(folds, tested), folds, -1)),
        folds=folds,
        n_repeats=n_repeats,
        random_state=3,
        n_jobs=1,
        finished=finished,
        on_result=rows.extend,
    )
    return pd.DataFrame(rows), calls


def test_nested_choice_uses_only_the_folds_of_the_training_set(noisy):
    X, y = noisy
    rows, _ = score(X, y)
    for _, row in rows[rows["metric"] == "accuracy"].iterrows():
        train = row["fold"] != FOLDS
        search = GridSearchCV(SVC(), GRID, cv=PredefinedSplit(FOLDS[train])).fit(X[train], y[train])
        assert json.loads(row["params"]) == search.best_params_
        assert row["value"] == search.score(X[~train], y[~train])


def test_published_choice_has_the_best_mean_over_the_reported_folds(noisy):
    X, y = noisy
    rows, _ = score(X, y)
    search = GridSearchCV(SVC(), GRID, cv=PredefinedSplit(FOLDS)).fit(X, y)
    published = rows[rows["metric"] == "accuracy_chosen_on_test"]
    assert published["value"].mean() == pytest.approx(search.best_score_)
    assert json.loads(published["params"].iloc[0]) == search.best_params_


def test_training_set_without_folds_is_split_at_random(noisy):
    rows, _ = score(*noisy, folds=np.where(FOLDS == 0, 0, -1))
    assert rows["metric"].value_counts().to_dict() == {"accuracy": 1, "accuracy_chosen_on_test": 1}


def test_study_without_a_grid_has_one_score_per_fold(noisy):
    rows, _ = score(*noisy, grid=None)
    assert rows["metric"].tolist() == ["accuracy"] * 4


def test_every_repeat_has_its_own_seed(noisy):
    rows, calls = score(*noisy, n_repeats=2)
    assert calls == [("raw+svm", 3), ("raw+svm", 4)]
    assert rows.groupby("repeat")["seed"].first().tolist() == [3, 4]


def test_finished_repeats_are_not_scored_again(noisy):
    finished = pd.DataFrame({"pipeline": "raw+svm", "repeat": 0, "fold": range(4)})
    rows, _ = score(*noisy, n_repeats=2, finished=finished)
    assert set(rows["repeat"]) == {1}


def test_repeats_finished_on_fewer_folds_are_scored_again(noisy):
    finished = pd.DataFrame({"pipeline": "raw+svm", "repeat": 0, "fold": [0, 1]})
    rows, _ = score(*noisy, finished=finished)
    assert set(rows["fold"]) == {0, 1, 2, 3}


def test_nested_choice_for_a_fold_does_not_depend_on_the_other_test_folds(noisy):
    everything, alone = (score(*noisy, tested=tested)[0] for tested in (None, [2]))
    expected = everything[(everything["metric"] == "accuracy") & (everything["fold"] == 2)]
    found = alone[alone["metric"] == "accuracy"]
    assert found[["fold", "value", "params"]].values.tolist() == (
        expected[["fold", "value", "params"]].values.tolist()
    )


def test_rotation_preserves_inner_products_with_fewer_features():
    X = np.random.default_rng(0).normal(size=(20, 300))
    rotated = scores.rotate(X)
    assert rotated.shape == (20, 20)
    np.testing.assert_allclose(rotated @ rotated.T, X @ X.T)


def test_rotation_does_not_change_features_fewer_than_clips():
    X = np.random.default_rng(0).normal(size=(20, 3))
    np.testing.assert_array_equal(scores.rotate(X), X)


def test_rotation_does_not_change_the_scores_of_a_support_vector_machine(noisy):
    wide = np.random.default_rng(1).normal(size=(5, 200))
    X = noisy[0] @ wide / 20
    plain, rotated = (score(X, noisy[1], rotate=rotate)[0] for rotate in (False, True))
    pd.testing.assert_series_equal(plain["value"], rotated["value"])


def test_svm_grid_is_the_published_one():
    rbf, linear = studies.svm_grid(500)
    assert rbf["gamma"] == [2**-3, 2**-5, 2**-7, 2**-9, 2**-11, 2**-13, 1 / 500]
    assert rbf["C"] == linear["C"] == [0.1, 2.0, 8.0, 32.0]


@pytest.mark.parametrize("classifier", ["svm", "elm", "ridge", "trained"])
def test_every_kind_of_study_can_be_made(classifier):
    study = studies.make_feature_study(f"timbral-8+{classifier}", device="cpu", random_state=1)
    assert hasattr(study.features, "transform")
    assert hasattr(study.classifier, "predict")


def test_table_has_a_row_per_features_and_a_column_per_classifier(noisy):
    rows, _ = score(*noisy, n_repeats=2)
    text = scores.comparison_table(rows)
    assert "chosen within the training folds" in text
    assert "chosen on the reported folds" in text
    assert text.splitlines()[2].split() == ["classifier", "svm"]
    assert text.splitlines()[3].startswith("raw ")


def test_plot_requires_random_and_trained_weights_of_an_architecture(noisy, tmp_path):
    rows, _ = score(*noisy)
    assert scores.plot_comparison(rows, "noise", tmp_path) == []
    names = ["7x86-160", "7x96-160"]
    both = pd.concat(
        rows.assign(pipeline=f"{name}+{kind}", value=rows["value"] + 0.1 * (name == "7x96-160"))
        for name in names
        for kind in ("svm", "trained")
    )
    assert scores.plot_comparison(both, "noise", tmp_path) == [tmp_path / "trained.png"]
    assert (tmp_path / "trained.png").read_bytes().startswith(b"\x89PNG")
