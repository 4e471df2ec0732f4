"""Splitter that draws n labelled clips per class."""

import warnings
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold, StratifiedKFold, check_cv

from skfewaudio._targets import check_groups
from skfewaudio.exceptions import LeakageWarning

from .draws import Indices, RandomState, check_labels, check_positive_int, draw_support, repeat_seeds


class FewShotSplit(BaseCrossValidator):
    """Few-shot splitter that trains on n clips per class and tests on the whole test fold.

    For each repeat and each fold of `cv`, the training set consists of `n_shots` clips per class, drawn from
    the training clips of the fold. The test set is the whole test fold. The draws of one repeat are nested:
    the clips drawn for ``n_shots=1`` are among the clips drawn for ``n_shots=2``, so that scores for
    different `n_shots` are paired.

    Parameters
    ----------
    n_shots : int
        Labelled clips per class.
    n_repeats : int, default=10
        Number of random draws per fold.
    cv : int, splitter, iterable of (train, test) or None, default=None
        Splits into training and test clips. An int is the number of folds, stratified by class. None uses 5
        folds. With `groups`, an int or None keeps the clips of a group together. Use
        ``PredefinedSplit(folds)`` for a dataset's own folds.
    random_state : int, RandomState or None, default=0
        With an int s, repeat r draws with seed s + r in every fold. The draw is the same as in
        ``SubsampledClassifier(estimator, n_shots, random_state=s + r)``.

    See Also
    --------
    SubsampledClassifier : Draws the same clips, with `n_shots` as a parameter to search over.
    few_shot_curve : Computes scores for several `n_shots`, with features computed once.

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

    # Under metadata routing, cross_val_score passes groups only to splitters that request them.
    __metadata_request__split = {"groups": True}

    def __init__(
        self, n_shots: int, *, n_repeats: int = 10, cv: Any = None, random_state: RandomState = 0
    ) -> None:
        self.n_shots = check_positive_int(n_shots, "n_shots")
        self.n_repeats = check_positive_int(n_repeats, "n_repeats")
        # A search iterates over the splits several times, which would exhaust a generator.
        self.cv = list(cv) if isinstance(cv, Iterator) else cv
        self.random_state = random_state

    def split(
        self, X: Any, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[Indices, Indices]]:
        """Yield the indices of training and test clips for each repeat and fold, with repeats outermost.

        Parameters
        ----------
        X : sequence of length n_clips
            The clips. They are only passed to `cv`.
        y : array-like of shape (n_clips,)
            One class label per clip.
        groups : array-like of shape (n_clips,) or None, default=None
            The recording that each clip was cut from. Passed to `cv`.

        Yields
        ------
        train : ndarray of int
            ``n_shots`` clips of each class, in ascending order.
        test : ndarray of int
            All clips of the test fold.

        Raises
        ------
        ValueError
            If a class has too few training clips, a class occurs only in the test fold, or `y` is not one
            label per clip.
        """
        labels = check_labels(y)
        folds = list_folds(self.cv, X, labels, groups)
        for seed in repeat_seeds(self.random_state, self.n_repeats):
            for train, test in folds:
                yield train[draw_support(labels[train], self.n_shots, seed)], test

    def get_n_splits(self, X: Any = None, y: ArrayLike | None = None, groups: ArrayLike | None = None) -> int:
        """Return the number of splits: repeats times folds.

        Parameters
        ----------
        X, y, groups : object, default=None
            As in `split`. Only used if the number of folds of `cv` depends on them.

        Returns
        -------
        int
        """
        return self.n_repeats * resolve_cv(self.cv, groups).get_n_splits(X, y, groups)


def resolve_cv(cv: Any, groups: ArrayLike | None) -> BaseCrossValidator:
    """Return the splitter for `cv`; a number of folds is stratified and keeps groups together."""
    if cv is None or isinstance(cv, Integral):
        n_folds = 5 if cv is None else int(cv)
        return StratifiedKFold(n_folds) if groups is None else StratifiedGroupKFold(n_folds)
    return check_cv(cv)


def list_folds(cv: Any, X: Any, y: NDArray[Any], groups: ArrayLike | None) -> list[tuple[Indices, Indices]]:
    """Return the (train, test) pairs of `cv`, checked for unknown classes and for leaking groups."""
    recordings = None if groups is None else check_groups(groups, len(y))
    with warnings.catch_warnings():
        # The check below warns if ignoring the groups leaks.
        warnings.filterwarnings("ignore", "The groups parameter is ignored")
        pairs = list(resolve_cv(cv, recordings).split(X, y, recordings))
    folds = [(np.asarray(train), np.asarray(test)) for train, test in pairs]
    for number, (train, test) in enumerate(folds):
        unknown = np.setdiff1d(y[test], y[train])
        if len(unknown):
            raise ValueError(
                f"split {number} tests on classes it has no training clips of: "
                f"{', '.join(map(str, unknown))}; every class must be in at least two folds"
            )
    if recordings is not None:
        _warn_about_leakage(folds, y, recordings)
    return folds


def _warn_about_leakage(folds: list[tuple[Indices, Indices]], y: NDArray[Any], groups: NDArray[Any]) -> None:
    """Warn once if a fold trains and tests on clips of the same class and recording."""
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
