"""Input checks, tags, saved state and cloning of the classifiers of spectrograms."""

import os
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, column_or_1d, validate_data

from skfewaudio._validation import check_spectrograms
from skfewaudio.audio.patches import PAD_MODES

from .saved_state import pack_state, unpack_state

# Constraints on the parameters of every classifier with a network.
NETWORK_CONSTRAINTS: dict[str, list[Any]] = {
    "architecture": [str, callable, HasMethods(["fit", "predict"]), None],
    "architecture_params": [dict, None],
    "weights": [str, os.PathLike, None],
    "patch_frames": [Interval(Integral, 1, None, closed="left"), None],
    "hop_frames": [Interval(Integral, 1, None, closed="left"), None],
    "pad_mode": [StrOptions(set(PAD_MODES))],
    "optimizer": [callable],
    "learning_rate": [Interval(Real, 0, None, closed="left")],
    "backbone_learning_rate": [Interval(Real, 0, None, closed="left"), None],
    "gradient_clip": [Interval(Real, 0, None, closed="neither"), None],
    "callbacks": [list, None],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "mixed_precision": ["boolean", None],
    "device": [str, None],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}


class SpectrogramClassifierMixin:
    """Mixin for classifiers that accept spectrograms or feature vectors.

    The fitted estimator has ``patch_frames_``, which is None after a fit to feature vectors.
    """

    patch_frames_: int | None
    predict_log_proba: Any

    def decision_function(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Return the log-probabilities of the classes, or the log-odds of the second of two classes.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes), or (n_clips,) with two classes
        """
        scores = self.predict_log_proba(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def _check_clips(self, X: ArrayLike | Sequence[NDArray], *, reset: bool) -> NDArray | list[NDArray]:
        """Check X, and that it holds the same kind of input as in `fit`."""
        clips = check_spectrograms(self, X, reset=reset)
        if not reset and isinstance(clips, list) == (self.patch_frames_ is None):
            kinds = ("feature vectors", "spectrograms")
            raise ValueError(f"X holds {kinds[isinstance(clips, list)]}, and fit was given the other kind")
        return clips

    def _check_labels(
        self, X: ArrayLike | Sequence[NDArray], y: ArrayLike, *, multilabel: bool = False
    ) -> NDArray:
        """Check y: one label per clip or, with `multilabel`, also an indicator matrix."""
        labels: NDArray = validate_data(self, X="no_validation", y=y, multi_output=multilabel)
        check_consistent_length(X, labels)
        check_classification_targets(labels)
        if multilabel and type_of_target(labels) == "multilabel-indicator":
            return labels.toarray() if issparse(labels) else labels  # type: ignore[attr-defined]
        return column_or_1d(labels, warn=True)

    def __getstate__(self) -> dict[str, Any]:
        return pack_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(unpack_state(state))  # type: ignore[misc]  # of the estimator's next base

    def __sklearn_clone__(self) -> Self:
        # A fitted estimator as the architecture provides its weights, which cloning would discard.
        copy = super().__sklearn_clone__()  # type: ignore[misc]  # of the estimator's next base
        if hasattr(getattr(self, "architecture", None), "network_"):
            copy.architecture = self.architecture  # type: ignore[attr-defined]
        return copy

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # of the estimator's next base
        tags.input_tags.three_d_array = True
        return tags


def as_clips(X: NDArray | list[NDArray]) -> list[NDArray]:
    """Return feature vectors as clips with a single frame."""
    return X if isinstance(X, list) else list(np.asarray(X, dtype=np.float32)[:, :, None])
