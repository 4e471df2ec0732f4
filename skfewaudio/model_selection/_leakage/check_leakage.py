"""What to know before trusting scores: copies, shared recordings and contradicting labels."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skfewaudio.datasets.recording_names import recordings_of_names
from skfewaudio.exceptions import LeakageWarning

from .content import Content, holds_paths, read_content
from .near_duplicates import Indices

COLUMNS = ["kind", "first", "second", "first_fold", "second_fold", "similarity", "detail"]


class _Finding(NamedTuple):
    """A row of the result, before folds are looked up."""

    kind: str
    first: int
    second: int
    similarity: float
    detail: str


def check_leakage(
    X: Any,
    y: ArrayLike | None = None,
    *,
    folds: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    sample_rate: int | None = None,
    min_similarity: float | None = None,
) -> pd.DataFrame:
    """Find clips that would let an evaluation cheat: what is known of a test clip from training.

    Two clips are on two sides of a split if their `folds` differ; without folds, if their `groups` do;
    without either, always, as a random split may part any two.

    Parameters
    ----------
    X : sequence of paths or of 1-D arrays, array of shape (n_clips, n_samples), (n_clips, n_mels, n_frames) \
or (n_clips, n_features), or list of arrays of shape (n_mels, n_frames)
        Sounds, which tell most; spectrograms in log scale; or vectors of features, in which little more than
        copies and gains are found.
    y : array-like of shape (n_clips,) or (n_clips, n_labels), or None, default=None
        Labels; None leaves out what needs them.
    folds : array-like of int of shape (n_clips,) or None, default=None
        The fold that each clip is tested in; fold -1 is none.
    groups : array-like of shape (n_clips,) or None, default=None
        The recording each clip was cut from.
    sample_rate : int or None, default=None
        Of waveforms, in Hz. None where X holds paths, spectrograms or vectors: a 2-D array without a rate is
        taken for vectors.
    min_similarity : float or None, default=None
        Least similarity of near-copies. None is 0.75 for sounds, 0.5 for spectrograms and 0.98 for vectors.

    Returns
    -------
    DataFrame
        A row per finding, empty if there is none. ``kind`` is

        - "copy": the content of two clips is the same, whatever their files are called.
        - "near_copy": two clips are one take at other levels, in another file format, shifted, cropped to
          half or more, or with a little noise.
        - "recording": clips of one recording, as `groups` or the file names of ESC-50, UrbanSound8K or TUT
          2017 tell, are on two sides. With `y` of one class a clip, only those of one class.
        - "label": copies, near-copies or clips of one recording have different labels, on two sides or not.
          A recording may well hold several kinds of sound; two copies of one clip may not.

        ``first`` and ``second`` are positions in X: the two clips, or two of the recording's. ``first_fold``
        and ``second_fold`` are missing without folds; ``similarity`` is 1 for copies and NaN for recordings;
        ``detail`` says more in words.

    Raises
    ------
    AudioLoadError
        If a file cannot be read.
    ValueError
        If lengths differ, `min_similarity` is not above 0 and at most 1, or X holds waveforms of different
        lengths and there is no `sample_rate`.

    Warns
    -----
    LeakageWarning
        If anything is found, with the number of findings of each kind.

    See Also
    --------
    skfewaudio.datasets.AudioDataset.make_cv : Splits that keep recordings together.

    Notes
    -----
    Sounds are compared by fingerprints after [1]_, changes over time of the differences between 33 bands from
    100 Hz to 8 kHz, correlated at every lag that leaves half of the shorter clip. All pairs are compared, in
    blocks: time grows with the square of the number of clips.

    References
    ----------
    .. [1] J. Haitsma, T. Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skfewaudio.model_selection import check_leakage
    >>> clips = np.random.default_rng(0).normal(size=(4, 16000))
    >>> clips[3] = 0.5 * clips[0]
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     check_leakage(clips, folds=[1, 1, 2, 2], sample_rate=16000).iloc[:, :5]
            kind  first  second  first_fold  second_fold
    0  near_copy      0       3           1            2
    """
    if min_similarity is not None and not 0 < min_similarity <= 1:
        raise ValueError(f"min_similarity must be above 0 and at most 1; got {min_similarity!r}")
    paths = [str(clip) for clip in X] if holds_paths(X) else None
    content = read_content(X, sample_rate)
    clips = _Clips(len(content), y, folds, groups)
    found = [*_copies(content, clips), *_near_copies(content, clips, min_similarity)]
    if clips.groups is not None:
        found += _recordings(clips.groups, "recording", clips)
    if paths is not None:
        names = np.array(recordings_of_names(paths), dtype=object)
        found += _recordings(names, "by its files' names", clips)
    table = _tabulate(found, clips, paths)
    _warn_of(table)
    return table


class _Clips:
    """What is known of each clip beside its content."""

    def __init__(self, n_clips: int, y: Any, folds: Any, groups: Any) -> None:
        self.y = self._column("y", y, n_clips)
        self.folds = self._column("folds", folds, n_clips)
        self.groups = self._column("groups", groups, n_clips)
        sides = (self.folds, self.groups, np.arange(n_clips))
        self.sides = _codes(next(side for side in sides if side is not None))
        self.labels = np.zeros(n_clips, dtype=int) if self.y is None else _codes(self.y)
        self.n_clips = n_clips

    @staticmethod
    def _column(name: str, values: Any, n_clips: int) -> NDArray[Any] | None:
        """Give values as an array with a row for each clip."""
        if values is None:
            return None
        array = np.asarray(values)
        if array.ndim == 0 or len(array) != n_clips:
            raise ValueError(f"{name} must have one value for each of {n_clips} clips; got {array.shape}")
        return array

    def parted(self, a: Indices, b: Indices) -> NDArray[np.bool_]:
        """Tell, as (a, b), which clips are on two sides."""
        return self.sides[a][:, None] != self.sides[b]

    def contradict(self, a: Indices, b: Indices) -> NDArray[np.bool_]:
        """Tell, as (a, b), which clips differ in labels."""
        return self.labels[a][:, None] != self.labels[b]

    def of_interest(self, a: Indices, b: Indices) -> NDArray[np.bool_]:
        """Tell, as (a, b), which pairs would be reported if they were alike."""
        return self.parted(a, b) | self.contradict(a, b)

    def pair(self, kind: str, first: int, second: int, similarity: float, detail: str) -> Iterator[_Finding]:
        """Give the findings that two clips are worth: one for their sides, one for their labels."""
        if self.sides[first] != self.sides[second]:
            yield _Finding(kind, first, second, similarity, detail)
        if self.labels[first] != self.labels[second]:
            yield _Finding("label", first, second, similarity, self.describe_labels(first, second))

    def describe_labels(self, first: int, second: int) -> str:
        """Say how two clips are labelled."""
        return "" if self.y is None else f"labelled {self.y[first]} and {self.y[second]}"


def _codes(values: NDArray[Any]) -> Indices:
    """Give equal values, or equal rows, the same number."""
    if values.ndim == 1:
        return pd.factorize(values, use_na_sentinel=False)[0]
    return np.unique(values, axis=0, return_inverse=True)[1].reshape(-1)


def _copies(content: Content, clips: _Clips) -> Iterator[_Finding]:
    """Find clips of the same content; each beyond the first is reported once for side and label."""
    members: dict[bytes, list[int]] = {}
    for position, digest in enumerate(content.digests):
        earlier = members.setdefault(digest, [])
        for kind, codes in (("copy", clips.sides), ("label", clips.labels)):
            partner = next((other for other in earlier if codes[other] != codes[position]), None)
            if partner is not None:
                detail = "" if kind == "copy" else clips.describe_labels(partner, position)
                yield _Finding(kind, partner, position, 1.0, detail)
        earlier.append(position)


def _near_copies(content: Content, clips: _Clips, min_similarity: float | None) -> Iterator[_Finding]:
    """Find pairs that are alike but not the same."""
    digests = _codes(np.array(content.digests, dtype=object))

    def wanted(a: Indices, b: Indices) -> NDArray[np.bool_]:
        return clips.of_interest(a, b) & (digests[a][:, None] != digests[b])

    for first, second, similarity, lag in content.near_copies(wanted, min_similarity):
        yield from clips.pair("near_copy", first, second, similarity, content.describe_lag(lag))


def _recordings(names: NDArray[Any], what: str, clips: _Clips) -> Iterator[_Finding]:
    """Find recordings on two sides or with several labels, a row each."""
    table = pd.DataFrame({"name": names, "side": clips.sides, "label": clips.labels})
    if clips.y is not None and clips.y.ndim > 1:
        table["label"] = 0  # clips of one recording naturally have several sets of labels
    for (name, _), part in table.groupby(["name", "label"], sort=False):
        yield from _first_two(part, "side", "recording", f"{what} {name!s}, {len(part)} clips")
    for (name,), part in table.groupby(["name"], sort=False):
        for row in _first_two(part, "label", "label", ""):
            labels = clips.describe_labels(row.first, row.second)
            yield row._replace(detail=f"{what} {name!s}: {labels}")


def _first_two(part: pd.DataFrame, column: str, kind: str, detail: str) -> Iterator[_Finding]:
    """Report the first clip, and the first that differs from it, if there is one."""
    others = part.index[part[column] != part[column].iloc[0]]
    if len(others):
        yield _Finding(kind, int(part.index[0]), int(others[0]), np.nan, detail)


def _tabulate(found: list[_Finding], clips: _Clips, paths: list[str] | None) -> pd.DataFrame:
    """Lay findings out, each pair once a kind, with the folds and file names of its clips."""
    table = pd.DataFrame(found, columns=list(_Finding._fields))
    table = table.drop_duplicates(["kind", "first", "second"], ignore_index=True)
    table = table.astype({"first": np.intp, "second": np.intp, "similarity": float})
    folds = np.full(clips.n_clips, pd.NA, dtype=object) if clips.folds is None else clips.folds
    for clip in ("first", "second"):
        table[f"{clip}_fold"] = folds[table[clip]]
    if paths is not None:
        table["detail"] = [
            f"{Path(paths[first]).name}, {Path(paths[second]).name}" + (f": {detail}" if detail else "")
            for first, second, detail in zip(table["first"], table["second"], table["detail"], strict=True)
        ]
    return table[COLUMNS]


def _warn_of(table: pd.DataFrame) -> None:
    """Warn of what was found, if anything was."""
    if table.empty:
        return
    counts = table["kind"].value_counts(sort=False)
    first = table.iloc[0]
    warnings.warn(
        f"{', '.join(f'{count} x {kind}' for kind, count in counts.items())}, such as clips {first['first']} "
        f"and {first['second']}. Scores may be too good, or labels wrong: look at the table returned, keep "
        "such clips on one side of every split (groups), or leave one of them out",
        LeakageWarning,
        stacklevel=3,
    )
