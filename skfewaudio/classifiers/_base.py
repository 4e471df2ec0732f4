"""Input checks, tags, saved state and cloning of the classifiers of spectrograms."""

import os
from collections.abc import Sequence
from inspect import Parameter, signature
from numbers import Integral, Real
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skfewaudio._arrays import to_python
from skfewaudio._documentation import DocumentedMixin
from skfewaudio._input_warnings import measure_silence, warn_of_padding, warn_of_waveforms
from skfewaudio._targets import check_label_values, check_target
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
    "n_threads": [Interval(Integral, 1, None, closed="left")],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}


class SpectrogramClassifierMixin(DocumentedMixin):
    """Mixin for classifiers that accept spectrograms or feature vectors.

    The fitted estimator has ``patch_frames_``, which is None after a fit to feature vectors, and
    ``max_silence_``, the largest share of silent frames at the end of a training clip.
    """

    patch_frames_: int | None
    max_silence_: float | None
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
        self._look_for_mistakes(clips, reset=reset)
        return clips

    def _look_for_mistakes(self, clips: NDArray | list[NDArray], *, reset: bool) -> None:
        """Warn of waveforms in `fit`, and later of clips that end in more silence than those of `fit`."""
        if not isinstance(clips, list):
            if reset:
                self.max_silence_ = None
                if not callable(getattr(self, "architecture", None)):  # a caller's network may take waveforms
                    warn_of_waveforms(clips)
        elif reset:
            self.max_silence_ = float(measure_silence(clips).max())
        else:
            warn_of_padding(clips, getattr(self, "max_silence_", None))  # models of earlier versions lack it

    def _check_labels(
        self, X: ArrayLike | Sequence[NDArray], y: ArrayLike, *, multilabel: bool = False
    ) -> NDArray:
        """Check y: one label per clip or, with `multilabel`, also an indicator matrix."""
        check_label_values(y)
        labels = check_target(self, y, multi_output=multilabel)
        check_consistent_length(X, labels)
        check_classification_targets(labels)
        if multilabel and type_of_target(labels) == "multilabel-indicator":
            return labels.toarray() if issparse(labels) else labels  # type: ignore[attr-defined]
        return column_or_1d(labels, warn=True)

    def _spec(self) -> Any:
        """Return the attributes with NumPy's numbers as Python's, which torch requires."""
        return SimpleNamespace(**{name: to_python(value) for name, value in vars(self).items()})

    def __getstate__(self) -> dict[str, Any]:
        return pack_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A model of an earlier version lacks parameters that were added later.
        super().__setstate__(_default_params(type(self)) | unpack_state(state))  # type: ignore[misc]  # of the estimator's next base

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


def _default_params(estimator_type: type) -> dict[str, Any]:
    """Return the default values of the parameters of an estimator."""
    parameters = signature(estimator_type).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not Parameter.empty}
