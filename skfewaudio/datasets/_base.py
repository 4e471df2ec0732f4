"""AudioDataset: clips, labels and splits without leakage."""

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

from skfewaudio.audio.clips import is_file_part, is_sound
from skfewaudio.exceptions import LeakageWarning

from ._field_checks import as_clip_list, check_classes, check_folds, check_indicator
from ._frames import make_frame, render_html
from ._labels import clean_label

_MAX_DEFAULT_FOLDS = 5


@dataclass(frozen=True, eq=False, repr=False)
class AudioDataset:
    """Labelled clips with their folds and source recordings.

    A dataset unpacks into the arguments of ``fit``: ``X, y = dataset``. Waveforms are then
    ``(array, sample_rate)``, so that a model fitted for another rate resamples them.

    Parameters
    ----------
    X : list of str or of tuple, list of 1-D or 2-D ndarray, or ndarray of shape (n_clips, n_samples)
        The clips: paths of sound files, parts of sound files as ``(path, start, end)`` in seconds, waveforms
        at ``sample_rate``, or features of shape (n_features, n_frames). If `end` is None, the part ends with
        the file.
    target : array-like of str, shape (n_clips,), or of int, shape (n_clips, n_labels)
        The class of each clip. If a clip may have several labels or no label, an indicator matrix of 0 and 1
        with one column per label.
    name : str
        Name of the dataset.
    folds : array-like of int, shape (n_clips,), or None, default=None
        The dataset's folds. Clips of fold -1 are in every training set, as in
        :class:`sklearn.model_selection.PredefinedSplit`.
    groups : array-like of shape (n_clips,) or None, default=None
        The recording that each clip was cut from. None uses the files if the clips are parts of files.
    sample_rate : int or None, default=None
        Samples per second, in Hz. None if it is unknown or differs between files.
    licence, citation, description : str, default=""
        Terms of use, the publication to cite, and a description of the dataset.
    label_names : sequence of str or None, default=None
        The names of the columns of an indicator matrix `target`. None if each clip has one class.

    Attributes
    ----------
    y : ndarray of str, shape (n_clips,), or of int16, shape (n_clips, n_labels)
        Same as `target`.
    paths : list of str
        The sound file of each clip; not defined for waveforms and features.
    target_names : list of str
        The sorted classes, or the labels in the order of the columns.

    Raises
    ------
    ValueError
        If there are no clips, lengths differ, folds are not integers, waveforms have no sample rate, or an
        indicator matrix has no ``label_names`` or other values than 0 and 1. If parts of files are mixed with
        other clips, start before 0, or do not end after their start.

    Warns
    -----
    LeakageWarning
        If clips of one class and one recording lie in several folds. With several labels per clip, if any
        clips of one recording do.

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

    With several labels per clip:

    >>> tagged = AudioDataset(["a.wav", "b.wav"], [[1, 1], [0, 1]], name="tags", label_names=["rain", "wind"])
    >>> tagged
    <AudioDataset tags: 2 clips, 2 labels>
    >>> tagged.subset(tagged.y[:, 0] == 1).paths
    ['a.wav']

    With parts of a recording:

    >>> AudioDataset([("a.wav", 0.5, 2.0), ("a.wav", 7.5, 9.0)], ["bark", "horn"], name="street")
    <AudioDataset street: 2 clips from 1 files, 2 classes, 1 recordings>
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
        X = self.X if isinstance(self.X, np.ndarray) and self.X.ndim == 2 else as_clip_list(self.X)
        names = None if self.label_names is None else [clean_label(name) for name in self.label_names]
        target = check_classes(self.target) if names is None else check_indicator(self.target, names)
        columns: dict[str, NDArray[Any]] = {"target": target}
        if self.folds is not None:
            columns["folds"] = check_folds(self.folds)
        if len(X) == 0:
            raise ValueError(f"the dataset {self.name!r} has no clips")
        if self.groups is not None:
            columns["groups"] = np.asarray(self.groups)
        elif is_file_part(X[0]):
            columns["groups"] = np.array([clip[0] for clip in X], dtype=str)
        for field, values in columns.items():
            if values.shape != (len(X), *(target.shape[1:] if field == "target" else ())):
                raise ValueError(
                    f"{field} must have one value for each of {len(X)} clips; got {values.shape}"
                )
        if self.sample_rate is None and _is_waveform(X[0]):
            raise ValueError(f"the dataset {self.name!r} holds waveforms; pass their sample_rate in Hz")
        for field, value in {"X": X, "label_names": names, **columns}.items():
            object.__setattr__(self, field, value)
        self._warn_of_split_recordings()

    @property
    def y(self) -> NDArray[Any]:
        """Classes of shape (n_clips,), or indicator matrix of shape (n_clips, n_labels)."""
        return self.target

    @property
    def paths(self) -> list[str]:
        """Paths of the sound files, one per clip."""
        if isinstance(self.X[0], str):
            return self.X
        if is_file_part(self.X[0]):
            return [path for path, _, _ in self.X]
        what = "waveforms" if is_sound(self.X[0]) or _is_waveform(self.X[0]) else "features"
        raise AttributeError(f"the dataset {self.name!r} holds {what}, not files: use X")

    @property
    def target_names(self) -> list[str]:
        """Sorted classes, or labels in the order of the columns."""
        if self.label_names is not None:
            return list(self.label_names)
        return [str(name) for name in np.unique(self.target)]

    def __len__(self) -> int:
        return len(self.X)

    def __iter__(self) -> Iterator[Any]:
        is_waveform = _is_waveform(self.X[0])
        return iter(([(clip, self.sample_rate) for clip in self.X] if is_waveform else self.X, self.target))

    def __repr__(self) -> str:
        kind = "classes" if self.label_names is None else "labels"
        files = f" from {len(set(self.paths))} files" if is_file_part(self.X[0]) else ""
        parts = [f"{len(self)} clips{files}", f"{len(self.target_names)} {kind}"]
        if self.folds is not None:
            parts.append("folds " + ", ".join(str(fold) for fold in np.unique(self.folds)))
        if self.groups is not None:
            parts.append(f"{len(np.unique(self.groups))} recordings")
        return f"<AudioDataset {self.name}: {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        """Return a table of the classes and players of some clips, for notebooks."""
        return render_html(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a table of the clips.

        Returns
        -------
        DataFrame
            One row per clip, with the columns path (of files), start and end (of parts of files, in seconds),
            label (with several labels per clip: one column of 0 and 1 per label), fold and group. Columns
            without values are omitted.

        Examples
        --------
        >>> from skfewaudio.datasets import AudioDataset
        >>> dataset = AudioDataset(["a.wav", "b.wav"], ["rain", "wind"], name="toy", folds=[1, 2])
        >>> dataset.to_frame()
            path label  fold
        0  a.wav  rain     1
        1  b.wav  wind     2
        """
        return make_frame(self)

    def subset(self, which: ArrayLike) -> "AudioDataset":
        """Return a dataset of some of the clips.

        Parameters
        ----------
        which : array-like
            A boolean mask of shape (n_clips,), or the positions of the clips in the desired order.

        Returns
        -------
        AudioDataset

        Raises
        ------
        ValueError
            If the mask has another length, or no clip is selected.
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
        """Return a cross-validation splitter for the dataset.

        Parameters
        ----------
        cv : int, splitter, iterable of (train, test) or None, default=None
            None uses the dataset's folds. If it has no folds, five shuffled and stratified folds are made
            that keep the clips of each recording together. There are fewer folds if a class has fewer than
            five recordings (clips, if recordings are unknown). With several labels per clip, these folds are
            not stratified. An int is the number of such folds. A splitter or an iterable of splits is checked
            for leakage.

        Returns
        -------
        splitter
            Group splitters require ``groups=dataset.groups`` in ``split``.

        Raises
        ------
        ValueError
            If a class has fewer than two clips or recordings. With several labels per clip, if the dataset
            has fewer than two.

        Warns
        -----
        LeakageWarning
            If `cv` is an int although the dataset has folds, or if it separates clips that belong together.
        """
        if cv is None and self.folds is not None:
            return PredefinedSplit(self.folds)
        if cv is None:
            return self._shuffled_folds(self._default_n_folds())
        if not isinstance(cv, Integral):
            splitter = check_cv(cv)
            self._warn_of_leakage(splitter)
            return splitter
        if self.folds is not None:
            kept = "Recordings stay together, but other" if self.groups is not None else "Other"
            warnings.warn(
                f"cv={cv} ignores the folds of the dataset {self.name!r}. {kept} clips that its folds keep "
                "together, such as clips of one recording, place or session, may be on both sides of a "
                "split; leave cv=None to use its folds",
                LeakageWarning,
                stacklevel=2,
            )
        return self._shuffled_folds(int(cv))

    def _shuffled_folds(self, n_folds: int) -> BaseCrossValidator:
        """Return a splitter into shuffled folds, stratified by class and grouped by recording if possible."""
        if self.label_names is None:
            splitter = StratifiedKFold if self.groups is None else StratifiedGroupKFold
        else:
            splitter = KFold if self.groups is None else GroupKFold
        return splitter(n_folds, shuffle=True, random_state=0)

    def _default_n_folds(self) -> int:
        """Return the number of recordings (clips, if unknown) of the rarest class, but at most five."""
        units = np.arange(len(self)) if self.groups is None else self.groups
        if self.label_names is not None:
            n_units = len(np.unique(units))
            if n_units < 2:
                what = "clip" if self.groups is None else "recording"
                raise ValueError(
                    f"the dataset {self.name!r} has one {what}: it cannot be both trained and tested on"
                )
            return min(_MAX_DEFAULT_FOLDS, n_units)
        counts = {name: len(np.unique(units[self.target == name])) for name in self.target_names}
        alone = [name for name, count in counts.items() if count < 2]
        if alone:
            what = "clip" if self.groups is None else "recording"
            raise ValueError(_describe_single_units(alone, what))
        return min(_MAX_DEFAULT_FOLDS, *counts.values())

    def _warn_of_leakage(self, splitter: BaseCrossValidator) -> None:
        """Warn if `splitter` puts clips of one recording and class (or of one fold) on both sides."""
        if self.groups is not None:
            kind, units = "recording", self._inseparable_units()
        elif self.folds is not None:
            kind, units = "fold", self.folds
        else:
            return
        with warnings.catch_warnings():
            # scikit-learn warns if a splitter ignores groups. The check below covers this case.
            warnings.simplefilter("ignore", UserWarning)
            # Split with a deep copy, so that a RandomState in the splitter keeps its state.
            splits = deepcopy(splitter).split(np.zeros(len(self)), self.target, self.groups)
            shared = next(
                (s for s in (np.intersect1d(units[a], units[b]) for a, b in splits) if len(s)), None
            )
        if shared is not None:
            warnings.warn(
                f"{type(splitter).__name__} puts clips of one {kind} of the dataset {self.name!r} on both "
                f"sides of a split ({kind} {shared[0]}, {len(shared)} in all): scores will be too good. "
                "Leave cv=None, or pass a splitter that keeps them together",
                LeakageWarning,
                stacklevel=3,
            )

    def _inseparable_units(self) -> NDArray[Any]:
        """Return the unit of each clip that splits must keep together: recording and class, or recording."""
        if self.label_names is not None:
            return self.groups
        pairs = zip(self.groups, self.target, strict=True)
        return np.array([f"{group} ({label})" for group, label in pairs])

    def _warn_of_split_recordings(self) -> None:
        """Warn if the dataset's folds separate clips of one recording and class."""
        if self.folds is None or self.groups is None:
            return
        units = self._inseparable_units()
        clips = pd.DataFrame({"recording": self.groups, "unit": units, "fold": self.folds})
        n_folds = clips.groupby(["recording", "unit"])["fold"].nunique()
        split = n_folds.index[n_folds > 1].get_level_values("recording")
        if len(split):
            which = "clips of one class" if self.label_names is None else "clips"
            warnings.warn(
                f"{len(split)} recordings of the dataset {self.name!r} have {which} in several "
                f"folds, such as {split[0]}: scores over these folds will be too good",
                LeakageWarning,
                stacklevel=4,
            )


def _is_waveform(clip: Any) -> bool:
    """Return whether a clip is a one-dimensional array without its sample rate."""
    return not is_file_part(clip) and not is_sound(clip) and np.ndim(clip) == 1


def _describe_single_units(classes: list[str], what: str) -> str:
    """Describe classes that have one clip or recording, and what to do."""
    first, *others = map(repr, classes)
    too = f", and so have {', '.join(others)}" if others else ""
    rest = f"~np.isin(dataset.target, {classes})" if others else f"dataset.target != {first}"
    they = "they" if others else "it"
    return (
        f"class {first} has one {what}{too}: {they} cannot be both trained and tested on. Add another, or "
        f"leave the class out: move its clips elsewhere, or in Python dataset.subset({rest})"
    )
