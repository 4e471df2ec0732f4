"""Digests of the data that the scores of a fit depend on, by which finished fits are found again."""

from collections.abc import Mapping
from contextlib import suppress
from pickle import PicklingError
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skfewaudio._describe import digest
from skfewaudio.audio.containers import needs_reading, unpack_clips
from skfewaudio.features.clip_digests import digest_clips

from ..draws import Indices


def digest_inputs(
    X: Any, labels: NDArray[Any], groups: Any, folds: Mapping[Any, tuple[Indices, Indices]]
) -> dict[Any, str]:
    """Return a digest of the clips, labels, groups and split for each fold."""
    codes = None if groups is None else pd.factorize(np.asarray(groups))[0].tolist()
    data = [_digest_clips(X), labels.tolist(), codes]
    return {fold: digest([data, *(part.tolist() for part in pair)]) for fold, pair in folds.items()}


def _digest_clips(X: Any) -> Any:
    """Return a digest of the content of the clips; None if it cannot be computed."""
    with suppress(TypeError, ValueError):  # raised again, if it is an error, when features are computed
        clips, is_table = unpack_clips(X)
        if not is_table and all(isinstance(clip, np.ndarray) or needs_reading(clip) for clip in clips):
            found = digest_clips(clips, store=False)
            return [str(clip) if key is None else key for clip, key in zip(clips, found, strict=True)]
    try:
        return joblib.hash(X)
    except (PicklingError, AttributeError, TypeError):
        return None
