"""Labels of training clips: classes of events, and background."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import column_or_1d

from skfewaudio._targets import check_label_values

BACKGROUND_LABELS = ("background", "noise", "silence")


def separate_background(
    y: ArrayLike, n_clips: int, background_label: str | Sequence[str]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Check the labels of training clips, and find the clips of events.

    Parameters
    ----------
    y : array-like of shape (n_clips,)
        Labels.
    n_clips : int
        Number of clips.
    background_label : str or sequence of str
        Labels of background.

    Returns
    -------
    labels : ndarray of shape (n_clips,)
        The labels.
    is_event : ndarray of shape (n_clips,), bool
        Whether each clip is one of an event.

    Raises
    ------
    ValueError
        If the number of labels differs from `n_clips`, a label is missing, or all are labels of background.
    """
    check_label_values(y, unlabelled=False)
    labels = column_or_1d(np.asarray(y), warn=True)
    if len(labels) != n_clips:
        raise ValueError(f"y must have one label for each of {n_clips} clips; got {len(labels)}")
    names = [background_label] if isinstance(background_label, str) else list(background_label)
    is_event = ~np.isin(labels, names)
    if not is_event.any():
        raise ValueError(
            f"all {n_clips} clips have labels of background, {sorted(set(labels.tolist()))}; "
            "expected a class of events, too"
        )
    return labels, is_event
