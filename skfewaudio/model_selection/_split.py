"""Draws of n labelled clips per class, and the splitter made of them."""

import warnings
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.utils import assert_all_finite, check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from skfewaudio.exceptions import LeakageWarning

Indices = NDArray[np.intp]
RandomState = int | np.random.RandomState | None


class FewShotSplit(BaseCrossValidator):
    """Few-shot splitter: n clips per class to learn from, the whole test fold to predict.

    For each repeat and each fold of `cv`, the training side is `n_shots` clips per class drawn from the
    fold's training clips; the test side is the whole test fold. The draws of one repeat are nested over
    `n_shots`: the clip drawn for ``n_shots=1`` is among those drawn for ``n_shots=2``, so that curves are
    paired.

    Parameters
    ----------
    n_shots : int
        Labelled clips per class.
    n_repeats : int, default=10
        Random draws for each fold.
    cv : int, splitter, iterable of (train, test) or None, default=None
        What separates training from test clips. An int is a number of folds, stratified by class; None is 5.
        With `groups`, both keep the clips of a group together. A data set's own folds come as
        ``PredefinedSplit(folds)``.
    random_state : int, RandomState or None, default=0
        With an int s, repeat r draws with seed s + r in every fold: what
        ``FewShotClassifier(estimator, n_shots, random_state=s + r)`` draws there.

    See Also
    --------
    FewShotClassifier : The same draw as a parameter, to search over.
    few_shot_curve : Scores over several `n_shots`, with features computed once.

    Examples
    --------
    >>> from sklearn.model_selection import PredefinedSplit
    >>> from skfewaudio.model_selection import FewShotSplit
    >>> y = ["bark", "horn"] * 4
    >>> cv = FewShotSplit(2, n_repeats=1, cv=PredefinedSplit([1, 1, 1, 1, 2, 2, 2, 2]))
    >>> for train, test in cv.split(y, y):
    ...     print(train, test)
    [4 5 6 7] [0 1 2 3]
    [0 1 2 3] [4 5 6 7]
    """

    # Under metadata routing a splitter must ask for the groups that cross_val_score holds.
    __metadata_request__split = {"groups": True}

    def __init__(
        self, n_shots: int, *, n_repeats: int = 10, cv: Any = None, random_state: RandomState = 0
    ) -> None:
        self.n_shots = check_count(n_shots, "n_shots")
        self.n_repeats = check_count(n_repeats, "n_repeats")
        # A generator would be used up by the first of the several passes that a search makes.
        self.cv = list(cv) if isinstance(cv, Iterator) else cv
        self.random_state = random_state

    def split(
        self, X: Any, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[Indices, Indices]]:
        """Yield the drawn training clips and the test clips of each repeat and fold, repeats outermost.

        Parameters
        ----------
        X : sequence of length n_clips
            The clips; only passed on to `cv`.
        y : array-like of shape (n_clips,)
            One class label per clip.
        groups : array-like of shape (n_clips,) or None, default=None
            The recording each clip was cut from; passed on to `cv`.

        Yields
        ------
        train : ndarray of int
            ``n_shots`` clips of each class, in ascending order.
        test : ndarray of int
            The clips of the test fold.

        Raises
        ------
        ValueError
            If a class has too few training clips, or none and yet test clips; or `y` is not one label per
            clip.
        """
        labels = check_labels(y)
        folds = list_folds(self.cv, X, labels, groups)
        for seed in repeat_seeds(self.random_state, self.n_repeats):
            for train, test in folds:
                yield train[draw_support(labels[train], self.n_shots, seed)], test

    def get_n_splits(self, X: Any = None, y: ArrayLike | None = None, groups: ArrayLike | None = None) -> int:
        """Give the number of splits: repeats times folds.

        Parameters
        ----------
        X, y, groups : object, default=None
            As for `split`; only used by those `cv` whose number of folds depends on them.

        Returns
        -------
        int
        """
        return self.n_repeats * resolve_cv(self.cv, groups).get_n_splits(X, y, groups)


