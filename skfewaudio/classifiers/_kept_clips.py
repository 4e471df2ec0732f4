"""Features and labels of training clips, which a classifier is fitted to again when clips are added."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, column_or_1d

from skfewaudio._targets import check_groups, check_label_values, check_target


class ClipNumbers(np.ndarray[Any, np.dtype[np.int64]]):
    """Numbers of clips as groups: copies have the number of their clip.

    Unlike other groups, equal numbers in two calls of `partial_fit` are different recordings.
    """


@dataclass(frozen=True, eq=False)
class KeptClips:
    """Features of clips and of copies of them, with their labels, weights and recordings.

    Parameters
    ----------
    features : list of n_blocks ndarrays of shape (n_clips, n_columns), float32
        Features of each block, before scaling.
    labels : ndarray of shape (n_clips,)
        Labels.
    weights : ndarray of shape (n_clips,) or None
        Sample weights; None if none were given.
    recordings : ndarray of shape (n_clips,) or None
        Number of the recording of each clip: its index in `names`, or a number below 0 for a recording
        without a name. None if every clip is a recording of its own.
    names : ndarray of shape (n_names,) or None
        Names of recordings, which are the same in all calls; None if no recording has a name.
    """

    features: list[NDArray[np.float32]]
    labels: NDArray[Any]
    weights: NDArray[np.float64] | None
    recordings: NDArray[np.int64] | None
    names: NDArray[Any] | None

    def join(self, others: "KeptClips", *, unlabelled: bool) -> "KeptClips":
        """Return these clips followed by others.

        Parameters
        ----------
        others : KeptClips
            Clips with the same blocks.
        unlabelled : bool
            Whether -1 means unlabelled and may therefore stand among labels of another type.

        Returns
        -------
        KeptClips

        Raises
        ------
        ValueError
            If labels, or names of recordings, are text in one part and numbers in the other; or if the blocks
            have other numbers of columns.
        """
        parts = (self, others)
        widths = [[block.shape[1] for block in part.features] for part in parts]
        if widths[0] != widths[1]:
            raise ValueError(
                f"X has blocks of {widths[1]} columns, and the clips so far have blocks of {widths[0]}"
            )
        check_label_values([label for part in parts for label in part.labels.tolist()], unlabelled=unlabelled)
        has_weights = any(part.weights is not None for part in parts)
        recordings, names = _join_recordings(parts)
        return KeptClips(
            [np.concatenate(blocks) for blocks in zip(self.features, others.features, strict=True)],
            np.concatenate([part.labels for part in parts]),
            np.concatenate([_fill_weights(part) for part in parts]) if has_weights else None,
            recordings,
            names,
        )

    @property
    def fit_params(self) -> dict[str, NDArray[Any]]:
        """Parameters of `fit` beside features and labels, as far as they were given."""
        params = {"sample_weight": self.weights, "groups": self.recordings}
        return {name: value for name, value in params.items() if value is not None}


def check_kept_labels(estimator: BaseEstimator, y: Any, *, unlabelled: bool) -> NDArray[Any]:
    """Check labels, and return them as an array of strings or numbers (n_clips,).

    Parameters
    ----------
    estimator : estimator
        Named in errors.
    y : array-like of shape (n_clips,)
        Labels.
    unlabelled : bool
        Whether -1 means unlabelled. Among strings, it becomes "-1".

    Raises
    ------
    ValueError
        If a label is missing, or if the labels have several types.
    """
    check_label_values(y, unlabelled=unlabelled)
    return _as_values(column_or_1d(check_target(estimator, y), warn=True))


def keep_clips(
    features: Sequence[NDArray[Any]],
    labels: NDArray[Any],
    sample_weight: ArrayLike | None,
    groups: ArrayLike | None,
) -> KeptClips:
    """Return clips of one call, after checks.

    Parameters
    ----------
    features : sequence of n_blocks ndarrays of shape (n_clips, n_columns)
        Features of each block, before scaling. They are kept in single precision.
    labels : ndarray of shape (n_clips,)
        Labels, by `check_kept_labels`.
    sample_weight : array-like of shape (n_clips,) or None
        Weights of the clips.
    groups : array-like of shape (n_clips,) or None
        Recording of each clip.

    Raises
    ------
    ValueError
        If the numbers of clips differ, or if a weight or group is invalid.
    """
    blocks = [np.asarray(block, dtype=np.float32) for block in features]
    check_consistent_length(blocks[0], labels)
    weights = recordings = names = None
    if sample_weight is not None:
        weights = _check_sample_weight(sample_weight, labels, dtype=np.float64, ensure_non_negative=True)
    if isinstance(groups, ClipNumbers):
        recordings = -1 - np.asarray(groups)
    elif groups is not None:
        given = _as_values(check_groups(groups, len(labels)))
        names, recordings = np.unique(given, return_inverse=True)
    return KeptClips(blocks, labels, weights, recordings, names)


def _as_values(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array of objects as an array of strings or numbers."""
    values = np.array(array.tolist()) if array.dtype.kind == "O" else array
    return values if values.ndim == 1 else array


def _fill_weights(clips: KeptClips) -> NDArray[np.float64]:
    return np.ones(len(clips.labels)) if clips.weights is None else clips.weights


def _join_recordings(parts: Sequence[KeptClips]) -> tuple[NDArray[np.int64] | None, NDArray[Any] | None]:
    """Return the recordings of joined clips and their names; unnamed recordings of two parts differ."""
    if all(part.recordings is None for part in parts):
        return None, None
    listed = [[] if part.names is None else part.names.tolist() for part in parts]
    given = [name for names in listed for name in names]
    names, numbers = None, np.empty(0, dtype=np.int64)
    if given:
        names, numbers = np.unique(check_groups(given, len(given)), return_inverse=True)
    found: list[NDArray[np.int64]] = []
    n_names = lowest = 0
    for part, own in zip(parts, listed, strict=True):
        if part.recordings is None:
            recordings = lowest - 1 - np.arange(len(part.labels))
        else:
            recordings = part.recordings + lowest
            is_named = part.recordings >= 0
            recordings[is_named] = numbers[n_names + part.recordings[is_named]]
        n_names += len(own)
        lowest = min(lowest, int(recordings.min()))
        found.append(recordings)
    return np.concatenate(found), names
