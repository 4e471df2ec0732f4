import warnings
from itertools import pairwise

import numpy as np
import pytest
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier

from skfewaudio.exceptions import LeakageWarning
from skfewaudio.model_selection import FewShotSplit

Y = np.repeat(["bark", "horn", "siren"], 20)
FOLDS = np.tile([1, 2, 3, 4], 15)


def splits(cv, y=Y, groups=None):
    return list(cv.split(np.zeros(len(y)), y, groups))


def test_trains_on_n_clips_of_every_class():
    for train, _ in splits(FewShotSplit(3, cv=PredefinedSplit(FOLDS))):
        assert np.unique(Y[train], return_counts=True)[1].tolist() == [3, 3, 3]


def test_tests_on_the_whole_fold_and_trains_outside_it():
    found = splits(FewShotSplit(3, n_repeats=1, cv=PredefinedSplit(FOLDS)))
    for fold, (train, test) in zip([1, 2, 3, 4], found, strict=True):
        np.testing.assert_array_equal(test, np.flatnonzero(fold == FOLDS))
        assert fold not in FOLDS[train]


def test_draws_are_nested_over_n_shots():
    draws = [splits(FewShotSplit(n, cv=PredefinedSplit(FOLDS))) for n in (1, 2, 5, 15)]
    for fewer, more in pairwise(draws):
        assert all(set(a) < set(b) for (a, _), (b, _) in zip(fewer, more, strict=True))


def test_repeats_draw_different_clips():
    drawn = {tuple(train) for train, _ in splits(FewShotSplit(3, n_repeats=5, cv=[(range(60), [0, 20, 40])]))}
    assert len(drawn) == 5


def test_repeat_r_draws_with_seed_s_plus_r():
    both = splits(FewShotSplit(3, n_repeats=2, random_state=7))
    second = splits(FewShotSplit(3, n_repeats=1, random_state=8))
    assert [train.tolist() for train, _ in both[5:]] == [train.tolist() for train, _ in second]


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_without_a_seed_every_split_draws_anew(random_state):
    cv = FewShotSplit(5, n_repeats=1, random_state=random_state)
    assert [a.tolist() for a, _ in splits(cv)] != [a.tolist() for a, _ in splits(cv)]


def test_draw_does_not_depend_on_label_names():
    numbers = np.unique(Y, return_inverse=True)[1]
    a, b = splits(FewShotSplit(2)), splits(FewShotSplit(2), numbers)
    assert [train.tolist() for train, _ in a] == [train.tolist() for train, _ in b]


def test_default_cv_keeps_groups_together():
    groups = np.repeat(np.arange(30), 2)
    for train, test in splits(FewShotSplit(2, n_repeats=1), groups=groups):
        assert not set(groups[train]) & set(groups[test])


def test_groups_are_passed_to_cv():
    groups = np.tile([0, 1, 2], 20)
    cv = FewShotSplit(1, n_repeats=2, cv=LeaveOneGroupOut())
    assert cv.get_n_splits(None, Y, groups) == len(splits(cv, groups=groups)) == 6


def test_number_of_splits_is_repeats_times_folds():
    cv = FewShotSplit(1, n_repeats=3, cv=4)
    assert cv.get_n_splits(Y, Y) == len(splits(cv)) == 12


def test_generator_of_splits_can_be_used_twice():
    cv = FewShotSplit(1, n_repeats=2, cv=KFold(3, shuffle=True, random_state=0).split(Y))
    assert len(splits(cv)) == len(splits(cv)) == cv.get_n_splits() == 6


def test_works_in_cross_val_score():
    X = np.random.default_rng(0).normal(size=(60, 2))
    assert cross_val_score(KNeighborsClassifier(1), X, Y, cv=FewShotSplit(2, n_repeats=2)).shape == (10,)


def test_repr_shows_the_parameters():
    assert (
        repr(FewShotSplit(2, n_repeats=3)) == "FewShotSplit(cv=None, n_repeats=3, n_shots=2, random_state=0)"
    )


def test_class_with_too_few_clips_is_named_with_its_count():
    with pytest.raises(ValueError, match=r"n_shots=16 .*bark has 15, horn has 15, siren has 15"):
        splits(FewShotSplit(16, cv=PredefinedSplit(FOLDS)))


def test_class_without_training_clips_is_named():
    with pytest.raises(ValueError, match=r"no training clips of: siren"):
        splits(FewShotSplit(1, cv=[(range(40), [0, 20, 50])]))


@pytest.mark.parametrize("n_shots", [0, -1, 1.5, True, "2"])
def test_n_shots_must_be_a_count(n_shots):
    with pytest.raises(ValueError, match="n_shots must be an integer"):
        FewShotSplit(n_shots)


def test_labels_are_required():
    with pytest.raises(ValueError, match="requires y"):
        list(FewShotSplit(1).split(Y))


@pytest.mark.parametrize("y", [np.linspace(0, 1, 12), np.eye(2, dtype=int)[np.arange(12) % 2]])
def test_labels_must_be_one_class_per_clip(y):
    with pytest.raises(ValueError, match=r"continuous|multilabel"):
        splits(FewShotSplit(1), y)


def test_group_on_both_sides_warns_once():
    with pytest.warns(LeakageWarning, match="both sides") as caught:
        splits(FewShotSplit(1, cv=PredefinedSplit(FOLDS)), groups=np.repeat(np.arange(30), 2))
    assert len(caught) == 1


def test_one_recording_of_several_classes_does_not_warn():
    groups = np.tile(np.arange(20), 3)
    folds = (groups + np.repeat([0, 1, 2], 20)) % 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert splits(FewShotSplit(1, cv=PredefinedSplit(folds)), groups=groups)


def test_cv_that_uses_groups_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert splits(FewShotSplit(1, cv=GroupKFold(3)), groups=np.repeat(np.arange(30), 2))