def check_count(value: int, name: str) -> int:
    """Return `value` if it is an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1; got {value!r}")
    return int(value)


def check_labels(y: ArrayLike | None, *, warn: bool = False) -> NDArray[Any]:
    """Return `y` as an array of one class label per clip."""
    if y is None:
        raise ValueError("A few-shot draw requires y to be passed, but the target y is None")
    if np.asarray(y).dtype.kind == "f":
        assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass"):
        raise ValueError(f"y is {kind}; a few-shot draw expects one class label per clip")
    return column_or_1d(y, warn=warn)


def draw_support(y: NDArray[Any], n_shots: int | None, random_state: RandomState) -> Indices:
    """Draw `n_shots` positions of each class, nested over `n_shots`; ascending. None takes all."""
    classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    if n_shots is None:
        return np.arange(len(y))
    short = [f"{name!s} has {count}" for name, count in zip(classes, counts, strict=True) if count < n_shots]
    if short:
        raise ValueError(
            f"n_shots={n_shots} needs at least {n_shots} training clips of every class, but "
            f"{', '.join(short)}; take fewer shots or leave the class out"
        )
    # One permutation per class whatever n_shots is: this is what makes the draws nested.
    rng = check_random_state(random_state)
    drawn = [rng.permutation(np.flatnonzero(codes == k))[:n_shots] for k in range(len(classes))]
    return np.sort(np.concatenate(drawn))


def repeat_seeds(random_state: RandomState, n_repeats: int) -> list[int]:
    """Give one seed per repeat; consecutive from an int, from a drawn one otherwise."""
    if isinstance(random_state, Integral):
        first = int(random_state)
    else:
        first = int(check_random_state(random_state).randint(2**31 - 1))
    return [first + repeat for repeat in range(n_repeats)]


def resolve_cv(cv: Any, groups: ArrayLike | None) -> BaseCrossValidator:
    """Give the splitter that `cv` stands for; a number of folds is stratified and honours groups."""
    if cv is None or isinstance(cv, Integral):
        n_folds = 5 if cv is None else int(cv)
        return StratifiedKFold(n_folds) if groups is None else StratifiedGroupKFold(n_folds)
    return check_cv(cv)


def list_folds(cv: Any, X: Any, y: NDArray[Any], groups: ArrayLike | None) -> list[tuple[Indices, Indices]]:
    """List the (train, test) pairs of `cv`, checked for unknown classes and for groups on both sides."""
    with warnings.catch_warnings():
        # Whether groups are ignored to a bad end is found out below.
        warnings.filterwarnings("ignore", "The groups parameter is ignored")
        pairs = list(resolve_cv(cv, groups).split(X, y, groups))
    folds = [(np.asarray(train), np.asarray(test)) for train, test in pairs]
    for number, (train, test) in enumerate(folds):
        unknown = np.setdiff1d(y[test], y[train])
        if len(unknown):
            raise ValueError(
                f"split {number} tests on classes it has no training clips of: "
                f"{', '.join(map(str, unknown))}; every class must be in at least two folds"
            )
    if groups is not None:
        _warn_of_leakage(folds, y, np.asarray(groups))
    return folds


def _warn_of_leakage(folds: list[tuple[Indices, Indices]], y: NDArray[Any], groups: NDArray[Any]) -> None:
    """Warn once if some fold trains and tests on clips of one class and recording."""
    _, group_codes = np.unique(groups, return_inverse=True)
    _, class_codes = np.unique(y, return_inverse=True)
    recordings = group_codes * (class_codes.max() + 1) + class_codes
    for train, test in folds:
        leaked = test[np.isin(recordings[test], recordings[train])]
        if len(leaked):
            warnings.warn(
                f"{len(np.unique(recordings[leaked]))} recordings have clips on both sides of a split, "
                f"such as {groups[leaked[0]]!s}: scores will be too good. "
                "Leave cv=None, or take a cv that honours groups",
                LeakageWarning,
                stacklevel=4,
            )
            return
