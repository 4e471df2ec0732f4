"""Finished rows of a learning curve are used again only for the same clips, labels, groups and splits."""

import numpy as np
import pytest
import soundfile
from sklearn.model_selection import PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skfewaudio import MFCC
from skfewaudio.model_selection import few_shot_curve
from skfewaudio.reporting import ResultStore

X = np.random.default_rng(0).normal(size=(24, 3))
Y = np.array(["bark", "horn"] * 12)
FOLDS = np.repeat([1, 2], 12)
GROUPS = np.arange(24)
OPTIONS = {"n_shots": [1, 2], "n_repeats": 2}


def curve(X=X, y=Y, folds=FOLDS, groups=None, **options):
    return few_shot_curve(
        {"1-nn": KNeighborsClassifier(1)},
        X,
        y,
        cv=PredefinedSplit(folds),
        groups=groups,
        **OPTIONS,
        **options,
    )


def count_runs(finished, **changes):
    """Return the number of fits that run."""
    rows = []
    curve(finished=finished, on_result=rows.extend, **changes)
    return len(rows)


@pytest.fixture(scope="module")
def finished():
    return curve()


def test_rows_state_their_inputs_and_the_time_of_features(finished):
    assert finished["inputs"].nunique() == 2  # one per fold
    assert (finished["feature_time"] == 0).all()  # no stateless step


def test_rows_of_the_same_data_are_used(finished):
    assert count_runs(finished) == 0
    assert count_runs(finished, X=X.copy(), y=Y.tolist()) == 0


def test_stored_rows_of_the_same_data_are_used(finished, tmp_path):
    store = ResultStore(tmp_path / "rows.jsonl")
    store.append([{"dataset": "toy", **row} for row in finished.to_dict("records")])
    assert count_runs(store.frame()) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"X": X + 1},
        {"y": np.concatenate([["horn", "bark"], Y[2:]])},
        {"folds": np.concatenate([[2], FOLDS[1:]])},
        {"groups": GROUPS},
    ],
    ids=["clips", "labels", "folds", "groups"],
)
def test_rows_of_other_data_are_not_used_and_named(changes, finished):
    with pytest.warns(
        UserWarning, match="8 rows of finished belong to other clips, labels, groups or splits"
    ):
        assert count_runs(finished, **changes) == 8


def test_rows_of_other_folds_do_not_matter(finished):
    only = np.where(FOLDS == 1, 1, -1)
    assert count_runs(finished[finished["fold"] == 1], folds=only) == 0


def test_rows_without_inputs_are_used_as_they_are(finished):
    assert count_runs(finished.drop(columns="inputs"), y=Y[::-1]) == 0


def test_content_of_files_counts(tmp_path):
    paths = [str(tmp_path / f"{k}.wav") for k in range(24)]
    for k, path in enumerate(paths):
        soundfile.write(path, 0.1 * np.random.default_rng(k).normal(size=800), 8000)
    pipe = make_pipeline(MFCC(sample_rate=8000), KNeighborsClassifier(1))

    def run(**options):
        return few_shot_curve({"mfcc": pipe}, paths, Y, cv=PredefinedSplit(FOLDS), **OPTIONS, **options)

    first = run()
    assert (first["feature_time"] > 0).all()
    assert run(finished=first).equals(first)
    soundfile.write(paths[0], np.zeros(800), 8000)
    with pytest.warns(UserWarning, match="8 rows"):
        run(finished=first)
