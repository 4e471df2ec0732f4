"""What every data set is once loaded: clips, labels, and how to split them without leaks."""

import warnings
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import (
    BaseCrossValidator,
    GroupKFold,
    KFold,
    PredefinedSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)

from skfewaudio.exceptions import LeakageWarning

from ._checks import check_classes, check_folds, check_indicator, plain_list

_DEFAULT_FOLDS = 5


@dataclass(frozen=True, eq=False, repr=False)
class AudioDataset:
    """Labelled clips, with the partition and the recordings they come from.

    Unpacks into what estimators take: ``X, y = dataset``.

    Parameters
    ----------
    X : list of str, list of 1-D or 2-D ndarray, or ndarray of shape (n_clips, n_samples)
        The clips: paths of sound files, waveforms at `sample_rate`, or features of shape
        (n_features, n_frames).
    target : array-like of str, shape (n_clips,), or of int, shape (n_clips, n_labels)
        The class of each clip; or, where a clip may have several labels or none, 1 for those it has and 0 for
        the others.
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
    label_names : sequence of str or None, default=None
        The names of the columns of a `target` of 0 and 1; None where each clip has one class.

    Attributes
    ----------
    y : ndarray of str, shape (n_clips,), or of int16, shape (n_clips, n_labels)
        Same as `target`.
    paths : list of str
        Same as `X`; absent from a data set of waveforms or features.
    target_names : list of str
        The classes, sorted; or the labels, in the order of the columns.

    Raises
    ------
    ValueError
        If there are no clips, lengths differ, folds are not integers, waveforms come without a sample rate,
        or several labels a clip without their names or as something other than 0 and 1.

    Warns
    -----
    LeakageWarning
        If clips of one class from one recording, or with several labels any clips of it, lie in several
        folds.

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

    With several labels a clip:

    >>> tagged = AudioDataset(["a.wav", "b.wav"], [[1, 1], [0, 1]], name="tags", label_names=["rain", "wind"])
    >>> tagged
    <AudioDataset tags: 2 clips, 2 labels>
    >>> tagged.subset(tagged.y[:, 0] == 1).paths
    ['a.wav']
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
    label_names: Any = None

    def __post_init__(self) -> None:
        X = self.X if isinstance(self.X, np.ndarray) and self.X.ndim == 2 else plain_list(self.X)
        names = None if self.label_names is None else [str(name) for name in self.label_names]
        target = check_classes(self.target) if names is None else check_indicator(self.target, names)
        columns: dict[str, NDArray[Any]] = {"target": target}
        if self.folds is not None:
            columns["folds"] = check_folds(self.folds)
        if self.groups is not None:
            columns["groups"] = np.asarray(self.groups)
        if len(X) == 0:
            raise ValueError(f"the data set {self.name!r} has no clips")
        for field, values in columns.items():
            if values.shape != (len(X), *(target.shape[1:] if field == "target" else ())):
                raise ValueError(
                    f"{field} must have one value for each of {len(X)} clips; got {values.shape}"
                )
        if self.sample_rate is None and np.ndim(X[0]) == 1:
            raise ValueError(f"the data set {self.name!r} holds waveforms; say their sample_rate in Hz")
        for field, value in {"X": X, "label_names": names, **columns}.items():
            object.__setattr__(self, field, value)
        self._warn_of_straddling()

    @property
    def y(self) -> NDArray[Any]:
        """The class of each clip, shape (n_clips,), or its labels, shape (n_clips, n_labels)."""
        return self.target

    @property
    def paths(self) -> list[str]:
        """The sound files, one per clip."""
        if not isinstance(self.X[0], str):
            what = "waveforms" if np.ndim(self.X[0]) == 1 else "features"
            raise AttributeError(f"the data set {self.name!r} holds {what}, not files: use X")
        return self.X

    @property
    def target_names(self) -> list[str]:
        """The classes, sorted; or the labels, in the order of the columns."""
        if self.label_names is not None:
            return list(self.label_names)
        return [str(name) for name in np.unique(self.target)]

    def __len__(self) -> int:
        return len(self.X)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.X, self.target))

    def __repr__(self) -> str:
        kind = "classes" if self.label_names is None else "labels"
        parts = [f"{len(self)} clips", f"{len(self.target_names)} {kind}"]
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
            shuffled stratified folds, fewer where a class has fewer clips. With several labels a clip such
            folds are shuffled, but not stratified. An int is a number of such folds.

        Returns
        -------
        splitter
            Those that honour recordings need ``groups=dataset.groups`` when splitting.

        Raises
        ------
        ValueError
            If a class, or with several labels a clip the data set, has too few clips or recordings to be both
            trained and tested on.

        Warns
        -----
        LeakageWarning
            If `cv` is an int although the data set has folds, or splits clips that belong together.
        """
        if cv is None and self.folds is not None:
            return PredefinedSplit(self.folds)
        if cv is None:
            return self._shuffled(self._most_folds())
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
        return self._shuffled(int(cv))

    def _shuffled(self, n_folds: int) -> BaseCrossValidator:
        """Shuffled folds, stratified by class, that keep recordings together where they are known."""
        if self.label_names is None:
            splitter = StratifiedKFold if self.groups is None else StratifiedGroupKFold
        else:
            splitter = KFold if self.groups is None else GroupKFold
        return splitter(n_folds, shuffle=True, random_state=0)

    def _most_folds(self) -> int:
        """As many folds as the rarest class has clips (recordings, where known), at most five."""
        units = np.arange(len(self)) if self.groups is None else self.groups
        if self.label_names is not None:
            n_units = len(np.unique(units))
            if n_units < 2:
                what = "clip" if self.groups is None else "recording"
                raise ValueError(
                    f"the data set {self.name!r} has one {what}: it cannot be both trained and tested on"
                )
            return min(_DEFAULT_FOLDS, n_units)
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
        """Warn if `splitter` puts clips of one piece of a recording (else fold) on both sides."""
        if self.groups is not None:
            kind, units = "recording", self._pieces()
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

    def _pieces(self) -> NDArray[Any]:
        """Name what must stay together: a class in a recording; with several labels, the recording."""
        if self.label_names is not None:
            return self.groups
        pairs = zip(self.groups, self.target, strict=True)
        return np.array([f"{group} ({label})" for group, label in pairs])

    def _warn_of_straddling(self) -> None:
        """Warn if the data set's own folds take the clips of one class in one recording apart."""
        if self.folds is None or self.groups is None:
            return
        clips = pd.DataFrame({"recording": self.groups, "piece": self._pieces(), "fold": self.folds})
        n_folds = clips.groupby(["recording", "piece"])["fold"].nunique()
        torn = n_folds.index[n_folds > 1].get_level_values("recording")
        if len(torn):
            which = "clips of one class" if self.label_names is None else "clips"
            warnings.warn(
                f"{len(torn)} recordings of the data set {self.name!r} have {which} in several "
                f"folds, such as {torn[0]}: scores over these folds will be too good",
                LeakageWarning,
                stacklevel=4,
            )
