"""Check of a dataset for duplicates, shared recordings and contradicting labels."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skfewaudio.audio.clips import FilePart, as_file_part, is_sound
from skfewaudio.datasets.recording_names import recordings_of_files
from skfewaudio.exceptions import LeakageWarning

from ..draws import Indices
from .content import Content, holds_recordings, read_content

FINDING_COLUMNS = ["kind", "first", "second", "first_fold", "second_fold", "similarity", "detail"]


class _Finding(NamedTuple):
    """One row of the result, without the folds."""

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
    channel: str | int = "mean",
    allow_truncated: bool = False,
) -> pd.DataFrame:
    """Check a dataset for leakage between training and test clips.

    Two clips are on different sides of a split if their `folds` differ. Without `folds`, they are on
    different sides if their `groups` differ. Without both, any two clips are, because a random split can
    separate them.

    Parameters
    ----------
    X : sequence of paths or of 1-D arrays, array of shape (n_clips, n_samples), (n_clips, n_mels, n_frames) \
or (n_clips, n_features), or list of arrays of shape (n_mels, n_frames)
        Audio, log-scaled spectrograms or feature vectors. Audio gives the most reliable results. In feature
        vectors, little more than duplicates and changes of gain can be found.
    y : array-like of shape (n_clips,) or (n_clips, n_labels), or None, default=None
        Labels. None disables the checks that need labels.
    folds : array-like of int of shape (n_clips,) or None, default=None
        The fold in which each clip is tested; -1 for clips that are never tested.
    groups : array-like of shape (n_clips,) or None, default=None
        The recording that each clip was cut from.
    sample_rate : int or None, default=None
        Sample rate of waveforms in Hz. Not needed if X contains paths, spectrograms or vectors. A 2-D array
        without a sample rate is interpreted as feature vectors.
    min_similarity : float or None, default=None
        Minimum similarity of near-duplicates. None is 0.75 for audio, 0.5 for spectrograms and 0.98 for
        vectors.
    channel, allow_truncated
        How files are read, as in :func:`~skfewaudio.audio.load_audio`.

    Returns
    -------
    DataFrame
        One row per finding; empty if nothing was found. ``kind`` is

        - "duplicate": two clips have identical content; file names are ignored.
        - "near_duplicate": two clips are the same recording at different levels, in different file formats,
          shifted, cropped to half or more, or with a little noise.
        - "recording": clips of one recording are on different sides. Recordings are known from `groups` or
          from the file names and metadata of datasets and recorders, as in
          :func:`~skfewaudio.datasets.load_folder`. If `y` holds one class per clip, only clips of the same
          class count.
        - "label": duplicates, near-duplicates or clips of one recording have different labels, on different
          sides or not. For clips of one recording this can be correct, for duplicates it cannot.

        ``first`` and ``second`` are indices into X: the two clips, or two clips of the recording.
        ``first_fold`` and ``second_fold`` are missing without `folds`. ``similarity`` is 1 for duplicates and
        NaN for recordings. ``detail`` is a description.

    Raises
    ------
    AudioLoadError
        If a file cannot be read.
    ValueError
        If lengths differ, `min_similarity` is not above 0 and at most 1, or X contains waveforms of different
        lengths without a `sample_rate`.

    Warns
    -----
    LeakageWarning
        If there are findings, with the number of findings of each kind.

    See Also
    --------
    skfewaudio.datasets.AudioDataset.make_cv : Splits that keep recordings together.

    Notes
    -----
    Audio clips are compared by fingerprints in the style of [1]_: changes over time of the differences
    between 33 frequency bands from 100 Hz to 8 kHz. The fingerprints of two clips are correlated at every lag
    at which at least half of the shorter clip overlaps. All pairs are compared in blocks, so that time grows
    with the square of the number of clips.

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
    0  near_duplicate      0       3           1            2
    """
    if min_similarity is not None and not 0 < min_similarity <= 1:
        raise ValueError(f"min_similarity must be above 0 and at most 1; got {min_similarity!r}")
    parts = _list_parts(X)
    content = read_content(X, sample_rate, channel=channel, allow_truncated=allow_truncated)
    clips = _ClipMetadata(len(content), y, folds, groups)
    found = [*_find_duplicates(content, clips), *_find_near_duplicates(content, clips, min_similarity)]
    if clips.groups is not None:
        found += _find_shared_recordings(clips.groups, "recording", clips)
    if parts is not None:
        names = np.array(recordings_of_files([part.path for part in parts]), dtype=object)
        found += _find_shared_recordings(names, "according to its file names", clips)
    table = _findings_frame(found, clips, None if parts is None else [_describe_part(part) for part in parts])
    _warn_about_findings(table)
    return table


def _list_parts(X: Any) -> list[FilePart] | None:
    """Return the clips as parts of files; None if they are in memory."""
    clips = list(X) if holds_recordings(X) else []
    if not clips or any(is_sound(clip) for clip in clips):
        return None
    return [as_file_part(clip) for clip in clips]


def _describe_part(part: FilePart) -> str:
    """Return the name of a file, with start and end of a part of it."""
    name = Path(part.path).name
    if part.is_whole:
        return name
    return f"{name} {part.start:g}-{'' if part.end is None else format(part.end, 'g')} s"


class _ClipMetadata:
    """Labels, folds and groups of the clips."""

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
        """Return values as an array with one row per clip."""
        if values is None:
            return None
        array = np.asarray(values)
        if array.ndim == 0 or len(array) != n_clips:
            raise ValueError(f"{name} must have one value for each of {n_clips} clips; got {array.shape}")
        return array

    def on_different_sides(self, a: Indices, b: Indices) -> NDArray[np.bool_]:
        """Return, with shape (a, b), which pairs are on different sides."""
        return self.sides[a][:, None] != self.sides[b]

    def labels_differ(self, a: Indices, b: Indices) -> NDArray[np.bool_]:
        """Return, with shape (a, b), which pairs have different labels."""
        return self.labels[a][:, None] != self.labels[b]

    def reportable(self, a: Indices, b: Indices) -> NDArray[np.bool_]:
        """Return, with shape (a, b), which pairs are reported if they are similar."""
        return self.on_different_sides(a, b) | self.labels_differ(a, b)

    def findings(
        self, kind: str, first: int, second: int, similarity: float, detail: str
    ) -> Iterator[_Finding]:
        """Yield the findings for two similar clips: one for their sides, one for their labels."""
        if self.sides[first] != self.sides[second]:
            yield _Finding(kind, first, second, similarity, detail)
        if self.labels[first] != self.labels[second]:
            yield _Finding("label", first, second, similarity, self.describe_labels(first, second))

    def describe_labels(self, first: int, second: int) -> str:
        """Describe the labels of two clips."""
        return "" if self.y is None else f"labelled {self.y[first]} and {self.y[second]}"


def _codes(values: NDArray[Any]) -> Indices:
    """Encode values or rows as integers, equal ones by the same integer."""
    if values.ndim == 1:
        return pd.factorize(values, use_na_sentinel=False)[0]
    return np.unique(values, axis=0, return_inverse=True)[1].reshape(-1)


def _find_duplicates(content: Content, clips: _ClipMetadata) -> Iterator[_Finding]:
    """Find clips with identical content; each is reported at most once per kind, with an earlier clip."""
    members: dict[bytes, list[int]] = {}
    for position, digest in enumerate(content.digests):
        earlier = members.setdefault(digest, [])
        for kind, codes in (("duplicate", clips.sides), ("label", clips.labels)):
            partner = next((other for other in earlier if codes[other] != codes[position]), None)
            if partner is not None:
                detail = "" if kind == "duplicate" else clips.describe_labels(partner, position)
                yield _Finding(kind, partner, position, 1.0, detail)
        earlier.append(position)


def _find_near_duplicates(
    content: Content, clips: _ClipMetadata, min_similarity: float | None
) -> Iterator[_Finding]:
    """Find pairs that are similar but not identical."""
    digests = _codes(np.array(content.digests, dtype=object))

    def candidates(a: Indices, b: Indices) -> NDArray[np.bool_]:
        return clips.reportable(a, b) & (digests[a][:, None] != digests[b])

    for first, second, similarity, lag in content.find_near_duplicates(candidates, min_similarity):
        yield from clips.findings("near_duplicate", first, second, similarity, content.describe_lag(lag))


def _find_shared_recordings(names: NDArray[Any], what: str, clips: _ClipMetadata) -> Iterator[_Finding]:
    """Find recordings on different sides or with different labels, one finding each."""
    table = pd.DataFrame({"name": names, "side": clips.sides, "label": clips.labels})
    if clips.y is not None and clips.y.ndim > 1:
        table["label"] = 0  # label sets of clips of one recording may differ
    for (name, _), part in table.groupby(["name", "label"], sort=False):
        yield from _first_differing_pair(part, "side", "recording", f"{what} {name!s}, {len(part)} clips")
    for (name,), part in table.groupby(["name"], sort=False):
        for row in _first_differing_pair(part, "label", "label", ""):
            labels = clips.describe_labels(row.first, row.second)
            yield row._replace(detail=f"{what} {name!s}: {labels}")


def _first_differing_pair(part: pd.DataFrame, column: str, kind: str, detail: str) -> Iterator[_Finding]:
    """Yield a finding for the first clip and the first one that differs from it, if any."""
    others = part.index[part[column] != part[column].iloc[0]]
    if len(others):
        yield _Finding(kind, int(part.index[0]), int(others[0]), np.nan, detail)


def _findings_frame(found: list[_Finding], clips: _ClipMetadata, names: list[str] | None) -> pd.DataFrame:
    """Return the findings as a DataFrame without repetitions, with folds and the names of clips."""
    table = pd.DataFrame(found, columns=list(_Finding._fields))
    table = table.drop_duplicates(["kind", "first", "second"], ignore_index=True)
    table = table.astype({"first": np.intp, "second": np.intp, "similarity": float})
    folds = np.full(clips.n_clips, pd.NA, dtype=object) if clips.folds is None else clips.folds
    for clip in ("first", "second"):
        table[f"{clip}_fold"] = folds[table[clip]]
    if names is not None:
        table["detail"] = [
            f"{names[first]}, {names[second]}" + (f": {detail}" if detail else "")
            for first, second, detail in zip(table["first"], table["second"], table["detail"], strict=True)
        ]
    return table[FINDING_COLUMNS]


def _warn_about_findings(table: pd.DataFrame) -> None:
    """Warn with the number of findings of each kind, if there are any."""
    if table.empty:
        return
    counts = table["kind"].value_counts(sort=False)
    first = table.iloc[0]
    warnings.warn(
        f"{', '.join(f'{count} x {kind}' for kind, count in counts.items())}, such as clips {first['first']} "
        f"and {first['second']}. Scores may be too good, or labels wrong: look at the table returned, keep "
        "such clips on the same side of every split (groups), or remove one of them",
        LeakageWarning,
        stacklevel=3,
    )
