"""What every data set is once loaded: clips, labels, and how to split them without leaks."""

import warnings
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from numbers import Integral
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import (
    BaseCrossValidator,
    PredefinedSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)

from ..exceptions import LeakageWarning

_DEFAULT_FOLDS = 5


@dataclass(frozen=True, eq=False, repr=False)
class AudioDataset:
    """Labelled clips, with the partition and the recordings they come from.

    Unpacks into what estimators take: ``X, y = dataset``.

    Parameters
    ----------
    X : list of str, list of 1-D ndarray, or ndarray of shape (n_clips, n_samples)
        The clips: paths of sound files, or waveforms at `sample_rate`.
    target : array-like of str, shape (n_clips,)
        The class of each clip.
    name : str
        Name of the data set.
    folds : array-like of int, shape (n_clips,), or None, default=None
        The data set's own partition. Clips of fold -1 are in every training part, as in
        :class:`sklearn.model_selection.PredefinedSplit`.
    groups : array-like of shape (n_clips,) or None, default=None
        The recording each clip was cut from.
    sample_rate : int or None, default=None
        Samples per second, in Hz. None where it differs between files, or is not known.
    licence, citation, description : str, default=""
        Terms of use, the publication to cite, and what the data set holds.

    Attributes
    ----------
    y : ndarray of str, shape (n_clips,)
        Same as `target`.
    paths : list of str
        Same as `X`; absent from a data set of waveforms.
    target_names : list of str
        The classes, sorted.

    Raises
    ------
    ValueError
        If there are no clips, lengths differ, folds are not integers, or waveforms come without a sample
        rate.

    Warns
    -----
    LeakageWarning
        If clips of one class from one recording lie in several folds.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.datasets import AudioDataset
    >>> dataset = AudioDataset(
    ...     np.zeros((4, 100)), ["bark", "horn"] * 2, name="toy", folds=[1, 1, 2, 2], sample_rate=8000
    ... )
    >>> dataset
    <AudioDataset toy: 4 clips, 2 classes, folds 1, 2>
    >>> X, y = dataset
    >>> dataset.make_cv()
    PredefinedSplit(test_fold=array([1, 1, 2, 2]))
    >>> dataset.subset(dataset.folds == 2)
    <AudioDataset toy: 2 clips, 2 classes, folds 2>
    """

    X: Any
    target: Any
    name: str
    folds: Any = None
    groups: Any = None
    sample_rate: int | None = None
    licence: str = ""
    citation: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        X = self.X if isinstance(self.X, np.ndarray) and self.X.ndim == 2 else _plain_list(self.X)
        columns = {"target": np.array([str(label) for label in self.target], dtype=str)}
        if self.folds is not None:
            columns["folds"] = _check_folds(self.folds)
        if self.groups is not None:
            columns["groups"] = np.asarray(self.groups)
        if len(X) == 0:
            raise ValueError(f"the data set {self.name!r} has no clips")
        for field, values in columns.items():
            if values.shape != (len(X),):
                raise ValueError(
                    f"{field} must have one value for each of {len(X)} clips; got {values.shape}"
                )
        if self.sample_rate is None and not isinstance(X[0], str):
            raise ValueError(f"the data set {self.name!r} holds waveforms; say their sample_rate in Hz")
        for field, value in {"X": X, **columns}.items():
            object.__setattr__(self, field, value)
        self._warn_of_straddling()

    @property
    def y(self) -> NDArray[np.str_]:
        """The class of each clip, shape (n_clips,)."""
        return self.target

    @property
    def paths(self) -> list[str]:
        """The sound files, one per clip."""
        if not isinstance(self.X[0], str):
            raise AttributeError(f"the data set {self.name!r} holds waveforms, not files: use X")
        return self.X

    @property
    def target_names(self) -> list[str]:
        """The classes, sorted."""
        return [str(name) for name in np.unique(self.target)]

    def __len__(self) -> int:
        return len(self.X)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.X, self.target))

    def __repr__(self) -> str:
        parts = [f"{len(self)} clips", f"{len(self.target_names)} classes"]
        if self.folds is not None:
            parts.append("folds " + ", ".join(str(fold) for fold in np.unique(self.folds)))
        if self.groups is not None:
            parts.append(f"{len(np.unique(self.groups))} recordings")
        return f"<AudioDataset {self.name}: {', '.join(parts)}>"

    def subset(self, which: ArrayLike) -> "AudioDataset":
        """Take some of the clips.

        Parameters
        ----------
        which : array-like
            A mask of shape (n_clips,), or the positions of the clips to take, in the order wanted.

        Returns
        -------
        AudioDataset

        Raises
        ------
        ValueError
            If the mask has another length, or nothing is taken.
        IndexError
            If a position is out of range.
        """
        where = np.asarray(which)
        if where.dtype == bool:
            if where.shape != (len(self),):
                raise ValueError(f"a mask must have shape ({len(self)},); got {where.shape}")
            where = np.flatnonzero(where)
        elif where.size == 0:
            where = where.astype(np.intp)
        chosen: dict[str, Any] = {
            field: None if values is None else values[where]
            for field, values in (("target", self.target), ("folds", self.folds), ("groups", self.groups))
        }
        X = self.X[where] if isinstance(self.X, np.ndarray) else [self.X[i] for i in where]
        return replace(self, X=X, **chosen)

    def make_cv(self, cv: Any = None) -> BaseCrossValidator:
        """Give the splitter to evaluate with.

        Parameters
        ----------
        cv : int, splitter, iterable of (train, test) or None, default=None
            None takes the data set's own folds. Without folds, clips of one recording stay together in at
            most five stratified folds, fewer where a class has fewer recordings; without recordings, five
            shuffled stratified folds, fewer where a class has fewer clips. An int is a number of such folds.

        Returns
        -------
        splitter
            Those that honour recordings need ``groups=dataset.groups`` when splitting.

        Raises
        ------
        ValueError
            If a class has too few clips, or recordings, to be both trained and tested on.

        Warns
        -----
        LeakageWarning
            If `cv` is an int although the data set has folds, or splits clips that belong together.
        """
        if cv is None and self.folds is not None:
            return PredefinedSplit(self.folds)
        if cv is None:
            return self._stratified(self._most_folds())
        if not isinstance(cv, Integral):
            splitter = check_cv(cv)
            self._warn_of_leakage(splitter)
            return splitter
        if self.folds is not None:
            kept = "Recordings stay together, but other" if self.groups is not None else "Other"
            warnings.warn(
                f"cv={cv} ignores the folds of the data set {self.name!r}. {kept} clips that its folds keep "
                "apart, such as those of one recording, place or session, may be on both sides; leave "
                "cv=None for its folds",
                LeakageWarning,
                stacklevel=2,
            )
        return self._stratified(int(cv))

    def _stratified(self, n_folds: int) -> BaseCrossValidator:
        """Shuffled stratified folds that keep recordings together where they are known."""
        splitter = StratifiedKFold if self.groups is None else StratifiedGroupKFold
        return splitter(n_folds, shuffle=True, random_state=0)

    def _most_folds(self) -> int:
        """As many folds as the rarest class has clips (recordings, where known), at most five."""
        units = np.arange(len(self)) if self.groups is None else self.groups
        counts = {name: len(np.unique(units[self.target == name])) for name in self.target_names}
        rarest = min(counts, key=lambda name: counts[name])
        if counts[rarest] < 2:
            what = "clip" if self.groups is None else "recording"
            raise ValueError(
                f"class {rarest!r} has one {what}: it cannot be both trained and tested on. "
                f"Add another, or leave the class out: dataset.subset(dataset.target != {rarest!r})"
            )
        return min(_DEFAULT_FOLDS, counts[rarest])

    def _warn_of_leakage(self, splitter: BaseCrossValidator) -> None:
        """Warn if `splitter` puts clips of one class and recording (else fold) on both sides."""
        if self.groups is not None:
            pairs = zip(self.groups, self.target, strict=True)
            kind, units = "recording", np.array([f"{group} ({label})" for group, label in pairs])
        elif self.folds is not None:
            kind, units = "fold", self.folds
        else:
            return
        with warnings.catch_warnings():
            # That a splitter ignores groups is what is being found out here.
            warnings.simplefilter("ignore", UserWarning)
            # A copy, so that a RandomState held by the splitter is where the caller left it.
            splits = deepcopy(splitter).split(np.zeros(len(self)), self.target, self.groups)
            shared = next(
                (s for s in (np.intersect1d(units[a], units[b]) for a, b in splits) if len(s)), None
            )
        if shared is not None:
            warnings.warn(
                f"{type(splitter).__name__} puts clips of one {kind} of the data set {self.name!r} on both "
                f"sides of a split ({kind} {shared[0]}, {len(shared)} in all): scores will be too good. "
                "Leave cv=None, or pass a splitter that keeps them together",
                LeakageWarning,
                stacklevel=3,
            )

    def _warn_of_straddling(self) -> None:
        """Warn if the data set's own folds take the clips of one class in one recording apart."""
        if self.folds is None or self.groups is None:
            return
        clips = pd.DataFrame({"recording": self.groups, "target": self.target, "fold": self.folds})
        n_folds = clips.groupby(["recording", "target"])["fold"].nunique()
        torn = n_folds.index[n_folds > 1].get_level_values("recording")
        if len(torn):
            warnings.warn(
                f"{len(torn)} recordings of the data set {self.name!r} have clips of one class in several "
                f"folds, such as {torn[0]}: scores over these folds will be too good",
                LeakageWarning,
                stacklevel=4,
            )


def _plain_list(X: Sequence[Any]) -> list[Any]:
    """List the clips, paths as str."""
    return [str(clip) if isinstance(clip, str | PathLike) else clip for clip in X]


def _check_folds(folds: ArrayLike) -> NDArray[np.int64]:
    """Return `folds` as integers of at least -1."""
    values = np.asarray(folds)
    if not np.issubdtype(values.dtype, np.integer) or (values.size and values.min() < -1):
        raise ValueError(f"folds must be integers of at least -1; got {values!r}")
    return values.astype(np.int64)
